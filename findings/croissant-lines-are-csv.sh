#!/usr/bin/env bash
# Croissant's "lines" of a text file: mlcroissant gives what stands behind the last comma of each caption.
#
# One would guess: a field with "fileProperty": "lines" has one record for each line of the file, as it is.
# What happens:    mlcroissant reads the text as a CSV of one column. If the first line has the most commas, "a dog barks,
#                  then rain" is " then rain", and a line without a comma is None; the rest becomes labels of rows that
#                  nobody sees. Empty lines are left out, so that later captions belong to other clips; quotes at the
#                  beginning of a line are taken off; a line "None" is None; a list of ids of digits loses its zeros.
#                  Only when a later line has more commas than the first does it raise. "fileProperty": "content" of the
#                  same file is whole.
# Why it matters:  captions and lists of ids are the plain text files of this field, matched to clips by their line.
# Source:          Croissant 1.0, "fileProperty"; mlcroissant/_src/operation_graph/operations/read.py: for lines
#                  "pd.read_csv(filepath, header=None, names=...)".
# Seen:            by running (mlcroissant 1.1.1, pandas 3.1.1). Cure: extract "content" and split it, or publish JSON lines.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q mlcroissant==1.1.1 pandas==3.1.1 numpy==2.4.6
cd "$work"
HOME="$work" venv/bin/python -W ignore - <<'PY'
import hashlib
import json
import pathlib
import sys

import mlcroissant

TERMS = "citeAs conformsTo extract field fileObject fileProperty recordSet source".split()
CONTEXT = {term: f"cr:{term}" for term in TERMS} | {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
}


def extracted(lines, what):
    """What mlcroissant extracts from a text file of these lines, as text."""
    content = "".join(line + "\n" for line in lines)
    pathlib.Path("captions.txt").write_text(content)
    file = {"@type": "cr:FileObject", "@id": "captions.txt", "name": "captions.txt", "contentUrl": "captions.txt"}
    file |= {"encodingFormat": "text/plain", "sha256": hashlib.sha256(content.encode()).hexdigest()}
    source = {"fileObject": {"@id": "captions.txt"}, "extract": {"fileProperty": what}}
    field = {"@type": "cr:Field", "@id": "clips/caption", "name": "caption", "dataType": "sc:Text", "source": source}
    data = {"@context": CONTEXT, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0"}
    data |= {"name": "clips", "description": "Clips.", "license": "CC0", "url": "https://example.org", "version": "1.0.0"}
    data |= {"datePublished": "2026-01-01", "citeAs": "Clips.", "distribution": [file]}
    data["recordSet"] = [{"@type": "cr:RecordSet", "@id": "clips", "name": "clips", "field": [field]}]
    pathlib.Path("croissant.json").write_text(json.dumps(data))
    values = [row["clips/caption"] for row in mlcroissant.Dataset("croissant.json").records("clips")]
    return [value.decode() if isinstance(value, bytes) else value for value in values]


CASES = {
    "plain": (["a dog barks", "rain"], ["a dog barks", "rain"]),
    "commas": (["a dog barks, then rain", "wind, far away", "waves"], [" then rain", " far away", None]),
    "an empty line": (["a dog barks", "", "rain"], ["a dog barks", "rain"]),
    "quotes": (['"Hi", he says', '"Ho", she says'], [" he says", " she says"]),
    "a quoted word": (['"Hi" he says', "rain"], ["Hi he says", "rain"]),
    "None": (["None", "rain"], [None, "rain"]),
    "ids": (["00000000012", "00000000013"], ["12", "13"]),
}
missed = False
for name, (lines, want) in CASES.items():
    found, whole = extracted(lines, "lines"), extracted(lines, "content")
    print(f"{name:14} {lines} -> {found}")
    missed |= found != want or whole != ["".join(line + "\n" for line in lines)]
sys.exit(missed)
PY
