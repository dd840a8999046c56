#!/usr/bin/env bash
# zarr 3: after consolidate_metadata(), each day's append() overwrites the rows of the day before.
#
# One would guess: append() adds rows after the last one there is, whoever opens the store and whenever.
# What happens:    a group that holds consolidated metadata is opened by it, also for writing. append() writes the new length
#                  to the array, not to that copy. The next run therefore opens the array at its old length and
#                  appends there, over the rows of the run before. Nothing is said. Opened as an array, by its own path,
#                  the store shows the true length, and so does tensorstore; a reader of the group sees no later day.
# Why it matters:  features are computed over days, each run appends; someone consolidates after the first, so that a bucket opens
#                  sooner. Two days of three are lost, the last one stands where they stood, and ids and features agree.
# Source:          zarr's guide, "Consolidated metadata": used by default when it is there; readers may see a "past" version.
#                  It does not say what becomes of writers.
# Seen:            by running (zarr 3.1.6, tensorstore 0.1.86). In zarr 2 only open_consolidated() read that copy.
#                  Cure: open_group(use_consolidated=False) to write, consolidate_metadata() after each run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q zarr==3.1.6 tensorstore==0.1.86 numpy==2.4.6
cd "$work"
cat > days.py <<'PY'
import sys
import warnings

import numpy
import tensorstore
import zarr

CHUNKS = {"chunks": (50, 8)}


def first_day(path):
    group = zarr.create_group(path)
    group.create_array("features", shape=(100, 8), dtype="float16", **CHUNKS)[:] = 1
    group.create_array("day", shape=(100,), dtype="int8", chunks=(50,))[:] = 1


def later_day(path, day, **options):
    """What a run does: open the store for reading and writing, append 50 rows to each array."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        group = zarr.open_group(path, mode="r+", **options)
        group["features"].append(numpy.full((50, 8), day, "float16"))
        group["day"].append(numpy.full(50, day, "int8"))


def seen(path):
    """The length by the group, by the array alone and by tensorstore, and the number of rows of each day."""
    array = zarr.open_array(f"{path}/features", mode="r")
    days, rows = numpy.unique(array[:, 0], return_counts=True)
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{path}/features"}}
    lengths = zarr.open_group(path, mode="r")["features"].shape[0], array.shape[0], tensorstore.open(spec).result().shape[0]
    same = bool((array[:, 0] == zarr.open_array(f"{path}/day", mode="r")[:]).all())
    return lengths, dict(zip(days.astype(int).tolist(), rows.tolist(), strict=True)), same


warnings.simplefilter("ignore")
found = {}
for name, consolidated, options in (
    ("plain", False, {}),
    ("consolidated", True, {}),
    ("use_consolidated=False", True, {"use_consolidated": False}),
):
    first_day(name)
    if consolidated:
        zarr.consolidate_metadata(name)
    for day in (2, 3, 4):
        later_day(name, day, **options)
    found[name] = seen(name)
    print(f"{name:23} lengths by group, array, tensorstore: {found[name][0]}  rows by day: {found[name][1]}")
whole = {1: 100, 2: 50, 3: 50, 4: 50}
want = {
    "plain": ((250, 250, 250), whole, True),
    "consolidated": ((100, 150, 150), {1: 100, 4: 50}, True),
    "use_consolidated=False": ((100, 250, 250), whole, True),
}
sys.exit(found != want)
PY
venv/bin/python days.py
