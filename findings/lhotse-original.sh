#!/usr/bin/env bash
# lhotse's Shar field "original": the sound is decoded and encoded anew, to 16 bits, and clipped.
#
# One would guess: fields={"recording": "original"} puts the file's own bytes into the shard.
# What happens:    it keeps the container's name alone. An MP3 is decoded and encoded as MP3 a second time. FLAC of 24 bits
#                  and WAV of float32 become 16 bits; what lies above 1.0 is cut off, as it is with "wav" and "flac".
#                  An MP3 or AAC of loud music often decodes to such values: a "flac" shard of it is clipped. "mp3"
#                  keeps them. Nothing is said, and to_shar() has no option for the bits.
# Why it matters:  a shard is made once and trained on for years, the files are then deleted. Clipped peaks and a second
#                  generation of MP3 are part of the data from then on.
# Source:          `lhotse shar export --help`: original saves in the format of the audio, and audio of any format makes
#                  "a copy of the data"; lhotse/shar/writers/audio.py, AudioTarWriter.write: save_audio for each.
# Seen:            by running (lhotse 1.33.0, soundfile 0.14.0, torch 2.13.0, of which the CPU build is enough;
#                  `import lhotse` needs urllib3, which pip does not bring with it).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q lhotse==1.33.0 soundfile==0.14.0 numpy==2.4.6 torch==2.13.0 urllib3==2.8.0
cd "$work"
venv/bin/python -W ignore - <<'PY'
import io
import pathlib
import sys
import tarfile

import numpy
import soundfile
from lhotse import CutSet, Recording

RATE = 16_000
noise = numpy.random.default_rng(0).normal(size=RATE * 4)
loud = (0.5 * noise).clip(-0.99, 0.99).astype("float32")
soundfile.write("loud.mp3", loud, RATE)
soundfile.write("bits24.flac", loud, RATE, subtype="PCM_24")
soundfile.write("float.wav", 1.6 * loud, RATE, subtype="FLOAT")


def shard(name, field):
    """The bytes that a shard has for one file, and the samples that lhotse reads from it."""
    folder = pathlib.Path(f"{name}-{field}")
    folder.mkdir()
    cuts = CutSet.from_cuts([Recording.from_file(name).to_cut()])
    cuts.to_shar(str(folder), fields={"recording": field})
    with tarfile.open(folder / "recording.000000.tar") as tar:
        stored = tar.extractfile(tar.getmembers()[0]).read()
    return stored, next(iter(CutSet.from_shar(in_dir=str(folder)))).load_audio()[0]


found = {}
for name, field in (
    ("loud.mp3", "original"),
    ("bits24.flac", "original"),
    ("float.wav", "original"),
    ("loud.mp3", "flac"),
    ("loud.mp3", "mp3"),
):
    before = soundfile.read(name, dtype="float32")[0]
    stored, after = shard(name, field)
    found[name, field] = {
        "own bytes": stored == pathlib.Path(name).read_bytes(),
        "kind": soundfile.info(io.BytesIO(stored)).subtype,
        "peak": (round(float(abs(before).max()), 2), round(float(abs(after).max()), 2)),
        "cut off": round(float((abs(before) > 1).mean()), 3) if abs(after).max() <= 1 else 0.0,
        "error": float(numpy.sqrt(numpy.mean((before - after) ** 2))),
    }
    print(f"{name:12} as {field:9}", *(f"{key}: {value}" for key, value in found[name, field].items()), sep="  ")
kinds = [row["kind"] for row in found.values()]
peaks = [row["peak"] for row in found.values()]
sys.exit(
    any(row["own bytes"] for row in found.values())
    or kinds != ["MPEG_LAYER_III", "PCM_16", "PCM_16", "PCM_16", "MPEG_LAYER_III"]
    or [after > 1 for _, after in peaks] != [True, False, False, False, True]
    or [before > 1 for before, _ in peaks] != [True, False, True, True, True]
    or found["loud.mp3", "original"]["error"] < 0.01
    or not 0 < found["bits24.flac", "original"]["error"] < 1e-4
    or min(found[key]["cut off"] for key in (("float.wav", "original"), ("loud.mp3", "flac"))) < 0.001
)
PY
