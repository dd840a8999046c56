"""Packets of H.264 from which a decoder can begin, at once or in a while, and from which it cannot."""

from __future__ import annotations

import pytest

from avclips.containers.h264 import Unreadable
from avclips.containers.h264_access import bytes_of_lengths, is_referred_to, right_after
from tests.unit.containers.test_mp4 import box

IDR = b"\x65\x88"
# Slices: the first macroblock is 0, then the kind (7.4.3): of P 0 or 5, of B 1 or 6, of I 2 or 7, of SI 4 or 9.
P, P_ALL, B, B_ALL, INTRA, INTRA_ALL, SI = (
    b"\x41\xc0", b"\x41\x98", b"\x01\xa0", b"\x01\x9c", b"\x41\xb0", b"\x41\x88", b"\x41\x94",
)  # fmt: skip
DELIMITER = b"\x09\xf0"
# A message of a user, its sixteen bytes those of a recovery point.
USER = b"\x06\x05\x10" + b"\x06\x01\xc4" * 5 + b"\x06\x80"
# Kind 6, one byte: the number, whether that is exact, whether a link is broken, how slices change.
NOW, IN_THREE = b"\x06\x06\x01\xc4\x80", b"\x06\x06\x01\x24\x80"
# Behind a message of 255 + 45 bytes; and with a byte that keeps a start code out.
BEHIND_LONG = b"\x06\x05\xff\x2d" + bytes([7]) * 300 + IN_THREE[1:]
ESCAPED = b"\x06\x05\x03\x00\x00\x03\x01" + IN_THREE[1:]


def packet(*units: bytes, lengths: int = 4) -> bytes:
    return b"".join(len(unit).to_bytes(lengths, "big") + unit for unit in units)


@pytest.mark.parametrize(
    ("units", "right"),
    [
        ([IDR], 0),
        ([DELIMITER, USER, IDR, IDR], 0),
        ([INTRA], 0),
        ([INTRA_ALL, INTRA_ALL], 0),
        ([SI], 0),
        ([P], None),
        ([P_ALL], None),
        ([B], None),
        ([B_ALL], None),
        # As far as slices are whole, and no farther.
        ([INTRA, P], None),
        ([NOW, INTRA], 0),
        # What says that pictures are right is believed, whatever they are made of.
        ([NOW, P], 0),
        ([IN_THREE, P], 3),
        ([IN_THREE, INTRA], 3),
        ([USER, P], None),
        ([USER, IN_THREE, P], 3),
        ([BEHIND_LONG, P], 3),
        ([ESCAPED, P], 3),
        ([DELIMITER], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("lengths", [1, 2, 4])
def test_when_pictures_are_right(units: list[bytes], lengths: int, right: int | None) -> None:
    if max(map(len, units), default=0) < 1 << 8 * lengths:
        assert right_after(packet(*units, lengths=lengths), lengths) == right


@pytest.mark.parametrize(
    ("units", "refers"),
    [
        ([IDR], True),
        ([P], True),
        ([B], False),
        ([USER, B, B_ALL], False),
        ([DELIMITER], False),
        ([b"\x67\x64"], False),
    ],
)
def test_whether_others_refer_to_it(units: list[bytes], refers: bool) -> None:
    assert is_referred_to(packet(*units), 4) == refers


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\0\0" + packet(P),
        b"\0\0\0\x09" + P,
        packet(P) + b"\0\0",
        packet(b"\x41"),
        packet(b"\x06\x05\xff\xff\xff\xff", P),
        packet(b"\x06\x06\x01\x00\x80", P),
    ],
)
def test_what_does_not_add_up(content: bytes) -> None:
    with pytest.raises(Unreadable):
        right_after(content, 4)


@pytest.mark.parametrize(("told", "lengths"), [(0xFC, 1), (0xFD, 2), (0xFF, 4)])
@pytest.mark.parametrize("name", [b"avc1", b"avc3"])
def test_the_bytes_of_lengths(name: bytes, told: int, lengths: int) -> None:
    assert bytes_of_lengths(box(name, bytes(78), box(b"avcC", bytes((1, 100, 0, 11, told))))) == lengths


@pytest.mark.parametrize("inside", [b"", box(b"avcC", bytes(4)), box(b"pasp", bytes(8))])
def test_descriptions_that_are_none(inside: bytes) -> None:
    with pytest.raises(Unreadable):
        bytes_of_lengths(box(b"avc1", bytes(78), inside))
