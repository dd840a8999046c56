"""The loops of the selection, compiled by numba: imported only where numba is.

One thread: which clip is chosen depends on the one before. A call goes on until ``upto`` clips are chosen, so
that its caller can stop between two, and see how far it is. They are compiled once where numba finds a place to
keep them (beside this file, in the user's cache, or NUMBA_CACHE_DIR), otherwise in each process: some seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from .draws import FIRST, GAMMA, SECOND
from .tables import Labels, Tables

_F = TypeVar("_F", bound=Callable[..., Any])
_GAMMA, _FIRST, _SECOND = np.uint64(GAMMA), np.uint64(FIRST), np.uint64(SECOND)
_11, _27, _30, _31 = np.uint64(11), np.uint64(27), np.uint64(30), np.uint64(31)
# The increment of a clip that is chosen: changes do not lift it to those of others.
_CHOSEN = -(1 << 62)


class Progress(NamedTuple):
    """``pool``: all clips, in whatever order a loop keeps; ``at``: how many are left, how many are chosen.

    ``chosen`` and ``gained``: the clips in their order, and the increment of each. ``random``: one word of state.
    """

    pool: NDArray[np.int32]
    at: NDArray[np.int64]
    chosen: NDArray[np.int32]
    gained: NDArray[np.int64]
    random: NDArray[np.uint64]


class Lists(NamedTuple):
    """Which clips have a label: ``clips[layer, start[layer, label] : start[layer, label + 1]]``.

    ``pairs[layer] : pairs[layer + 1]``: the pairs whose first layer it is. ``increments``: of all clips, now.
    """

    clips: NDArray[np.int32]
    start: NDArray[np.int64]
    pairs: NDArray[np.int64]
    increments: NDArray[np.int64]


def lists_of(tables: Tables, labels: Labels, clusters: Sequence[int]) -> Lists:
    """The lists for ``exactly``, before any clip is chosen: 4 bytes a clip and layer, and 8 a clip."""
    clips = np.stack([np.argsort(column, kind="stable").astype(np.int32) for column in labels.T])
    start = np.zeros((len(clusters), max(clusters) + 1), np.int64)
    for layer, column in enumerate(labels.T):
        start[layer, 1:] = np.bincount(column, minlength=max(clusters)).cumsum()
    pairs = np.searchsorted(tables.first, np.arange(len(clusters) + 1))
    return Lists(clips, start, pairs, np.zeros(len(labels), np.int64))


def _jit(function: _F) -> _F:
    compiled: Any
    try:
        compiled = numba.njit(cache=True)(function)
    except RuntimeError:
        # It finds no folder to keep what it compiles.
        compiled = numba.njit(function)
    return cast(_F, compiled)


@_jit
def below(random: NDArray[np.uint64], limit: int) -> int:
    """``draws.Draws.below``."""
    random[0] += _GAMMA
    mixed = random[0]
    mixed = (mixed ^ (mixed >> _30)) * _FIRST
    mixed = (mixed ^ (mixed >> _27)) * _SECOND
    mixed = mixed ^ (mixed >> _31)
    return int(np.float64(mixed >> _11) * 2.0**-53 * limit)


@_jit
def increment(tables: Tables, labels: Labels, row: int) -> int:
    """``tables.increments`` of one clip."""
    total: Any = 0
    for pair in range(len(tables.first)):
        one = np.int64(labels[row, tables.first[pair]])
        other = np.int64(labels[row, tables.second[pair]])
        total += tables.cell_gain[tables.start[pair] + one * tables.width[pair] + other]
    for layer in range(len(tables.weight)):
        total -= tables.margin_loss[tables.margin_start[layer] + np.int64(labels[row, layer])]
    return total  # type: ignore[no-any-return]


@_jit
def _count(tables: Tables, labels: Labels, row: int) -> None:
    for pair in range(len(tables.first)):
        one = np.int64(labels[row, tables.first[pair]])
        other = np.int64(labels[row, tables.second[pair]])
        cell = tables.start[pair] + one * tables.width[pair] + other
        tables.cells[cell] += 1
        tables.cell_gain[cell] = tables.step[tables.cells[cell]]
    for layer in range(len(tables.weight)):
        margin = tables.margin_start[layer] + np.int64(labels[row, layer])
        tables.margins[margin] += 1
        tables.margin_loss[margin] = tables.weight[layer] * tables.step[tables.margins[margin]]


@_jit
def _take(tables: Tables, labels: Labels, progress: Progress, row: int) -> None:
    """Choose a clip; what its increment is now, after those of its round that were taken before it."""
    progress.gained[progress.at[1]] = increment(tables, labels, row)
    progress.chosen[progress.at[1]] = row
    progress.at[1] += 1
    _count(tables, labels, row)


@_jit
def count_all(tables: Tables, labels: Labels, rows: NDArray[np.int32], gained: NDArray[np.int64]) -> None:
    """Count these clips, one by one; the increment of each goes into ``gained``."""
    for place in range(len(rows)):
        gained[place] = increment(tables, labels, rows[place])
        _count(tables, labels, rows[place])


@_jit
def _best(
    tables: Tables, rows: Labels, drawn: NDArray[np.int32], places: NDArray[np.int64], scores: NDArray[np.int64]
) -> None:
    """Fill ``places`` with those of the best of ``drawn``, best first; of equal ones the lower clip."""
    found = 0
    for place in range(len(drawn)):
        score = increment(tables, rows, place)
        if found == len(places):
            last = places[found - 1]
            if score < scores[found - 1] or (score == scores[found - 1] and drawn[place] > drawn[last]):
                continue
        else:
            found += 1
        at = found - 1
        while at and (
            score > scores[at - 1] or (score == scores[at - 1] and drawn[place] < drawn[places[at - 1]])
        ):
            scores[at], places[at] = scores[at - 1], places[at - 1]
            at -= 1
        scores[at], places[at] = score, place


@_jit
def by_batches(tables: Tables, labels: Labels, progress: Progress, upto: int, batch: int, take: int) -> None:
    """``reference.by_batches``, on to ``upto`` clips."""
    pool, at = progress.pool, progress.at
    rows = np.empty((batch, labels.shape[1]), labels.dtype)
    while at[1] < upto:
        size, wanted = 1, 1
        if at[1]:
            size, wanted = min(batch, at[0]), min(take, len(progress.chosen) - at[1], at[0])
        for place in range(size):
            other = place + below(progress.random, at[0] - place)
            pool[place], pool[other] = pool[other], pool[place]
        # Gathered first: the memory is asked for many rows at once.
        for place in range(size):
            for layer in range(labels.shape[1]):
                rows[place, layer] = labels[pool[place], layer]
        places, scores = np.empty(wanted, np.int64), np.empty(wanted, np.int64)
        _best(tables, rows, pool[:size], places, scores)
        for best in places:
            _take(tables, labels, progress, pool[best])
        for best in -np.sort(-places):
            at[0] -= 1
            pool[best] = pool[at[0]]


@_jit
def exactly(tables: Tables, labels: Labels, progress: Progress, lists: Lists, upto: int) -> None:
    """``reference.exactly``, on to ``upto`` clips, with the increments of all clips kept.

    A clip that is chosen changes the increments of those alone that share a label with it.
    """
    at = progress.at
    while at[1] < upto:
        row = _highest(lists.increments) if at[1] else below(progress.random, len(labels))
        _share(tables, labels, lists, row)
        _take(tables, labels, progress, row)
        lists.increments[row] = _CHOSEN
        at[0] -= 1


@_jit
def _highest(values: NDArray[np.int64]) -> int:
    best = values[0]
    for value in values:
        best = max(best, value)
    for place in range(len(values)):
        if values[place] == best:
            return place
    return 0


@_jit
def _share(tables: Tables, labels: Labels, lists: Lists, row: int) -> None:
    """Bring the increments up to date with one more clip, ``row``, before it is counted."""
    grows = np.empty(len(tables.first), np.int64)
    for pair in range(len(tables.first)):
        cell = tables.start[pair] + np.int64(labels[row, tables.first[pair]]) * tables.width[pair]
        held = tables.cells[cell + np.int64(labels[row, tables.second[pair]])]
        grows[pair] = tables.step[held + 1] - tables.step[held]
    for layer in range(len(tables.weight)):
        label = tables.margin_start[layer] + np.int64(labels[row, layer])
        held = tables.margins[label]
        loses = np.int64(tables.weight[layer] * (tables.step[held + 1] - tables.step[held]))
        for place in range(lists.start[layer, labels[row, layer]], lists.start[layer, labels[row, layer] + 1]):
            other = lists.clips[layer, place]
            change: Any = -loses
            for pair in range(lists.pairs[layer], lists.pairs[layer + 1]):
                second = tables.second[pair]
                if labels[other, second] == labels[row, second]:
                    change += grows[pair]
            lists.increments[other] += change
