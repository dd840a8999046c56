"""What a sample's files are called in an export, and how they come there.

Knows places, not samples. Errors are RunError, where a file is no longer what it was.
"""

from __future__ import annotations

import filecmp
import os
from contextlib import suppress
from pathlib import Path

from ..catalog.endings import ending_of
from ..catalog.places import chunks, is_file, read, size
from ..catalog.sample import Place
from ..core.errors import RunError
from ..core.files import beside, is_local, is_plain_name, unfinished


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
