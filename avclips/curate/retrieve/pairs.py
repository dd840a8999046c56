"""Things with two sides, of a known kind each, as layers of features; and true and false pairs made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..synthetic.plan import deal

Array = NDArray[np.floating[Any]]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class TwoSided:
    """``kinds``: (things,) from 0 up. ``seen`` and ``heard``: layers, (things, dims) each.

    Of data without sound, ``heard`` is the other picture. ``whiten``: whether each number of a layer is divided by
    its standard deviation before it is clustered.
    """

    name: str
    kinds: Numbers
    seen: tuple[Array, ...]
    heard: tuple[Array, ...]
    whiten: bool = True


@dataclass(frozen=True)
class Pairs:
    """Every thing's picture with a sound: ``true`` where both are of one kind; layers as in ``TwoSided``."""

    true: NDArray[np.bool_]
    seen: tuple[Array, ...]
    heard: tuple[Array, ...]
    whiten: bool = True


def pairs_of(data: TwoSided, seed: int) -> Pairs:
    """Half of the kinds keep their own sounds; those of the others are dealt among them, each to another kind."""
    sounds = deal(data.kinds, 0.5, "kinds", np.random.default_rng([seed, 4]))
    true = data.kinds[sounds] == data.kinds
    return Pairs(true, data.seen, tuple(layer[sounds] for layer in data.heard), data.whiten)


def balanced(kinds: Numbers, classes: int, most: int, seed: int) -> Numbers:
    """Things of ``classes`` kinds drawn at random, as many of each, at most ``most``: their numbers, ascending."""
    rng = np.random.default_rng([seed, 5])
    names, counts = np.unique(kinds, return_counts=True)
    # The largest ones, so that few of a kind do not make few of all.
    large = names[np.argsort(-counts, kind="stable")][
        : max(classes, min(2 * classes, int((counts >= most).sum())))
    ]
    chosen = rng.permutation(large)[:classes]
    each = int(min(most, *(counts[names == kind][0] for kind in chosen)))
    return np.sort(np.concatenate([rng.permutation(np.flatnonzero(kinds == kind))[:each] for kind in chosen]))
