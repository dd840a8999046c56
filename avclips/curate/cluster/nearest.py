"""The nearest centre of each row, truly: what a matrix product cannot tell apart is computed again, exactly.

So labels depend neither on the BLAS that multiplies nor on its threads, nor on which rows come together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
# Rows at a time: their float32 stay in a core's cache.
ROWS = 1024
# Rows of which all distances are computed in float64 at a time.
EXACT_ROWS = 64


@dataclass(frozen=True)
class Centres:
    """k-means of one layer.

    ``centres``: (k, dims) float32, of rows from which ``mean`` was taken and which were multiplied by ``scale``
    ((dims,) float32 each): one over the standard deviation where the layer is whitened, else 1.
    """

    centres: Array
    mean: Array
    scale: Array

    @property
    def count(self) -> int:
        return len(self.centres)

    def assign(self, rows: Array, every: int = 1) -> tuple[Array, float]:
        """The label of each row, (n,) uint8 or uint16, ties to the lowest; the sum of squared distances.

        ``rows``: (n, dims), any float type, as features are stored. ``every``: the sum is that of each so many-th
        row, the first among them.
        """
        labels = np.empty(len(rows), label_type(self.count))
        inertia = 0.0
        twice = np.ascontiguousarray(2 * self.centres.T)
        squares = (self.centres.astype(np.float64) ** 2).sum(axis=1)
        most = float(np.sqrt(squares.max()))
        lower = squares.astype(np.float32)
        for start in range(0, len(rows), ROWS):
            part = self.whitened(rows[start : start + ROWS])
            scores = part @ twice
            scores -= lower
            found = scores.argmax(axis=1)
            which = np.arange(len(part))
            best = scores[which, found]
            lengths = np.einsum("ij,ij->i", part, part)
            if self.count > 1:
                scores[which, found] = -np.inf
                # Of a sum of products in float32, in any order, with room.
                doubt = np.float32(32 * np.sqrt(part.shape[1]) * np.finfo(np.float32).eps) * (
                    np.sqrt(lengths) * np.float32(2 * most) + np.float32(most * most)
                )
                near = np.flatnonzero(best - scores.max(axis=1) <= doubt)
                for at in range(0, len(near), EXACT_ROWS):
                    some = near[at : at + EXACT_ROWS]
                    found[some] = self._exactly(part[some])
            labels[start : start + ROWS] = found
            # Not from the product, whose last digits are those of its threads.
            summed = slice(-start % every, None, every)
            apart = part[summed] - self.centres[found[summed]]
            inertia += float(np.einsum("ij,ij->i", apart, apart).sum(dtype=np.float64))
        return labels, inertia

    def whitened(self, rows: Array) -> Array:
        """(n, dims) float32."""
        made = np.subtract(rows, self.mean, dtype=np.float32)
        if (self.scale != 1).any():
            made *= self.scale
        return made

    def _exactly(self, part: Array) -> Array:
        apart = part[:, None, :].astype(np.float64) - self.centres[None]
        return np.asarray((apart * apart).sum(axis=2).argmin(axis=1))


def label_type(count: int) -> type[np.unsignedinteger[Any]]:
    """What numbers of ``count`` clusters fit into."""
    return np.uint8 if count <= 256 else np.uint16
