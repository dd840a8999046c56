#!/usr/bin/env bash
# AudioSet's own CSV: polars' advice about it drops labels without a word, and pyarrow cannot read it.
#
# One would guess: the best known list of the field is plain CSV: any reader gives an id, two numbers and a text.
# What happens:    a comma and a blank part its fields, and so a blank stands before the quote of the last one, a list with
#                  commas in it. polars and pyarrow then take the quote for a letter, and each label for a column. Both
#                  raise when rows differ in labels. polars says "Consider setting 'truncate_ragged_lines=True'"; so it
#                  reads all rows, without the labels past the number that the first 100 rows have, and with numbers as
#                  text that begins with a blank. pandas raises without skipinitialspace=True. DuckDB reads the labels
#                  right, but takes the comment of column names for a header and the numbers for text; with comment='#'
#                  all is right.
# Why it matters:  the number of rows is right and so is each label that is there; those with the most labels lose some.
# Source:          RFC 4180, section 2: "Spaces are considered part of a field and should not be ignored."
# Seen:            by running, on rows of that form (polars 2.1.0, pyarrow 26.0.1, pandas 3.1.1, duckdb 2.0.1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1 duckdb==2.0.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import sys

import duckdb
import pandas
import polars
import pyarrow.csv

HEAD = """# Segments csv made up
# num_ytids=201, num_segs=201, num_unique_labels=4, num_positive_labels=404
# YTID, start_seconds, end_seconds, positive_labels
"""
with open("list.csv", "w") as file:
    file.write(HEAD)
    for i in range(200):
        file.write(f'--a{i:08d}, 30.000, 40.000, "/m/0a,/m/0b"\n')
    file.write('zzzzzzzzzzz, 0.000, 10.000, "/m/0a,/m/0b,/m/0c,/m/0d"\n')


def by_polars(**options):
    return polars.read_csv("list.csv", has_header=False, comment_prefix="#", **options).rows()[-1]


def by_pandas(**options):
    return tuple(pandas.read_csv("list.csv", header=None, comment="#", **options).iloc[-1].tolist())


def by_pyarrow():
    options = pyarrow.csv.ReadOptions(skip_rows=3, autogenerate_column_names=True)
    return tuple(pyarrow.csv.read_csv("list.csv", options).to_pylist()[-1].values())


def ended(call, **options):
    try:
        return call(**options)
    except (polars.exceptions.ComputeError, pyarrow.ArrowInvalid, pandas.errors.ParserError) as error:
        return type(error).__name__


found = {
    "polars": ended(by_polars),
    "polars as advised": ended(by_polars, truncate_ragged_lines=True),
    "pyarrow": ended(by_pyarrow),
    "pandas": ended(by_pandas),
    "pandas, skipinitialspace": ended(by_pandas, skipinitialspace=True),
    "duckdb": duckdb.sql("from read_csv('list.csv')").fetchall()[-1],
    "duckdb, comment": duckdb.sql("from read_csv('list.csv', comment='#')").fetchall()[-1],
}
for name, row in found.items():
    print(f"{name:24}", row)
right = "zzzzzzzzzzz", 0.0, 10.0, "/m/0a,/m/0b,/m/0c,/m/0d"
want = {
    "polars": "ComputeError",
    "polars as advised": ("zzzzzzzzzzz", " 0.000", " 10.000", ' "/m/0a', "/m/0b"),
    "pyarrow": "ArrowInvalid",
    "pandas": "ParserError",
    "pandas, skipinitialspace": right,
    "duckdb": ("zzzzzzzzzzz", " 0.000", " 10.000", right[3]),
    "duckdb, comment": right,
}
sys.exit(found != want)
PY
