#!/usr/bin/env bash
# A parquet page of "1 MiB" holds a thousand clips: to read one takes them all, and 1,000 of 2.2 MB cannot be written.
#
# One would guess: data_page_size, 1 MiB by default, makes a page of each clip of a megabyte, iter_batches(batch_size=1)
#                  holds about one at a time, and a row group may be as large as the memory allows.
# What happens:    the writer looks at the size of a page after each write_batch_size=1024 rows. So 100 clips of 1 MB are
#                  one page, and the first batch of one row has taken 301 MB of memory; with pre_buffer=False and
#                  buffer_size 201 MB, and 5 MB when they were written with write_batch_size=1. And a page's length has
#                  31 bits: write_table of 1,000 clips of 2.2 MB raises ArrowCapacityError, or without dictionaries
#                  OSError ("overflows INT32_MAX"), with any data_page_size. write_batch_size=1 writes them.
# Why it matters:  a shard of clips that is written in one go works in a test of 500, and at its full size fails, or
#                  fills the memory of each worker that wants one clip.
# Source:          arrow's cpp/src/parquet/column_writer.cc: WriteArrow goes batch by batch, and only between two batches
#                  is the size compared with the limit.
# Seen:            by running (pyarrow 26.0.1, numpy 2.4.6). Needs 8 GB of memory and 3 GB of disk.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pyarrow==26.0.1 numpy==2.4.6
cd "$work"
cat > first.py <<'PY'
import sys

import pyarrow.parquet

name, *words = sys.argv[1:]
options = {"pre_buffer": False, "buffer_size": 65536} if words else {}
batch = next(pyarrow.parquet.ParquetFile(name, **options).iter_batches(batch_size=1))
assert batch.num_rows == 1
print(round(pyarrow.default_memory_pool().max_memory() / 1e6))
PY
venv/bin/python -W ignore - <<'PY'
import subprocess
import sys

import numpy
import pyarrow
import pyarrow.parquet


def clips(count, size, random):
    """Different clips, each of which begins with its number, in one array without a copy."""
    data = random.integers(0, 256, (count, size), "uint8") if random else numpy.zeros((count, size), "uint8")
    data[:, :8] = numpy.arange(count, dtype=">u8")[:, None].view("uint8")
    ends = numpy.arange(0, count * size + 1, size, "int64")
    buffers = [None, pyarrow.py_buffer(ends), pyarrow.py_buffer(data)]
    return pyarrow.table({"clip": pyarrow.LargeBinaryArray.from_buffers(pyarrow.large_binary(), count, buffers)})


def first(name, *words):
    return int(subprocess.run([sys.executable, "first.py", name, *words], capture_output=True, text=True, check=True).stdout)


found = {}
table = clips(100, 1_000_000, numpy.random.default_rng(0))
ways = {"default": {}, "no dictionary": {"use_dictionary": False}, "batches of 1": {"write_batch_size": 1}}
for name, options in ways.items():
    pyarrow.parquet.write_table(table, "some.parquet", **options)
    found[name] = first("some.parquet"), first("some.parquet", "in pieces")
print("MB for the first row of 100 clips of 1 MB, by default and with pre_buffer=False and buffer_size:", found)
table = clips(1000, 2_200_000, None)
plain = {"use_dictionary": False, "compression": "none"}
ways = {"default": {}, "no dictionary": plain, "batches of 1": {**plain, "write_batch_size": 1}}
ended = {}
for name, options in ways.items():
    try:
        pyarrow.parquet.write_table(table, "many.parquet", **options)
        ended[name] = "written"
    except (OSError, pyarrow.ArrowException) as error:
        ended[name] = f"{type(error).__name__}: {error}"
print("1,000 clips of 2.2 MB:", ended, "MB taken:", round(pyarrow.default_memory_pool().max_memory() / 1e6))
few = found["default"][0] > 250 and found["default"][1] > 150 and found["batches of 1"][1] < 20
many = "ArrowCapacityError" in ended["default"] and "INT32_MAX" in ended["no dictionary"]
sys.exit(not (few and many and ended["batches of 1"] == "written"))
PY
