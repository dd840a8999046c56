"""Centres of one layer from a sample of its rows: by faiss, else scikit-learn, or torch on a GPU.

One thread trains: with more, faiss and scikit-learn add in another order, and the same seed gives other centres. A
sample of some hundred rows a cluster takes no time that matters; the pass over all rows is what costs.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from ...core.errors import UsageError
from ...core.extras import extra
from .nearest import Array, Centres

Backend = Literal["faiss", "sklearn", "torch"]
BACKENDS: tuple[Backend, ...] = ("faiss", "sklearn", "torch")
ITERATIONS = 25
# Beginnings, of which the best counts.
TRIES = 2
_WHAT = "clusters are found"


def choose_backend(asked: str = "auto") -> Backend:
    """The library that trains: the one that is asked for, or the first that is here. UsageError where none is.

    torch only where it sees a GPU, or is asked for: on a CPU faiss is faster.
    """
    if asked != "auto":
        found = next((each for each in BACKENDS if each == asked), None)
        if found is None:
            raise UsageError(f"there is no {asked!r} for k-means", f"there are auto, {', '.join(BACKENDS)}")
        extra(found, _WHAT)
        return found
    if importlib.util.find_spec("torch") is not None and importlib.import_module("torch").cuda.is_available():
        return "torch"
    if importlib.util.find_spec("faiss") is None and importlib.util.find_spec("sklearn") is not None:
        return "sklearn"
    extra("faiss", _WHAT)
    return "faiss"


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
    centres = trainers[backend](rows, count, seed)
    return Centres(np.ascontiguousarray(centres, np.float32), mean, scale)


def _by_faiss(rows: Array, count: int, seed: int) -> Array:
    faiss = extra("faiss", _WHAT)
    # It says on the standard error, by itself, that there are few rows; the caller does.
    limits = {"min_points_per_centroid": 1, "max_points_per_centroid": 1 << 30}
    means = faiss.Kmeans(rows.shape[1], count, niter=ITERATIONS, nredo=TRIES, seed=seed % (1 << 31), **limits)
    with _one_thread(faiss):
        means.train(np.ascontiguousarray(rows, np.float32))
    return np.asarray(means.centroids)


@contextmanager
def _one_thread(faiss: Any) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _by_sklearn(rows: Array, count: int, seed: int) -> Array:
    extra("sklearn", _WHAT)
    cluster = importlib.import_module("sklearn.cluster")
    # scikit-learn itself needs it.
    with importlib.import_module("threadpoolctl").threadpool_limits(1):
        means = cluster.KMeans(count, n_init=TRIES, max_iter=ITERATIONS, random_state=seed % (1 << 31))
        return np.asarray(means.fit(rows).cluster_centers_)


def _by_torch(rows: Array, count: int, seed: int) -> Array:
    torch = extra("torch", _WHAT)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    points = torch.from_numpy(rows).to(device)
    random = np.random.default_rng(seed)
    best, centres = np.inf, rows[:count]
    for _ in range(TRIES):
        found, inertia = _lloyd(torch, points, random.choice(len(rows), count, replace=False), random)
        if inertia < best:
            best, centres = inertia, found
    return centres


def _lloyd(torch: Any, points: Any, first: Array, random: np.random.Generator) -> tuple[Array, float]:
    """Lloyd's iterations; a cluster that gets empty starts again at a random point."""
    centres = points[torch.from_numpy(first).to(points.device)]
    inertia = np.inf
    for _ in range(ITERATIONS):
        distances = torch.cdist(points, centres) ** 2
        least, labels = distances.min(dim=1)
        inertia = float(least.double().sum())
        # Sums by a product: adding by index is in no order on a GPU.
        one_hot = torch.nn.functional.one_hot(labels, len(centres)).to(points.dtype)
        sizes = one_hot.sum(dim=0)
        centres = (one_hot.T @ points) / sizes.clamp(min=1)[:, None]
        for empty in torch.nonzero(sizes == 0).flatten().tolist():
            centres[empty] = points[int(random.integers(len(points)))]
    return centres.cpu().numpy(), inertia
