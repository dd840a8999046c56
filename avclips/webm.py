"""The index of a WebM file: where each cluster begins, by its Cues.

Matroska is EBML (RFC 8794, RFC 9559): elements of an id, a size and a content. A file as YouTube serves it begins
with its headers and Cues, so that they are read as the head of an MP4 is. Knows bytes and times only; whatever
does not add up is NoIndex.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from .spans import Index, NeedMore, NoIndex, bounded

_EBML, _SEGMENT, _INFO, _TRACKS = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B
_CUES, _CLUSTER = 0x1C53BB6B, 0x1F43B675
_SCALE, _DURATION = 0x2AD7B1, 0x4489
_ENTRY, _CODEC = 0xAE, 0x86
_POINT, _TIME, _POSITIONS, _POSITION = 0xBB, 0xB3, 0xB7, 0xF1
MAGIC = _EBML.to_bytes(4, "big")
# A Segment whose size is not known: what follows is all of it.
_OPEN_SEGMENT = _SEGMENT.to_bytes(4, "big") + b"\x01" + b"\xff" * 7
_UNKNOWN = -1
# Milliseconds of a packet, as everybody makes them.
OPUS_PACKET = 20


class _Element(NamedTuple):
    id: int
    start: int
    body: int
    end: int


def _number(data: bytes, at: int, keep_marker: bool) -> tuple[int, int] | None:
    """The number of variable length at ``at`` and the byte behind it; None where it is not whole."""
    if at >= len(data):
        return None
    length = 9 - data[at].bit_length()
    if length > 8:
        raise NoIndex(f"no EBML element at byte {at}")
    if at + length > len(data):
        return None
    value = int.from_bytes(data[at : at + length], "big")
    if keep_marker:
        return value, at + length
    value &= (1 << 7 * length) - 1
    return (_UNKNOWN if value == (1 << 7 * length) - 1 else value), at + length


def _element(data: bytes, at: int) -> _Element | None:
    """The element at ``at``, or None when its header is not whole."""
    found = _number(data, at, keep_marker=True)
    size = _number(data, found[1], keep_marker=False) if found else None
    if found is None or size is None:
        return None
    return _Element(found[0], at, size[1], size[1] + size[0] if size[0] != _UNKNOWN else _UNKNOWN)


def _children(data: bytes, parent: _Element) -> Iterator[_Element]:
    at = parent.body
    while at < parent.end:
        child = _element(data, at)
        if child is None or child.end == _UNKNOWN or child.end > parent.end:
            raise NoIndex("an element that leaves its parent")
        yield child
        at = child.end


def _whole(data: bytes, element: _Element) -> int:
    return int.from_bytes(data[element.body : element.end], "big")


def read_index(head: bytes, size: int | None) -> Index | NeedMore:
    """Read the index out of the first bytes of a file of ``size`` bytes; NoIndex where no Cues are in front."""
    ebml = _element(head, 0)
    if ebml is None:
        return NeedMore(64)
    if ebml.id != _EBML or ebml.end == _UNKNOWN:
        raise NoIndex("not a WebM file")
    segment = _element(head, ebml.end)
    if segment is None:
        return NeedMore(bounded(ebml.end + 64))
    if segment.id != _SEGMENT:
        raise NoIndex("no Segment in a WebM file")
    end = size if segment.end == _UNKNOWN else segment.end
    if end is None or (size is not None and end > size):
        raise NoIndex("a WebM file of unknown size, or of more than there is")
    parts: dict[int, _Element] = {}
    at = segment.body
    while _CUES not in parts or _TRACKS not in parts or _INFO not in parts:
        element = _element(head, at)
        if element is None:
            return NeedMore(bounded(at + 16))
        if element.id == _CLUSTER:
            raise NoIndex("clusters before the Cues")
        if element.end == _UNKNOWN:
            raise NoIndex("an element of unknown size")
        if element.end > len(head):
            return NeedMore(bounded(element.end))
        parts[element.id] = element
        at = element.end
    return _index(head, ebml, segment, parts, end)


def _index(head: bytes, ebml: _Element, segment: _Element, parts: dict[int, _Element], end: int) -> Index:
    info = {child.id: child for child in _children(head, parts[_INFO])}
    scale = _whole(head, info[_SCALE]) if _SCALE in info else 1_000_000
    if not 0 < scale <= 1_000_000_000 or _DURATION not in info:
        raise NoIndex("a WebM file without a clock or a duration")
    layout = {4: ">f", 8: ">d"}.get(info[_DURATION].end - info[_DURATION].body)
    if layout is None:
        raise NoIndex("a broken duration")
    (duration,) = struct.unpack_from(layout, head, info[_DURATION].body)
    if not math.isfinite(duration):
        raise NoIndex("a broken duration")
    total = round(duration)
    points = sorted(set(_points(head, parts[_CUES])))
    offsets = [*(segment.body + position for _, position in points), end]
    times = [*(time for time, _ in points), total]
    if (
        not points
        or times[0] != 0
        or offsets[0] < max(part.end for part in parts.values())
        or 1_000_000_000 % scale
    ):
        raise NoIndex("Cues that do not begin where the file does")
    if any(a >= b for each in (offsets, times) for a, b in itertools.pairwise(each)):
        raise NoIndex("Cues that do not add up")
    init = head[: ebml.end] + _OPEN_SEGMENT
    init += b"".join(head[parts[name].start : parts[name].end] for name in (_INFO, _TRACKS))
    if _is_opus(head, parts[_TRACKS]) and scale == 1_000_000:
        times = [*map(_whole_packet, times[:-1]), total]
    return Index(init, 1_000_000_000 // scale, tuple(offsets), tuple(times), "webm")


def _whole_packet(time: int) -> int:
    """The time of a packet of Opus: a file has it rounded to the millisecond, with the decoder's delay in it.

    What a decoder gives first of a file is that delay later, so that it begins where the packets do.
    """
    nearest = round(time / OPUS_PACKET) * OPUS_PACKET
    return nearest if abs(time - nearest) <= 1 else time


def _points(head: bytes, cues: _Element) -> Iterator[tuple[int, int]]:
    """The time and the cluster's place of each cue, as the file has them."""
    for point in _children(head, cues):
        if point.id != _POINT:
            continue
        inside = {child.id: child for child in _children(head, point)}
        if _TIME not in inside or _POSITIONS not in inside:
            raise NoIndex("a cue that says nothing")
        places = {child.id: child for child in _children(head, inside[_POSITIONS])}
        if _POSITION not in places:
            raise NoIndex("a cue that says nothing")
        yield _whole(head, inside[_TIME]), _whole(head, places[_POSITION])


def _is_opus(head: bytes, tracks: _Element) -> bool:
    entries = (child for child in _children(head, tracks) if child.id == _ENTRY)
    named = (child for entry in entries for child in _children(head, entry) if child.id == _CODEC)
    return any(head[child.body : child.end].rstrip(b"\0") == b"A_OPUS" for child in named)


def check_clusters(index: Index, first: int, body: bytes) -> str | None:
    """What is wrong with the clusters in ``body``, whose first byte is the file's ``first``, or None."""
    for begin, end in itertools.pairwise(index.offsets):
        if begin < first or end > first + len(body):
            continue
        at = begin - first
        while at < end - first:
            try:
                element = _element(body, at)
            except NoIndex as error:
                return str(error)
            if element is None or element.end > end - first:
                return f"an element at byte {first + at} that leaves its cluster"
            if at == begin - first and element.id != _CLUSTER:
                return f"no cluster at byte {begin}"
            if element.end == _UNKNOWN:
                break
            at = element.end
    return None
