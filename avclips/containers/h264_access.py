"""Where a decoder of H.264 can begin: what a packet says of itself, whatever its container says of it.

ITU-T H.264, 7.3 and D.2.8. Bytes only; the input may come from strangers, and what does not add up is Unreadable.
"""

from __future__ import annotations

from collections.abc import Iterator

from .h264 import IDR, NON_IDR, SEI, Bits, Unreadable, avcc

# The kinds of slices (Table 7-6) that need no other picture.
_INTRA = frozenset((2, 4))
_RECOVERY_POINT = 6
# The bytes of a slice in which its kind is told, and more.
_HEAD = 16


def bytes_of_lengths(entry: bytes) -> int:
    """How many bytes the length in front of each unit has, by a track's description."""
    data = avcc(entry)
    if len(data) < 5:
        raise Unreadable("a description that is cut off")
    return (data[4] & 3) + 1


def right_after(packet: bytes, lengths: int) -> int | None:
    """How many pictures to which others refer a decoder takes from here on before such a one is right.

    0: it can begin here. More: a recovery point, as of an encoder that renews each picture in part and writes
    no whole one. None: it cannot begin here.
    """
    told, kinds = None, set[int]()
    for unit in _units(packet, lengths):
        kind = unit[0] & 31
        if kind == IDR:
            return 0
        if kind == SEI and told is None:
            told = _recovery_point(unit)
        elif kind == NON_IDR:
            bits = Bits(unit[1:_HEAD])
            bits.number()
            kinds.add(bits.number() % 5)
    if told is None and kinds and kinds <= _INTRA:
        return 0
    return told


def is_referred_to(packet: bytes, lengths: int) -> bool:
    """Whether other pictures may be decoded with the help of this one."""
    return any(unit[0] & 0x60 for unit in _units(packet, lengths) if unit[0] & 31 in (NON_IDR, IDR))


def _units(packet: bytes, lengths: int) -> Iterator[bytes]:
    at = 0
    while at < len(packet):
        size = int.from_bytes(packet[at : at + lengths], "big")
        at += lengths
        if not size or at + size > len(packet):
            raise Unreadable("units whose lengths do not add up")
        yield packet[at : at + size]
        at += size


def _recovery_point(unit: bytes) -> int | None:
    """The number in a recovery point among the messages of a unit; None where there is none."""
    held = unit.replace(b"\0\0\3", b"\0\0")
    at = 1
    # Behind the last message stands one byte, which ends the unit.
    while at + 2 < len(held):
        kind, at = _summed(held, at)
        size, at = _summed(held, at)
        if kind == _RECOVERY_POINT:
            return Bits(held[at : at + size]).number()
        at += size
    return None


def _summed(held: bytes, at: int) -> tuple[int, int]:
    """A number that is written as a sum of bytes, all but the last of them 255; and the place behind it."""
    value = 0
    while at < len(held):
        value, at = value + held[at], at + 1
        if held[at - 1] != 255:
            return value, at
    raise Unreadable("a message that is cut off")
