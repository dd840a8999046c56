"""The bytes of a clip's file, wherever it lies: of a folder, a tar's member, a parquet cell, an object store.

A browser names a clip and a kind of file, never a path; and what a folder's own records name must lie in that
folder, whatever links it holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from ..catalog.sample import Place
from ..core.errors import RunError
from ..core.extras import extra
from ..core.symlinks import LINKED

CHUNK = 256 * 1024
# What the page is made of.
STATIC = Path(__file__).parent / "static"
TYPES = {
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt",
    ".json": "application/json",
}


class NotServed(Exception):
    """It is not there, or lies where nothing may be served from."""


@dataclass(frozen=True)
class Blob:
    """A file's bytes: ``size`` in all; ``read(begin, end)`` gives those of a part, chunk by chunk."""

    type: str
    size: int
    source: Place
    content: bytes | None = None

    def read(self, begin: int, end: int) -> Iterator[bytes]:
        """The bytes [begin, end), in chunks."""
        if self.content is not None:
            yield self.content[begin:end]
            return
        with _open(self.source.path) as stream:
            stream.seek(self.source.offset + begin)
            left = end - begin
            while left > 0 and (chunk := stream.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk


class Files:
    """The files of one source. ``source``: a data folder, or an output of shards by its path or address."""

    def __init__(self, source: str) -> None:
        self._remote = "://" in source
        self._source = source
        self._roots = [] if self._remote else _roots(Path(source))

    def blob(self, place: Place, name: str) -> Blob:
        """The bytes at ``place``; ``name``: of the file, for its type. NotServed."""
        kind = TYPES.get(Path(name).suffix.lower())
        if kind is None:
            raise NotServed(f"files such as {Path(name).suffix or name} are not served")
        if not self._remote:
            self._check(place.path)
        elif not place.path.startswith(self._source.rstrip("/") + "/"):
            raise NotServed(f"{place.path} lies outside of {self._source}")
        try:
            if place.column:
                content = _cell(place)
                return Blob(kind, len(content), place, content)
            whole = _size(place.path)
        except OSError as error:
            raise NotServed(f"it cannot be read: {error.strerror or error}") from error
        size = whole - place.offset if place.size is None else place.size
        if place.offset < 0 or size < 0 or place.offset + size > whole:
            raise NotServed("it ends before its clip does")
        return Blob(kind, size, place)

    def _check(self, path: str) -> None:
        """NotServed for whatever leads out of the folder."""
        real = os.path.realpath(path)
        if not any(real.startswith(root + os.sep) for root in self._roots) or not os.path.isfile(real):  # noqa: PTH113
            raise NotServed("it is not there, or lies outside of the folder")


def _roots(folder: Path) -> list[str]:
    """The real folders beneath which files lie: the folder's own, and those that it may have on other disks."""
    found = [os.path.realpath(folder)]
    for name in (*LINKED, "frames"):
        entry = folder / name
        if entry.is_symlink() and entry.is_dir():
            found.append(os.path.realpath(entry))
    return found


def _open(path: str) -> IO[bytes]:
    if "://" not in path:
        return open(path, "rb")
    opened: IO[bytes] = extra("fsspec", "what lies at an address is read").open(path, "rb").open()
    return opened


def _size(path: str) -> int:
    if "://" not in path:
        return os.stat(path).st_size  # noqa: PTH116
    filesystem, name = extra("fsspec", "what lies at an address is read").core.url_to_fs(path)
    return int(filesystem.size(name))


def _cell(place: Place) -> bytes:
    """The bytes in a cell of a table: only its row group is read."""
    extra("pyarrow", "tables are read")
    parquet: Any = import_module("pyarrow.parquet")
    with _open(place.path) as stream:
        table = parquet.ParquetFile(stream)
        row = place.row or 0
        for group in range(table.num_row_groups):
            count = table.metadata.row_group(group).num_rows
            if row < count:
                cell = table.read_row_group(group, columns=[place.column])[place.column][row].as_py()
                content = cell["bytes"] if isinstance(cell, dict) else cell
                if not isinstance(content, bytes):
                    raise NotServed("its cell is empty")
                return content
            row -= count
    raise NotServed("its row is not there")


def is_local(source: str) -> bool:
    """Whether a source is a folder of this machine; RunError where it is neither that nor an address."""
    if "://" in source:
        return False
    if not Path(source).is_dir():
        raise RunError(f"there is no folder {source}", "name a data folder, or an output of shards")
    return True
