"""The boxes that an MP4 file is made of (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

import struct
from typing import NamedTuple

# So many boxes, or elements, beside each other are believed: of smaller ones, a hostile file would keep a core
# busy for minutes. A head has far fewer.
MOST_BOXES, MOST_IN_HEAD = 1_000_000, 1000


class BrokenBox(Exception):
    """A box whose header cannot be true."""


class Box(NamedTuple):
    """A box of an MP4 file: its kind, and the bytes at which it begins, its content begins, and it ends."""

    kind: bytes
    start: int
    body: int
    end: int


def box_at(data: bytes, at: int) -> Box | None:
    """The box that begins at ``at``, or None when its header is not whole."""
    if len(data) < at + 8:
        return None
    size, kind = struct.unpack_from(">I4s", data, at)
    body = at + 8
    if size == 1:
        if len(data) < at + 16:
            return None
        size, body = struct.unpack_from(">Q", data, at + 8)[0], at + 16
    if size < body - at:
        raise BrokenBox(f"a box of {size} bytes at byte {at}")
    return Box(kind, at, body, at + size)
