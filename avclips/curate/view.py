"""What the explorer shows of a curated folder: a map of its clips, neighbours, clusters, scores.

All layers of the features, each with the same say, are projected on their first principal components: 2 for the
map, 16 for neighbours. Of a folder that was not curated, or in part, that part is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import RunError
from . import assignments
from .features.parts import Features, layer_of
from .features.stage import opened
from .folders import stage_folder
from .select import output

Array = np.ndarray[Any, np.dtype[Any]]
# Components that neighbours are looked for in, and clips of which the components are computed.
COMPONENTS, SAMPLED = 16, 20_000


@dataclass(frozen=True)
class View:
    """``ids``: of the clips that have features; ``points``: (clips, COMPONENTS) float32, the first two the map.

    ``clusters``: of each layer, by name, the cluster of each clip; {} where there are none. ``row_of``: by id.
    ``selected``: when each clip of a selection was chosen (from 0), and by how many nats it changed the objective.
    """

    ids: tuple[str, ...]
    points: Array
    clusters: Mapping[str, Array]
    row_of: Mapping[str, int]
    selected: Mapping[str, tuple[int, float]]

    def near(self, clip_id: str, count: int = 8) -> list[str]:
        """The clips nearest to one, nearest first; none where it has no features."""
        row = self.row_of.get(clip_id)
        if row is None:
            return []
        far = ((self.points - self.points[row]) ** 2).sum(axis=1)
        far[row] = np.inf
        found = np.argpartition(far, min(count, len(far) - 1))[:count]
        ordered = found[np.argsort(far[found], kind="stable")]
        return [self.ids[each] for each in ordered if np.isfinite(far[each])]

    def clusters_of(self, clip_id: str) -> dict[str, int]:
        """The cluster of a clip in each layer."""
        row = self.row_of.get(clip_id)
        return {} if row is None else {name: int(labels[row]) for name, labels in self.clusters.items()}


def view(data_dir: Path) -> View:
    """The view of a folder's features. RunError where there are none, or they cannot be read."""
    features, _ = opened(stage_folder(data_dir, "features"))
    ids = tuple(clip_id for rows in features.rows() for clip_id in rows["id"].to_pylist())
    row_of = {clip_id: row for row, clip_id in enumerate(ids)}
    return View(ids, _projected(features), _clusters(data_dir, ids), row_of, _selected(data_dir))


def scores(data_dir: Path) -> dict[str, float]:
    """The score of each clip of a selection; {} where there is none."""
    return dict(_of_selection(data_dir, "id", "score"))


def _selected(data_dir: Path) -> dict[str, tuple[int, float]]:
    return {clip_id: (rank, gain) for clip_id, rank, gain in _of_selection(data_dir, "id", "rank", "gain")}


def _of_selection(data_dir: Path, *columns: str) -> Iterator[tuple[Any, ...]]:
    """These columns of what was selected; none where there is no selection."""
    try:
        table = output.read(stage_folder(data_dir, "select"))
    except RunError:
        return
    yield from zip(*(table[name].to_pylist() for name in columns), strict=True)


def _clusters(data_dir: Path, ids: tuple[str, ...]) -> dict[str, Array]:
    try:
        found = assignments.read(stage_folder(data_dir, "cluster"))
    except RunError:
        return {}
    if tuple(found.rows["id"].to_pylist()) != ids:
        # Of other features.
        return {}
    return {layer.name: np.asarray(found.labels[:, number]) for number, layer in enumerate(found.layers)}


def _projected(features: Features) -> Array:
    """(clips, COMPONENTS) float32, each component scaled to the map's [-1, 1] by the largest of all."""
    parts = [_of_part(features, number) for number in features.counts if features.counts[number]]
    if not parts:
        return np.zeros((0, COMPONENTS), np.float32)
    every = np.concatenate(parts)
    mean, scale = every.mean(axis=0), every.std(axis=0)
    # A layer's say does not grow with its dimensions.
    widths = np.concatenate([np.full(shape.dims, 1 / np.sqrt(shape.dims)) for shape in features.layers])
    every = np.where(scale > 0, (every - mean) / np.where(scale > 0, scale, 1), 0) * widths
    step = -(-len(every) // SAMPLED)
    components = np.linalg.svd(every[::step], full_matrices=False)[2][:COMPONENTS]
    # Which way a component points is the library's choice: the larger end is made the positive one.
    signs = np.sign(components[np.arange(len(components)), np.abs(components).argmax(axis=1)])
    points = every @ (components * signs[:, None]).T
    points = np.pad(points, ((0, 0), (0, COMPONENTS - points.shape[1])))
    largest = np.abs(points).max() or 1.0
    return (points / largest).astype(np.float32)


def _of_part(features: Features, number: int) -> Array:
    layers = [layer_of(features.folder, number, shape.name) for shape in features.layers]
    return np.concatenate([np.asarray(layer, np.float32) for layer in layers], axis=1)
