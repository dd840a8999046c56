"""What H.264 says of itself: the units of a packet, sequence and picture parameter sets, and avcC boxes.

ITU-T H.264, 7.3 and Annex E; ISO/IEC 14496-15, 5.3.3. Bytes only; the input may come from strangers, and what does
not add up is Unreadable.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from .boxes import Box, BrokenBox, box_at

NON_IDR, IDR, SPS, PPS = 1, 5, 7, 8
# Slices, supplemental information, parameter sets, delimiters and filling. Others are of layers and partitions.
_USUAL = frozenset((NON_IDR, IDR, 6, SPS, PPS, 9, 10, 11, 12))
# Profiles that all decoders have, each with what those before it can.
_PROFILES = (66, 77, 100)
_WITH_CHROMA = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
# Where the boxes inside of a description of pictures begin.
_INSIDE = 86
# So many identifiers are there for both kinds of sets; of picture parameter sets there are more.
_IDS = 32
_SAR_TOLD = 255
# The largest picture that a set may speak of, in macroblocks a side; of offsets in a cycle (7.4.2.1.1).
_MOST_MACROBLOCKS, _MOST_OFFSETS = 1 << 12, 255


class Unreadable(Exception):
    """Bytes that are no H.264 of ours; the text says why, to follow a "because"."""


@dataclass(frozen=True)
class Unit:
    """What a packet is. ``refers``: whether other pictures may be decoded with its help; ``sets``: those in it."""

    idr: bool
    refers: bool
    sets: frozenset[bytes] = frozenset()


def unit_of(packet: bytes) -> Unit:
    """What a packet holds, whose units have their lengths before them in four bytes."""
    idr = refers = seen = False
    sets = []
    for unit in units(packet):
        kind = unit[0] & 31
        if kind not in _USUAL:
            raise Unreadable(f"units of kind {kind}")
        if kind in (SPS, PPS):
            sets.append(unit)
        elif kind in (NON_IDR, IDR):
            idr, refers, seen = idr or kind == IDR, refers or bool(unit[0] & 0x60), True
    if not seen:
        raise Unreadable("a packet without a picture")
    return Unit(idr, refers, frozenset(sets))


def units(packet: bytes, lengths: int = 4, head: int = 1) -> Iterator[bytes]:
    """The units of a packet: sets whole, and of slices, which are long, the first ``head`` bytes.

    ``lengths``: how many bytes the length in front of each has.
    """
    at = 0
    while at < len(packet):
        size = int.from_bytes(packet[at : at + lengths], "big")
        at += lengths
        if not size or at + size > len(packet):
            raise Unreadable("units whose lengths do not add up")
        yield packet[at : at + (size if packet[at] & 31 in (SPS, PPS) else min(size, head))]
        at += size


class Bits:
    """Reads a unit bit by bit, without the bytes that keep start codes out of it."""

    def __init__(self, unit: bytes) -> None:
        held = unit.replace(b"\0\0\3", b"\0\0")
        self._value, self._left = int.from_bytes(held, "big"), 8 * len(held)

    def bits(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise Unreadable("a parameter set that is cut off")
        return self._value >> self._left & (1 << count) - 1

    def number(self) -> int:
        """An Exp-Golomb code (9.1)."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise Unreadable("a parameter set with a number that is too large")
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        value = self.number()
        return (value + 1) // 2 if value & 1 else -(value // 2)


@dataclass(frozen=True)
class Look:
    """What pictures are like, as far as one set says: two with equal looks can follow each other."""

    size: tuple[int, int]
    crop: tuple[int, ...]
    chroma: int
    depth: tuple[int, int]
    pixels: tuple[int, int]
    range: int
    colour: tuple[int, int, int]
    places: tuple[int, int]


@dataclass(frozen=True)
class SequenceSet:
    """A sequence parameter set. ``frames``: whether all pictures are whole frames, none of fields."""

    id: int
    profile: int
    constraints: int
    level: int
    frames: bool
    look: Look


