"""The bytes of a sample's files, wherever they lie: single files, members of tars, cells of tables.

Knows places, not samples. Errors are RunError, where a file is no longer what it was.
"""

from __future__ import annotations

import bisect
import filecmp
import functools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

from ..catalog.sample import Place
from ..core.errors import RunError
from ..core.extras import extra
from ..core.files import as_run_error, is_plain_name, new_file, sync_folder

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
_HINT = "it was changed or moved after it was listed: look at it with avclips verify"


def is_file(place: Place) -> bool:
    """Whether it is a whole file on this machine."""
    return place.size is None and place.row is None and "://" not in place.path


def size_of(place: Place) -> int:
    """How many bytes it has. RunError where it is not there."""
    if place.size is not None:
        return place.size
    if not is_file(place):
        return len(read(place))
    try:
        return Path(place.path).stat().st_size
    except OSError as error:
        raise as_run_error(error, Path(place.path)) from error


def read(place: Place) -> bytes:
    """All of its bytes. RunError where there are fewer than there were."""
    if place.row is not None:
        return _cell(place)
    try:
        with _opened(place.path) as stream:
            stream.seek(place.offset)
            found = bytes(stream.read() if place.size is None else stream.read(place.size))
    except OSError as error:
        raise as_run_error(error, Path(place.path)) from error
    if place.size is not None and len(found) != place.size:
        raise RunError(f"{place.path} ends before byte {place.offset + place.size}", _HINT)
    return found


def ending_of(kind: str, place: Place) -> str:
    """The ending that its name has, or would have: "mp4", "wav". ``kind``: "video", "audio", "frame", ..."""
    if place.row is not None and place.column:
        return place.column.rpartition(".")[2]
    if place.size is None and (suffix := Path(place.path).suffix):
        return suffix[1:]
    with _opened(place.path) as stream:
        stream.seek(place.offset)
        start = bytes(stream.read(16))
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
            part = _part(target)
            part.unlink(missing_ok=True)
            os.link(place.path, part)
            os.replace(part, target)
            return True
    if _is_same(place, target):
        return False
    _write(place, target)
    return True


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def _is_same(place: Place, target: Path) -> bool:
    if not target.is_file() or target.stat().st_size != size_of(place):
        return False
    if is_file(place) and target.samefile(place.path):
        # A link of an earlier export, where a copy is wanted now.
        return False
    return filecmp.cmp(place.path, target, shallow=False) if is_file(place) else target.read_bytes() == read(place)


def _write(place: Place, target: Path) -> None:
    part = _part(target)
    try:
        with open(new_file(part), "wb") as stream:
            if is_file(place):
                with open(place.path, "rb") as source:
                    shutil.copyfileobj(source, stream)
            else:
                stream.write(read(place))
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    if "://" not in path:
        with open(path, "rb") as stream:
            yield stream
        return
    core = extra("fsspec.core", "shards are read").core
    with core.open(path, "rb") as stream:
        yield stream


def _cell(place: Place) -> bytes:
    """The bytes in a cell of a table; the row group that it is in is kept for the next one."""
    row = place.row or 0
    ends = _ends(place.path)
    group = bisect.bisect_right(ends, row)
    if group >= len(ends):
        raise RunError(f"{place.path} has no row {row}", _HINT)
    cells = _group(place.path, group, place.column)
    value = cells[row - (ends[group - 1] if group else 0)].as_py()
    if isinstance(value, dict):
        value = value.get("bytes")
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes):
        raise RunError(f"{place.path} has nothing in row {row} of {place.column}", _HINT)
    return value


@functools.lru_cache(maxsize=4)
def _ends(path: str) -> list[int]:
    """The row behind the last of each row group."""
    parquet = extra("pyarrow.parquet", "tables are read").parquet
    with _opened(path) as stream:
        found = parquet.ParquetFile(stream).metadata
        return list(accumulate(found.row_group(number).num_rows for number in range(found.num_row_groups)))


@functools.lru_cache(maxsize=4)
def _group(path: str, group: int, column: str) -> Any:
    parquet = extra("pyarrow.parquet", "tables are read").parquet
    with _opened(path) as stream:
        return parquet.ParquetFile(stream).read_row_group(group, columns=[column]).column(0).combine_chunks()
