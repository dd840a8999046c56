#!/usr/bin/env bash
# "Title [id].mp4", as yt-dlp names files, is a pattern to s3fs, Polars, DuckDB and Hugging Face.
#
# One would guess: a name that exists is that file; only a name that does not exist is tried as a pattern.
# What happens:    s3fs says that "Rain [a1b].mp4" exists, and then rm() deletes "Rain 1.mp4",
#                  "Rain a.mp4" and "Rain b.mp4" and leaves it; get() and cat() bring the other three.
#                  The methods for one file (get_file, cat_file) are right.
#                  Polars, DuckDB and datasets read the other file in the same way; pyarrow reads the one named.
# Why it matters:  yt-dlp's default template ends in " [%(id)s].%(ext)s"; a clean-up by name in a bucket
#                  deletes other clips and reports success.
# Seen:            by running against moto (s3fs 2026.9.0, polars 2.1.0, duckdb 2.0.1, datasets 5.2.0).
#                  That brackets are patterns is known: fsspec/filesystem_spec issue 838.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q s3fs==2026.9.0 'moto[server]==5.2.5' datasets==5.2.0 polars==2.1.0 duckdb==2.0.1 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
HF_HOME="$work/hf" HF_HUB_OFFLINE=1 venv/bin/python -W ignore - <<'PY'
import os
import pathlib
import sys

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")
import datasets
import duckdb
import polars
import pyarrow
import pyarrow.parquet
import s3fs
from moto.server import ThreadedMotoServer

datasets.disable_progress_bars()
for module in (s3fs, polars, duckdb, datasets, pyarrow):
    print(module.__name__, module.__version__)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
s3 = s3fs.S3FileSystem(endpoint_url=f"http://{host}:{port}")
named, others = "clips/Rain [a1b].mp4", ["clips/Rain 1.mp4", "clips/Rain a.mp4", "clips/Rain b.mp4"]
s3.mkdir("clips")
for name in [named, *others]:
    s3.pipe_file(name, name.encode())
got = {"exists": s3.exists(named), "cat_file": s3.cat_file(named) == named.encode()}
s3.get(named, "got/")
got["get brings"] = sorted(os.listdir("got"))
s3.rm(named)
got["after rm"] = s3.find("clips")
server.stop()

for name in ("Rain [ab].parquet", "Rain a.parquet"):
    pyarrow.parquet.write_table(pyarrow.table({"file": [name]}), name)
name = "Rain [ab].parquet"
got["polars"] = polars.read_parquet(name)["file"].to_list()
got["duckdb"] = duckdb.read_parquet(name).fetchall()[0][0]
got["datasets"] = datasets.load_dataset("parquet", data_files=name, split="train")[0]["file"]
got["pyarrow"] = pyarrow.parquet.read_table(name)["file"].to_pylist()[0]
for key, value in got.items():
    print(f"{key:10} {value}")
other = "Rain a.parquet"
want = {
    "exists": True,
    "cat_file": True,
    "get brings": sorted(pathlib.PurePath(o).name for o in others),
    "after rm": [named],
    "polars": [other],
    "duckdb": other,
    "datasets": other,
    "pyarrow": name,
}
sys.exit(got != want)
PY
