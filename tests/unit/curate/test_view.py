"""What the explorer is shown of a curated folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from avclips.core.errors import RunError
from avclips.curate import assignments, view
from avclips.curate.assignments import Assignments, Layer
from avclips.curate.features.extractor import Shape
from avclips.curate.features.parts import Features, write_part
from avclips.curate.folders import stage_folder
from avclips.curate.view import View, _clusters, _projected, scores

SHAPES = (Shape("a", "audio", 3), Shape("v", "video", 2))


@pytest.fixture
def features(tmp_path: Path) -> Features:
    """Two heaps of clips, in two shards, and a layer that says nothing."""
    random = np.random.default_rng(0)
    for number in range(2):
        heap = np.repeat([[0.0, 0, 0], [10.0, 10, 10]], 5, axis=0) + random.normal(0, 0.1, (10, 3))
        layers = {"a": heap.astype(np.float16), "v": np.ones((10, 2), np.float16)}
        rows = [{"id": f"c{number}{row}", "kept": True} for row in range(10)]
        write_part(tmp_path, number, layers, [*rows, {"id": f"x{number}", "kept": False, "reason": "no_audio"}])
    return Features(tmp_path, SHAPES, {0: 10, 1: 10})


def test_clips_that_are_alike_are_near(features: Features) -> None:
    points = _projected(features)
    assert points.shape == (20, view.COMPONENTS) and points.dtype == np.float32 and np.abs(points).max() <= 1
    ids = tuple(clip_id for rows in features.rows() for clip_id in rows["id"].to_pylist())
    shown = View(ids, points, {"a": np.arange(20)}, {each: row for row, each in enumerate(ids)}, {})
    heap = {f"c{number}{row}" for number in range(2) for row in range(5)}
    assert set(shown.near("c00", 9)) == heap - {"c00"}
    assert len(shown.near("c00", 100)) == 19 and shown.near("x0") == []
    assert shown.clusters_of("c03") == {"a": 3} and shown.clusters_of("x0") == {}
    # The same features, the same map.
    assert np.array_equal(points, _projected(features))


def test_clusters_of_other_features_are_not_shown(tmp_path: Path) -> None:
    folder = stage_folder(tmp_path, "cluster")
    folder.mkdir(parents=True)
    labels = np.array([[0], [1]], np.uint8)
    assignments.write(folder, Assignments((Layer("a", "audio", 2),), labels, pa.table({"id": ["p", "q"]})))
    assert _clusters(tmp_path, ("p", "q"))["a"].tolist() == [0, 1]
    assert _clusters(tmp_path, ("p", "r")) == {}
    assert _clusters(tmp_path / "other", ("p", "q")) == {}


def test_what_was_not_curated_is_said(tmp_path: Path) -> None:
    assert scores(tmp_path) == {}
    with pytest.raises(RunError, match="no finished features"):
        view.view(tmp_path)
