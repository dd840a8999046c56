"""What a selection leaves: ``selected.parquet``, a row a clip that is kept, and ``curve.json``.

The columns of ``selected.parquet`` are those of ids.parquet, ``row`` (its number there, from 0), ``rank`` (from
0, in the order in which clips were chosen), ``gain`` and ``score`` (nats). Its rows are in the order of
ids.parquet; the first K of the ranks are the selection of K.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...core.errors import RunError
from ...core.files import unfinished, write_json
from ..stage_tables import reading
from .choose import Selection

SELECTED, CURVE = "selected.parquet", "curve.json"


def write(folder: Path, selection: Selection, ids: pq.ParquetFile, facts: Mapping[str, Any]) -> None:
    """Write both files whole; ``facts`` stand in curve.json above the curve."""
    order = np.argsort(selection.rows, kind="stable")
    rows = selection.rows[order]
    writer, begin = None, 0
    with unfinished(folder / SELECTED) as part, ExitStack() as stack:
        for batch in ids.iter_batches():
            low, high = np.searchsorted(rows, [begin, begin + batch.num_rows])
            here = order[low:high]
            kept = pa.Table.from_batches([batch]).take(pa.array(rows[low:high] - begin))
            for name, values in (
                ("row", rows[low:high].astype(np.int64)),
                ("rank", here.astype(np.int64)),
                ("gain", selection.gains[here]),
                ("score", selection.scores[here]),
            ):
                kept = kept.append_column(name, pa.array(values))
            writer = writer or stack.enter_context(pq.ParquetWriter(part, kept.schema))
            writer.write_table(kept)
            begin += batch.num_rows
    write_json(folder / CURVE, {**facts, "curve": [asdict(point) for point in selection.curve]})


def read(folder: Path) -> pa.Table:
    """selected.parquet. RunError where there is none, or it cannot be read."""
    hint = "avclips curate select makes it"
    if not (folder / CURVE).exists():
        raise RunError(f"{folder} holds no finished selection", hint)
    with reading(folder / SELECTED, f"delete {folder}; {hint}"):
        return pq.read_table(folder / SELECTED)
