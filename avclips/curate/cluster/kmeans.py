"""Centres of one layer from a sample of its rows: by faiss, else scikit-learn, or torch on a GPU.

One thread trains: with more, faiss and scikit-learn add in another order, and the same seed gives other centres. A
sample of some hundred rows a cluster takes no time that matters; the pass over all rows is what costs.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...core.errors import UsageError
from ...core.extras import extra
from .backend import WHAT, Backend
from .nearest import Array, Centres

ITERATIONS = 25
# Rows a cluster among which the beginnings are drawn.
SEEDING = 64


def train(sample: Array, count: int, seed: int, whiten: bool, backend: Backend) -> Centres:
    """k-means of a sample (n, dims), any float type, into ``count`` clusters.

    UsageError where there are fewer rows than clusters.
    """
    if count > len(sample):
        raise UsageError(f"{len(sample)} clips cannot be {count} clusters", f"--clusters {len(sample)} or fewer")
    mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    scale = np.ones_like(mean)
    if whiten:
        deviation = sample.astype(np.float32).std(axis=0, dtype=np.float64)
        # What never changes tells nothing.
        scale = np.where(deviation > 1e-6, 1 / np.maximum(deviation, 1e-6), 0.0).astype(np.float32)
    rows = Centres(np.zeros((1, len(mean)), np.float32), mean, scale).whitened(sample)
    trainers = {"faiss": _by_faiss, "sklearn": _by_sklearn, "torch": _by_torch}
    random = np.random.default_rng(seed)
    centres = trainers[backend](rows, beginning(rows, count, random))
    return Centres(np.ascontiguousarray(centres, np.float32), mean, scale)


def beginning(rows: Array, count: int, random: np.random.Generator) -> Array:
    """Rows to begin with, (count, dims): each drawn by its squared distance from those before it.

    k-means++ (Arthur and Vassilvitskii, 2007), on SEEDING rows a cluster at most. At random, as faiss begins, some
    clusters begin in one place, and stay there.
    """
    some = rows
    if len(rows) > SEEDING * count:
        some = rows[np.sort(random.choice(len(rows), SEEDING * count, replace=False))]
    chosen = [int(random.integers(len(some)))]
    least = np.full(len(some), np.inf)
    for _ in range(count - 1):
        apart = some - some[chosen[-1]]
        least = np.minimum(least, np.einsum("ij,ij->i", apart, apart, dtype=np.float64))
        total = np.cumsum(least)
        if total[-1] > 0:
            at = int(np.searchsorted(total, random.random() * total[-1], side="right"))
            chosen.append(min(at, len(some) - 1))
        else:
            # All are where one of the chosen is.
            chosen.append(int(random.integers(len(some))))
    return np.ascontiguousarray(some[chosen], np.float32)


def _by_faiss(rows: Array, first: Array) -> Array:
    faiss = extra("faiss", WHAT)
    count, dims = first.shape
    # It says on the standard error, by itself, that there are few rows; the caller does.
    limits = {"min_points_per_centroid": 1, "max_points_per_centroid": 1 << 30}
    means = faiss.Kmeans(dims, count, niter=ITERATIONS, **limits)
    with _one_thread(faiss):
        means.train(np.ascontiguousarray(rows, np.float32), init_centroids=first)
    return np.asarray(means.centroids)


@contextmanager
def _one_thread(faiss: Any) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _by_sklearn(rows: Array, first: Array) -> Array:
    extra("sklearn", WHAT)
    cluster = importlib.import_module("sklearn.cluster")
    # scikit-learn itself needs it.
    with importlib.import_module("threadpoolctl").threadpool_limits(1), warnings.catch_warnings():
        # Of fewer different points than clusters the report says that clusters are empty.
        warnings.simplefilter("ignore", importlib.import_module("sklearn.exceptions").ConvergenceWarning)
        means = cluster.KMeans(len(first), init=first, n_init=1, max_iter=ITERATIONS).fit(rows)
    return np.asarray(means.cluster_centers_)


def _by_torch(rows: Array, first: Array) -> Array:
    """Lloyd's iterations; a cluster that gets empty keeps its centre."""
    torch = extra("torch", WHAT)
    points = torch.from_numpy(rows).to("cuda" if torch.cuda.is_available() else "cpu")
    centres = torch.from_numpy(first).to(points.device)
    for _ in range(ITERATIONS):
        labels = torch.cdist(points, centres).argmin(dim=1)
        # Sums by a product: adding by index is in no order on a GPU.
        one_hot = torch.nn.functional.one_hot(labels, len(centres)).to(points.dtype)
        sizes = one_hot.sum(dim=0)[:, None]
        centres = torch.where(sizes > 0, (one_hot.T @ points) / sizes.clamp(min=1), centres)
    return np.asarray(centres.cpu().numpy())
