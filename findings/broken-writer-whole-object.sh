#!/usr/bin/env bash
# A shard whose writer broke off stands on S3 as a whole, readable parquet file.
#
# One would guess: an exception inside "with" leaves no object, as multipart uploads promise, or one that
#                  cannot be read, as it has no footer.
# What happens:    ParquetWriter writes its footer as the exception passes, and s3fs and pyarrow's own
#                  S3FileSystem then complete the upload. The object reads without an error: 5 rows of 10.
#                  Inside `with fs.transaction:` s3fs leaves nothing.
# Why it matters:  "the shard is there, so it is done" is how downloads resume; its last clips are lost.
# Seen:            by running against moto (pyarrow 26.0.1, s3fs 2026.9.0); apache/arrow issue 40800 asks.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q s3fs==2026.9.0 'moto[server]==5.2.5' pyarrow==26.0.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import os
import sys

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")
import pyarrow
import pyarrow.fs
import pyarrow.parquet
import s3fs
from moto.server import ThreadedMotoServer

print("pyarrow", pyarrow.__version__, "s3fs", s3fs.__version__)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
fsspec_s3 = s3fs.S3FileSystem(endpoint_url=f"http://{host}:{port}", use_listings_cache=False)
arrow_s3 = pyarrow.fs.S3FileSystem(
    endpoint_override=f"{host}:{port}", scheme="http", access_key="x", secret_key="x", region="us-east-1"
)
fsspec_s3.mkdir("shards")
row = pyarrow.table({"clip": [bytes(range(256)) * 8192]})  # 2 MiB


class Broken(Exception):
    pass


def write(out):
    with out, pyarrow.parquet.ParquetWriter(out, row.schema, compression="none") as writer:
        for i in range(10):
            if i == 5:
                raise Broken("the source went away")
            writer.write_table(row)


def rows(path):
    if not fsspec_s3.exists(path):
        return "no object"
    with fsspec_s3.open(path) as shard:
        return pyarrow.parquet.read_table(shard).num_rows


got = {}
try:
    write(fsspec_s3.open("shards/s3fs.parquet", "wb"))
except Broken:
    got["s3fs"] = rows("shards/s3fs.parquet")
try:
    write(arrow_s3.open_output_stream("shards/arrow.parquet"))
except Broken:
    got["pyarrow.fs"] = rows("shards/arrow.parquet")
try:
    with fsspec_s3.transaction:
        write(fsspec_s3.open("shards/held.parquet", "wb"))
except Broken:
    got["s3fs, transaction"] = rows("shards/held.parquet")
server.stop()
for name, value in got.items():
    print(f"{name:18} rows read, of 10 due: {value}")
sys.exit(got != {"s3fs": 5, "pyarrow.fs": 5, "s3fs, transaction": "no object"})
PY
