"""The experiment: who finds the true pairs among true and false ones? Precision, recall and F1 at each K."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..assignments import Layer
from ..cluster.backend import choose_backend
from ..cluster.kmeans import train
from ..features.extractor import Modality
from ..select.choose import choose
from ..select.method import Method
from ..select.pairs import PAIRINGS
from .pairs import Array, Pairs, TwoSided, pairs_of
from .peers import PEERS
from .settings import CLUSTERS

# At which shares of K the course is written down.
_SHARES = np.linspace(0.1, 2.0, 20)
OBJECTIVES = (
    *(f"{how} {pairing}" for how in ("backward", "mi") for pairing in PAIRINGS),
    *PEERS,
    "random",
)


@dataclass(frozen=True)
class Found:
    """Of one objective and one seed. ``ks``: how many are taken; the three measures at each.

    ``at_k``: the precision where as many are taken as there are true pairs; recall is the same there.
    """

    objective: str
    seed: int
    at_k: float
    ks: tuple[int, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]


def run(
    make: Callable[[int], TwoSided],
    seeds: Sequence[int],
    clusters: int = CLUSTERS,
    method: Method = Method(how="greedy"),  # noqa: B008
    told: Callable[[], None] = lambda: None,
) -> list[Found]:
    """Every objective, with every seed. ``make``: the data for a seed; ``told``: after each objective."""
    found: list[Found] = []
    for seed in seeds:
        pairs = pairs_of(make(seed), seed)
        for objective, order in orders(pairs, seed, clusters, method):
            found.append(measured(objective, seed, pairs.true[order], int(pairs.true.sum())))
            told()
    return found


def orders(pairs: Pairs, seed: int, clusters: int, method: Method) -> Iterable[tuple[str, NDArray[np.int64]]]:
    """The pairs, those first that an objective takes first.

    ``backward``: as select does it; ``mi``: the original's way, with as many drawn and taken as ``method`` has.
    """
    layers, labels = clustered(pairs, seed, clusters)
    most = min(len(labels), int(np.ceil(_SHARES[-1] * pairs.true.sum())))
    for pairing in PAIRINGS:
        if pairing == "diagonal" and len(pairs.seen) != len(pairs.heard):
            continue
        yield f"backward {pairing}", choose(layers, labels, most, Method(pairing)).rows.astype(np.int64)
        how = replace(method, pairs=pairing, seed=seed)
        yield f"mi {pairing}", choose(layers, labels, most, how).rows.astype(np.int64)
    for name, peer in PEERS.items():
        yield name, np.argsort(-peer(pairs, seed), kind="stable")
    yield "random", np.random.default_rng([seed, 9]).permutation(len(labels))


def clustered(pairs: Pairs, seed: int, clusters: int) -> tuple[list[Layer], Any]:
    """k-means of each layer of each side."""
    backend = choose_backend()
    layers: list[Layer] = []
    columns = []
    sides: dict[Modality, tuple[Array, ...]] = {"audio": pairs.heard, "video": pairs.seen}
    for modality, side in sides.items():
        for number, layer in enumerate(side):
            rows = np.ascontiguousarray(layer, np.float32)
            centres = train(rows, clusters, 100 * seed + len(layers), pairs.whiten, backend)
            columns.append(centres.assign(rows)[0])
            layers.append(Layer(f"{modality}/{number}", modality, clusters))
    return layers, np.stack(columns, axis=1)


def measured(objective: str, seed: int, hits: NDArray[np.bool_], true: int) -> Found:
    """The measures of an order of pairs. ``hits``: which of them are true; ``true``: how many there are in all."""
    ks = [int(k) for k in np.unique(np.minimum(np.round(_SHARES * true), len(hits)).astype(int))]
    right = np.cumsum(hits)
    precision = [float(right[k - 1] / k) for k in ks]
    recall = [float(right[k - 1] / true) for k in ks]
    f1 = [2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(precision, recall, strict=True)]
    return Found(
        objective, seed, float(right[true - 1] / true), tuple(ks), tuple(precision), tuple(recall), tuple(f1)
    )
