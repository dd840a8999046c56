"""Which seconds of a video become clips: arithmetic on shots, lengths and hashes of pictures. Opens no file.

Times are whole milliseconds of the video, as the clips' ids have them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

# How a window came about: in the middle of a long shot; of a video without one; by --fixed.
Origin = Literal["shot", "middle", "fixed"]
# Between two windows of which one has no picture that was looked at: as far as chance would have them.
_UNKNOWN = 32.0

Hashes = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True)
class Window:
    """A clip to be: milliseconds ``start``..``end``; ``shot``: how long the shot around it is."""

    start: int
    end: int
    origin: Origin
    shot: int


def shots_of(cuts: Sequence[float], begin: float, end: float) -> list[tuple[int, int]]:
    """The shots between the cuts, the one before the first and the one behind the last among them."""
    inside = sorted({round(1000 * cut) for cut in cuts if begin < cut < end})
    # Rounded inwards: a window has nothing of what is beyond.
    edges = [_up(begin), *inside, int(1000 * end)]
    return [(one, other) for one, other in itertools.pairwise(edges) if other > one]


def _up(seconds: float) -> int:
    return -int(-1000 * seconds // 1)


def in_shots(shots: Sequence[tuple[int, int]], length: int) -> list[Window]:
    """A window in the middle of each shot that is long enough; where none is, one in the middle of the video.

    None at all where the video is shorter than ``length``.
    """
    found = [
        Window(begin + (end - begin - length) // 2, begin + (end - begin + length) // 2, "shot", end - begin)
        for begin, end in shots
        if end - begin >= length
    ]
    # Of an odd rest, the division may have made it a millisecond too long.
    found = [Window(each.start, each.start + length, each.origin, each.shot) for each in found]
    if found or not shots:
        return found
    begin, end = shots[0][0], shots[-1][1]
    if end - begin < length:
        return []
    start = begin + (end - begin - length) // 2
    return [Window(start, start + length, "middle", end - begin)]


def fixed(begin: float, end: float, length: int, at_most: int) -> list[Window]:
    """Windows one behind the other; of more than ``at_most`` (0: no bound), as many, evenly spread."""
    first, last = _up(begin), int(1000 * end)
    count = max(0, last - first) // length
    numbers: Sequence[int] = range(count)
    if 0 < at_most < count:
        # The middle of each of so many equal parts.
        numbers = [(2 * part + 1) * count // (2 * at_most) for part in range(at_most)]
    return [
        Window(first + number * length, first + (number + 1) * length, "fixed", last - first) for number in numbers
    ]


def most_diverse(windows: Sequence[Window], times: Sequence[float], hashes: Hashes, at_most: int) -> list[Window]:
    """Those ``at_most`` windows (0: all) whose pictures are least alike, in the order of their times.

    ``times``, ``hashes``: seconds, and the perceptual hashes of the pictures that were looked at then. Begins with
    the longest shot; each next one is that whose nearest neighbour among the chosen is farthest away.
    """
    if not 0 < at_most < len(windows):
        return list(windows)
    milliseconds = np.asarray(times, dtype=float) * 1000
    looked = [hashes[(milliseconds >= each.start) & (milliseconds < each.end)] for each in windows]
    chosen = [max(range(len(windows)), key=lambda number: (windows[number].shot, -number))]
    nearest = [_distance(looked[chosen[0]], each) for each in looked]
    while len(chosen) < at_most:
        rest = [number for number in range(len(windows)) if number not in chosen]
        chosen.append(max(rest, key=lambda number: (nearest[number], -number)))
        last = looked[chosen[-1]]
        nearest = [min(near, _distance(last, each)) for near, each in zip(nearest, looked, strict=True)]
    return [windows[number] for number in sorted(chosen)]


def _distance(one: Hashes, other: Hashes) -> float:
    """How far two windows' pictures are apart: bits of 64 to the nearest of the other, the mean of both ways."""
    if not len(one) or not len(other):
        return _UNKNOWN
    differ = np.ascontiguousarray(one[:, None] ^ other[None, :])
    bits = np.unpackbits(differ[..., None].view(np.uint8), axis=-1).sum(axis=-1)
    return float(bits.min(axis=0).mean() + bits.min(axis=1).mean()) / 2
