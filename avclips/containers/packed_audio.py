"""Pieces of sound alone, as HLS has them: an ID3 tag with a time stamp, then AAC frames (RFC 8216, 3.4)."""

from __future__ import annotations

from fractions import Fraction

_OWNER = b"com.apple.streaming.transportStreamTimestamp\0"
# MPEG's clock; its stamps have 33 bits.
CLOCK = 90_000
WRAP = 1 << 33


def without_tag(piece: bytes) -> tuple[Fraction | None, bytes]:
    """The second that a piece's tag names (None: it has none), and what follows the tag."""
    if piece[:3] != b"ID3" or len(piece) < 10:
        return None, piece
    size = 0
    for byte in piece[6:10]:
        size = size << 7 | byte & 127
    tag, rest = piece[: 10 + size], piece[10 + size :]
    at = tag.find(_OWNER)
    stamp = tag[at + len(_OWNER) : at + len(_OWNER) + 8]
    if at < 0 or len(stamp) < 8:
        return None, rest
    return Fraction(int.from_bytes(stamp, "big") % WRAP, CLOCK), rest


def is_packed_audio(piece: bytes) -> bool:
    """Whether a piece is packed sound: a tag, or a frame of AAC at once."""
    return piece[:3] == b"ID3" or (len(piece) > 1 and piece[0] == 0xFF and piece[1] & 0xF6 == 0xF0)
