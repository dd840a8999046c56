"""Packed sound: the time in a piece's tag, and where its frames begin."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avclips.containers.packed_audio import CLOCK, WRAP, is_packed_audio, without_tag

OWNER = b"com.apple.streaming.transportStreamTimestamp\0"
FRAMES = b"\xff\xf1\x50\x80\x2e\x7f\xfc" + bytes(20)


def frame(stamp: bytes, owner: bytes = OWNER) -> bytes:
    """A private frame of a tag."""
    return b"PRIV" + (len(owner) + len(stamp)).to_bytes(4, "big") + b"\0\0" + owner + stamp


def tag(*frames: bytes) -> bytes:
    """A tag, whose size has seven bits a byte."""
    content = b"".join(frames)
    size = bytes(len(content) >> 7 * place & 127 for place in (3, 2, 1, 0))
    return b"ID3\x04\0\0" + size + content


def stamp(ticks: int) -> bytes:
    return ticks.to_bytes(8, "big")


@pytest.mark.parametrize(
    ("piece", "second"),
    [
        (tag(frame(stamp(0))), Fraction(0)),
        (tag(frame(stamp(90_000))), Fraction(1)),
        (tag(frame(stamp(126_001))), Fraction(126_001, CLOCK)),
        (tag(frame(stamp(WRAP - 1))), Fraction(WRAP - 1, CLOCK)),
        # MPEG's clock has 33 bits: what stands above is nobody's.
        (tag(frame(stamp(WRAP + 90_000))), Fraction(1)),
        # Other frames around it, and one so long that its size takes two bytes.
        (tag(b"TIT2\0\0\0\x05\0\0name", frame(stamp(90_000))), Fraction(1)),
        (tag(frame(bytes(300), b"other\0"), frame(stamp(90_000)), frame(b"x", b"more\0")), Fraction(1)),
        # None that is known, or one that is cut off.
        (tag(), None),
        (tag(frame(stamp(90_000), b"com.example\0")), None),
        (tag(frame(b"\0\0\1")), None),
        (b"", None),
    ],
)
def test_the_time_of_a_piece(piece: bytes, second: Fraction | None) -> None:
    assert without_tag(piece + FRAMES) == (second, FRAMES)


@pytest.mark.parametrize("content", [b"", b"ID3", b"ID3\4\0\0\0\0\0", b"\xff", b"G" * 20])
def test_what_has_no_tag_stays(content: bytes) -> None:
    assert without_tag(content) == (None, content)


def test_a_tag_that_says_it_is_longer_than_the_piece() -> None:
    assert without_tag(b"ID3\4\0\0\x7f\x7f\x7f\x7f" + FRAMES) == (None, b"")


@pytest.mark.parametrize(
    ("piece", "packed"),
    [
        (tag(frame(stamp(0))) + FRAMES, True),
        (FRAMES, True),
        (b"\xff\xf9" + FRAMES[2:], True),
        # MP3 has other bits there.
        (b"\xff\xfb\x90\x44", False),
        (b"\xff\xe0", False),
        (b"\xff", False),
        (b"", False),
        (b"G" + bytes(187), False),
        (b"\0\0\0\x18styp", False),
    ],
)
def test_what_is_packed(piece: bytes, packed: bool) -> None:
    assert is_packed_audio(piece) is packed


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda rest: b"ID3\4\0\0\0\0" + rest))
def test_whatever_comes(piece: bytes) -> None:
    second, rest = without_tag(piece)
    assert piece.endswith(rest) and (second is None or 0 <= second < Fraction(WRAP, CLOCK))
