"""A plain MP4, picture and sound in one file: its table of samples, which stands in front of the media.

The table says where every sample lies, so that those of a clip can be fetched by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from .boxes import MOST_IN_HEAD
from .fragments import NeedMore, NoIndex, bounded, top_box
from .mp4 import MAX_MOOV, NoTable, read_moov
from .samples import Samples


@dataclass(frozen=True)
class Table:
    """The tracks of a file, and its size in bytes."""

    tracks: tuple[Samples, ...]
    size: int


def read_table(head: bytes, size: int | None) -> Table | NeedMore:
    """Read the table out of the first bytes of a file of ``size`` bytes; NoIndex where it is not in front."""
    at, moov = 0, b""
    for _ in range(MOST_IN_HEAD):
        # Of three hours in one file, ten megabytes: what is in an index of fragments is not.
        box = top_box(head, at, MAX_MOOV)
        if isinstance(box, NeedMore):
            return box
        if box.kind == b"mdat":
            break
        if box.kind == b"moof" or (at == 0 and box.kind != b"ftyp"):
            raise NoIndex("no plain MP4 file")
        if box.end > len(head):
            return NeedMore(bounded(box.end, MAX_MOOV))
        if box.kind == b"moov":
            moov = head[box.start : box.end]
        at = box.end
    if not moov or size is None:
        raise NoIndex("media before any table, or a file of unknown size")
    try:
        tracks = [track for track in read_moov(moov) if track.times]
    except NoTable as error:
        raise NoIndex(str(error)) from error
    if not tracks:
        raise NoIndex("no sample in the file's table")
    if any(track.is_quicktime for track in tracks):
        raise NoIndex("a QuickTime film")
    for track in tracks:
        if any(offset + length > size for offset, length in zip(track.offsets, track.sizes, strict=True)):
            raise NoIndex("a sample lies behind the end of the file")
    return Table(tuple(tracks), size)
