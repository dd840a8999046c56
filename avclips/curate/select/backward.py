"""Selection from the other end: begin with all clips, and leave out those whose sound says least of their picture.

Each clip is scored by how much more often its clusters of sound and of picture come together than they would by
chance: the mean over the pairs of layers of

    ln((N - 1 + PRIOR) / (E + PRIOR)),   E = (A - 1) (B - 1) / (n - 1),

N clips in its cell, A and B in its row and its column, n in all. The clip itself is left out of the counts: it
would speak for itself, loudest where there are few. PRIOR clips are added on both sides, so that what few clips
say counts little. This is the pointwise mutual information, whose mean the greedy way increases clip by clip; but
it is known of all clips before any is chosen, where the greedy way goes by what happened to come first.

With one round the clips are ranked once: the best are those of the rarest clusters that always come together, and
few kinds of clips may fill a small selection. With more, each round leaves out some, and the others are counted
anew: what has become frequent scores less.
Scores are whole numbers of ``UNIT``, as increments are; what adds them up is a look-up a pair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .tables import UNIT, Labels

PRIOR = 5.0
# Rows at a time: their cells stay in a cache.
_ROWS = 1 << 16


def scores(clusters: Sequence[int], pairs: Sequence[tuple[int, int]], rows: Labels) -> NDArray[np.int64]:
    """The score of each of these clips, (clips, layers), among them all: the sum over the pairs, in ``UNIT``."""
    values = [_values(_counted(rows, pair, (clusters[pair[0]], clusters[pair[1]]))) for pair in pairs]
    total = np.zeros(len(rows), np.int64)
    for at in range(0, len(rows), _ROWS):
        part = rows[at : at + _ROWS].T.astype(np.int64)
        for (first, second), value in zip(pairs, values, strict=True):
            total[at : at + _ROWS] += value[part[first], part[second]]
    return total


def _counted(rows: Labels, pair: tuple[int, int], shape: tuple[int, int]) -> NDArray[np.int64]:
    """How many clips are in each cell of two layers."""
    cells = np.zeros(shape[0] * shape[1], np.int64)
    for at in range(0, len(rows), _ROWS):
        first, second = (rows[at : at + _ROWS, layer].astype(np.int64) for layer in pair)
        cells += np.bincount(first * shape[1] + second, minlength=len(cells))
    return cells.reshape(shape)


def _values(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """What a clip of each cell scores. Of an empty cell nobody asks."""
    others = max(int(cells.sum()) - 1, 1)
    rows, columns = (np.maximum(cells.sum(axis) - 1.0, 0.0) for axis in (1, 0))
    expected = rows[:, None] * columns / others
    nats = np.log((np.maximum(cells - 1.0, 0.0) + PRIOR) / (expected + PRIOR))
    return np.asarray(np.round(nats / UNIT), np.int64)


def ranked(
    clusters: Sequence[int],
    pairs: Sequence[tuple[int, int]],
    labels: Labels,
    keep: int,
    rounds: int,
    told: Callable[[int], None] = lambda clips: None,
) -> NDArray[np.int32]:
    """All clips, best first; the first ``keep`` are selected. Of equal ones the first in ``labels`` comes first.

    Each round leaves out the same share of those that are left. ``told``: hears of ``keep`` clips, round by round.
    """
    left = np.arange(len(labels), dtype=np.int32)
    behind: list[NDArray[np.int32]] = []
    for number in range(1, rounds + 1):
        size = round(len(labels) * (keep / len(labels)) ** (number / rounds))
        found = scores(clusters, pairs, labels if len(left) == len(labels) else labels[left])
        np.negative(found, out=found)
        order = left[np.argsort(found, kind="stable")]
        left = np.sort(order[:size])
        behind.append(order[size:])
        told(keep * number // rounds - keep * (number - 1) // rounds)
    return np.concatenate([order[:keep], *reversed(behind)])
