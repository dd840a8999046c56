"""The bytes of a clip's file, wherever it lies: of a folder, a tar's member, a parquet cell, an object store.

A browser names a clip and a kind of file, never a path; and what a folder's own records name must lie in that
folder, whatever links it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..catalog.inside import Inside
from ..catalog.places import Unreadable, chunks, file_size, size
from ..catalog.sample import Place
from ..core.files import is_local, see_that_it_is_a_folder

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
        self._inside = Inside(source)

    def blob(self, place: Place, name: str) -> Blob:
        """The bytes at ``place``; ``name``: of the file, for its type. NotServed."""
        kind = TYPES.get(Path(name).suffix.lower())
        if kind is None:
            raise NotServed(f"files such as {Path(name).suffix or name} are not served")
        if not self._inside.holds(place.path):
            raise NotServed("it is not there, or lies outside of the folder")
        try:
            whole = file_size(place.path) if place.row is None else size(place)
        except Unreadable as error:
            # Not in its words: a browser is told no paths.
            raise NotServed("it cannot be read, or is not there any more") from error
        found = whole - place.offset if place.size is None else place.size
        if place.offset < 0 or found < 0 or place.offset + found > whole:
            raise NotServed("it ends before its clip does")
        return Blob(kind, found, place)


def is_folder(source: str) -> bool:
    """Whether a source is a folder of this machine; RunError where it is neither that nor an address."""
    if not is_local(source):
        return False
    see_that_it_is_a_folder(source)
    return True
