"""Movie fragments of an MP4: the packets that each ``moof`` lists (ISO/IEC 14496-12, 8.8).

Knows bytes and times only. The input is untrusted: what does not add up is NoTable, and nothing is
allocated for what a box claims beyond what it holds.
"""

from __future__ import annotations

import itertools
import struct
import sys
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from .boxes import MOST_BOXES, Box, BrokenBox, box_at
from .mp4 import NoTable
from .samples import Samples, column

# More samples than this, of all tracks, in what was read for one clip are not believed: a film of three hours.
MAX_SAMPLES = 1_000_000
_NOT_SYNC = 0x10000


@dataclass(frozen=True)
class Defaults:
    """What a sample has where its fragment does not say otherwise (a ``trex`` box).

    ``description``: which of the track's, counted from 1.
    """

    duration: int = 0
    size: int = 0
    flags: int = 0
    description: int = 1


@dataclass
class _Rows:
    """What was found of one track so far."""

    decode: array[int] = field(default_factory=lambda: array("q"))
    times: array[int] = field(default_factory=lambda: array("q"))
    durations: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    keys: array[int] = field(default_factory=lambda: array("q"))
    described: array[int] = field(default_factory=lambda: array("q"))


def children(data: bytes, at: int, end: int) -> Iterator[Box]:
    """The boxes that follow each other in ``at``..``end``; NoTable where they do not, or are too many."""
    for _ in range(MOST_BOXES):
        if at >= end:
            return
        try:
            box = box_at(data, at)
        except BrokenBox as error:
            raise NoTable(str(error)) from error
        if box is None or box.end > end:
            raise NoTable(f"a box at byte {at} that leaves its parent")
        yield box
        at = box.end
    if at < end:
        raise NoTable(f"more than {MOST_BOXES} boxes")


def read_defaults(moov: bytes) -> dict[int, Defaults]:
    """The defaults of each track, by its number."""
    found: dict[int, Defaults] = {}
    for box in children(moov, 8, len(moov)):
        if box.kind == b"mvex":
            for trex in children(moov, box.body, box.end):
                if trex.kind == b"trex":
                    try:
                        track, described, *rest = struct.unpack_from(">5I", moov[trex.body : trex.end], 4)
                    except struct.error as error:
                        raise NoTable("a broken trex box") from error
                    found[track] = replace(Defaults(*rest), description=described)
    return found


def read_fragments(
    heads: Mapping[int, Samples],
    defaults: Mapping[int, Defaults],
    data: bytes,
    begins_at: int = 0,
) -> dict[int, Samples]:
    """The packets of every track that the fragments in ``data`` list; offsets count from its first byte.

    ``heads``: each track as the moov box describes it, by its number. ``begins_at``: the byte of the original file
    at which ``data`` begins. A track's times are those of its fragments (``tfdt``), with its edit list applied.
    NoTable where boxes do not add up, or a sample lies outside of ``data``.
    """
    rows = {track: _Rows() for track in heads}
    try:
        for box in children(data, 0, len(data)):
            if box.kind == b"moof":
                _read_moof(data, box, heads, defaults, rows, begins_at)
    except (struct.error, IndexError, OverflowError) as error:
        raise NoTable(f"a broken moof box: {error}") from error
    for found in rows.values():
        ends = map(int.__add__, found.offsets, found.sizes)
        if max(ends, default=0) > len(data) or min(found.offsets, default=0) < 0:
            raise NoTable("a sample lies outside of its fragments")
    return {track: _filled(head, rows[track]) for track, head in heads.items()}


def _filled(head: Samples, rows: _Rows) -> Samples:
    keys = None if len(rows.keys) == len(rows.sizes) else tuple(rows.keys)
    if head.descriptions:
        try:
            head = head.describe(head.descriptions, column(rows.described, len(rows.sizes)))
        except IndexError as error:
            raise NoTable("a description that is not there") from error
    return replace(
        head,
        times=column(rows.times, len(rows.sizes)),
        decode=column(rows.decode, len(rows.sizes)),
        durations=column(rows.durations, len(rows.sizes)),
        offsets=column(rows.offsets, len(rows.sizes)),
        sizes=column(rows.sizes, len(rows.sizes)),
        keys=keys,
    )


