"""The bytes of a clip's file, wherever it lies: of a folder, a tar's member, a parquet cell, an object store.

A browser names a clip and a kind of file, never a path; and what a folder's own records name must lie in that
folder, whatever links it holds.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..catalog.endings import ending_of
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

# A browser asks for a clip part by part: where it lies in a tar or a store, its ending is looked up once.
_ending_of = functools.lru_cache(maxsize=4096)(ending_of)


class NotServed(Exception):
    """It is not there, or lies where nothing may be served from."""


@dataclass(frozen=True)
class Blob:
    """A file's bytes: ``size`` in all; ``read(begin, end)`` gives those of a part, chunk by chunk.

    ``ending``: ".mp4", of its name or of one that it might have. ``tag``: an entity tag, another when the file was
    written again; "" where nobody knows that.
    """

    type: str
    ending: str
    size: int
    source: Place
    tag: str = ""

    def read(self, begin: int, end: int) -> Iterator[bytes]:
        """The bytes [begin, end), in chunks. RunError where they are not there any more."""
        return chunks(self.source, begin, end)


class Files:
    """The files of one source. ``source``: a data folder, or an output of shards by its path or address."""

    def __init__(self, source: str) -> None:
        self._inside = Inside(source)

    def blob(self, place: Place, kind: str) -> Blob:
        """The bytes at ``place``, which are a clip's ``kind``: "video", "subtitles.en". NotServed."""
        if not self._inside.holds(place.path):
            raise NotServed("it is not there, or lies outside of the folder")
        try:
            whole = file_size(place.path) if place.row is None else size(place)
            found = whole - place.offset if place.size is None else place.size
            if place.offset < 0 or found < 0 or place.offset + found > whole:
                raise NotServed("it ends before its clip does")
            ending = f".{_ending_of(kind, place).lower()}"
        except Unreadable as error:
            # Not in its words: a browser is told no paths.
            raise NotServed("it cannot be read, or is not there any more") from error
        if ending not in TYPES:
            raise NotServed(f"files such as {ending} are not served")
        return Blob(TYPES[ending], ending, found, place, _tag(place, found))


def _tag(place: Place, size: int) -> str:
    if not is_local(place.path):
        return ""
    try:
        written = Path(place.path).stat().st_mtime_ns
    except OSError:
        return ""
    said = hashlib.sha256(f"{place} {written} {size}".encode()).hexdigest()
    return f'"{said[:20]}"'


def is_folder(source: str) -> bool:
    """Whether a source is a folder of this machine; RunError where it is neither that nor an address."""
    if not is_local(source):
        return False
    see_that_it_is_a_folder(source)
    return True
