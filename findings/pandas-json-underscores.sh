#!/usr/bin/env bash
# pandas.read_json reads the quoted name "12_30" as the number 1230, and so "1_230" and "123_0".
#
# One would guess: in JSON text is quoted and numbers are not, so a name in quotes stays a name.
# What happens:    read_json() tries numbers on columns of text with Python's rules, by which an underscore between digits
#                  means nothing. If all names of a file are digits and underscores, as names made of a video's number and
#                  a second are, the underscores go, and leading zeros with them: three names are one. A single name with a
#                  letter keeps the whole column text, so of two shards one has numbers and the other names. The labels of
#                  rows written by to_json() come back in the same way. pandas' own read_csv() and to_numeric(), and
#                  polars, DuckDB and pyarrow, take no "12_30" for a number, in JSON or in CSV.
# Why it matters:  joined with another table the names find nothing; among themselves two clips become one.
# Source:          pandas/io/json/_json.py, _try_convert_data: a column of text is tried with astype("float64") and "int64". The
#                  documentation of "dtype" says only "If True, infer dtypes".
# Seen:            by running (pandas 3.1.1, polars 2.1.0, duckdb 2.0.1, pyarrow 26.0.1). Cure: dtype={"clip": str},
#                  or dtype=False; for labels of rows convert_axes=False.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pandas==3.1.1 polars==2.1.0 duckdb==2.0.1 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
venv/bin/python - <<'PY'
import io
import json
import sys

import duckdb
import pandas
import polars
import pyarrow.json

NAMES = ["12_30", "1_230", "123_0", "00012_30"]


def write(stem, names):
    with open(f"{stem}.jsonl", "w") as lines, open(f"{stem}.csv", "w") as table:
        table.write("clip,start\n")
        for name in names:
            lines.write(json.dumps({"clip": name, "start": 30}) + "\n")
            table.write(f"{name},30\n")


write("digits", NAMES)
write("letter", [*NAMES, "ab_30"])
labelled = pandas.DataFrame({"start": [30] * 4}, index=NAMES).to_json()
found = {
    "read_json": pandas.read_json("digits.jsonl", lines=True)["clip"].tolist(),
    "read_json, one with a letter": pandas.read_json("letter.jsonl", lines=True)["clip"].tolist()[:4],
    "read_json, labels of rows": pandas.read_json(io.StringIO(labelled)).index.tolist(),
    "read_json, dtype str": pandas.read_json("digits.jsonl", lines=True, dtype={"clip": str})["clip"].tolist(),
    "read_json, dtype False": pandas.read_json("digits.jsonl", lines=True, dtype=False)["clip"].tolist(),
    "labels, convert_axes False": pandas.read_json(io.StringIO(labelled), convert_axes=False).index.tolist(),
    "read_csv": pandas.read_csv("digits.csv")["clip"].tolist(),
    "polars JSON": polars.read_ndjson("digits.jsonl")["clip"].to_list(),
    "polars CSV": polars.read_csv("digits.csv")["clip"].to_list(),
    "DuckDB JSON": [row[0] for row in duckdb.sql("from 'digits.jsonl'").fetchall()],
    "DuckDB CSV": [row[0] for row in duckdb.sql("from 'digits.csv'").fetchall()],
    "pyarrow JSON": pyarrow.json.read_json("digits.jsonl")["clip"].to_pylist(),
}
wrong = [name for name, clips in found.items() if clips != NAMES]
for name, clips in found.items():
    print(f"{name:30}", clips)
numbers = [1230, 1230, 1230, 1230]
same = all(found[name] == numbers for name in ("read_json", "read_json, labels of rows"))
sys.exit(not same or wrong != ["read_json", "read_json, labels of rows"])
PY