def read_sps(unit: bytes) -> SequenceSet:
    """Read a sequence parameter set (7.3.2.1.1)."""
    bits = Bits(unit[1:])
    profile, constraints, level, number = bits.bits(8), bits.bits(8), bits.bits(8), bits.number()
    chroma, depth = 1, (8, 8)
    if profile in _WITH_CHROMA:
        chroma, depth = _chroma(bits)
    bits.number()
    _order(bits)
    bits.number()
    bits.bits(1)
    width, height = bits.number() + 1, bits.number() + 1
    if max(width, height) > _MOST_MACROBLOCKS:
        raise Unreadable("a picture that is too large")
    frames = bool(bits.bits(1))
    if not frames:
        bits.bits(1)
    bits.bits(1)
    crop = tuple(bits.number() for _ in range(4)) if bits.bits(1) else (0, 0, 0, 0)
    told = _usability(bits) if bits.bits(1) else _UNTOLD
    return SequenceSet(
        number, profile, constraints, level, frames, Look((width, height), crop, chroma, depth, *told)
    )


def _chroma(bits: Bits) -> tuple[int, tuple[int, int]]:
    chroma = bits.number()
    if chroma == 3:
        bits.bits(1)
    depth = bits.number() + 8, bits.number() + 8
    bits.bits(1)
    if bits.bits(1):
        for number in range(12 if chroma == 3 else 8):
            if bits.bits(1):
                _scaling(bits, 16 if number < 6 else 64)
    return chroma, depth


def _scaling(bits: Bits, count: int) -> None:
    last = following = 8
    for _ in range(count):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _order(bits: Bits) -> None:
    """How the order of pictures is told."""
    kind = bits.number()
    if kind == 0:
        bits.number()
    elif kind == 1:
        bits.bits(1)
        bits.signed()
        bits.signed()
        count = bits.number()
        if count > _MOST_OFFSETS:
            raise Unreadable("a parameter set with too many offsets")
        for _ in range(count):
            bits.signed()


# Square pixels or unknown, not the full range, unknown colours, chroma to the left (Annex E, what is inferred).
_UNTOLD = ((1, 1), 0, (2, 2, 2), (0, 0))
# The shapes of pixels that have a number (Table E-1).
_SHAPES = {
    2: (12, 11), 3: (10, 11), 4: (16, 11), 5: (40, 33), 6: (24, 11), 7: (20, 11), 8: (32, 11), 9: (80, 33),
    10: (18, 11), 11: (15, 11), 12: (64, 33), 13: (160, 99), 14: (4, 3), 15: (3, 2), 16: (2, 1),
}  # fmt: skip


def _usability(bits: Bits) -> tuple[tuple[int, int], int, tuple[int, int, int], tuple[int, int]]:
    """The part of Annex E that changes what is seen."""
    pixels, full, colour, places = _UNTOLD
    if bits.bits(1):
        told = bits.bits(8)
        pixels = _shape(bits.bits(16), bits.bits(16)) if told == _SAR_TOLD else _SHAPES.get(told, (1, 1))
    if bits.bits(1):
        bits.bits(1)
    if bits.bits(1):
        bits.bits(3)
        full = bits.bits(1)
        if bits.bits(1):
            colour = (bits.bits(8), bits.bits(8), bits.bits(8))
    if bits.bits(1):
        places = (bits.number(), bits.number())
    return pixels, full, colour, places


