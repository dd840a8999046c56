"""The files of a selection, each written whole, clip by clip: a selection may be of millions.

output.csv       as the original's: no header; where the clip lies, its file, its video, "[start, end]"
selected.csv     ``id, video, start, end, labels``: download_clips.py takes it
ids.txt          an id a line: loaders take it
selected.parquet all that is known of each, with rank, gain and score
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ...core.errors import RunError
from ...core.files import unfinished
from ..stage_tables import reading

OUTPUT, LIST, IDS, TABLE = "output.csv", "selected.csv", "ids.txt", "selected.parquet"
# The folder of a data folder that has the files.
_FOLDER = "videos"
_NEEDED = ("id", "video", "start", "end")
_AGAIN = "delete its folder, and start avclips curate select again"


def write_all(source: Path, folder: Path, wanted: Callable[[pa.RecordBatch], pa.Array] | None = None) -> int:
    """Write the four files; returns how many clips are in them. ``wanted``: a mask of each batch, None for all.

    ``source``: selected.parquet of a selection. RunError where it does not say which seconds a clip is.
    """
    made = [folder / name for name in (OUTPUT, LIST, IDS, TABLE)]
    count = 0
    with ExitStack() as stack:
        with reading(source, _AGAIN):
            table = stack.enter_context(pq.ParquetFile(source))
        schema = table.schema_arrow
        missing = [name for name in _NEEDED if name not in schema.names]
        if missing:
            raise RunError(
                f"{source} has no column {', '.join(missing)}",
                "features and cluster keep what the list says of clips",
            )
        parts = [stack.enter_context(unfinished(path)) for path in made]
        output, clips, ids = (
            stack.enter_context(open(part, "w", encoding="utf-8", newline="")) for part in parts[:3]
        )
        rows = stack.enter_context(pq.ParquetWriter(parts[3], schema))
        # The original's is as csv writes by itself.
        as_original, as_list = csv.writer(output), csv.writer(clips, lineterminator="\n")
        has_labels = "labels" in schema.names
        as_list.writerow([*_NEEDED, "labels"] if has_labels else _NEEDED)
        for part in _parts(source, table, wanted):
            for row in part.select([*_NEEDED, "labels"] if has_labels else _NEEDED).to_pylist():
                name, video, start, end = row["id"], row["video"], _number(row["start"]), _number(row["end"])
                as_original.writerow([_FOLDER, f"{name}.mp4", video, f"[{start}, {end or 'null'}]"])
                as_list.writerow([name, video, start, end, *([_labels(row["labels"])] if has_labels else [])])
                ids.write(f"{name}\n")
            rows.write_table(part)
            count += part.num_rows
    return count


def _parts(
    source: Path, table: pq.ParquetFile, wanted: Callable[[pa.RecordBatch], pa.Array] | None
) -> Iterator[pa.Table]:
    batches = table.iter_batches()
    while True:
        with reading(source, _AGAIN):
            batch = next(batches, None)
        if batch is None:
            return
        yield pa.Table.from_batches([batch if wanted is None else batch.filter(wanted(batch))])


def _labels(labels: list[str] | None) -> str:
    return json.dumps(labels, ensure_ascii=False) if labels else ""


def _number(value: float | None) -> str:
    """As people write it: 30, not 30.0; nothing where there is none."""
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else repr(value)
