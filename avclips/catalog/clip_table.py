"""clips.csv and clips.parquet: a row for each clip of a list, done or not, in the list's order.

Both have the same columns. A column of several texts is a JSON list in the csv; what is missing is an empty cell,
or null.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from ..core.extras import extra
from ..core.files import as_utf8, unfinished, whole
from ..state.manifest import raw_lines
from .sample import Sample

CSV, PARQUET = "clips.csv", "clips.parquet"
_FACTS = {
    "duration": "number", "width": "whole", "height": "whole", "fps": "number", "pictures": "whole",
    "samples": "whole", "sample_rate": "whole", "channels": "whole", "sha256": "text", "audio_sha256": "text",
}  # fmt: skip
_PATHS = {f"{kind}_path": kind for kind in ("video", "audio", "frame", "info")}
# The columns of every table, with the kinds of their cells; those of quality flags come behind.
COLUMNS: Mapping[str, str] = {
    "id": "text", "video": "text", "start": "number", "end": "number", "status": "text", "reason": "text",
    "splits": "texts", "labels": "texts", "captions": "texts", **dict.fromkeys(_PATHS, "text"),
    "subtitles_paths": "texts", **_FACTS,
}  # fmt: skip
# Before each quality flag's own name.
FLAG = "flag_"
# Rows that are in memory at a time.
_AT_ONCE = 16_384
_FLAGS = re.compile(rb'"flags": (\{[^{}]*\})')
_KINDS: dict[type, str] = {bool: "truth", int: "number", float: "number", str: "text"}


def flags_in(manifests: Iterable[Path]) -> dict[str, str]:
    """The quality flags that manifests speak of, and the kinds of their values."""
    found: dict[str, set[str]] = {}
    for path in manifests:
        for _, raw in raw_lines(path):
            match = _FLAGS.search(raw) if b'"flags": {' in raw else None
            for name, value in _object(match[1]).items() if match else ():
                kinds = found.setdefault(name, set())
                if value is not None:
                    kinds.add(_KINDS.get(type(value), "text"))
    return {name: kinds.pop() if len(kinds) == 1 else "text" for name, kinds in sorted(found.items())}


def _object(text: bytes) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def row_of(sample: Sample, root: str, flags: Iterable[str] = ()) -> list[Any]:
    """A clip's cells, in the order of the columns. ``root``: the data folder, with a slash behind."""
    facts, files = sample.facts, sample.files
    paths = {kind: place.path.removeprefix(root) for kind, place in files.items()}
    row = [sample.id, sample.video, sample.start, sample.end, sample.status, sample.reason or None]
    row += [sample.splits, sample.labels, sample.captions]
    row += [paths.get(kind) for kind in _PATHS.values()]
    row.append([path for kind, path in paths.items() if kind.startswith("subtitles.")])
    row += [facts.get(name) for name in _FACTS]
    measured = facts.get("flags")
    measured = measured if isinstance(measured, dict) else {}
    return row + [measured.get(name) for name in flags]


class ClipTable:
    """The tables of one folder as they are written, row by row."""

    def __init__(self, folder: Path, flags: Mapping[str, str]) -> None:
        self._root = f"{folder}/"
        self._flags = tuple(flags)
        self.columns = {**COLUMNS, **{FLAG + name: kind for name, kind in flags.items()}}
        self.writers: list[Callable[[Sequence[list[Any]]], None]] = []
        self._rows: list[list[Any]] = []

    def add(self, sample: Sample) -> None:
        """Write a clip's row."""
        self._rows.append(row_of(sample, self._root, self._flags))
        if len(self._rows) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what is kept."""
        rows, self._rows = self._rows, []
        for write in self.writers:
            write(rows)


@contextmanager
def clip_table(folder: Path, flags: Mapping[str, str]) -> Iterator[ClipTable]:
    """clips.csv, and clips.parquet where pyarrow is installed; both whole, or as they were before.

    ``flags``: the quality flags that some clips have, with the kinds of their values.
    """
    table = ClipTable(folder, flags)
    with ExitStack() as stack:
        table.writers.append(stack.enter_context(_csv(folder / CSV, table.columns)))
        try:
            pyarrow = extra("pyarrow.parquet", "clips.parquet is written")
        except UsageError:
            # Of another clip set than the csv beside it, it would mislead.
            (folder / PARQUET).unlink(missing_ok=True)
        else:
            table.writers.append(stack.enter_context(_parquet(folder / PARQUET, table.columns, pyarrow)))
        yield table
        table.flush()


@contextmanager
def _csv(path: Path, columns: Mapping[str, str]) -> Iterator[Callable[[Sequence[list[Any]]], None]]:
    lists = [place for place, kind in enumerate(columns.values()) if kind == "texts"]
    texts = [place for place, name in enumerate(columns) if name.startswith(FLAG)]
    encode = json.JSONEncoder(ensure_ascii=False).encode
    with whole(path) as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(columns)

        def write(rows: Sequence[list[Any]]) -> None:
            for row in rows:
                cells = row.copy()
                for place in lists:
                    cells[place] = encode(cells[place]) if cells[place] else "[]"
                for place in texts:
                    if isinstance(cells[place], (list, dict)):
                        cells[place] = encode(cells[place])
                table.writerow(cells)

        yield write


@contextmanager
def _parquet(
    path: Path, columns: Mapping[str, str], pyarrow: Any
) -> Iterator[Callable[[Sequence[list[Any]]], None]]:
    types = {"text": pyarrow.string(), "texts": pyarrow.list_(pyarrow.string()), "number": pyarrow.float64(),
             "whole": pyarrow.int64(), "truth": pyarrow.bool_()}  # fmt: skip
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    with unfinished(path) as part, pyarrow.parquet.ParquetWriter(part, schema) as writer:

        def write(rows: Sequence[list[Any]]) -> None:
            cells = zip(*rows, strict=True) if rows else ((),) * len(schema)
            arrays = [
                _array(column, kind, types[kind], pyarrow)
                for column, kind in zip(cells, columns.values(), strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))

        yield write


def _array(column: Sequence[Any], kind: str, type_: Any, pyarrow: Any) -> Any:
    try:
        return pyarrow.array(column, type_)
    except (UnicodeEncodeError, pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        return pyarrow.array([_cell(cell, kind) for cell in column], type_)


def _cell(value: Any, kind: str) -> Any:
    """A value as its column has it; half a letter, which a list may hold, is no UTF-8."""
    if value is None:
        return None
    if kind == "texts":
        return [_cell(each, "text") for each in value]
    if kind == "text":
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return as_utf8(text)
    if kind == "number":
        return float(value)
    return value
