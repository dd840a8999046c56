"""A table that a stage wrote and that is torn is one line for people, in whichever stage reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avclips.core.errors import RunError
from avclips.curate import segment
from avclips.curate.export import lists, stage
from avclips.curate.features import parts
from avclips.curate.folders import stage_folder
from avclips.curate.proposals import SegmentSettings
from avclips.curate.select import output

# A table, and what reads it.
Reader = Callable[[Path], tuple[Path, Callable[[], object]]]


def rows_of_segment(folder: Path) -> tuple[Path, Callable[[], object]]:
    path = stage_folder(folder, "filter") / segment.ROWS
    return path, lambda: list(segment._of_rows(folder, SegmentSettings()))


def of_selection(folder: Path) -> tuple[Path, Callable[[], object]]:
    (folder / output.CURVE).write_text("{}")
    return folder / output.SELECTED, lambda: output.read(folder)


READERS: list[Reader] = [
    rows_of_segment,
    of_selection,
    lambda folder: (parts.table_path(folder, 3), lambda: parts.rows_of(folder, 3)),
    lambda folder: (folder / "rows.parquet", lambda: stage._titles(folder / "rows.parquet")),
    lambda folder: (folder / "chosen.parquet", lambda: lists.write_all(folder / "chosen.parquet", folder)),
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("torn", ["words", "middle"])
def test_a_torn_table(tmp_path: Path, reader: Reader, torn: str) -> None:
    path, read = reader(tmp_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ["id", "video", "start", "end", "kept", "seconds", "title", "categories"]
    pq.write_table(pa.table({name: ["a" * 900] for name in names}), path, compression="none", use_dictionary=False)
    whole = path.read_bytes()
    path.write_bytes(b"PAR1 and no more" if torn == "words" else whole[:4] + b"\xff" * 9000 + whole[9004:])
    before = set(tmp_path.rglob("*"))
    with pytest.raises(RunError, match=f"{path.name} cannot be read: ") as caught:
        read()
    assert caught.value.hint and "\n" not in str(caught.value)
    assert set(tmp_path.rglob("*")) == before
