"""Packets of H.264 from which a decoder can begin, and from which it cannot."""

from __future__ import annotations

import pytest

from avclips.containers.h264 import Unreadable
from avclips.containers.h264_access import bytes_of_lengths, whole_picture
from tests.unit.containers.test_mp4 import box

IDR = b"\x65\x88"
# Slices: the first macroblock is 0, then the kind (7.4.3): of P 0 or 5, of B 1 or 6, of I 2 or 7, of SI 4 or 9.
P, P_ALL, B, B_ALL, INTRA, INTRA_ALL, SI = (
    b"\x41\xc0", b"\x41\x98", b"\x01\xa0", b"\x01\x9c", b"\x41\xb0", b"\x41\x88", b"\x41\x94",
)  # fmt: skip
DELIMITER = b"\x09\xf0"
# A message of a user; and that pictures are right now, or three later (a recovery point).
USER, NOW, IN_THREE = b"\x06\x05\x02ab\x80", b"\x06\x06\x01\xc4\x80", b"\x06\x06\x01\x24\x80"


def packet(*units: bytes, lengths: int = 4) -> bytes:
    return b"".join(len(unit).to_bytes(lengths, "big") + unit for unit in units)


@pytest.mark.parametrize(
    ("units", "whole"),
    [
        ([IDR], "idr"),
        ([DELIMITER, USER, IDR, IDR], "idr"),
        ([INTRA], "intra"),
        ([INTRA_ALL, INTRA_ALL], "intra"),
        ([SI], "intra"),
        ([P], ""),
        ([P_ALL], ""),
        ([B], ""),
        ([B_ALL], ""),
        # Two slices of one picture, the other (P or I) from macroblock 1 on; and two fields.
        ([INTRA, b"\x41\x50"], ""),
        ([INTRA, b"\x41\x4c"], "intra"),
        ([INTRA, INTRA_ALL, b"\x41\x50"], "intra"),
        ([INTRA, P], "intra"),
        ([P, INTRA], ""),
        ([IDR, P], "idr"),
        # What is said of later pictures does not count.
        ([NOW, INTRA], "intra"),
        ([IN_THREE, INTRA], "intra"),
        ([NOW, P], ""),
        ([IN_THREE, P], ""),
        ([DELIMITER], ""),
        ([], ""),
    ],
)
@pytest.mark.parametrize("lengths", [1, 2, 4])
def test_a_picture_that_needs_no_other(units: list[bytes], lengths: int, whole: str) -> None:
    assert whole_picture(packet(*units, lengths=lengths), lengths) == whole


def test_of_a_long_slice_its_beginning_is_enough() -> None:
    long = bytes(1 << 20)
    assert whole_picture(packet(INTRA + long), 4) == "intra" and whole_picture(packet(P + long), 4) == ""


@pytest.mark.parametrize(
    "content",
    [b"\0\0\0\0" + packet(P), b"\0\0\0\x09" + P, packet(P) + b"\0\0", packet(b"\x41"), packet(b"\x41" + bytes(9))],
)
def test_what_does_not_add_up(content: bytes) -> None:
    with pytest.raises(Unreadable):
        whole_picture(content, 4)


@pytest.mark.parametrize(("told", "lengths"), [(0xFC, 1), (0xFD, 2), (0xFF, 4)])
@pytest.mark.parametrize("name", [b"avc1", b"avc3"])
def test_the_bytes_of_lengths(name: bytes, told: int, lengths: int) -> None:
    assert bytes_of_lengths(box(name, bytes(78), box(b"avcC", bytes((1, 100, 0, 11, told))))) == lengths


@pytest.mark.parametrize("inside", [b"", box(b"avcC", bytes(4)), box(b"pasp", bytes(8))])
def test_descriptions_that_are_none(inside: bytes) -> None:
    with pytest.raises(Unreadable):
        bytes_of_lengths(box(b"avc1", bytes(78), inside))
