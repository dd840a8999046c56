"""A plain MP4, picture and sound in one file: which bytes hold a clip, by its table of samples.

The moov box in front says where every sample lies. The covering stretch goes to its own place in an otherwise
empty file of the same size, so that the table stays true; what reads it must not leave the stretch.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from .mp4 import NoTable, Samples, read_moov
from .spans import NeedMore, NoIndex, bounded, top_box

# Seconds more than are asked for: sound lies a little before and behind the pictures of its time, and what reads a
# file stops by the time of decoding.
MARGIN = Fraction(1, 2)


@dataclass(frozen=True)
class Table:
    """A file's head (all that lies before its media), its tracks, and its size in bytes."""

    head: bytes
    tracks: tuple[Samples, ...]
    size: int

    @property
    def duration(self) -> Fraction:
        """Seconds to the end of the longer track."""
        return max(self.lasts(track.kind) for track in self.tracks)

    def lasts(self, kind: str) -> Fraction:
        """Seconds to the end of the "video" or the "audio"; 0 where there is none."""
        ends = (
            Fraction(max(map(sum, zip(track.times, track.durations, strict=True))), track.timescale)
            for track in self.tracks
            if track.kind == kind
        )
        return max(ends, default=Fraction(0))


@dataclass(frozen=True)
class Stretch:
    """The bytes ``first``..``last`` hold seconds ``lead``..``until``; ``lead`` is just behind a key frame."""

    first: int
    last: int
    lead: Fraction
    until: Fraction


def read_table(head: bytes, size: int | None) -> Table | NeedMore:
    """Read the table out of the first bytes of a file of ``size`` bytes; NoIndex where it is not in front."""
    at, moov = 0, b""
    while True:
        box = top_box(head, at)
        if isinstance(box, NeedMore):
            return box
        if box.kind == b"mdat":
            break
        if box.kind == b"moof" or (at == 0 and box.kind != b"ftyp"):
            raise NoIndex("no plain MP4 file")
        if box.end > len(head):
            return NeedMore(bounded(box.end))
        if box.kind == b"moov":
            moov = head[box.start : box.end]
        at = box.end
    if not moov or size is None:
        raise NoIndex("media before any table, or a file of unknown size")
    try:
        tracks = [track for track in read_moov(moov) if track.times]
    except NoTable as error:
        raise NoIndex(str(error)) from error
    if not any(track.kind == "video" for track in tracks):
        raise NoIndex("no picture in the file's table")
    for track in tracks:
        if any(offset + length > size for offset, length in zip(track.offsets, track.sizes, strict=True)):
            raise NoIndex("a sample lies behind the end of the file")
    return Table(head[:at], tuple(tracks), size)


def plan(table: Table, since: Fraction, until: Fraction | None) -> Stretch | None:
    """The stretch that holds seconds ``since``..``until``; None where it is no better than the whole file."""
    if until is None:
        return None
    picture = next(track for track in table.tracks if track.kind == "video")
    keys = range(len(picture.times)) if picture.keys is None else picture.keys
    starts = sorted((picture.times[key], key) for key in keys)
    place = bisect_right(starts, (since * picture.timescale, len(picture.times))) - 1
    if place < 0:
        return None
    time, key = starts[place]
    begins = Fraction(time, picture.timescale)
    low, high = begins - MARGIN, until + MARGIN
    behind_last = math.ceil(high * picture.timescale)
    last = max((n for n, at in enumerate(picture.times) if at < behind_last), default=-1)
    if last < key:
        return None
    wanted: list[tuple[Samples, Sequence[int]]] = [(picture, range(key, last + 1))]
    for track in table.tracks:
        if track.kind == "audio":
            ticks = math.ceil(low * track.timescale), math.ceil(high * track.timescale)
            inside = [n for n, at in enumerate(track.times) if ticks[0] <= at < ticks[1]]
            wanted.append((track, inside))
    first = min(track.offsets[n] for track, numbers in wanted for n in numbers)
    behind = max(track.offsets[n] + track.sizes[n] for track, numbers in wanted for n in numbers)
    if not 0 < behind - first <= table.size // 2:
        return None
    # A millisecond behind the key frame: rounded down, the time would be the key frame's before.
    return Stretch(first, behind - 1, begins + Fraction(1, 1000), until + MARGIN / 2)
