#!/usr/bin/env bash
# Hugging Face with_format("numpy") shortens a binary column.
#
# One would guess: a binary column comes back byte for byte, whatever the format.
# What happens:    zero bytes at the end are gone: numpy makes fixed-width strings of bytes, and those
#                  drop trailing zeros. Without a format, or as arrow, pandas or polars, all bytes come.
# Why it matters:  a WAV that ends in silence ends in zero bytes. Stored in a binary column and read by a
#                  training loop with a torch format, it is shorter than its own header says.
# Seen:            by running (datasets 5.2.0, numpy 2.4.6); torch 2.14.1, tried apart, gets the same.
#                  Cure: read bytes without a format.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q datasets==5.2.0 numpy==2.4.6 pyarrow==26.0.1 pandas==3.1.1 polars==2.1.0
cd "$work"
HF_HOME="$work/hf" HF_HUB_OFFLINE=1 venv/bin/python -W ignore - <<'PY'
import io
import sys
import wave

import datasets
import numpy

datasets.disable_progress_bars()
print("datasets", datasets.__version__, "numpy", numpy.__version__)
box = io.BytesIO()
with wave.open(box, "wb") as out:
    out.setnchannels(1)
    out.setsampwidth(2)
    out.setframerate(16000)
    out.writeframes(b"\x01\x02" * 12000 + b"\0\0" * 4000)  # the last quarter second is silent
clip = box.getvalue()
rows = datasets.Dataset.from_dict({"wav": [clip, clip]})
got = {
    "no format": len(rows[0]["wav"]),
    "arrow": len(rows.with_format("arrow")[0]["wav"][0].as_py()),
    "pandas": len(rows.with_format("pandas")[0]["wav"][0]),
    "polars": len(rows.with_format("polars")[0]["wav"][0]),
    "numpy": len(rows.with_format("numpy")[0]["wav"]),
    "numpy, map": rows.with_format("numpy").map(lambda b: {"n": [len(w) for w in b["wav"]]}, batched=True)["n"][0],
}
print("bytes that went in:", len(clip))
for name, length in got.items():
    print(f"{name:10} {length}")
whole, short = len(clip), len(clip) - 8000
want = {name: short if name.startswith("numpy") else whole for name in got}
sys.exit({k: int(v) for k, v in got.items()} != want)
PY
