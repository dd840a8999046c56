"""Where a file's bytes come from: a path that a decoder opens itself, a tar, a table or a store."""

from __future__ import annotations

import functools
from typing import Any

import fsspec.core

from ..catalog.sample import Place
from ..core.errors import RunError
from ..core.extras import extra
from ..core.redact import without_password

# What a decoder opens: a local path, or all bytes of a file.
Source = str | bytes


def source_of(place: Place) -> Source:
    """A local file by its path; anything else as bytes. RunError where it cannot be read."""
    if place.row is not None:
        return _cell(place)
    if place.size is None and not place.offset and is_local(place.path):
        return place.path
    return _span(place)


def bytes_of(place: Place) -> bytes:
    """All bytes of a file, wherever it lies. RunError where it cannot be read."""
    return _span(place) if place.row is None else _cell(place)


def path_of(place: Place | None) -> str | None:
    """The path of a file that is one by itself on this machine; None for any other."""
    whole = place is not None and place.row is None and place.size is None and not place.offset
    return place.path if place is not None and whole and is_local(place.path) else None


def is_local(path: str) -> bool:
    return "://" not in path and "::" not in path


def _span(place: Place) -> bytes:
    """Bytes within a file."""
    try:
        if is_local(place.path):
            with open(place.path, "rb") as stream:
                stream.seek(place.offset)
                found = stream.read(-1 if place.size is None else place.size)
        else:
            fs, path = fsspec.core.url_to_fs(place.path)
            end = None if place.size is None else place.offset + place.size
            found = bytes(fs.cat_file(path, start=place.offset, end=end))
    except (OSError, ValueError) as error:
        raise RunError(f"{without_password(place.path)} cannot be read: {error}", "is it there?") from error
    if place.size is not None and len(found) != place.size:
        raise RunError(
            f"{without_password(place.path)} ends within a file of it", "avclips verify says what is wrong with it"
        )
    return found


def _cell(place: Place) -> bytes:
    """The bytes in a cell of a table, whose group of rows is kept for the next one."""
    table, row = _rows(place.path, place.row or 0, place.column)
    value = table.column(place.column)[row].as_py()
    found = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(found, bytes):
        raise RunError(f"{without_password(place.path)}, row {place.row}: no bytes in {place.column}")
    return found


def _rows(path: str, row: int, column: str) -> tuple[Any, int]:
    """The group of rows that a row is in, and which one of them it is."""
    first = 0
    for group, count in enumerate(_groups(path)):
        if row < first + count:
            return _group(path, group, column), row - first
        first += count
    raise RunError(f"{without_password(path)} has no row {row}", "it has changed since it was looked at")


@functools.lru_cache(maxsize=64)
def _groups(path: str) -> tuple[int, ...]:
    """How many rows each group has."""
    with fsspec.core.open(path, "rb") as stream:
        found = extra("pyarrow.parquet", "tables are read").parquet.ParquetFile(stream).metadata
        return tuple(found.row_group(number).num_rows for number in range(found.num_row_groups))


# One for the pictures and one for the sound: a group is 16 MiB.
@functools.lru_cache(maxsize=2)
def _group(path: str, group: int, column: str) -> Any:
    with fsspec.core.open(path, "rb") as stream:
        file = extra("pyarrow.parquet", "tables are read").parquet.ParquetFile(stream)
        return file.read_row_group(group, columns=[column])
