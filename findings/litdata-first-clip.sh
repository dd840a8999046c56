#!/usr/bin/env bash
# litdata stores each clip in the form of the first one: later ones are flattened, reread as other numbers, or become 0.
#
# One would guess: optimize() stores what the function returns for each clip, or refuses a clip that differs from the first.
# What happens:    the types of the first clip hold for all that its worker writes. After mono sound of shape (n,) stereo of
#                  shape (2, n) is read back flat, (2n,), one channel after the other. After float32 features, float16 ones
#                  are read as float32: half as many, of other values. A start or a label that is None becomes 0 or "",
#                  a whole number in a column that began with True becomes True. A clip with another key gets the first
#                  clip's key, empty, and loses its own. 30.5 after 30 raises.
# Why it matters:  the number of clips is right and all of them load. What is wrong depends on which clip came first, and
#                  a test with a few clips of one kind shows none of it.
# Source:          litdata/streaming/writer.py, BinaryWriter.serialize: data_format is inferred once, from the first item.
# Seen:            by running (litdata 0.2.76, numpy 2.4.6, torch 2.13.0, of which the CPU build is enough).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q litdata==0.2.76 numpy==2.4.6 torch==2.13.0
cd "$work"
cat > pairs.py <<'PY'
import contextlib
import io
import sys

import litdata
import numpy

MONO = numpy.arange(3, dtype="float32")
STEREO = numpy.arange(6, dtype="float32").reshape(2, 3)
PAIRS = {
    "mono, stereo": (MONO, STEREO),
    "stereo, mono": (STEREO, MONO),
    "float32, float16": (MONO, numpy.arange(4, dtype="float16")),
    "30, None": (30, None),
    "rain, None": ("rain", None),
    "True, 5": (True, 5),
    "None, 30": (None, 30),
    "30, 30.5": (30, 30.5),
}
KEYS = {
    "another key": ({"id": "a", "start": 1, "title": "t"}, {"id": "b", "start": 2, "label": "rain"}),
    "one key more": ({"id": "a", "start": 1}, {"id": "b", "label": "rain", "start": 2}),
}


def sample(pair):
    first, second = pair
    return first if isinstance(first, dict) else {"x": first}, second if isinstance(second, dict) else {"x": second}


def clip(item):
    pair, number = item
    return sample({**PAIRS, **KEYS}[pair])[number]


def second(pair):
    """The second clip as it is read back; the name of the error where writing it raises."""
    folder = pair.replace(", ", "-").replace(" ", "-")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            litdata.optimize(clip, [(pair, 0), (pair, 1)], folder, chunk_bytes="1MB", num_workers=1)
        except RuntimeError as error:
            return type(error).__name__
    row = litdata.StreamingDataset(folder)[1]
    return row if pair in KEYS else row["x"]


def main():
    found = {}
    for pair in (*PAIRS, *KEYS):
        value = second(pair)
        found[pair] = value.tolist() if isinstance(value, numpy.ndarray) else value
        print(f"{pair:18} the second is read back as {found[pair]!r}", flush=True)
    want = {
        "mono, stereo": STEREO.ravel().tolist(),
        "stereo, mono": MONO.tolist(),
        "float32, float16": numpy.arange(4, dtype="float16").view("float32").tolist(),
        "30, None": 0,
        "rain, None": "",
        "True, 5": True,
        "None, 30": 30,
        "30, 30.5": "RuntimeError",
        "another key": {"id": "b", "start": 2, "title": ""},
        "one key more": {"id": "b", "start": 2},
    }
    return found != want


if __name__ == "__main__":
    sys.exit(main())
PY
venv/bin/python -W ignore pairs.py
