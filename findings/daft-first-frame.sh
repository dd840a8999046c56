#!/usr/bin/env bash
# Daft reads of a .zst, .bz2 or .xz table only the part that was written first.
#
# One would guess: compressed files may be appended to one another; a reader takes all parts, as with gzip, or raises.
# What happens:    three runs each append their rows to clips.jsonl.zst, or `cat` joins three shards. Daft returns the rows
#                  of the first, for JSON lines and for CSV, and says nothing; of .gz it returns all. polars, pandas,
#                  DuckDB and pyarrow return all rows of .zst. The same holds of one file that a tool with
#                  several threads wrote: pbzip2 and lbzip2 write such parts by themselves, and so does pzstd. Its files
#                  begin with a frame to be skipped, and Daft finds no row and no column in a CSV of it. The function
#                  zstandard.decompress() too returns the first part, where zstandard.open() reads all.
# Why it matters:  a list looks whole, and its count is the only sign: the first run's, or the first few megabytes' rows.
# Source:          RFC 8878, 3.1: "Zstandard compressed data is made up of one or more frames", and 3.1.2
#                  on those to be skipped. The manual of bzip2: parts after one another are decompressed as one.
# Seen:            by running (daft 0.6.14, zstandard 0.25.0, polars 2.1.0, pandas 3.1.1, duckdb 2.0.1, pyarrow 26.0.1).
#                  Cure: compress anew what was joined, or use .gz or parquet.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q daft==0.6.14 zstandard==0.25.0 polars==2.1.0 pandas==3.1.1 duckdb==2.0.1 pyarrow==26.0.1 \
  numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import bz2
import gzip
import json
import lzma
import struct
import sys

import daft
import duckdb
import pandas
import polars
import pyarrow.json
import zstandard

RUNS = (1000, 2000, 3000)
COMPRESS = {"zst": zstandard.compress, "bz2": bz2.compress, "xz": lzma.compress, "gz": gzip.compress}
for kind, compress in COMPRESS.items():
    with open(f"clips.jsonl.{kind}", "wb") as lines, open(f"clips.csv.{kind}", "wb") as table:
        for run, count in enumerate(RUNS):
            rows = [{"id": f"run{run}-{i:05d}", "start": i} for i in range(count)]
            lines.write(compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
            head = "" if run else "id,start\n"
            table.write(compress((head + "".join(f"{row['id']},{row['start']}\n" for row in rows)).encode()))

with open("skipped.csv.zst", "wb") as table, open("clips.csv.zst", "rb") as clips:
    table.write(struct.pack("<II", 0x184D2A50, 4) + b"    " + clips.read())
with open("clips.jsonl.zst", "rb") as file:
    whole = file.read()
found = {f"daft JSON .{kind}": len(daft.read_json(f"clips.jsonl.{kind}").to_pydict()["id"]) for kind in COMPRESS}
found |= {f"daft CSV .{kind}": len(daft.read_csv(f"clips.csv.{kind}").to_pydict()["id"]) for kind in COMPRESS}
found["daft CSV .zst of pzstd's form"] = sum(map(len, daft.read_csv("skipped.csv.zst").to_pydict().values()))
found["zstandard.decompress"] = zstandard.decompress(whole).count(b"\n")
found["zstandard.open"] = zstandard.open("clips.jsonl.zst", "rb").read().count(b"\n")
found["polars .zst"] = len(polars.read_ndjson("clips.jsonl.zst"))
found["pandas .zst"] = len(pandas.read_json("clips.jsonl.zst", lines=True))
found["pyarrow .zst"] = len(pyarrow.json.read_json("clips.jsonl.zst"))
found["duckdb .zst"] = len(duckdb.sql("from 'clips.jsonl.zst'").fetchall())
for name, rows in found.items():
    print(f"{name:32}", rows)
first = {f"daft {form} .{kind}" for form in ("JSON", "CSV") for kind in ("zst", "bz2", "xz")} | {"zstandard.decompress"}
want = {name: RUNS[0] if name in first else sum(RUNS) for name in found} | {"daft CSV .zst of pzstd's form": 0}
sys.exit(found != want)
PY
