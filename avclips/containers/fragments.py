"""Which bytes of a stream hold the seconds of a clip.

A fragmented MP4 as YouTube serves it begins with ``ftyp``, ``moov`` and ``sidx``; the sidx (ISO/IEC 14496-12,
8.16.3) lists every fragment's size and duration. The head and the covering fragments, put one behind the
other, are a file that ffmpeg reads like the whole.

Knows bytes and times only: nothing of networks, files or ffmpeg. All of the input is untrusted: a
claim that does not add up is NoIndex, never an allocation.
"""

from __future__ import annotations

import itertools
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from .boxes import MOST_BOXES, MOST_IN_HEAD, Box, BrokenBox, box_at

# A ten-hour video in fragments of one second needs 432 KB of index; nobody honest needs more than this.
MAX_HEAD = 4 * 1024 * 1024
# What every fragment must have.
_MEDIA = frozenset((b"moof", b"mdat"))
# A fragment of a second, ten hours long, is a tenth of it.
MAX_FRAGMENTS = 400_000
_SIZE = (1 << 31) - 1
# How deep indexes may name each other, and what may stand behind the last fragment.
_DEPTH = 3
_BEHIND = 4096


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
    second, counted from where the first begins; that is at tick ``earliest`` of the file's own clock. Of a WebM:
    ``tracks``: their kinds; ``delay``: the samples at 48 kHz that an encoder of Opus put before the first.
    """

    init: bytes
    timescale: int
    offsets: tuple[int, ...]
    times: tuple[int, ...]
    container: str = "mp4"
    earliest: int = 0
    tracks: tuple[str, ...] = ()
    delay: int = 0

    @property
    def duration(self) -> Fraction:
        """Seconds from the first picture or sample to the end of the last."""
        return Fraction(self.times[-1], self.timescale)


@dataclass(frozen=True)
class FragmentRange:
    """The bytes ``first``..``last`` (both included) of some fragments, which begin at second ``starts_at``."""

    first: int
    last: int
    starts_at: Fraction


def top_box(head: bytes, at: int, most: int = MAX_HEAD) -> Box | NeedMore:
    """The box at ``at``, whose content need not be there; NoIndex where there is none, or behind byte ``most``."""
    try:
        box = box_at(head, at)
    except BrokenBox as error:
        raise NoIndex(str(error)) from error
    return NeedMore(bounded(at + 16, most)) if box is None else box


def read_index(head: bytes, size: int | None = None) -> Index | NeedMore:
    """Read the index out of the first bytes of a stream of ``size`` bytes; raise NoIndex where there is none."""
    at, moov = 0, False
    init: list[bytes] = []
    for _ in range(MOST_IN_HEAD):
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
            found = _read_sidx(head, box, b"".join(init))
            return found if isinstance(found, NeedMore) else _see_that_it_is_whole(found, size)
        if box.kind in (b"ftyp", b"moov"):
            moov = moov or box.kind == b"moov"
            init.append(head[box.start : box.end])
        at = box.end
    raise NoIndex(f"more than {MOST_IN_HEAD} boxes before any index")


def bounded(size: int, most: int = MAX_HEAD) -> int:
    """``size``, if a head may be so large; NoIndex otherwise."""
    if size > most:
        raise NoIndex(f"a head of {size} bytes")
    return size


def _see_that_it_is_whole(index: Index, size: int | None) -> Index:
    """NoIndex where a stream goes on behind what its index names: one in front of each fragment, say."""
    # What may stand behind the last fragment is another kind of index, a few bytes for each.
    behind = 0 if size is None else size - index.offsets[-1]
    if behind > max(_BEHIND, index.offsets[-1] // 50):
        raise NoIndex(f"an index of a part: {behind} bytes lie behind")
    return index


def _read_sidx(data: bytes, box: Box, init: bytes) -> Index | NeedMore:
    rows: list[tuple[int, int, int]] = []
    found = _add_fragments(data, box, rows, None)
    if isinstance(found, NeedMore):
        return found
    timescale, earliest = found
    offsets, times = [rows[0][0]], [0]
    for at, size, duration in rows:
        if at != offsets[-1]:
            raise NoIndex("fragments that do not follow each other")
        offsets.append(at + size)
        times.append(times[-1] + duration)
    if times[-1] == 0:
        raise NoIndex("an index of no duration")
    return Index(init, timescale, tuple(offsets), tuple(times), earliest=earliest)


def _add_fragments(
    data: bytes, box: Box, rows: list[tuple[int, int, int]], above: int | None, depth: int = 0
) -> tuple[int, int] | NeedMore:
    """Add the place, the size and the ticks of each fragment that an index names to ``rows``.

    What it names may be other indexes (ISO/IEC 14496-12, 8.16.3.3), whose ticks are to be those of ``above``.
    Returns its ticks a second, and the tick at which it begins.
    """
    body = data[box.body : box.end]
    if len(body) < 4:
        raise NoIndex("a broken sidx box")
    wide = body[0] != 0
    fixed = struct.Struct(">4xIIQQ2xH" if wide else ">4xIIII2xH")
    if len(body) < fixed.size:
        raise NoIndex("a broken sidx box")
    _, timescale, earliest, first_offset, count = fixed.unpack_from(body)
    if timescale == 0 or count == 0 or len(body) < fixed.size + 12 * count or above not in (None, timescale):
        raise NoIndex("a sidx box that does not hold what it says")
    at = box.end + first_offset
    for told, duration, _ in struct.iter_unpack(">III", body[fixed.size : fixed.size + 12 * count]):
        size = told & _SIZE
        if size == 0:
            raise NoIndex("an empty fragment")
        if told == size:
            rows.append((at, size, duration))
        else:
            below = _index_below(data, at, depth)
            more: tuple[int, int] | NeedMore
            more = (
                below if isinstance(below, NeedMore) else _add_fragments(data, below, rows, timescale, depth + 1)
            )
            if isinstance(more, NeedMore):
                return more
        at += size
        if len(rows) > MAX_FRAGMENTS:
            raise NoIndex("more fragments than anybody needs")
    return timescale, earliest


def _index_below(data: bytes, at: int, depth: int) -> Box | NeedMore:
    """The index at a byte that another names."""
    if depth >= _DEPTH:
        raise NoIndex("an index of indexes of indexes")
    box = top_box(data, at) if at < len(data) else NeedMore(bounded(at + 16))
    if isinstance(box, NeedMore):
        return box
    if box.kind != b"sidx":
        raise NoIndex("no index where another says that there is one")
    return NeedMore(bounded(box.end)) if box.end > len(data) else box


def covering(starts: Sequence[Fraction], since: Fraction, until: Fraction | None) -> tuple[int, int]:
    """The first and the last of the units that hold seconds ``since``..``until`` (None: to the end).

    ``starts``: the second at which each unit begins, and last the end. Behind the end, the last unit.
    """
    most = len(starts) - 2
    first = min(max(0, bisect_right(starts, since) - 1), most)
    # A unit that begins exactly at ``until`` holds nothing of them.
    last = most if until is None else min(max(first, bisect_left(starts, until) - 1), most)
    return first, last


def check_boxes(index: Index, span: FragmentRange, body: bytes) -> str | None:
    """What is wrong with the fragments in ``body`` (the bytes of ``span``), or None.

    Each must be a chain of boxes from its first byte to its last, with a moof and a mdat: ffmpeg passes over a
    fragment whose header is damaged without a word.
    """
    left = MOST_BOXES
    for first, end in itertools.pairwise(index.offsets):
        if first < span.first or end > span.last + 1:
            continue
        at, kinds = first - span.first, set[bytes]()
        while at < end - span.first:
            if (left := left - 1) < 0:
                return f"more than {MOST_BOXES} boxes"
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


def guess_head(duration: float | None) -> int:
    """How many bytes to ask for first, so that one request brings the whole head.

    About 1 KiB of moov, 12 bytes for each fragment (YouTube's hold about five seconds of picture or ten of sound),
    and the header of the first fragment, which says where the stream begins. Too little costs another request, too
    much only bytes.
    """
    return 4608 + 12 * int((duration or 600) / 4)