def _read_moof(
    data: bytes,
    moof: Box,
    heads: Mapping[int, Samples],
    defaults: Mapping[int, Defaults],
    rows: Mapping[int, _Rows],
    begins_at: int,
) -> None:
    # Where the first run of a track begins that does not say so: behind the media of the one before.
    follows = moof.start
    for traf in children(data, moof.body, moof.end):
        if traf.kind != b"traf":
            continue
        boxes = list(children(data, traf.body, traf.end))
        header = next((box for box in boxes if box.kind == b"tfhd"), None)
        if header is None:
            raise NoTable("a traf box without its header")
        track, base, usual = _read_tfhd(data, header, defaults)
        if base is None:
            _, flags, _ = _full(data, header)
            base = moof.start if flags & 0x20000 or follows == moof.start else follows
        else:
            base -= begins_at
        if track not in rows:
            continue
        shift = heads[track].shift or 0
        decode = next((_read_tfdt(data, box) + shift for box in boxes if box.kind == b"tfdt"), None)
        found = rows[track]
        if decode is None:
            decode = found.decode[-1] + found.durations[-1] if found.decode else shift
        at = base
        most = MAX_SAMPLES - sum(len(each.sizes) for each in rows.values() if each is not found)
        for box in boxes:
            if box.kind == b"trun":
                decode, at = _read_trun(data, box, usual, found, decode, base, at, most)
        if count := len(heads[track].descriptions):
            # Of 0, which no description has, there is none either.
            number = usual.description - 1 if usual.description else count
            found.described.extend([number] * (len(found.sizes) - len(found.described)))
        follows = at


def _full(data: bytes, box: Box) -> tuple[int, int, bytes]:
    """A box's version, its flags, and what follows them, to its own end."""
    body = data[box.body : box.end]
    (both,) = struct.unpack_from(">I", body)
    return both >> 24, both & 0xFFFFFF, body[4:]


def _read_tfhd(data: bytes, box: Box, defaults: Mapping[int, Defaults]) -> tuple[int, int | None, Defaults]:
    """A traf's track, the file's byte from which it counts (None: not said), and what its samples have."""
    _, flags, body = _full(data, box)
    (track,) = struct.unpack_from(">I", body)
    at = 4
    base = None
    if flags & 1:
        (base,) = struct.unpack_from(">Q", body, at)
        at += 8
    usual = defaults.get(track, Defaults())
    described = usual.description
    if flags & 2:
        (described,) = struct.unpack_from(">I", body, at)
        at += 4
    values = [usual.duration, usual.size, usual.flags]
    for number, bit in enumerate((0x8, 0x10, 0x20)):
        if flags & bit:
            (values[number],) = struct.unpack_from(">I", body, at)
            at += 4
    return track, base, replace(Defaults(*values), description=described)


def _read_tfdt(data: bytes, box: Box) -> int:
    version, _, body = _full(data, box)
    return int(struct.unpack_from(">Q" if version else ">I", body)[0])


def _read_trun(
    data: bytes, box: Box, usual: Defaults, found: _Rows, decode: int, base: int, at: int, most: int
) -> tuple[int, int]:
    """Add the samples of a run, up to ``most`` of its track; returns the time and the byte behind its last."""
    version, flags, body = _full(data, box)
    (count,) = struct.unpack_from(">I", body)
    place = 4
    first_flags = None
    if flags & 1:
        at = base + struct.unpack_from(">i", body, place)[0]
        place += 4
    if flags & 4:
        (first_flags,) = struct.unpack_from(">I", body, place)
        place += 4
    fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    size = 4 * count * len(fields)
    # A sample of no byte at all is none.
    if place + size > len(body) or len(found.sizes) + count > min(most, len(data)):
        raise NoTable("a trun box that does not hold what it says")
    rows = array("I", body[place : place + size])
    if sys.byteorder == "little":
        rows.byteswap()
    columns = {bit: rows[number :: len(fields)] for number, bit in enumerate(fields)}
    if version and 0x800 in columns:
        columns[0x800] = array("i", columns[0x800].tobytes())
    durations = columns.get(0x100) or (usual.duration,) * count
    sizes = columns.get(0x200) or (usual.size,) * count
    sample_flags = columns.get(0x400) or (usual.flags,) * count
    delays = columns.get(0x800) or (0,) * count
    own = list(sample_flags)
    if own and first_flags is not None:
        own[0] = first_flags
    found.keys.extend(number for number, each in enumerate(own, len(found.sizes)) if not each & _NOT_SYNC)
    *begins, decode = itertools.accumulate(durations, initial=decode)
    *places, at = itertools.accumulate(sizes, initial=at)
    found.decode.extend(begins)
    found.times.extend(map(int.__add__, begins, delays))
    # From an iterator: of another kind of array, an array takes nothing.
    found.durations.extend(iter(durations))
    found.offsets.extend(places)
    found.sizes.extend(iter(sizes))
    return decode, at


def first_fragment(
    heads: Mapping[int, Samples], defaults: Mapping[int, Defaults], data: bytes
) -> list[Samples] | None:
    """The packets of each track of the fragment with which ``data`` begins; None where its header is not whole."""
    at = 0
    try:
        while (box := box_at(data, at)) is not None and box.kind != b"moof":
            if box.kind == b"mdat":
                raise NoTable("no fragment where the index says that there is one")
            at = box.end
        if box is None or box.end > len(data):
            return None
        rows = {track: _Rows() for track in heads}
        _read_moof(data, box, heads, defaults, rows, 0)
    except (BrokenBox, struct.error, IndexError, OverflowError) as error:
        raise NoTable(f"a broken moof box: {error}") from error
    return [_filled(head, rows[track]) for track, head in heads.items()]
