"""A fingerprint of sound: the shape of its spectrum, in bits that recoding and a shift leave mostly so.

After Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002), on longer frames, each
against the mean of the clip: a clip is to be recognized as a whole, not by three seconds of it.

The spectrum is of the sound in mono at RATE: a column every HOP samples of BINS levels, one byte each, in steps of
0.47 dB (255: full scale), the highest frequency first; 0 where nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

RATE = 4000
BINS = 64
# A quarter of a window, so that a shift by less than that changes little: noise by noise, too.
HOP = 32
# What a picture of the spectrum has of columns; behind them, the next one begins.
COLUMNS = 320
# Of so many seconds, from the start on.
SECONDS = 60
# A frame is the mean of so many columns (0.77 s), and begins so many behind the one before (0.13 s).
FRAME, STEP = 96, 16
BITS = 16
# Below this level (some 90 dB under full scale), in the mean of all bands, there is nothing to be recognized.
QUIET = 40
# Seventeen bands from 190 Hz to 1.94 kHz, each an eighth higher than the one before, but no narrower than a bin.
_EDGES = [6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 22, 25, 29, 34, 39, 46, 53, 62]
_PICTURE = BINS * COLUMNS


def sound_print(spectrum: bytes) -> str:
    """The fingerprint of a spectrum: four digits in hex a frame; "" where the sound is too short, or silent.

    ``spectrum``: pictures of BINS rows of COLUMNS bytes, one behind the other. Bit m of a frame says whether
    the step in level from band m to the next is larger than it is in the mean of the clip. A frame of silence is
    0000.
    """
    frames = list(_frames(spectrum))
    loud = [frame for frame in frames if sum(frame) > QUIET * (BITS + 1)]
    if not loud:
        return ""
    usual = [sum(levels) / len(loud) for levels in zip(*loud, strict=True)]
    return "".join(_digits(frame, usual) if sum(frame) > QUIET * (BITS + 1) else "0000" for frame in frames)


def _digits(frame: list[float], usual: list[float]) -> str:
    bits = 0
    changes = [level - mean for level, mean in zip(frame, usual, strict=True)]
    for low, high in pairwise(changes):
        bits = bits << 1 | (high > low)
    return f"{bits:04x}"


def _frames(spectrum: bytes) -> Iterator[list[float]]:
    """The mean level of each band in each frame, without the columns behind the end."""
    blocks = [_blocks(spectrum[at : at + _PICTURE]) for at in range(0, len(spectrum) - _PICTURE + 1, _PICTURE)]
    # Each band's sums of STEP columns, from the start on.
    bands = [[total for block in blocks for total in block[band]] for band in range(BITS + 1)]
    steps = FRAME // STEP
    for at in range(_columns(spectrum) // STEP - steps + 1):
        yield [
            sum(band[at : at + steps]) / (FRAME * (high - low))
            for band, (low, high) in zip(bands, pairwise(_EDGES), strict=True)
        ]


def _columns(spectrum: bytes) -> int:
    """How many columns there are up to the last in which anything is."""
    rows = [
        spectrum[row : row + COLUMNS].rstrip(b"\0")
        for row in range(0, len(spectrum) // _PICTURE * _PICTURE, COLUMNS)
    ]
    return max((len(row) + number // BINS * COLUMNS for number, row in enumerate(rows) if row), default=0)


def _blocks(picture: bytes) -> list[list[int]]:
    """Of each band, the sum of all its levels in each STEP columns of a picture."""
    rows = [
        [sum(picture[at : at + STEP]) for at in range(row, row + COLUMNS, STEP)]
        for row in range(_PICTURE - COLUMNS, -1, -COLUMNS)
    ]
    return [list(map(sum, zip(*rows[low:high], strict=True))) for low, high in pairwise(_EDGES)]
