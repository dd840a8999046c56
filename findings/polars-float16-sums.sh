#!/usr/bin/env bash
# polars' sums of float16 features by group stop at 2048; of one vector they are 7% low.
#
# One would guess: polars reads a float16 column, as features are stored, and sums it as it does float32, or refuses.
# What happens:    the sum by group adds in float16, and a float16 of 2048 cannot take a 1 more. 60,000 ones sum to 2048
#                  or 4096 in group_by, in SQL and by the streaming engine: each thread's part stops there, and one query
#                  differs from run to run. Without a group, or over one, they are 60,000, and the mean by group is right.
#                  Sums along each vector are low too: the squared length of a feature of 4,096 numbers is 7% short.
#                  There is no warning. DuckDB reads the same file as float and is right.
# Why it matters:  sums by cluster, class or video are centroids and hours; a length that is off gives a "unit"
#                  vector that is not one, and cosines above 1. The larger the group, the more is lost.
# Source:          IEEE 754 binary16 has 11 significant bits; polars' docstring of sum() promises a wider type for small
#                  integers and does not mention Float16.
# Seen:            by running (polars 2.1.0, pyarrow 26.0.1, duckdb 2.0.1, numpy 2.4.6). Cure: cast(pl.Float32) first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q polars==2.1.0 pyarrow==26.0.1 duckdb==2.0.1 numpy==2.4.6
cd "$work"
POLARS_MAX_THREADS=2 venv/bin/python -W error - <<'PY'
import sys

import duckdb
import numpy
import polars
import pyarrow
import pyarrow.parquet

CLIPS = 60_000
ones = {"cluster": numpy.zeros(CLIPS, "int32"), "x": numpy.ones(CLIPS, "float16")}
pyarrow.parquet.write_table(pyarrow.table(ones), "ones.parquet")
frame = polars.read_parquet("ones.parquet")
lazy = polars.scan_parquet("ones.parquet").group_by("cluster")
x = polars.col("x")
by_group = frame.group_by("cluster")
found = {
    "sum": frame["x"].sum(),
    "sum over the group": frame.select(x.sum().over("cluster"))["x"][0],
    "mean by group": by_group.agg(x.mean())["x"][0],
    "cast, sum by group": by_group.agg(x.cast(polars.Float32).sum())["x"][0],
    "duckdb, sum by group": duckdb.sql("select sum(x) from 'ones.parquet' group by cluster").fetchall()[0][0],
}
low = {
    "sum by group": by_group.agg(x.sum())["x"][0],
    "sum by group in SQL": polars.sql("select sum(x) as x from frame group by cluster").collect()["x"][0],
    "sum by group, streaming": lazy.agg(x.sum()).collect(engine="streaming")["x"][0],
}
print(f"{CLIPS} ones, read as {frame.schema['x']}:")
for name, value in {**found, **low}.items():
    print(f"    {name:24}", value)
want = {
    "sum": CLIPS,
    "sum over the group": CLIPS,
    "mean by group": 1,
    "cast, sum by group": CLIPS,
    "duckdb, sum by group": CLIPS,
}

features = numpy.random.default_rng(0).normal(size=(100, 4096)).astype("float16")
right = (features.astype("float64") ** 2).sum(1)
vectors = polars.DataFrame({"x": polars.Series(features)})
lengths = {
    "float16": vectors.select((x * x).arr.sum())["x"],
    "cast": vectors.select(x.cast(polars.Array(polars.Float32, 4096))).select((x * x).arr.sum())["x"],
}
ratios = {name: float((values.cast(polars.Float64).to_numpy() / right).mean()) for name, values in lengths.items()}
print("squared length of a feature, of the right one:", {name: f"{ratio:.3f}" for name, ratio in ratios.items()})
sys.exit(found != want or not set(low.values()) <= {2048, 4096} or ratios["float16"] > 0.95 or abs(ratios["cast"] - 1) > 1e-3)
PY
