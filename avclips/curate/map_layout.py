"""Where the clips of the explorer's map lie: by PCA at once, by UMAP once that has been computed.

UMAP (L. McInnes and others, arXiv:1802.03426; the package umap-learn) keeps neighbours together where two
principal components lay heaps over each other. It takes a minute or more, in which it lets no other thread of its
process work. So it is computed in a process of its own, and kept in the explorer's cache.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import logging
import multiprocessing
import threading
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..core.errors import AvclipsError, RunError, UsageError
from ..core.extras import extra, install
from ..core.files import create_whole
from .processes import begin_child
from .view import Array, View

log = logging.getLogger(__name__)

Projection = Literal["pca", "umap"]
# The same features give the same map.
SEED = 1
# Of fewer clips UMAP has no neighbours to go by.
FEWEST = 30


def projection_of(asked: str | None) -> Projection:
    """What is asked for; None: UMAP where it is installed. UsageError where it is asked for and is not."""
    there = importlib.util.find_spec("umap") is not None
    if asked == "umap" and not there:
        raise UsageError("--projection umap is made by umap-learn, which is not here", install("umap"))
    return "pca" if asked == "pca" or not there else "umap"


class MapLayout:
    """The layout of one source's map. Safe for threads."""

    def __init__(self, projection: Projection, cache: Path) -> None:
        self._projection = projection
        self._cache = cache
        self._turn = threading.Lock()
        # By the name of its file, a layout that is there; None while it is computed, and after it failed.
        self._made: dict[str, Array | None] = {}
        self.making = False

    def of(self, view: View) -> tuple[Array, Projection]:
        """(clips, 2) float32 within [-1, 1], and by what; by PCA as long as UMAP is being computed."""
        flat = view.points[:, :2]
        if self._projection == "pca" or len(flat) < FEWEST:
            return flat, "pca"
        name = f"map-umap-{hashlib.blake2b(view.points.tobytes(), digest_size=8).hexdigest()}.npy"
        with self._turn:
            if name not in self._made:
                self._made[name] = self._read(name, len(flat))
                if self._made[name] is None:
                    self.making = True
                    threading.Thread(target=self._make, args=(name, view.points), daemon=True).start()
            found = self._made[name]
        return (flat, "pca") if found is None else (found, "umap")

    def _read(self, name: str, count: int) -> Array | None:
        try:
            found: Array = np.load(self._cache / name, allow_pickle=False)
        except (OSError, ValueError):
            return None
        return found if found.shape == (count, 2) and np.isfinite(found).all() else None

    def _make(self, name: str, points: Array) -> None:
        try:
            found = in_child(points)
            for old in self._cache.glob("map-umap-*.npy"):
                old.unlink()
            content = io.BytesIO()
            np.save(content, found)
            create_whole(self._cache / name, content.getvalue())
            self._made[name] = found
        except (AvclipsError, OSError) as error:
            log.warning("the map is by PCA, as UMAP failed: %s", error)
        finally:
            self.making = False


def in_child(points: Array) -> Array:
    """UMAP of (clips, dims) points, computed in a process that ends with this one. RunError where it fails."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(theirs, points), daemon=True)
    child.start()
    theirs.close()
    try:
        found = ours.recv()
    except EOFError:
        raise RunError("its process ended: for want of memory?") from None
    finally:
        ours.close()
        child.join()
    if isinstance(found, str):
        raise RunError(found)
    return np.asarray(found, np.float32)


def _child(answer: Connection, points: Array) -> None:
    begin_child()
    try:
        answer.send(laid_out(points))
    except (AvclipsError, ValueError, TypeError, MemoryError, RuntimeError) as error:
        answer.send(f"{type(error).__name__}: {error}")


def laid_out(points: Array) -> Array:
    """(clips, 2) float32 within [-1, 1] by UMAP, in this process. UsageError where umap-learn is not here."""
    umap: Any = extra("umap", "the map is laid out")
    if not hasattr(umap, "UMAP"):
        raise RunError("the module umap is of another package than umap-learn")
    with warnings.catch_warnings():
        # That it uses one core, for the sake of the seed; that other packages would do more.
        warnings.simplefilter("ignore")
        found = np.asarray(umap.UMAP(n_components=2, random_state=SEED, n_jobs=1).fit_transform(points))
    found = found - (found.max(axis=0) + found.min(axis=0)) / 2
    return np.asarray(found / (np.abs(found).max() or 1.0), np.float32)
