#!/usr/bin/env bash
# Lance moves a clip that is updated to the end, and all clips behind it one row up.
#
# One would guess: an update changes values in place: row 3 is row 3, as take([3]) numbers it.
# What happens:    update() of one label, and merge_insert() of rows that are there, write the rows anew behind all others
#                  and leave a gap that is not counted. take([3]) is then the fourth clip of before, and so on to the end;
#                  the updated clip is last. A number kept from before (in a split, in a sampler, in features in a file
#                  of their own) is valid and names another clip. merge_insert() on "id" of two new rows with one id
#                  inserts both, so that the key it was asked to keep unique is not; merge(), the join, takes the last.
# Why it matters:  correcting one label of a million gives each clip behind it the features of its neighbour.
# Source:          the docstring of LanceDataset.take, "indices of rows to select"; that of update() has no word on order.
# Seen:            by running (pylance 14.0.2, pyarrow 26.0.1). Cure: keep ids, or read the version= in which the numbers
#                  were made. enable_stable_row_ids=True keeps _rowid, and take() moves all the same.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pylance==14.0.2 pyarrow==26.0.1 numpy==2.4.6
cd "$work"
venv/bin/python - <<'PY'
import sys

import lance
import pyarrow

ASKED = [0, 3, 4, 50, 99]


def clips(numbers, label):
    return pyarrow.table({"id": [f"clip{i:02}" for i in numbers], "label": [label for _ in numbers]})


def rows(data):
    return [int(name[4:]) for name in data.take(ASKED, columns=["id"])["id"].to_pylist()]


def upsert(data, table):
    return data.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(table)


data = lance.write_dataset(clips(range(100), "rain"), "clips.lance")
made = data.version
found = {"as written": rows(data)}
data.update({"label": "'wind'"}, where="id = 'clip03'")
found["one updated"] = rows(data)
upsert(data, clips([50], "sea"))
found["one merged"] = rows(data)
found["the first version"] = rows(lance.dataset("clips.lance", version=made))
data.optimize.compact_files()
found["compacted"] = rows(data)
stable = lance.write_dataset(clips(range(100), "rain"), "stable.lance", enable_stable_row_ids=True)
stable.update({"label": "'wind'"}, where="id = 'clip03'")
found["stable row ids"] = rows(stable)
kept = stable.to_table(with_row_id=True).to_pylist()[-1]
print("the last row with stable ids:", kept)
print(f"{'take()':18}", *ASKED)
for name, numbers in found.items():
    print(f"{name:18}", *numbers)
count = data.count_rows()
upsert(data, clips([100, 100], "new"))
twice = data.count_rows("id = 'clip100'")
print(f"{count} rows; a new id that is merged in twice at once has {twice} rows")
want = {
    "as written": ASKED,
    "one updated": [0, 4, 5, 51, 3],
    "one merged": [0, 4, 5, 52, 50],
    "the first version": ASKED,
    "compacted": [0, 4, 5, 52, 50],
    "stable row ids": [0, 4, 5, 51, 3],
}
sys.exit(found != want or kept != {"id": "clip03", "label": "wind", "_rowid": 3} or count != 100 or twice != 2)
PY
