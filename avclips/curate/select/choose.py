"""One selection: from assignments to the clips that are kept, what each added, and the curve of the objective."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...core.errors import RunError, UsageError
from ...core.extras import extra
from ..assignments import Layer
from . import backward
from .method import Method
from .pairs import Pairing, pairs_of
from .tables import UNIT, Labels, Tables, empty, pointwise

# Of how many points the curve is, at most; how often a caller hears how far it is.
_POINTS, _TOLD = 60, 400
# From how many clips a table of C x C says something: five times its cells.
ENOUGH_PER_CELL = 5
_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Point:
    """``mi``: of the first ``clips`` selected, in nats; ``random``: of as many clips drawn at random."""

    clips: int
    mi: float
    random: float


@dataclass(frozen=True)
class Selection:
    """``rows``: the clips by number, in the order in which they were chosen.

    ``gains``: by how much each changed the objective, in nats. ``scores``: the pointwise mutual information of
    each within the whole selection; their mean is the objective.
    """

    rows: NDArray[np.int32]
    gains: NDArray[np.float64]
    scores: NDArray[np.float64]
    curve: tuple[Point, ...]


def how_many(keep: float | int, clips: int) -> int:
    """The number of clips to keep of so many; ``keep``: a share (a float up to 1) or a number (an int)."""
    if isinstance(keep, float):
        if not 0 < keep <= 1:
            raise UsageError(
                f"{keep} is no share of the clips", "name one above 0 and up to 1.0, or a whole number"
            )
        return max(1, round(keep * clips))
    if not 1 <= keep <= clips:
        raise UsageError(
            f"{keep} clips cannot be kept of {clips}", "name a share such as 0.2, or a smaller number"
        )
    return keep


def warnings(layers: Sequence[Layer], kept: int) -> list[str]:
    """What makes a mutual information of so few clips say little."""
    most = max(layer.clusters for layer in layers)
    needed = ENOUGH_PER_CELL * most**2
    if kept >= needed:
        return []
    return [
        f"{kept} clips in tables of {most} x {most} clusters: mutual information is mostly chance below {needed}; "
        "compare it with the random subset's, or cluster with a smaller --clusters"
    ]


def choose(
    layers: Sequence[Layer],
    labels: Labels,
    keep: int,
    method: Method,
    told: Callable[[int], None] = lambda clips: None,
) -> Selection:
    """Choose ``keep`` clips. ``labels``: (clips, layers). ``told``: hears how many more are chosen.

    RunError where a label is none of its layer's.
    """
    extra("numba", "selection is compiled")
    from . import kernel

    clusters, pairs, columns = _used(layers, labels, method.pairs)
    # The loops are compiled for what may be written to, or for what may not; mapped files may not.
    columns = columns.view()
    columns.flags.writeable = False
    tables, gained = empty(clusters, pairs, keep), np.empty(keep, np.int64)
    if method.how == "backward":
        chosen = backward.ranked(clusters, pairs, columns, keep, method.rounds, told)[:keep]
        kernel.count_all(tables, columns, chosen, gained)
    else:
        chosen = _forward(tables, columns, clusters, method, gained, told)
    by_chance = np.random.default_rng([method.seed, 1]).permutation(np.arange(len(labels), dtype=np.int32))[:keep]
    chance, of_chance = empty(clusters, pairs, keep), np.empty(keep, np.int64)
    kernel.count_all(chance, columns, by_chance, of_chance)
    objective, random = (_objective(each, len(pairs)) for each in (gained, of_chance))
    curve = tuple(Point(at, float(objective[at - 1]), float(random[at - 1])) for at in _points(keep))
    scores = [pointwise(tables, columns[chosen[at : at + _AT_ONCE]]) for at in range(0, keep, _AT_ONCE)]
    return Selection(chosen, np.diff(objective, prepend=0.0), np.concatenate(scores), curve)


def _used(
    layers: Sequence[Layer], labels: Labels, pairing: Pairing
) -> tuple[list[int], list[tuple[int, int]], Labels]:
    """Of the layers that are in a pair: their numbers of clusters, the pairs of them, and their labels."""
    # By their first layer, as the lists of ``exactly`` want them.
    pairs = sorted(pairs_of(layers, pairing))
    used = sorted({layer for pair in pairs for layer in pair})
    _check(layers, labels)
    clusters = [layers[layer].clusters for layer in used]
    here = [(used.index(one), used.index(other)) for one, other in pairs]
    columns: Labels = np.asarray(labels) if len(used) == labels.shape[1] else np.ascontiguousarray(labels[:, used])
    return clusters, here, columns


def _forward(
    tables: Tables,
    labels: Labels,
    clusters: Sequence[int],
    method: Method,
    gained: NDArray[np.int64],
    told: Callable[[int], None],
) -> NDArray[np.int32]:
    """The clips in the order in which they are chosen, as many as ``gained`` has place for; fills that."""
    from . import kernel

    keep, exact = len(gained), method.how == "exact"
    progress = kernel.Progress(
        pool=np.arange(0 if exact else len(labels), dtype=np.int32),
        at=np.array([len(labels), 0]),
        chosen=np.empty(keep, np.int32),
        gained=gained,
        random=np.array([method.seed], np.uint64),
    )
    lists = kernel.lists_of(tables, labels, clusters) if exact else None
    done = 0
    for upto in [*range(0, keep, max(1, keep // _TOLD))[1:], keep]:
        if lists is not None:
            kernel.exactly(tables, labels, progress, lists, upto)
        else:
            kernel.by_batches(tables, labels, progress, upto, method.batch, method.take)
        told(upto - done)
        done = upto
    return progress.chosen


def _objective(gained: NDArray[np.int64], pairs: int) -> NDArray[np.float64]:
    """The mean mutual information after each clip, in nats, out of their increments."""
    numbers = np.arange(1, len(gained) + 1)
    return np.asarray(np.cumsum(gained * UNIT) / (pairs * numbers) + np.log(numbers))


def _points(count: int) -> list[int]:
    """Where the curve is looked at: closer where it is steep."""
    half = _POINTS // 2
    found = np.concatenate([np.geomspace(1, count, half), np.linspace(1, count, half)])
    return [int(each) for each in np.unique(np.round(found).astype(int))]


def _check(layers: Sequence[Layer], labels: Labels) -> None:
    limits = np.array([layer.clusters for layer in layers])
    highest = np.zeros(len(layers), np.int64)
    for at in range(0, len(labels), _AT_ONCE):
        np.maximum(highest, labels[at : at + _AT_ONCE].max(axis=0), out=highest)
    wrong = highest >= limits
    if np.any(wrong):
        layer = int(np.argmax(wrong))
        raise RunError(
            f"a clip is in cluster {highest[layer]} of {layers[layer].name}, which has {limits[layer]}",
            "these are assignments of several clusterings: cluster anew",
        )