def _shape(width: int, height: int) -> tuple[int, int]:
    """A shape of pixels in its lowest terms; one with a side of 0 is not told."""
    parts = math.gcd(width, height)
    return (width // parts, height // parts) if width and height else (1, 1)


def _ids_of_pps(unit: bytes) -> tuple[int, int]:
    """A picture parameter set's own number, and that of its sequence parameter set."""
    bits = Bits(unit[1:])
    return bits.number(), bits.number()


@dataclass(frozen=True)
class Sets:
    """The parameter sets of a description, as its avcC box has them."""

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    def read(self) -> list[SequenceSet]:
        return [read_sps(unit) for unit in self.sps]

    def free_id(self) -> int:
        """The smallest number that no set of either kind has."""
        used = {each.id for each in self.read()} | {_ids_of_pps(unit)[0] for unit in self.pps}
        free = next((number for number in range(_IDS) if number not in used), None)
        if free is None:
            raise Unreadable("every number of a parameter set is taken")
        return free


def sets_of(entry: bytes) -> Sets:
    """The sets in a description, a box avc1, of units with lengths of four bytes."""
    if entry[4:8] != b"avc1":
        raise Unreadable("it is not H.264 with its sets in front")
    data = avcc(entry)
    try:
        if data[4] & 3 != 3:
            raise Unreadable("its lengths have other than four bytes")
        sps, at = _listed(data, 6, data[5] & 31)
        pps, _ = _listed(data, at + 1, data[at])
    except (IndexError, struct.error) as error:
        raise Unreadable("a description that is cut off") from error
    if not sps or not pps:
        raise Unreadable("a description without parameter sets")
    return Sets(sps, pps)


def _listed(data: bytes, at: int, count: int) -> tuple[tuple[bytes, ...], int]:
    found = []
    for _ in range(count):
        (size,) = struct.unpack_from(">H", data, at)
        found.append(data[at + 2 : at + 2 + size])
        at += 2 + size
        if len(found[-1]) != size or size < 2:
            raise Unreadable("a description that is cut off")
    return tuple(found), at


def _boxes(entry: bytes) -> list[Box]:
    """The boxes inside of a description of pictures."""
    found, at = [], _INSIDE
    try:
        while (box := box_at(entry, at)) is not None and box.end <= len(entry):
            found.append(box)
            at = box.end
    except BrokenBox as error:
        raise Unreadable(str(error)) from error
    return found


def avcc(entry: bytes) -> bytes:
    """What the avcC box of a description holds."""
    box = next((box for box in _boxes(entry) if box.kind == b"avcC"), None)
    if box is None:
        raise Unreadable("a description without avcC")
    return entry[box.body : box.end]


def see_alike(ours: Iterable[SequenceSet], theirs: Iterable[SequenceSet]) -> None:
    """Unreadable where pictures of the ones cannot follow those of the others, in one track for every reader."""
    looks = [each.look for each in (*ours, *theirs)]
    for field in fields(Look):
        if len({getattr(look, field.name) for look in looks}) > 1:
            raise Unreadable(f"the encoder's {field.name} is another")


def see_playable(sets: Sequence[SequenceSet]) -> None:
    """Unreadable where pictures are not whole frames in 8 bits 4:2:0, or of a profile that not everybody has."""
    if not all(each.frames for each in sets):
        raise Unreadable("it is interlaced")
    if any(each.profile not in _PROFILES for each in sets):
        raise Unreadable(f"its profile is {max(each.profile for each in sets)}")
    if any((each.look.chroma, each.look.depth) != (1, (8, 8)) for each in sets):
        raise Unreadable("it is not 4:2:0 in 8 bits")
    see_alike(sets, ())


def joined(entry: bytes, other: bytes) -> bytes:
    """The description ``entry`` with the sets of both: of the richer profile, the higher level."""
    mine, theirs = sets_of(entry), sets_of(other)
    sets = Sets((*mine.sps, *theirs.sps), (*mine.pps, *theirs.pps))
    known = sets.read()
    if len(sets.sps) >= _IDS or len(sets.pps) >= 256:
        raise Unreadable("more parameter sets than a description holds")
    profile = max((each.profile for each in known), key=_PROFILES.index)
    constraints, level = 0xFF, max(each.level for each in known)
    for each in known:
        constraints &= each.constraints
    data = bytes((1, profile, constraints, level, 0xFF, 0xE0 | len(sets.sps)))
    data += b"".join(struct.pack(">H", len(unit)) + unit for unit in sets.sps) + bytes((len(sets.pps),))
    data += b"".join(struct.pack(">H", len(unit)) + unit for unit in sets.pps)
    if profile in _WITH_CHROMA:
        # 4:2:0 in 8 bits, and no extensions.
        data += bytes((0xFD, 0xF8, 0xF8, 0))
    held = struct.pack(">I4s", len(data) + 8, b"avcC") + data
    # Rates are of the source's stream alone.
    boxes = (box for box in _boxes(entry) if box.kind != b"btrt")
    inside = b"".join(held if box.kind == b"avcC" else entry[box.start : box.end] for box in boxes)
    return struct.pack(">I", _INSIDE + len(inside)) + entry[4:_INSIDE] + inside
