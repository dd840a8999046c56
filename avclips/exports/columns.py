"""What is said of a sample beside its files, as a row; and what kinds of cells the columns of all rows have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..catalog.sample import Sample
from ..core.reserved_names import OF_FAILURES, TYPES, column_of
from ..shards.schema import KINDS, Schema, arrow_type, cell, plain

Row = dict[str, Any]
# A question of a clip, as the tables of its dataset have it.
Question = Mapping[str, Any]

# Of every sample that goes out, whatever its list says.
FIXED = {name: KINDS[alias] for name, alias in TYPES.items() if name not in (*OF_FAILURES, "status")}
# The names of an export's own columns: those of a list give way to them.
OURS = ("dataset", "labels", "captions", "flags", "questions", "video", "audio", "image", "info", "split")
# Of a question: what the row of its clip has already, and paths that lead nowhere from an export.
_NOT_OF_QUESTIONS = frozenset(("clip_id", "split", "status", "label", "audio", "video", "image"))


def row_of(sample: Sample) -> Row:
    """All that is said of a sample that is done, without its files and its questions."""
    row: Row = {name: sample.facts.get(name) for name in FIXED}
    row |= {"id": sample.id, "start": sample.start, "end": sample.end, "dataset": sample.dataset}
    row["youtube_id"] = sample.meta.get("youtube_id", sample.video)
    row |= {"labels": list(sample.labels), "captions": list(sample.captions), "flags": sample.facts.get("flags")}
    return row | {_column_of(name): value for name, value in sample.meta.items() if name != "youtube_id"}


def _column_of(name: str) -> str:
    column = column_of(name)
    if column.casefold() in OURS or column.casefold().startswith("subtitles."):
        return f"list_{column}"
    return column


def questions_of(all_of: Mapping[str, Sequence[Question]], sample: Sample, split: str) -> list[Row]:
    """The questions that a split asks of a sample; all, where they name no split."""
    return [
        {name: value for name, value in each.items() if name not in _NOT_OF_QUESTIONS}
        for each in all_of.get(sample.id, ())
        if not split or each.get("split", split) == split
    ]


class Columns:
    """The columns of many rows, and the kinds of their cells: all files of an export have the same."""

    def __init__(self) -> None:
        self._seen = Schema()
        self._filled: set[str] = set()

    def add(self, row: Mapping[str, Any]) -> None:
        """See a row."""
        self._seen.add(row)
        self._filled.update(name for name, value in row.items() if value not in (None, []))

    def types(self) -> dict[str, str]:
        """Each column with the kind of its cells (shards.schema); without those that have nothing in any row."""
        found = {name: FIXED.get(name, kind) for name, kind in self._seen.found().items()}
        return {name: kind for name, kind in found.items() if name in FIXED or name in self._filled}

    def plain_row(self, row: Mapping[str, Any]) -> Row:
        """A row for JSON that readers type by its first lines: no nulls, one type a column."""
        sparse = self._seen.missing() | self._seen.holed()
        return {name: plain(row.get(name), kind, name in sparse) for name, kind in self.types().items()}


def arrays(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, str], pyarrow: Any) -> dict[str, Any]:
    """The columns of rows as Arrow arrays."""
    return {
        name: pyarrow.array([cell(row.get(name), kind) for row in rows], arrow_type(kind, pyarrow))
        for name, kind in kinds.items()
    }


def structs(cells: Iterable[Sequence[Mapping[str, Any]]], kinds: Mapping[str, str], pyarrow: Any) -> Any:
    """A column of lists of questions, each an object with the same keys."""
    type_ = pyarrow.list_(pyarrow.struct({name: arrow_type(kind, pyarrow) for name, kind in kinds.items()}))
    made = [
        [{name: cell(each.get(name), kind) for name, kind in kinds.items()} for each in some] for some in cells
    ]
    return pyarrow.array(made, type_)
