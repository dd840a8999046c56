"""Which layers are compared with which: the pairs whose mutual information the objective is the mean of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Literal, get_args

from ...core.errors import UsageError

if TYPE_CHECKING:
    from ..assignments import Layer

Pairing = Literal["bipartite", "combination", "diagonal", "last"]
PAIRINGS: tuple[Pairing, ...] = get_args(Pairing)
MEANING = {
    "bipartite": "each layer of the sound with each of the picture",
    "combination": "each two layers, of whichever",
    "diagonal": "the first of the sound with the first of the picture, and so on",
    "last": "the last of each",
}


def pairs_of(layers: Sequence[Layer], pairing: Pairing) -> tuple[tuple[int, int], ...]:
    """The pairs of layers, by their numbers. UsageError where the layers allow none."""
    heard = [number for number, layer in enumerate(layers) if layer.modality == "audio"]
    seen = [number for number, layer in enumerate(layers) if layer.modality == "video"]
    if not heard or not seen:
        missing = "audio" if not heard else "video"
        raise UsageError(
            f"the clustering has no layer of {missing}: {', '.join(layer.name for layer in layers)}",
            "choose features of sound and of picture in avclips curate features",
        )
    match pairing:
        case "bipartite":
            return tuple((one, other) for one in heard for other in seen)
        case "combination":
            return tuple(combinations(range(len(layers)), 2))
        case "diagonal":
            if len(heard) != len(seen):
                raise UsageError(
                    f"{len(heard)} layers of sound and {len(seen)} of picture: a diagonal needs as many of each",
                    "take --pairs bipartite",
                )
            return tuple(zip(heard, seen, strict=True))
        case "last":
            return ((heard[-1], seen[-1]),)
