#!/usr/bin/env bash
# Hugging Face load_dataset("webdataset") takes its column types from five samples.
#
# One would guess: the JSON of later samples is either kept or refused.
# What happens:    a number with a fraction that comes later is cut to a whole number (30.5 -> 30),
#                  a key that comes later is dropped, and a file type that comes later is dropped. No
#                  error, no warning; streaming does the same. The webdataset library keeps it all.
# Why it matters:  clips of many lists start at whole seconds, and a few do not. If the first five of a
#                  shard do, every later start loses its fraction.
# Seen:            by running (datasets 5.2.0, webdataset 1.0.2). Cure: pass features=.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q datasets==5.2.0 webdataset==1.0.2 numpy==2.4.6 pyarrow==26.0.1
cd "$work"
HF_HOME="$work/hf" HF_HUB_OFFLINE=1 venv/bin/python -W ignore - <<'PY'
import io
import json
import sys
import tarfile

import datasets
import webdataset

datasets.disable_progress_bars()
print("datasets", datasets.__version__, "webdataset", webdataset.__version__)


def add(tar, name, data):
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


with tarfile.open("a.tar", "w") as tar:
    for i in range(8):
        late = i >= 5
        meta = {"start": 30.5 if late else 30}
        if late:
            meta["note"] = "mono"
        add(tar, f"clip{i}.json", json.dumps(meta).encode())
        add(tar, f"clip{i}.bin", b"...")
        if late:
            add(tar, f"clip{i}.txt", b"a caption")


def seen(row):
    return {"json": row["json"], "txt": row.get("txt")}


whole = datasets.load_dataset("webdataset", data_files="a.tar", split="train")
stream = datasets.load_dataset("webdataset", data_files="a.tar", split="train", streaming=True)
plain = list(webdataset.WebDataset("a.tar", shardshuffle=False).decode())
got = {
    "load_dataset": seen(whole[7]),
    "streaming": seen(list(stream)[7]),
    "webdataset": seen(plain[7]),
}
for name, value in got.items():
    print(f"{name:13}", value)
poor = {"json": {"start": 30}, "txt": None}
want = {
    "load_dataset": poor,
    "streaming": poor,
    "webdataset": {"json": {"start": 30.5, "note": "mono"}, "txt": "a caption"},
}
sys.exit(got != want)
PY
