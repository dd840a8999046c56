#!/usr/bin/env bash
# A LanceDB table that began with whole seconds stores 30.5 as 30; an id "00000000012" becomes 12.
#
# One would guess: add() refuses rows of another type than the table's columns, as pyarrow's own casts do, or widens them.
# What happens:    the first rows set the types, and add() casts what comes later: 30.5 to 30, the text "31" to 31,
#                  0.5 in a column that began with True to True, ids of digits with zeros before them to numbers. It does so for
#                  an Arrow table that declares float64 too. update() cuts off halves as well. In the same library
#                  merge_insert() refuses the same row, a filter "start > 30.5" raises, and a shorter vector is refused.
#                  Given together in the first batch, 30 and 30.5 make a column of floats.
# Why it matters:  clips are added list by list. If the first list has whole seconds, as VGG-Sound's has, the starts of all
#                  later lists are cut off, and the features stand beside a time they are not of.
# Source:          lancedb/table.py: merge_insert() casts by pyarrow, which raises where a value would be cut off; add()
#                  leaves the cast to Lance's own code. The docstring of add() says which types of data it takes, no more.
# Seen:            by running (lancedb 0.40.0, pyarrow 26.0.1). Cure: create_table(schema=...) with float64 and string.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q lancedb==0.40.0 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'PY'
import sys

import lancedb
import pyarrow

db = lancedb.connect("db")


def table(*rows):
    return db.create_table("clips", list(rows), mode="overwrite")


def column(clips, name):
    return clips.to_arrow()[name].to_pylist()


def added(name, first, later):
    """The column after one row was made and one was added."""
    clips = table({name: first, "vector": [0.0] * 4})
    clips.add([{name: later, "vector": [0.0] * 4}])
    return column(clips, name)


def ended(call, *args):
    try:
        call(*args)
    except (ValueError, RuntimeError) as error:
        return type(error).__name__
    return "taken"


found = {
    "30, later 30.5": added("start", 30, 30.5),
    "30, later '31'": added("start", 30, "31"),
    "True, later 0.5": added("speech", True, 0.5),
    "id 123, later '00000000012'": added("id", 12345678901, "00000000012"),
    "30 and 30.5 at once": column(table({"start": 30}, {"start": 30.5}), "start"),
}

clips = table({"id": "a", "start": 30, "vector": [0.0] * 4})
vectors = pyarrow.array([[0.0] * 4], pyarrow.list_(pyarrow.float32(), 4))
half = pyarrow.table({"id": ["b"], "start": pyarrow.array([30.5], pyarrow.float64()), "vector": vectors})
clips.add(half)
found["an Arrow table of float64"] = column(clips, "start")
clips.update(where="id = 'a'", values={"start": 29.9})
found["update to 29.9"] = sorted(column(clips, "start"))
merge = clips.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
found["merge_insert"] = ended(merge.execute, [{"id": "b", "start": 30.5, "vector": [0.0] * 4}])
found["filter"] = ended(lambda: clips.search().where("start > 30.5").to_list())
found["shorter vector"] = ended(clips.add, [{"id": "c", "start": 1, "vector": [0.0] * 3}])
found["pyarrow's cast"] = ended(half["start"].cast, pyarrow.int64())
for name, value in found.items():
    print(f"{name:28}", value)
want = {
    "30, later 30.5": [30, 30],
    "30, later '31'": [30, 31],
    "True, later 0.5": [True, True],
    "id 123, later '00000000012'": [12345678901, 12],
    "30 and 30.5 at once": [30.0, 30.5],
    "an Arrow table of float64": [30, 30],
    "update to 29.9": [29, 30],
    "merge_insert": "RuntimeError",
    "filter": "ValueError",
    "shorter vector": "ValueError",
    "pyarrow's cast": "ArrowInvalid",
}
sys.exit(found != want)
PY
