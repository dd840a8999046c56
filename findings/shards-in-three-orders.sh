#!/usr/bin/env bash
# dask reads a list of parquet files in an order of its own, and Daft reads a pattern in the folder's order.
#
# One would guess: files given as a list are read in that order, and a pattern such as part-*.parquet is sorted in one way.
# What happens:    dask's read_parquet() sorts what it gets by the numbers in the names, a list too: asked for the files
#                  from 23 down to 0, it returns the rows from part-0 on. Its read_csv() keeps a list, and sorts a pattern
#                  by letters: 0, 1, 10, 11, 2. polars, DuckDB and datasets sort a pattern by letters too, and polars and
#                  pyarrow keep a list. Daft keeps a list, and reads a pattern in the order in which the disk lists the
#                  folder, another one on another machine. The number of rows is right everywhere.
# Why it matters:  features in one set of shards and ids or labels in another, with equal counts, are matched by their
#                  place. dask and the rest agree on ten shards; with the eleventh most clips have another's features.
# Source:          dask/dataframe/dask_expr/io/parquet.py: "sorted(paths, key=natural_sort_key)". For Daft os.listdir().
# Seen:            by running (dask 2026.8.0, daft 0.6.14, pyarrow 26.0.1, polars 2.1.0, duckdb 2.0.1, datasets 5.2.0).
#                  Cure: keep the id in each row and join by it; pad the numbers in names; give Daft a sorted list.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "dask[dataframe]==2026.8.0" daft==0.6.14 pyarrow==26.0.1 polars==2.1.0 duckdb==2.0.1 \
  datasets==5.2.0 numpy==2.4.6
cd "$work"
HF_HOME="$work/hf" HF_HUB_OFFLINE=1 venv/bin/python -W ignore - <<'PY'
import os
import pathlib
import random
import sys

import daft
import dask.dataframe
import datasets
import duckdb
import polars
import pyarrow
import pyarrow.parquet

datasets.disable_progress_bars()
COUNT = 24
names = list(range(COUNT))
random.Random(0).shuffle(names)
pathlib.Path("shards").mkdir()
for i in names:
    table = pyarrow.table({"shard": [i, i, i]})
    pyarrow.parquet.write_table(table, f"shards/part-{i}.parquet")
    pathlib.Path(f"shards/part-{i}.csv").write_text(f"shard\n{i}\n{i}\n{i}\n")
PATTERN = "shards/part-*.parquet"
backwards = [f"shards/part-{i}.parquet" for i in reversed(range(COUNT))]
backwards_csv = [f"shards/part-{i}.csv" for i in reversed(range(COUNT))]


def order(rows):
    rows = [int(row) for row in rows]
    assert len(rows) == COUNT * 3
    return list(dict.fromkeys(rows))


by_number = list(range(COUNT))
listed = [int(path.stem[5:]) for path in map(pathlib.Path, os.listdir("shards")) if path.suffix == ".parquet"]
by_letters = sorted(by_number, key=str)
found = {
    "dask, list": order(dask.dataframe.read_parquet(backwards).compute()["shard"]),
    "dask, pattern": order(dask.dataframe.read_parquet(PATTERN).compute()["shard"]),
    "dask, pattern of CSV": order(dask.dataframe.read_csv("shards/part-*.csv").compute()["shard"]),
    "dask, list of CSV": order(dask.dataframe.read_csv(backwards_csv).compute()["shard"]),
    "daft, list": order(daft.read_parquet(backwards).to_pydict()["shard"]),
    "daft, pattern": order(daft.read_parquet(PATTERN).to_pydict()["shard"]),
    "pyarrow, list": order(pyarrow.parquet.ParquetDataset(backwards).read()["shard"].to_pylist()),
    "polars, list": order(polars.read_parquet(backwards)["shard"]),
    "polars, pattern": order(polars.read_parquet(PATTERN)["shard"]),
    "duckdb, pattern": order(row[0] for row in duckdb.sql(f"from '{PATTERN}'").fetchall()),
    "datasets, pattern": order(datasets.load_dataset("parquet", data_files=PATTERN, split="train")["shard"]),
}
for name, shards in found.items():
    print(f"{name:21}", *shards)
turned = by_number[::-1]
want = {name: by_letters if "pattern" in name else turned for name in found}
want |= {"dask, list": by_number, "dask, pattern": by_number, "daft, pattern": listed}
missed = {name: shards for name, shards in found.items() if shards != want[name]}
sys.exit(bool(missed) or found["daft, pattern"] in (by_number, by_letters))
PY
