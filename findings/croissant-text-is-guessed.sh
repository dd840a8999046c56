#!/usr/bin/env bash
# Croissant says that a column is text; mlcroissant reads the id 00000000012 as 12, and the label "None" as nothing.
#
# One would guess: a Croissant file states the type of each field, sc:Text or sc:Integer, so that no reader has to guess.
# What happens:    mlcroissant has pandas guess the types of the whole CSV and turns the result into what is stated. Where
#                  all ids of a file are digits their zeros are gone before they become text again, and "1e5" is
#                  "100000.0"; a label "None", "NA" or "nan" of that text column is None. With one id that has a letter the
#                  same ids are whole. The other way, 30.5 in an sc:Integer is 30. A field of type sc:Text
#                  comes as bytes, b"12". The file is valid, and the loader warns of none of it.
# Why it matters:  Croissant is what data set tracks of conferences ask for; ids that were read so find no video, and
#                  shards of one data set differ. Seconds lose their fractions where a writer said "Integer".
# Source:          Croissant 1.0, "dataType"; mlcroissant/_src/operation_graph/operations/read.py: pd.read_csv(read_file),
#                  without types.
# Seen:            by running (mlcroissant 1.1.1, pandas 3.1.1). Cure: publish parquet, which has types of its own.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q mlcroissant==1.1.1 pandas==3.1.1 numpy==2.4.6 pyarrow==26.0.1
cd "$work"
HOME="$work" venv/bin/python -W ignore - <<'PY'
import hashlib
import json
import pathlib
import sys

import mlcroissant
import pandas

TERMS = "citeAs column conformsTo extract field fileObject recordSet source".split()
CONTEXT = {term: f"cr:{term}" for term in TERMS} | {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
}


def records(name, rows, kinds=("csv", "parquet"), **types):
    """The records of a table in files of each kind, each field of the stated type."""
    frame = pandas.DataFrame(rows, columns=list(types), dtype=str)
    frame.to_parquet(f"{name}.parquet")
    frame.to_csv(f"{name}.csv", index=False)
    return {kind: read(f"{name}.{kind}", types) for kind in kinds}


def read(path, types):
    kind = {"csv": "text/csv", "parquet": "application/x-parquet"}[path.split(".")[1]]
    content = {"@type": "cr:FileObject", "@id": path, "name": path, "contentUrl": path, "encodingFormat": kind}
    content["sha256"] = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    fields = [
        {"@type": "cr:Field", "@id": f"clips/{column}", "name": column, "dataType": f"sc:{type_}"}
        | {"source": {"fileObject": {"@id": path}, "extract": {"column": column}}}
        for column, type_ in types.items()
    ]
    data = {"@context": CONTEXT, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0"}
    data |= {"name": "clips", "description": "Clips.", "license": "CC0", "url": "https://example.org", "version": "1.0.0"}
    data |= {"datePublished": "2026-01-01", "citeAs": "Clips.", "distribution": [content]}
    data["recordSet"] = [{"@type": "cr:RecordSet", "@id": "clips", "name": "clips", "field": fields}]
    pathlib.Path(f"{path}.json").write_text(json.dumps(data))
    return [tuple(row.values()) for row in mlcroissant.Dataset(f"{path}.json").records("clips")]


digits = records("digits", [("00000000012", "1e5"), ("00000000013", "2")], video="Text", label="Text")
letters = records("letters", [("00000000012", "None"), ("0000000001a", "nan")], video="Text", label="Text")
seconds = records("seconds", [("30",), ("30.5",)], kinds=["csv"], start="Integer")["csv"]
for name, found in {"all digits": digits, "one letter": letters}.items():
    for kind, rows in found.items():
        print(f"{name}, {kind:8}", *rows)
print("seconds as sc:Integer", *seconds)
want_digits = {
    "csv": [(b"12", b"100000.0"), (b"13", b"2.0")],
    "parquet": [(b"00000000012", b"1e5"), (b"00000000013", b"2")],
}
want_letters = {
    "csv": [(b"00000000012", None), (b"0000000001a", None)],
    "parquet": [(b"00000000012", b"None"), (b"0000000001a", b"nan")],
}
sys.exit(digits != want_digits or letters != want_letters or seconds != [(30,), (30,)])
PY
