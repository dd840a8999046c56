"""A fingerprint of sound: how its spectrum changes, in bits that recoding and a shift leave mostly as they are.

After Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR 2002), on fewer and longer frames: a
clip is to be recognized as a whole, not by three seconds of it.

The spectrum is of the sound in mono at RATE: a column every HOP samples of BINS levels, one byte each, in steps of
0.47 dB (255: full scale), the highest frequency first; 0 where nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

RATE = 4000
BINS = 64
HOP = 2 * BINS
# What a picture of the spectrum has of columns; behind them, the next one begins.
COLUMNS = 320
# Of so many seconds, from the start on.
SECONDS = 60
# A frame is the mean of so many columns (0.38 s), and begins so many behind the one before (0.19 s).
FRAME, STEP = 12, 6
BITS = 16
# Below this level (some 90 dB under full scale), in the mean of all bands, there is nothing to be recognized.
QUIET = 40
# A frame changes against the one that begins where it ends.
_BEFORE = FRAME // STEP
# Seventeen bands from 250 Hz to 1.94 kHz, each an eighth higher than the one before, as bins.
_EDGES = [round(8 * (62 / 8) ** (band / (BITS + 1))) for band in range(BITS + 2)]


def sound_print(spectrum: bytes) -> str:
    """The fingerprint of a spectrum: four digits in hex a frame; "" where the sound is too short, or silent.

    ``spectrum``: pictures of BINS rows of COLUMNS bytes, one behind the other. Bit m of a frame says whether
    the step in level from band m to the next is larger than it was two frames before. A frame of silence is 0000.
    """
    frames = list(_frames(_bands(spectrum)))
    digits, loud = [], False
    for before, frame in zip(frames, frames[_BEFORE:], strict=False):
        if min(sum(before), sum(frame)) <= QUIET * (BITS + 1):
            digits.append("0000")
            continue
        loud = True
        changes = [now - then for now, then in zip(frame, before, strict=True)]
        bits = 0
        for low, high in pairwise(changes):
            bits = bits << 1 | (high > low)
        digits.append(f"{bits:04x}")
    return "".join(digits) if loud else ""


def _bands(spectrum: bytes) -> list[list[float]]:
    """Of each band, its level in each column."""
    bands: list[list[float]] = [[] for _ in range(BITS + 1)]
    picture = BINS * COLUMNS
    for at in range(0, len(spectrum) - picture + 1, picture):
        rows = [spectrum[row : row + COLUMNS] for row in range(at, at + picture, COLUMNS)][::-1]
        for band, (low, high) in enumerate(pairwise(_EDGES)):
            width = high - low
            bands[band] += [total / width for total in map(sum, zip(*rows[low:high], strict=True))]
    return bands


def _frames(bands: Sequence[Sequence[float]]) -> list[list[float]]:
    """The mean level of each band in each frame, without the columns behind the end."""
    columns = len(bands[0])
    while columns and not any(band[columns - 1] for band in bands):
        columns -= 1
    starts = range(0, columns - FRAME + 1, STEP)
    return [[sum(band[at : at + FRAME]) / FRAME for band in bands] for at in starts]
