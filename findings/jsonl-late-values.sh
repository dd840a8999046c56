#!/usr/bin/env bash
# A manifest in JSON lines whose odd value comes late: DuckDB changes it, Polars drops it.
#
# One would guess: every reader of JSON lines keeps a value, or says that it cannot.
# What happens:    of 200,000 lines whose last one is unlike the rest,
#                    DuckDB reads 7.75 as 8 where all starts before were whole, and text as NULL where all
#                    notes before were null; a key never seen is an error;
#                    Polars drops a key never seen without a word; the other two are errors;
#                    pyarrow and pandas keep all three.
# Why it matters:  a run of days appends its manifest. The rare line (a failure's reason, a start with a
#                  fraction) is the one that is looked for, and stands beyond what these two sample.
# Seen:            by running (duckdb 2.0.1, polars 2.1.0). Cure: sample_size=-1; infer_schema_length=None.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import json
import sys

import duckdb
import pandas
import polars
import pyarrow.json

print("duckdb", duckdb.__version__, "polars", polars.__version__, "pyarrow", pyarrow.__version__)
rows = 200_000
cases = {
    "late fraction": ({"start": 7}, {"start": 7.75}),
    "late text": ({"note": None}, {"note": "mono"}),
    "late key": ({}, {"reason": "private"}),
}


def last(name, path):
    try:
        if name == "duckdb":
            table = duckdb.sql(f"select * from read_json('{path}')").fetchall()
            columns = duckdb.sql(f"select * from read_json('{path}')").columns
            return dict(zip(columns, table[-1], strict=True))
        if name == "polars":
            return polars.read_ndjson(path).row(-1, named=True)
        if name == "pyarrow":
            return pyarrow.json.read_json(path).slice(rows - 1).to_pylist()[0]
        return pandas.read_json(path, lines=True).iloc[-1].to_dict()
    except Exception as error:  # each library has errors of its own
        return type(error).__name__


ok = True
want = {
    ("late fraction", "duckdb"): 8,
    ("late fraction", "polars"): "ComputeError",
    ("late text", "duckdb"): None,
    ("late text", "polars"): "ComputeError",
    ("late key", "duckdb"): "InvalidInputException",
    ("late key", "polars"): "dropped",
}
for case, (usual, odd) in cases.items():
    with open("m.jsonl", "w") as out:
        for i in range(rows):
            out.write(json.dumps({"id": f"c{i}", **(odd if i == rows - 1 else usual)}) + "\n")
    key, value = next(iter(odd.items()))
    for name in ("duckdb", "polars", "pyarrow", "pandas"):
        row = last(name, "m.jsonl")
        got = row if isinstance(row, str) else row.get(key, "dropped")
        print(f"{case:13} {name:8} {value!r} -> {got!r}")
        ok &= got == want.get((case, name), value)
sys.exit(not ok)
PY
