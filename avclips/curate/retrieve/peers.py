"""Other ways to tell true pairs from false ones: a score for each pair, learned from all pairs, true and false.

All layers of a side are standardised and laid side by side first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .pairs import Array, Pairs

# How many dimensions both sides are brought to.
_DIMS = 16
_TEMPERATURE, _STEPS, _RATE, _BATCH = 0.1, 300, 0.02, 256


def cca(pairs: Pairs, seed: int) -> Array:
    """The cosine of both sides after canonical correlation analysis, directions weighted by their correlation."""
    (seen, _), (heard, _) = _whitened(pairs.seen), _whitened(pairs.heard)
    left, weights, right = np.linalg.svd(seen.T @ heard)
    dims = min(_DIMS, len(weights))
    strength = np.sqrt(weights[:dims])
    return _cosine(seen @ left[:, :dims] * strength, heard @ right[:dims].T * strength)


def pca(pairs: Pairs, seed: int) -> Array:
    """The inner product of both sides, each after a principal component analysis of its own."""
    (seen, sizes), (heard, others) = _whitened(pairs.seen), _whitened(pairs.heard)
    dims = min(_DIMS, seen.shape[1], heard.shape[1])
    return np.asarray((seen[:, :dims] * sizes[:dims] * heard[:, :dims] * others[:dims]).sum(1))


def contrastive(pairs: Pairs, seed: int) -> Array:
    """The cosine after two linear maps that InfoNCE trained, with batches of 256 and Adam."""
    rng = np.random.default_rng([seed, 8])
    sides = [_whitened(each)[0] * np.sqrt(len(pairs.true)) for each in (pairs.seen, pairs.heard)]
    maps: list[Any] = [rng.standard_normal((side.shape[1], _DIMS)) / np.sqrt(side.shape[1]) for side in sides]
    first, second = [np.zeros_like(each) for each in maps], [np.zeros_like(each) for each in maps]
    for step in range(1, _STEPS + 1):
        rows = rng.permutation(len(pairs.true))[:_BATCH]
        for side, slope in enumerate(_slopes([each[rows] for each in sides], maps)):
            first[side] = 0.9 * first[side] + 0.1 * slope
            second[side] = 0.999 * second[side] + 0.001 * slope**2
            found = first[side] / (1 - 0.9**step), second[side] / (1 - 0.999**step)
            maps[side] = maps[side] - _RATE * found[0] / (np.sqrt(found[1]) + 1e-8)
    return _cosine(sides[0] @ maps[0], sides[1] @ maps[1])


def _slopes(sides: list[Any], maps: list[Any]) -> list[Any]:
    """The gradient of symmetric InfoNCE for each of the two maps."""
    raw = [side @ each for side, each in zip(sides, maps, strict=True)]
    lengths = [np.linalg.norm(each, axis=1, keepdims=True) + 1e-9 for each in raw]
    unit = [each / length for each, length in zip(raw, lengths, strict=True)]
    logits = unit[0] @ unit[1].T / _TEMPERATURE
    wanted = np.eye(len(logits))
    error = (_softmax(logits) - wanted + (_softmax(logits.T) - wanted).T) / (2 * len(logits) * _TEMPERATURE)
    made = []
    for side, slope in enumerate((error @ unit[1], error.T @ unit[0])):
        along = (slope * unit[side]).sum(1, keepdims=True)
        made.append(sides[side].T @ ((slope - along * unit[side]) / lengths[side]))
    return made


def _softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _whitened(layers: tuple[Array, ...]) -> tuple[Any, Any]:
    """The principal components of all layers, orthonormal, and how much each varies; but what hardly varies."""
    wide = np.concatenate([np.asarray(layer, np.float64) for layer in layers], axis=1)
    wide = wide - wide.mean(0)
    spread = wide.std(0)
    wide = wide[:, spread > 1e-9] / spread[spread > 1e-9] / np.sqrt(len(wide))
    made, sizes, _ = np.linalg.svd(wide, full_matrices=False)
    # Of more directions than a tenth of the pairs, the rest is chance.
    kept = min(int((sizes > 1e-3 * sizes[0]).sum()), max(2, len(wide) // 10))
    return made[:, :kept], sizes[:kept]


def _cosine(one: Any, other: Any) -> Array:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1) + 1e-12
    return np.asarray((one * other).sum(1) / lengths)


PEERS: dict[str, Callable[[Pairs, int], Array]] = {"cca": cca, "pca": pca, "contrastive": contrastive}
