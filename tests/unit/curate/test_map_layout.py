"""Where the map's points lie: by PCA, or by UMAP in a process of its own. UMAP is a made-up module here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from avclips.core.errors import RunError, UsageError
from avclips.curate import map_layout
from avclips.curate.map_layout import FEWEST, MapLayout, in_child, laid_out, projection_of
from avclips.curate.view import View
from tests.support.waiting import wait_until

# As umap-learn is called. Its points are the first two columns, twice as far and moved; each call leaves a mark.
STUB = """
import pathlib, warnings
class UMAP:
    def __init__(self, n_components, random_state, n_jobs):
        warnings.warn("n_jobs value 1 overridden to 1 by setting random_state")
        assert (n_components, n_jobs) == (2, 1)
    def fit_transform(self, points):
        with open(pathlib.Path(__file__).with_name("calls"), "a") as stream:
            stream.write("x")
        return points[:, :2].astype("float64") * 2 + 5
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the made-up module, and the file in which it counts its calls."""
    (tmp_path / "umap.py").write_text(STUB)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "umap", raising=False)
    (tmp_path / "calls").touch()
    return tmp_path / "calls"


def view_of(points: np.ndarray) -> View:  # type: ignore[type-arg]
    ids = tuple(f"c{row}" for row in range(len(points)))
    return View(ids, points, {}, {name: row for row, name in enumerate(ids)}, {})


def points(count: int = FEWEST) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(0).uniform(-1, 1, (count, 16)).astype(np.float32)


def test_pca_is_the_first_two_components(tmp_path: Path) -> None:
    view = view_of(points())
    found, by = MapLayout("pca", tmp_path).of(view)
    assert by == "pca" and np.array_equal(found, view.points[:, :2]) and not list(tmp_path.iterdir())


def test_umap_comes_when_it_is_computed_and_is_kept(installed: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "map-umap-of-other-features.npy").write_bytes(b"")
    view, layout = view_of(points()), MapLayout("umap", cache)
    first, by = layout.of(view)
    assert by == "pca" and np.array_equal(first, view.points[:, :2])
    wait_until(lambda: not layout.making)
    found, by = layout.of(view)
    assert by == "umap" and found.dtype == np.float32
    assert np.abs(found).max() == pytest.approx(1) and np.allclose(found.max(axis=0), -found.min(axis=0))
    [kept] = cache.iterdir()
    # Another explorer reads it; one that is broken is made anew.
    assert MapLayout("umap", cache).of(view)[1] == "umap" and installed.read_text() == "x"
    kept.write_bytes(b"no array")
    again = MapLayout("umap", cache)
    assert again.of(view)[1] == "pca"
    wait_until(lambda: not again.making)
    assert np.array_equal(again.of(view)[0], found) and installed.read_text() == "xx"
    # Of few clips there is none; other features have their own.
    assert again.of(view_of(points(FEWEST - 1)))[1] == "pca" and not again.making
    assert again.of(view_of(points(FEWEST + 1)))[1] == "pca" and again.making
    wait_until(lambda: not again.making)


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("", "another package than umap-learn"),
        (STUB.replace("assert", "raise ValueError('n_neighbors is too large')#"), "n_neighbors is too large"),
        (STUB.replace("assert", "import os; os._exit(9)#"), "its process ended"),
    ],
)
def test_a_failure_leaves_the_map_by_pca(
    installed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, module: str, why: str
) -> None:
    (tmp_path / "umap.py").write_text(module)
    with pytest.raises(RunError, match=why):
        in_child(points())
    layout = MapLayout("umap", tmp_path)
    for _ in range(2):
        # It is not tried again and again.
        assert layout.of(view_of(points()))[1] == "pca"
        wait_until(lambda: not layout.making)
    assert caplog.text.count("the map is by PCA, as UMAP failed") == 1 and why in caplog.text


def test_points_at_one_place_are_laid_out(installed: Path) -> None:
    assert np.array_equal(laid_out(np.ones((FEWEST, 16), np.float32)), np.zeros((FEWEST, 2)))


@pytest.mark.parametrize(
    ("asked", "there", "found"),
    [
        (None, True, "umap"),
        (None, False, "pca"),
        ("pca", True, "pca"),
        ("pca", False, "pca"),
        ("umap", True, "umap"),
    ],
)
def test_umap_is_taken_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, there: bool, found: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if there else None)
    assert projection_of(asked) == found


def test_what_to_install_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_layout.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="umap-learn, which is not here") as caught:
        projection_of("umap")
    assert "pip install" in str(caught.value.hint) and "umap-learn" in str(caught.value.hint)
