#!/usr/bin/env bash
# Streamed from one CSV, the video "00004000" is 4000 in the first 10,000 rows and "00004000" in the next.
#
# One would guess: a column has one type: text, since some ids have letters; or the loader raises, as it does without
#                  streaming.
# What happens:    datasets reads a CSV 10,000 rows at a time, and pandas guesses the types of each 10,000 anew. Streaming,
#                  each part comes as it was guessed: numbers without zeros where all ids are digits, text where one has a
#                  letter. The features are unknown, so nothing is compared. Without streaming a mixed file raises
#                  ("Failed to parse string"). DuckDB reads text of the same file, and so does polars if it is told to
#                  look at all rows before it settles the types.
# Why it matters:  MUSIC-AVQA names its videos so, digits with zeros in front, and made ones with letters before. Clips of
#                  one video are under two names, so a split by video parts them and a join with files finds one of them.
# Source:          datasets/packaged_modules/csv/csv.py: pd.read_csv(..., iterator=True), "chunksize: int = 10_000".
# Seen:            by running (datasets 5.2.0, pandas 3.1.1, polars 2.1.0, duckdb 2.0.1). Cure: features=.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q datasets==5.2.0 pandas==3.1.1 polars==2.1.0 duckdb==2.0.1 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
HF_HOME="$work/hf" HF_HUB_OFFLINE=1 venv/bin/python -W ignore - <<'PY'
import sys

import datasets
import duckdb
import polars

datasets.disable_progress_bars()
datasets.logging.set_verbosity(50)
ROWS = 12_000
names = [f"{i % 6000:08d}" for i in range(ROWS - 1)] + ["aa00000013"]
with open("clips.csv", "w") as file:
    file.write("video,start\n" + "".join(f"{name},{30 * i}\n" for i, name in enumerate(names)))


def streamed(**options):
    return datasets.load_dataset("csv", data_files="clips.csv", split="train", streaming=True, **options)


def ids(rows):
    found = [row["video"] for row in rows]
    assert len(found) == ROWS
    return found


try:
    datasets.load_dataset("csv", data_files="clips.csv", split="train")
    whole = "read"
except datasets.exceptions.DatasetGenerationError as error:
    whole = f"raises: {error.__cause__}"
print("not streamed:", whole[:90])
found = ids(streamed())
print("streamed, features:", streamed().features)
for place in (93, 6093, 9999, 10000, 11999):
    print(f"row {place:5} of the file {names[place]!r:13} streamed {found[place]!r}")
videos = {int(name) for name in names[:-1]}
twice = sum(video in set(found[:10000]) and f"{video:08d}" in set(found[10000:]) for video in list(videos)[4000:4100])
print(f"of videos 4000 to 4099, {twice} are under two names")
cures = {
    "features": ids(streamed(features=datasets.Features(video=datasets.Value("string"), start=datasets.Value("int64")))),
    "polars": polars.read_csv("clips.csv", infer_schema_length=None)["video"].to_list(),
    "DuckDB": [row[0] for row in duckdb.sql("from read_csv('clips.csv')").fetchall()],
}
for name, read in cures.items():
    print(f"{name:9}", "as in the file" if read == names else read[:2])
want = [int(name) for name in names[:10000]] + names[10000:]
sys.exit(found != want or "Failed to parse string" not in whole or twice != 100 or any(r != names for r in cures.values()))
PY
