"""The bytes of a clip's file, wherever it lies: of a folder, a tar's member, a parquet cell, an object store.

A browser names a clip and a kind of file, never a path; and what a folder's own records name must lie in that
folder, whatever links it holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..catalog.places import Unreadable, chunks, file_size, size
from ..catalog.sample import Place
from ..core.errors import RunError
from ..core.files import is_local
from ..core.symlinks import LINKED

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

    def read(self, begin: int, end: int) -> Iterator[bytes]:
        """The bytes [begin, end), in chunks. RunError where they are not there any more."""
        return chunks(self.source, begin, end)


class Files:
    """The files of one source. ``source``: a data folder, or an output of shards by its path or address."""

    def __init__(self, source: str) -> None:
        self._remote = not is_local(source)
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
            whole = file_size(place.path) if place.row is None else size(place)
        except Unreadable as error:
            # Not in its words: a browser is told no paths.
            raise NotServed("it cannot be read, or is not there any more") from error
        found = whole - place.offset if place.size is None else place.size
        if place.offset < 0 or found < 0 or place.offset + found > whole:
            raise NotServed("it ends before its clip does")
        return Blob(kind, found, place)

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


def is_folder(source: str) -> bool:
    """Whether a source is a folder of this machine; RunError where it is neither that nor an address."""
    if not is_local(source):
        return False
    if not Path(source).is_dir():
        raise RunError(f"there is no folder {source}", "name a data folder, or an output of shards")
    return True
