"""The bytes of a clip's file, wherever they lie: a file, a tar's member, a parquet table's cell, a store."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ...catalog.sample import Place
from ...core.extras import extra


@dataclass
class Source:
    """What PyAV opens: a path, or a file in memory."""

    name_or_file: Any

    def close(self) -> None:
        """Let go of what was read."""
        if isinstance(self.name_or_file, io.BytesIO):
            self.name_or_file.close()


def opened(place: Place) -> Source:
    """Open a place; OSError where it cannot be read, ValueError where it does not hold that much."""
    is_local = "://" not in place.path
    if place.column:
        return Source(io.BytesIO(_cell(place)))
    if is_local and place.size is None and not place.offset:
        # PyAV takes a name with a colon for a protocol.
        return Source(f"file:{Path(place.path).absolute()}")
    with open(place.path, "rb") if is_local else _remote(place.path) as stream:
        stream.seek(place.offset)
        content = stream.read() if place.size is None else stream.read(place.size)
    if place.size is not None and len(content) < place.size:
        raise ValueError(f"{place.path} ends within this clip")
    return Source(io.BytesIO(content))


def _remote(path: str) -> Any:
    return extra("fsspec", "clips in an object store are read").open(path, "rb").open()


def _cell(place: Place) -> bytes:
    """The bytes of a cell: binary, or {bytes, path} as datasets of Hugging Face have it."""
    if place.row is None:
        raise ValueError(f"{place.path}: a column without a row")
    row = place.row
    for group, count in enumerate(_groups(place.path)):
        if row < count:
            cell = _column(place.path, group, place.column)[row].as_py()
            content = cell.get("bytes") if isinstance(cell, dict) else cell
            if not isinstance(content, bytes):
                raise ValueError(f"{place.path}: row {place.row} has no {place.column}")
            return content
        row -= count
    raise ValueError(f"{place.path} has no row {place.row}")


@lru_cache(maxsize=4)
def _groups(path: str) -> tuple[int, ...]:
    with _table(path) as table:
        return tuple(table.metadata.row_group(number).num_rows for number in range(table.num_row_groups))


# Clips come in the order of their rows: the group of the last one is that of the next.
@lru_cache(maxsize=2)
def _column(path: str, group: int, column: str) -> Any:
    with _table(path) as table:
        if column not in table.schema_arrow.names:
            raise ValueError(f"{path} has no column {column}")
        return table.read_row_group(group, columns=[column])[column]


def _table(path: str) -> pq.ParquetFile:
    return pq.ParquetFile(path if "://" not in path else _remote(path))
