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
from fractions import Fraction
from typing import NamedTuple

from .boxes import MOST_BOXES, MOST_IN_HEAD
from .fragments import Index, NeedMore, NoIndex, bounded

_EBML, _SEGMENT, _INFO, _TRACKS = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B
_CUES, _CLUSTER = 0x1C53BB6B, 0x1F43B675
_SCALE, _DURATION = 0x2AD7B1, 0x4489
_ENTRY, _CODEC, _TYPE, _DELAY = 0xAE, 0x86, 0x83, 0x56AA
_KINDS = {1: "video", 2: "audio"}
_POINT, _TIME, _POSITIONS, _POSITION = 0xBB, 0xB3, 0xB7, 0xF1
_GROUP, _BLOCK, _SIMPLE, _PADDING = 0xA0, 0xA1, 0xA3, 0x75A2
MAGIC = _EBML.to_bytes(4, "big")
# A Segment whose size is not known: what follows is all of it.
_OPEN_SEGMENT = _SEGMENT.to_bytes(4, "big") + b"\x01" + b"\xff" * 7
_UNKNOWN = -1
_PADDING_ID = _PADDING.to_bytes(2, "big")
# A block has fewer elements beside it.
_IN_GROUP = 100


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
    for _ in range(MOST_BOXES):
        if at >= parent.end:
            return
        child = _element(data, at)
        if child is None or child.end == _UNKNOWN or child.end > parent.end:
            raise NoIndex("an element that leaves its parent")
        yield child
        at = child.end
    if at < parent.end:
        raise NoIndex(f"more than {MOST_BOXES} elements")


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
    at, left = segment.body, MOST_IN_HEAD
    while _CUES not in parts or _TRACKS not in parts or _INFO not in parts:
        if (left := left - 1) < 0:
            raise NoIndex(f"more than {MOST_IN_HEAD} elements before the Cues")
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
    index = _index(head, ebml, segment, parts, end)
    if index.earliest:
        # The first cue need not be the first cluster: there may be some before it.
        first = _first_cluster(head, at)
        if isinstance(first, NeedMore):
            return first
        if first != index.offsets[0]:
            raise NoIndex("Cues that do not begin where the file does")
    return index


def _first_cluster(head: bytes, at: int) -> int | NeedMore:
    for _ in range(MOST_IN_HEAD):
        element = _element(head, at)
        if element is None:
            return NeedMore(bounded(at + 16))
        if element.id == _CLUSTER:
            return at
        if element.end == _UNKNOWN:
            raise NoIndex("an element of unknown size")
        at = element.end
    raise NoIndex(f"more than {MOST_IN_HEAD} elements before the clusters")


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
    # Where several tracks have cues, they name the same clusters.
    points = sorted({place: time for time, place in sorted(_points(head, parts[_CUES]), reverse=True)}.items())
    offsets = [*(segment.body + position for position, _ in points), end]
    times = [*(time for _, time in points), total]
    if not points or offsets[0] < max(part.end for part in parts.values()) or 1_000_000_000 % scale:
        raise NoIndex("Cues that do not begin where the file does")
    if any(a >= b for each in (offsets, times) for a, b in itertools.pairwise(each)):
        raise NoIndex("Cues that do not add up")
    init = head[: ebml.end] + _OPEN_SEGMENT
    init += b"".join(head[parts[name].start : parts[name].end] for name in (_INFO, _TRACKS))
    kinds, delay = _tracks(head, parts[_TRACKS])
    earliest = times[0]
    relative = tuple(time - earliest for time in times)
    return Index(init, 1_000_000_000 // scale, tuple(offsets), relative, "webm", earliest, kinds, delay)


def _tracks(head: bytes, tracks: _Element) -> tuple[tuple[str, ...], int]:
    """The kinds of the tracks, and the samples at 48 kHz that come before the first one of Opus."""
    kinds: list[str] = []
    delay = 0
    for entry in (child for child in _children(head, tracks) if child.id == _ENTRY):
        found = {child.id: child for child in _children(head, entry)}
        kind = _KINDS.get(_whole(head, found[_TYPE])) if _TYPE in found else None
        if kind is None:
            continue
        codec = head[found[_CODEC].body : found[_CODEC].end].rstrip(b"\0") if _CODEC in found else b""
        if codec == b"A_VORBIS":
            # Its packets are of two lengths, which milliseconds do not tell to the sample.
            raise NoIndex("Vorbis, whose samples are counted from the first")
        if codec == b"A_OPUS" and _DELAY in found:
            delay = round(_whole(head, found[_DELAY]) * 48 / 1_000_000)
        kinds.append(kind)
    return tuple(kinds), delay


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


def heard(packet: Fraction, delay: Fraction, timescale: int) -> Fraction:
    """The second at which a track is heard whose first packet ffmpeg reads at second ``packet``.

    A block is stamped with the tick at which it is heard. Of that, ffmpeg takes off what the encoder put in front
    (``delay``, in seconds) in whole ticks, a half counted as one: 6.5 ms of Opus as 7.
    """
    return packet + Fraction(math.floor(delay * timescale + Fraction(1, 2)), timescale)


def inside_segment(data: bytes) -> int:
    """The byte at which the content of a file's Segment begins; the end of ``data`` where there is none."""
    try:
        ebml = _element(data, 0)
        segment = None if ebml is None or ebml.end == _UNKNOWN else _element(data, ebml.end)
    except NoIndex:
        return len(data)
    return len(data) if segment is None or segment.id != _SEGMENT else segment.body


def last_padding(data: bytes, at: int = 0) -> int:
    """The nanoseconds of a track's last packet that are not to be heard, of clusters that follow each other.

    ``at``: the byte at which the first of them, or what stands before it, begins. 0 where none is told.
    """
    if data.find(_PADDING_ID, at) < 0:
        return 0
    told: dict[int, int] = {}
    left = MOST_BOXES
    try:
        while at < len(data) and (element := _element(data, at)) is not None and element.end != _UNKNOWN:
            if (left := left - 1) < 0:
                return 0
            if element.id == _CLUSTER and element.end <= len(data):
                # A track may end long before another: the last block of each counts.
                told |= dict(_paddings(data, element))
            at = element.end
    except NoIndex:
        return 0
    return max(0, *told.values()) if told and at == len(data) else 0


def _paddings(data: bytes, cluster: _Element) -> Iterator[tuple[int, int]]:
    """The track of each block of a cluster, and the padding that is told with it."""
    for each in _children(data, cluster):
        if each.id == _SIMPLE:
            yield _track_of(data, each), 0
        elif each.id == _GROUP:
            inside = {child.id: child for child in itertools.islice(_children(data, each), _IN_GROUP)}
            if _BLOCK in inside:
                padding = inside.get(_PADDING)
                yield _track_of(data, inside[_BLOCK]), _signed(data, padding) if padding else 0


def _track_of(data: bytes, block: _Element) -> int:
    """The number of a block's track."""
    found = _number(data, block.body, keep_marker=False)
    return found[0] if found else 0


def _signed(data: bytes, element: _Element) -> int:
    return int.from_bytes(data[element.body : element.end], "big", signed=True)


def check_clusters(index: Index, first: int, body: bytes) -> str | None:
    """What is wrong with the clusters in ``body``, whose first byte is the file's ``first``, or None."""
    left = MOST_BOXES
    for begin, end in itertools.pairwise(index.offsets):
        if begin < first or end > first + len(body):
            continue
        at = begin - first
        while at < end - first:
            if (left := left - 1) < 0:
                return f"more than {MOST_BOXES} elements"
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
