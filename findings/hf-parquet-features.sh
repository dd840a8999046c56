#!/usr/bin/env bash
# Parquet that says which columns are sound and video: datasets believes it of structs alone.
#
# One would guess: a schema with the "huggingface" metadata that the library itself writes makes a column Audio or
#                  Video, whatever kind of bytes it has; or an error says why it does not.
# What happens:    what stands there is taken for a column whose Arrow type is the feature's own, a struct of
#                  "bytes" and "path". A binary or large_binary column, the natural one for files in a table, is
#                  plain bytes without a word, while the column beside it is Audio.
# Why it matters:  the usual writers of parquet shards keep media as binary. One such column, and no user of the
#                  published dataset gets sound or pictures decoded.
# Seen:            by running (datasets 5.2.0, pyarrow 26.0.1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q datasets==5.2.0 pyarrow==26.0.1
cd "$work"
export HF_HOME="$work/home" HF_HUB_OFFLINE=1
venv/bin/python -W ignore - <<'PY'
import json
import sys

import datasets
import pyarrow
import pyarrow.parquet

datasets.disable_progress_bars()
STRUCT = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
FEATURES = {"wav": {"_type": "Audio"}, "mp4": {"_type": "Video"}, "label": {"dtype": "string", "_type": "Value"}}


def seen(name, wav, mp4):
    """What load_dataset makes of the columns, which are of these Arrow types."""
    fields = [pyarrow.field("wav", wav), pyarrow.field("mp4", mp4), pyarrow.field("label", pyarrow.string())]
    told = json.dumps({"info": {"features": FEATURES}})
    schema = pyarrow.schema(fields, metadata={"huggingface": told})
    values = {each.name: None for each in fields}
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([values], schema), f"{name}.parquet")
    found = datasets.load_dataset("parquet", data_files=f"{name}.parquet", split="train", cache_dir=f"cache-{name}")
    return {column: type(feature).__name__ for column, feature in found.features.items()}


print("datasets", datasets.__version__, "pyarrow", pyarrow.__version__)
got = {
    "structs": seen("structs", STRUCT, STRUCT),
    "one binary": seen("binary", STRUCT, pyarrow.binary()),
    "one large": seen("large", STRUCT, pyarrow.large_binary()),
}
for name, columns in got.items():
    print(f"{name:11}", columns)
whole = {"wav": "Audio", "mp4": "Video", "label": "Value"}
plain = whole | {"mp4": "Value"}
sys.exit(got != {"structs": whole, "one binary": plain, "one large": plain})
PY
