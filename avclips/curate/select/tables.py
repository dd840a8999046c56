"""Contingency tables of pairs of layers, and what one more clip adds to their mutual information.

With f(m) = m ln m, the mutual information in nats of n clips, of one table with cells N and margins A and B, is

    (sum f(N) - sum f(A) - sum f(B)) / n + ln n.

One more clip changes one cell and two margins, each from m to m + 1: by d(m) = f(m + 1) - f(m). So clips are
ranked, without a sum over any table, by their increment:

    (sum of d(cell) over the pairs) - (sum of w d(margin) over the layers), w: in how many pairs a layer is.

Counts are integers, and so are increments, in units of 2**-40 nats (``UNIT``): finer than a sum of that size is in
float64. So they do not depend on the order of the sum, and clips that add the same are seen to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.unsignedinteger[Any]]
# Of an increment, in nats.
UNIT = 2.0**-40


class Tables(NamedTuple):
    """Flat arrays, as the compiled loops take them; the counts and what they come to are changed in place.

    Of pair p: ``first[p]`` and ``second[p]`` are its layers, its cell of labels a and b is at ``start[p] + a *
    width[p] + b`` of ``cells`` and ``cell_gain``. Of layer l, label a is at ``margin_start[l] + a`` of ``margins``
    and ``margin_loss``; ``weight[l]``: in how many pairs it is. ``step``: d(m) of each m, in ``UNIT``.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    start: NDArray[np.int64]
    width: NDArray[np.int64]
    margin_start: NDArray[np.int64]
    weight: NDArray[np.int64]
    cells: NDArray[np.int64]
    cell_gain: NDArray[np.int64]
    margins: NDArray[np.int64]
    margin_loss: NDArray[np.int64]
    step: NDArray[np.int64]


def empty(clusters: Sequence[int], pairs: Sequence[tuple[int, int]], most: int) -> Tables:
    """Tables of no clip, of layers with so many clusters; at most ``most`` clips will be added."""
    first, second = (np.array(each, np.int64) for each in zip(*pairs, strict=True))
    sizes = np.array(clusters, np.int64)
    cell_count = sizes[first] * sizes[second]
    weight = np.bincount(np.concatenate([first, second]), minlength=len(sizes))
    return Tables(
        first=first,
        second=second,
        start=np.cumsum(cell_count) - cell_count,
        width=sizes[second],
        margin_start=np.cumsum(sizes) - sizes,
        weight=weight,
        # d(0) is 0: an empty cell adds nothing.
        cells=np.zeros(cell_count.sum(), np.int64),
        cell_gain=np.zeros(cell_count.sum(), np.int64),
        margins=np.zeros(sizes.sum(), np.int64),
        margin_loss=np.zeros(sizes.sum(), np.int64),
        step=steps(most + 1),
    )


def steps(count: int) -> NDArray[np.int64]:
    """d(m) = (m + 1) ln(m + 1) - m ln m of m = 0, 1, ..., count - 1, in ``UNIT``."""
    numbers = np.arange(1, count, dtype=np.float64)
    # Not the difference of two large numbers.
    nats = np.concatenate([[0.0], numbers * np.log1p(1 / numbers) + np.log(numbers + 1)])
    return np.round(nats / UNIT).astype(np.int64)


def increments(tables: Tables, rows: Labels) -> NDArray[np.int64]:
    """What each of these clips, (clips, layers), would add, in ``UNIT``: the numbers by which they are ranked."""
    total = np.zeros(len(rows), np.int64)
    wide = rows.astype(np.int64)
    for first, second, start, width in zip(*tables[:4], strict=True):
        total += tables.cell_gain[start + wide[:, first] * width + wide[:, second]]
    for layer, start in enumerate(tables.margin_start):
        total -= tables.margin_loss[start + wide[:, layer]]
    return total


def add(tables: Tables, rows: Labels) -> None:
    """Count these clips, (clips, layers)."""
    wide = rows.astype(np.int64)
    for first, second, start, width in zip(*tables[:4], strict=True):
        np.add.at(tables.cells, start + wide[:, first] * width + wide[:, second], 1)
    for layer, start in enumerate(tables.margin_start):
        np.add.at(tables.margins, start + wide[:, layer], 1)
    tables.cell_gain[:] = tables.step[tables.cells]
    layers = np.repeat(np.arange(len(tables.weight)), np.diff([*tables.margin_start, len(tables.margins)]))
    tables.margin_loss[:] = tables.weight[layers] * tables.step[tables.margins]


def mutual_information(tables: Tables) -> float:
    """The mean over the pairs, in nats, of what has been counted; 0 of no clip."""
    count = tables.margins[: tables.margin_start[1]].sum() if len(tables.weight) > 1 else tables.margins.sum()
    if not count:
        return 0.0
    layers = np.repeat(np.arange(len(tables.weight)), np.diff([*tables.margin_start, len(tables.margins)]))
    total = _entropic(tables.cells).sum() - (tables.weight[layers] * _entropic(tables.margins)).sum()
    return float(total / len(tables.first) / count + np.log(count))


def pointwise(tables: Tables, rows: Labels) -> NDArray[np.float64]:
    """The mean over the pairs of ln(N n / (A B)) of each clip's own cells, in nats; its cells must be counted.

    The mean over the clips that were counted is their mutual information.
    """
    wide = rows.astype(np.int64)
    total = np.zeros(len(rows))
    with np.errstate(divide="ignore"):
        cells, margins = np.log(tables.cells), np.log(tables.margins)
    for first, second, start, width in zip(*tables[:4], strict=True):
        total += cells[start + wide[:, first] * width + wide[:, second]]
    for layer, (start, weight) in enumerate(zip(tables.margin_start, tables.weight, strict=True)):
        if weight:
            total -= weight * margins[start + wide[:, layer]]
    count = tables.margins[: tables.margin_start[1]].sum()
    return np.asarray(total / len(tables.first) + np.log(count))


def _entropic(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """m ln m."""
    return np.asarray(counts * np.log(np.maximum(counts, 1)))
