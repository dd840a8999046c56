"""Which bytes of a stream hold the seconds of a clip.

A fragmented MP4 as YouTube serves it begins with ``ftyp``, ``moov`` and ``sidx``; the sidx (ISO/IEC 14496-12,
8.16.3) lists every fragment's size and duration. The head and the covering fragments, put one behind the
other, are a file that ffmpeg reads like the whole.

Knows bytes and times only: nothing of networks, files or ffmpeg. All of the input comes from strangers: a
claim that does not add up is NoIndex, never an allocation.
"""

from __future__ import annotations

import itertools
import struct
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from .boxes import Box, BrokenBox, box_at

# A ten-hour video in fragments of one second needs 432 KB of index; nobody honest needs more than this.
MAX_HEAD = 4 * 1024 * 1024
# What every fragment must have.
_MEDIA = frozenset((b"moof", b"mdat"))


class NoIndex(Exception):
    """The stream cannot be read in parts; the text says why."""


class NeedMore(NamedTuple):
    """The head is longer than what was given: ask again with the first ``size`` bytes."""

    size: int


@dataclass(frozen=True)
class Index:
    """Where the fragments of one stream lie.

    ``init``: the bytes that make fragments readable (ftyp, moov). ``offsets``: the byte at which each fragment
    begins, and last the one behind the final fragment. ``times``: the same in ticks of ``timescale`` per
    second, counted from the first picture or sample, which is second 0 of the video whatever time the file
    gives it (with B-frames that is the reorder delay).
    """

    init: bytes
    timescale: int
    offsets: tuple[int, ...]
    times: tuple[int, ...]
    container: str = "mp4"

    @property
    def duration(self) -> Fraction:
        """Seconds from the first picture or sample to the end of the last."""
        return Fraction(self.times[-1], self.timescale)


@dataclass(frozen=True)
class Span:
    """The bytes ``first``..``last`` (both included) hold the clip; they begin at second ``starts_at``."""

    first: int
    last: int
    starts_at: Fraction


def top_box(head: bytes, at: int) -> Box | NeedMore:
    """The box at ``at``, whose content need not be there; NoIndex where there is none."""
    try:
        box = box_at(head, at)
    except BrokenBox as error:
        raise NoIndex(str(error)) from error
    return NeedMore(bounded(at + 16)) if box is None else box


def read_index(head: bytes) -> Index | NeedMore:
    """Read the index out of the first bytes of a stream; raise NoIndex where there is none."""
    at, moov = 0, False
    init: list[bytes] = []
    while True:
        box = top_box(head, at)
        if isinstance(box, NeedMore):
            return box
        if at == 0 and box.kind != b"ftyp":
            raise NoIndex("not an MP4 file")
        if box.kind in (b"moof", b"mdat"):
            raise NoIndex("media before any index")
        if box.end > len(head):
            return NeedMore(bounded(box.end))
        if box.kind == b"sidx":
            if not moov:
                raise NoIndex("an index before the moov box")
            return _read_sidx(head, box, b"".join(init))
        if box.kind in (b"ftyp", b"moov"):
            moov = moov or box.kind == b"moov"
            init.append(head[box.start : box.end])
        at = box.end


def bounded(size: int) -> int:
    """``size``, if a head may be so large; NoIndex otherwise."""
    if size > MAX_HEAD:
        raise NoIndex(f"a head of {size} bytes")
    return size


def _read_sidx(data: bytes, box: Box, init: bytes) -> Index:
    body = data[box.body : box.end]
    if len(body) < 4:
        raise NoIndex("a broken sidx box")
    wide = body[0] != 0
    fixed = struct.Struct(">4xIIQQ2xH" if wide else ">4xIIII2xH")
    if len(body) < fixed.size:
        raise NoIndex("a broken sidx box")
    _, timescale, _, first_offset, count = fixed.unpack_from(body)
    if timescale == 0 or count == 0 or len(body) < fixed.size + 12 * count:
        raise NoIndex("a sidx box that does not hold what it says")
    offsets, times = [box.end + first_offset], [0]
    for size, duration, _ in struct.iter_unpack(">III", body[fixed.size : fixed.size + 12 * count]):
        if size >> 31:
            raise NoIndex("an index of indexes")
        if size == 0:
            raise NoIndex("an empty fragment")
        offsets.append(offsets[-1] + size)
        times.append(times[-1] + duration)
    if times[-1] == 0:
        raise NoIndex("an index of no duration")
    return Index(init, timescale, tuple(offsets), tuple(times))


def plan(index: Index, start: Fraction, end: Fraction | None) -> Span | None:
    """The fragments that hold seconds ``start``..``end`` (None: to the end); None when all is over before."""
    if start >= index.duration or (end is not None and end <= start):
        return None
    first = bisect_right(index.times, max(start, Fraction(0)) * index.timescale) - 1
    last = len(index.times) - 2
    if end is not None and end < index.duration:
        # A fragment that begins exactly at `end` holds nothing of the clip.
        last = min(last, max(first, bisect_left(index.times, end * index.timescale) - 1))
    return Span(index.offsets[first], index.offsets[last + 1] - 1, Fraction(index.times[first], index.timescale))


def check_boxes(index: Index, span: Span, body: bytes) -> str | None:
    """What is wrong with the fragments in ``body`` (the bytes of ``span``), or None.

    Each must be a chain of boxes from its first byte to its last, with a moof and a mdat: ffmpeg passes over a
    fragment whose header is damaged without a word.
    """
    for first, end in itertools.pairwise(index.offsets):
        if first < span.first or end > span.last + 1:
            continue
        at, kinds = first - span.first, set[bytes]()
        while at < end - span.first:
            try:
                box = box_at(body, at)
            except BrokenBox as error:
                return f"{error} of the fragments from byte {span.first}"
            if box is None or box.end > end - span.first:
                return f"a box at byte {span.first + at} that leaves its fragment"
            kinds |= {box.kind} & _MEDIA
            at = box.end
        if kinds != _MEDIA:
            return f"no media in the fragment at byte {first}"
    return None


def windows(index: Index, start: Fraction, end: Fraction | None) -> list[tuple[Fraction, Fraction]]:
    """The time of each fragment that lies wholly in ``start``..``end``, in seconds from ``start``."""
    times = [Fraction(tick, index.timescale) - start for tick in index.times]
    length = None if end is None else end - start
    return [(a, b) for a, b in itertools.pairwise(times) if a >= 0 and b > a and (length is None or b <= length)]


def guess_head(duration: float | None) -> int:
    """How many bytes to ask for first, so that one request brings the whole head.

    About 1 KiB of moov and 12 bytes for each fragment; YouTube's hold about five seconds of picture or ten of
    sound. Too little costs another request, too much only bytes.
    """
    return 2048 + 12 * int((duration or 600) / 4)
