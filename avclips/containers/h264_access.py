"""Where a decoder of H.264 can begin: what a packet says of itself, whatever its container says of it.

ITU-T H.264, 7.3 and 7.4.3. Bytes only; the input may come from strangers, and what does not add up is Unreadable.
"""

from __future__ import annotations

from typing import Literal

from .h264 import IDR, NON_IDR, Bits, Unreadable, avcc, units

Whole = Literal["idr", "intra", ""]
# The kinds of slices (Table 7-6) that need no other picture.
_INTRA = frozenset((2, 4))
# The bytes of a slice in which its kind is told, and more.
_HEAD = 16


def bytes_of_lengths(entry: bytes) -> int:
    """How many bytes the length in front of each unit has, by a track's description."""
    data = avcc(entry)
    if len(data) < 5:
        raise Unreadable("a description that is cut off")
    return (data[4] & 3) + 1


def whole_picture(packet: bytes, lengths: int) -> Whole:
    """Whether a packet's picture needs no other: "idr", of intra slices alone, or "" for one that does.

    Of two fields the first one counts, to which the other may refer. Behind a picture of intra slices, others may
    yet need what was before it. Recovery points (D.2.8) are not believed, which say that pictures become right a
    while later: from those that x264 writes with intra-refresh, libav shows wrong ones for up to as long again.
    """
    kinds = set[int]()
    for unit in units(packet, lengths, _HEAD):
        kind = unit[0] & 31
        if kind == IDR:
            return "idr"
        if kind == NON_IDR:
            bits = Bits(unit[1:])
            if bits.number() == 0 and kinds:
                # Its first macroblock is the first once more: another field.
                break
            kinds.add(bits.number() % 5)
    return "intra" if kinds and kinds <= _INTRA else ""
