"""What a sample's files are called in an export, and how they come there.

Knows places, not samples. Errors are RunError, where a file is no longer what it was.
"""

from __future__ import annotations

import filecmp
import os
from contextlib import suppress
from pathlib import Path

from ..catalog.places import chunks, is_file, read, size
from ..catalog.sample import Place
from ..core.errors import RunError
from ..core.files import beside, is_local, is_plain_name, unfinished

# How files begin, and the endings of their names.
_BEGINNINGS = {
    b"RIFF": "wav",
    b"fLaC": "flac",
    b"\x1aE\xdf\xa3": "mkv",
    b"WEBVTT": "vtt",
    b"{": "json",
    b"\xff\xd8\xff": "jpg",
    b"\x89PNG": "png",
}
# What a file is taken for whose beginning tells nothing.
_USUAL = {"video": "mp4", "audio": "wav", "frame": "jpg", "info": "json", "subtitles": "vtt"}


def ending_of(kind: str, place: Place) -> str:
    """The ending that its name has, or would have: "mp4", "wav". ``kind``: "video", "audio", "frame", ..."""
    if place.row is not None and place.column:
        return place.column.rpartition(".")[2]
    if place.size is None and (suffix := Path(place.path).suffix):
        return suffix[1:]
    start = read(place, 0, 16)
    if start[4:8] == b"ftyp":
        return "m4a" if kind == "audio" else "mp4"
    for word, ending in _BEGINNINGS.items():
        if start.startswith(word):
            return ending
    return _USUAL.get(kind.partition(".")[0], "bin")


def file_name(clip_id: str, kind: str, place: Place) -> str:
    """What its file is called in an export. RunError: an id that is no file name."""
    if not is_plain_name(clip_id):
        raise RunError(f"{clip_id!r} cannot be a file's name", "leave that clip out with --ids")
    return f"{clip_id}.{ending_of(kind, place)}"


def put(place: Place, target: Path, copy: bool = False) -> bool:
    """Have it at ``target``, whole or not at all, as a hard link where that can be; False where it was there.

    ``copy``: never as a link.
    """
    if is_file(place) and not copy:
        if target.exists() and target.samefile(place.path):
            return False
        with suppress(OSError):
            # Not across disks, nor on every file system.
            part = beside(target)
            part.unlink(missing_ok=True)
            # Of the file itself: a second name of a symbolic link would lead elsewhere from here, or nowhere.
            os.link(os.path.realpath(place.path), part)
            os.replace(part, target)
            return True
    if _is_same(place, target):
        return False
    _write(place, target)
    return True


def _is_same(place: Place, target: Path) -> bool:
    if not target.is_file() or target.stat().st_size != size(place):
        return False
    if is_file(place) and target.samefile(place.path):
        # A link of an earlier export, where a copy is wanted now.
        return False
    return filecmp.cmp(place.path, target, shallow=False) if is_file(place) else target.read_bytes() == read(place)


def _write(place: Place, target: Path) -> None:
    with unfinished(target) as part, open(part, "wb") as stream:
        stream.writelines(chunks(place) if is_local(place.path) else (read(place),))
