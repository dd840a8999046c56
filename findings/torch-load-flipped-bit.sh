#!/usr/bin/env bash
# torch.load takes a flipped bit for a value, as readers of parquet do, though the file holds a checksum of it.
#
# One would guess: a file that stores CRC-32 sums of its values is checked when it is read, as .zip and .npz are.
# What happens:    torch.save() computes and writes a CRC-32 of each tensor; torch.load() does not look at it. With one bit
#                  flipped on the disk 5000.0 is another number, with mmap or without, and `unzip -t` or Python's zipfile
#                  name the broken tensor of the same file. In parquet pyarrow writes no sums; with
#                  write_page_checksum=True it does, and pyarrow, pandas, polars and DuckDB read the wrong value without
#                  a word. Only pyarrow's page_checksum_verification=True raises. safetensors has no sums at all. Of the
#                  formats of features tried here .npz alone is checked when it is read.
# Why it matters:  features are kept for years and copied between disks. The same bit of a value below 2 makes some 1e38 of it.
# Source:          torch.serialization.set_crc32_options: without sums "torch.load will be able to load the file"; pyarrow's
#                  read_table: page_checksum_verification, default False.
# Seen:            by running (torch 2.13.0, safetensors 0.8.0, pyarrow 26.0.1, polars 2.1.0, duckdb 2.0.1, numpy 2.4.6).
#                  Cure: zipfile.ZipFile(path).testzip() before torch.load(); a list of SHA-256 beside the rest.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.13.0 safetensors==0.8.0 pyarrow==26.0.1 pandas==3.1.1 polars==2.1.0 duckdb==2.0.1 \
  numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import pathlib
import sys
import zipfile
import zlib

import duckdb
import numpy
import pandas
import polars
import pyarrow
import pyarrow.parquet
import safetensors.numpy
import torch

values = numpy.arange(1, 10001, dtype="float32")
torch.save(torch.from_numpy(values), "features.pt")
safetensors.numpy.save_file({"a": values}, "features.safetensors")
numpy.savez("features.npz", a=values)
table = pyarrow.table({"a": values})
plain = {"compression": "none", "use_dictionary": False, "write_page_checksum": True}
pyarrow.parquet.write_table(table, "features.parquet", **plain)


def flip(name):
    """Flip the highest bit of the exponent of one value, 5000.0."""
    content = bytearray(pathlib.Path(name).read_bytes())
    place = content.index(values[4995:5005].tobytes()) + 4 * 4 + 3
    content[place] ^= 0x40
    pathlib.Path(name).write_bytes(content)


def read(call):
    try:
        found = numpy.asarray(call(), dtype="float32")
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        return f"raises: {str(error)[:60]}"
    return f"{int((found != values).sum())} wrong of {len(found)}: 5000.0 is {found[4999]:.4g}"


READERS = {
    "torch.load": lambda: torch.load("features.pt"),
    "torch.load, mmap": lambda: torch.load("features.pt", mmap=True),
    "safetensors": lambda: safetensors.numpy.load_file("features.safetensors")["a"],
    "parquet, pyarrow": lambda: pyarrow.parquet.read_table("features.parquet")["a"],
    "parquet, pandas": lambda: pandas.read_parquet("features.parquet")["a"],
    "parquet, polars": lambda: polars.read_parquet("features.parquet")["a"],
    "parquet, DuckDB": lambda: [row[0] for row in duckdb.sql("from 'features.parquet'").fetchall()],
    "parquet, verified": lambda: pyarrow.parquet.read_table("features.parquet", page_checksum_verification=True)["a"],
    "numpy .npz": lambda: numpy.load("features.npz")["a"],
}
before = {name: read(call) for name, call in READERS.items()}
for name in ("features.pt", "features.safetensors", "features.npz", "features.parquet"):
    flip(name)
after = {name: read(call) for name, call in READERS.items()}
for name, found in after.items():
    print(f"{name:18}", found)
broken = zipfile.ZipFile("features.pt").testzip()
print("zipfile, of the .pt:", broken)
raised = {name for name, found in after.items() if found.startswith("raises")}
silent = all(found.startswith("1 wrong of 10000") for name, found in after.items() if name not in raised)
clean = all(found.startswith("0 wrong of 10000") for found in before.values())
sys.exit(raised != {"parquet, verified", "numpy .npz"} or not silent or not clean or broken is None)
PY
