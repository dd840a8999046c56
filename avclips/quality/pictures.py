"""What small grey pictures of a clip tell: whether it moves, is black, has bars; what it looks like, as hashes.

The pictures are SIDE x SIDE bytes of luma, 0 black and 255 white, row by row, RATE of them a second from the
clip's start on. They are so small that plain Python is fast enough for them: no array library is needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import mul, sub
from typing import Any

SIDE = 32
SIZE = SIDE * SIDE
RATE = 5

# A picture shows what the one before showed where no point differs by more: noise and coding change a mean of some
# hundred pixels by less.
MOST_UNMOVED = 2
# As ffmpeg's blackdetect has it: a point is dark up to a tenth of white, a picture black with so many dark points.
DARK, BLACK_POINTS = 25, 0.98
# No point of a bar is brighter, in any picture.
BAR = 10
# A mean picture with no more between its darkest and its brightest point looks like any other.
FLAT = 12
# A hash is of the mean picture of so many, and there are no more of them than for so many seconds.
PER_HASH, HASHED_SECONDS = 2 * RATE, 120

_HASH_SIDE = 8
_ROWS = range(0, SIZE, SIDE)
_IS_DARK = bytes(level <= DARK for level in range(256))
_COSINES = [
    [math.cos(math.pi * (2 * place + 1) * frequency / (2 * SIDE)) for place in range(SIDE)]
    for frequency in range(_HASH_SIDE)
]


@dataclass
class _Seen:
    """What was counted so far."""

    pictures: int = 0
    unmoved: int = 0
    black: int = 0
    luma: int = 0
    # Of each row, and of each column, the brightest point of all pictures.
    rows: list[int] = field(default_factory=lambda: [0] * SIDE)
    columns: list[int] = field(default_factory=lambda: [0] * SIDE)
    hashes: list[str] = field(default_factory=list)


def measure_pictures(pictures: Iterable[bytes]) -> dict[str, Any]:
    """Flags of a clip's picture; {} where there are no pictures.

    ``still``, ``black``: shares of the pictures; ``brightness``: mean luma, 0 to 1; ``letterbox``, ``pillarbox``:
    shares of the height and of the width that are bars, None of a clip that is black all along;
    ``picture_hashes``: see ``hash_of``, one for every two seconds.
    """
    seen = _Seen()
    before: bytes | None = None
    together: list[bytes] = []
    for picture in pictures:
        _count(seen, before, picture)
        before = picture
        together.append(picture)
        if len(together) == PER_HASH:
            _take(seen, together)
            together = []
    if not seen.pictures:
        return {}
    if together:
        _take(seen, together)
    return {
        # Of the first, nobody can say whether it moves.
        "still": round(seen.unmoved / max(1, seen.pictures - 1), 4),
        "black": round(seen.black / seen.pictures, 4),
        "brightness": round(seen.luma / (255 * SIZE * seen.pictures), 4),
        "letterbox": _bars(seen.rows),
        "pillarbox": _bars(seen.columns),
        "picture_hashes": seen.hashes,
    }


def _count(seen: _Seen, before: bytes | None, picture: bytes) -> None:
    seen.pictures += 1
    seen.luma += sum(picture)
    seen.black += picture.translate(_IS_DARK).count(1) >= BLACK_POINTS * SIZE
    if before is not None:
        seen.unmoved += is_unmoved(before, picture)


def is_unmoved(before: bytes, picture: bytes) -> bool:
    """Whether two pictures show the same."""
    if before == picture:
        return True
    # Most pictures that move do so in one of these points.
    few = zip(before[::23], picture[::23], strict=True)
    if any(abs(a - b) > MOST_UNMOVED for a, b in few):
        return False
    return bool(max(map(abs, map(sub, before, picture))) <= MOST_UNMOVED)


def _take(seen: _Seen, together: list[bytes]) -> None:
    """Count what is told by several pictures together."""
    brightest = bytes(map(max, *together)) if len(together) > 1 else together[0]
    seen.rows = list(map(max, seen.rows, (max(brightest[row : row + SIDE]) for row in _ROWS)))
    seen.columns = list(map(max, seen.columns, (max(brightest[column::SIDE]) for column in range(SIDE))))
    # Of a short rest, a shifted copy has another one.
    long_enough = len(together) > PER_HASH // 2 or not seen.hashes
    if long_enough and len(seen.hashes) < HASHED_SECONDS * RATE // PER_HASH:
        seen.hashes.append(hash_of(together))


def _bars(brightest: list[int]) -> float | None:
    """Which share of the lines at both edges is dark; None where all are."""
    if max(brightest) <= BAR:
        return None
    return round((_dark(brightest) + _dark(brightest[::-1])) / SIDE, 4)


def _dark(brightest: Sequence[int]) -> float:
    """How many lines are dark, up to the first that is not. That one may lie partly within the bar."""
    lit = next(number for number, level in enumerate(brightest) if level > BAR)
    if lit in (0, SIDE - 1):
        return lit
    return lit + max(0.0, 1 - brightest[lit] / max(1, brightest[lit + 1]))


def hash_of(pictures: list[bytes]) -> str:
    """The perceptual hash of the mean of some pictures: 64 bits as 16 digits in hex, "" where it is flat.

    Bit (u, v) says whether the discrete cosine transform has more than nothing at the frequencies u and v, 0 to 7;
    the first, which is the brightness, is always 0. So recoding and scaling change few bits.
    """
    sums = list(map(sum, zip(*pictures, strict=True)))
    if max(sums) - min(sums) <= FLAT * len(pictures):
        return ""
    rows = [sums[row : row + SIDE] for row in _ROWS]
    halves = ([sum(map(mul, row, cosines)) for row in rows] for cosines in _COSINES)
    found = chain.from_iterable((sum(map(mul, half, cosines)) for cosines in _COSINES) for half in halves)
    next(found)
    bits = 0
    for value in found:
        bits = bits << 1 | (value > 0)
    return f"{bits:016x}"
