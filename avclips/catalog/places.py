"""The bytes of a sample's files, wherever they lie: single files, members of tars, cells of tables, object stores.

Loaders, exports, curation and explorer read by this module alone. It needs neither torch nor numpy, and pyarrow
or fsspec only for what lies in a table or at an address. It keeps nothing open, so that a process may fork or
start another at any time. What leaves is Unreadable; UsageError where a package is missing.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from ..core.extras import extra
from ..core.files import is_local
from ..core.redact import one_line, without_password
from ..shards.storage import StoreLost, filesystem_of, talking
from .sample import Place

CHUNK = 256 * 1024
_HINT = "it was moved or changed after it was listed: avclips verify says what is wrong with it"
# When a local file was changed last, and its size: what was kept of another is not its.
_Version = tuple[int, int] | None


class Unreadable(RunError):
    """A file is not there, cannot be read, or is no longer what it was when it was listed."""


def is_file(place: Place) -> bool:
    """Whether it is a file by itself on this machine, which others can open by its path."""
    return place.row is None and place.size is None and not place.offset and is_local(place.path)


def file_size(path: str) -> int:
    """How many bytes a file has, of which a place may be a part. Unreadable."""
    with _reading(path):
        if is_local(path):
            return Path(path).stat().st_size
        with _talking(path) as (fs, name):
            found = fs.size(name)
            # Some servers do not say.
            return len(fs.cat_file(name)) if found is None else int(found)


def size(place: Place) -> int:
    """How many bytes it has: of a part of a file, as it was listed. Unreadable."""
    if place.row is not None:
        return len(_cell(place))
    return max(0, file_size(place.path) - place.offset) if place.size is None else place.size


def read(place: Place, begin: int = 0, end: int | None = None) -> bytes:
    """Its bytes [begin, end), or all of them; of a store, no others are fetched. Unreadable where some lack."""
    if place.row is not None:
        return _cell(place)[begin:end]
    first, behind = _span(place, begin, end)
    if first == behind:
        return b""
    with _reading(place.path):
        if is_local(place.path):
            with open(place.path, "rb") as stream:
                stream.seek(first)
                found = stream.read(-1 if behind is None else behind - first)
        else:
            with _talking(place.path) as (fs, name):
                found = bytes(fs.cat_file(name, start=first or None, end=behind))
    _see_all(place, first + len(found), behind)
    return found


def chunks(place: Place, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The same, a part at a time."""
    if place.row is not None:
        yield _cell(place)[begin:end]
        return
    at, behind = _span(place, begin, end)
    with opened(place.path) as stream:
        stream.seek(at)
        while chunk := stream.read(CHUNK if behind is None else min(CHUNK, behind - at)):
            at += len(chunk)
            yield chunk
    _see_all(place, at, behind)


def _span(place: Place, begin: int, end: int | None) -> tuple[int, int | None]:
    """Where in its file these bytes begin and end; None: with the file."""
    limits = [limit for limit in (end, place.size) if limit is not None]
    behind = max(begin, min(limits)) if limits else None
    return place.offset + begin, None if behind is None else place.offset + behind


def _see_all(place: Place, at: int, behind: int | None) -> None:
    """Unreadable where a file ended ``at`` a byte within a part whose size is known."""
    if place.size is not None and behind is not None and at < behind:
        raise Unreadable(f"{without_password(place.path)} ends before byte {behind}, within a clip", _HINT)


@contextmanager
def opened(path: str, buffering: int = -1) -> Iterator[Any]:
    """A whole file to read, as a stream with ``seek``. Unreadable, whatever fails until the block ends.

    ``buffering``: as ``open`` takes it, of a local file.
    """
    with _reading(path):
        if is_local(path):
            with open(path, "rb", buffering) as stream:
                yield stream
        else:
            with _talking(path) as (fs, name), fs.open(name, "rb") as stream:
                yield stream


def content_of(cell: Any) -> bytes | None:
    """The bytes in a table's cell: binary, text, or {bytes, path} as Hugging Face's datasets have it."""
    value = cell.get("bytes") if isinstance(cell, dict) else cell
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) else None


@contextmanager
def _reading(path: str) -> Iterator[None]:
    try:
        yield
    except (StoreLost, OSError, ValueError, NotImplementedError) as error:
        # Arrow's own are among these; the last is of what its version cannot read.
        cause = error.__cause__ if isinstance(error, StoreLost) else error
        words = (cause.strerror if isinstance(cause, OSError) else None) or one_line(cause)
        # A driver's own name of a file has the address's password as well.
        address, shown = path.partition("://")[2], without_password(path).partition("://")[2]
        if address != shown:
            words = words.replace(address, shown)
        raise Unreadable(f"{without_password(path)} cannot be read: {words}", _HINT) from error


@contextmanager
def _talking(path: str) -> Iterator[tuple[Any, str]]:
    """The driver of an address, and its path there."""
    # Asked each time: a driver knows itself which of its connections a fork has left behind.
    fs, name = filesystem_of(path, "what lies at an address is read")
    with talking(without_password(path)):
        yield fs, name


def _cell(place: Place) -> bytes:
    """The bytes in a cell of a table. Unreadable where there are none."""
    shown, row = without_password(place.path), place.row or 0
    with _reading(place.path):
        version = _version(place.path)
        ends = _ends(place.path, version)
        number = bisect.bisect_right(ends, row)
        if row < 0 or number >= len(ends):
            raise Unreadable(f"{shown} has no row {row}", _HINT)
        cells = _group(place.path, version, number).column(place.column)
    value = content_of(cells[row - (ends[number - 1] if number else 0)].as_py())
    if value is None:
        raise Unreadable(f"{shown} has nothing in row {row} of {place.column}", _HINT)
    return value


def _version(path: str) -> _Version:
    if not is_local(path):
        return None
    found = Path(path).stat()
    return found.st_mtime_ns, found.st_size


@functools.lru_cache(maxsize=64)
def _ends(path: str, version: _Version) -> list[int]:
    """The row behind the last of each row group."""
    with opened_table(path) as table:
        groups = range(table.metadata.num_row_groups)
        return list(accumulate(table.metadata.row_group(number).num_rows for number in groups))


class _Group:
    """A row group, and those of its columns that were asked for: a clip's picture and sound are in two."""

    def __init__(self, path: str, number: int) -> None:
        self._path = path
        self._number = number
        self._columns: dict[str, Any] = {}

    def column(self, name: str) -> Any:
        """The cells of a column."""
        if name not in self._columns:
            with opened_table(self._path) as table:
                if name not in table.schema_arrow.names:
                    raise Unreadable(f"{without_password(self._path)} has no column {name}", _HINT)
                # Without Arrow's threads: a process that ends while they end may abort.
                found = table.read_row_group(self._number, columns=[name], use_threads=False)
                self._columns[name] = found.column(name)
        return self._columns[name]


# Clips come in the order of their rows: the group of the last one is that of the next. One is 16 MiB.
@functools.lru_cache(maxsize=2)
def _group(path: str, version: _Version, number: int) -> _Group:
    return _Group(path, number)


@contextmanager
def opened_table(path: str) -> Iterator[Any]:
    """A parquet table to read, as pyarrow's ParquetFile. Unreadable, whatever fails until the block ends."""
    parquet = extra("pyarrow.parquet", "tables are read").parquet
    with opened(path) as stream, parquet.ParquetFile(stream, pre_buffer=False) as table:
        yield table
