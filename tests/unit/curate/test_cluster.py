"""k-means of layers: the nearest centre truly, the same bytes again, and what is said of clusters and refused."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.core.errors import RunError, UsageError
from avclips.core.files import read_json
from avclips.curate import assignments
from avclips.curate.assignments import Layer
from avclips.curate.cluster import stage
from avclips.curate.cluster.backend import choose_backend
from avclips.curate.cluster.kmeans import train
from avclips.curate.cluster.nearest import Centres
from avclips.curate.features import parts
from avclips.curate.record import Record, begin, finish

ROOT = Path(__file__).resolve().parents[3]
LAYERS = [["classic/audio/0", "audio", 6], ["classic/video/0", "video", 40]]
Array = np.ndarray[Any, np.dtype[Any]]


def blobs(count: int, dims: int, centres: int = 5, seed: int = 0) -> Array:
    """Points around some centres, in columns of very different scale."""
    random = np.random.default_rng(seed)
    middle = random.normal(size=(centres, dims)) * 40
    points = middle[np.arange(count) % centres] + random.normal(size=(count, dims))
    return (points * np.geomspace(0.01, 10, dims)).astype(np.float16)


def made_features(folder: Path, counts: tuple[int, ...] = (50, 0, 70, 30), seed: int = 0) -> Path:
    """A finished run of features, of shards with so many kept clips each, and one without features."""
    settings: dict[str, Any] = {"extractors": {"classic": {"version": seed}}, "layers": LAYERS, "shard_size": 100}
    begin(folder, Record("features", settings, {"clips": "00"}))
    layers = [blobs(sum(counts), dims, seed=seed) for _, _, dims in LAYERS]
    first = 0
    for number, count in enumerate(counts):
        names = [f"c{first + at}" for at in range(count)]
        rows = [{"id": name, "kept": True, "reason": "", "detail": "", "labels": ["x"]} for name in names]
        rows.append({"id": f"bad{number}", "kept": False, "reason": "short", "detail": "0.2 s"})
        cut = {LAYERS[at][0]: layer[first : first + count] for at, layer in enumerate(layers)}
        parts.write_part(folder, number, cut, rows)
        first += count
    finish(folder, {"clips": first + len(counts), "kept": first, "dropped": len(counts)})
    return folder


def job_of(tmp_path: Path, **words: Any) -> stage.Job:
    return stage.Job(tmp_path / "features", tmp_path / "cluster", **{"clusters": 5, **words})


def content(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()
    }


def test_clips_are_in_their_clusters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_features(tmp_path / "features")
    assert stage.make(job_of(tmp_path)) == {"clips": 150, "layers": 2, "clusters": 5}
    found = assignments.read(tmp_path / "cluster")
    assert found.layers == tuple(Layer(name, side, 5) for name, side, _ in LAYERS)  # type: ignore[arg-type]
    assert found.labels.shape == (150, 2) and found.labels.dtype == np.uint8
    assert found.rows["id"].to_pylist() == [f"c{at}" for at in range(150)]
    assert set(found.rows.column_names) == {"id", "dataset", "video", "start", "end", "labels", "captions"}
    for column in found.labels.T:
        # Of blobs that far apart each is a cluster.
        assert len({(int(label), at % 5) for at, label in enumerate(column)}) == 5
    report = read_json(tmp_path / "cluster" / "report.json", "")
    assert report["classic/video/0"]["sizes"] == [30] * 5 and report["classic/video/0"]["empty"] == 0
    assert "none empty or tiny" in capsys.readouterr().out
    assert not (tmp_path / "cluster" / "parts").exists()


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**31), st.integers(1, 40), st.integers(1, 12), st.sampled_from([0.0, 1e-6, 1.0]), st.booleans()
)
def test_the_nearest_is_the_nearest(seed: int, dims: int, count: int, apart: float, is_far: bool) -> None:
    """Centres that differ in less than a float32 product tells, or not at all, too."""
    random = np.random.default_rng(seed)
    centres = (random.normal(size=(1, dims)) + apart * random.normal(size=(count, dims))).astype(np.float32)
    rows = (random.normal(size=(50, dims)) + (300 if is_far else 0)).astype(np.float16)
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    labels, inertia = Centres(centres, mean, np.ones(dims, np.float32)).assign(rows)
    whitened = np.subtract(rows, mean, dtype=np.float32).astype(np.float64)
    distances = ((whitened[:, None] - centres[None].astype(np.float64)) ** 2).sum(axis=2)
    assert labels.tolist() == distances.argmin(axis=1).tolist()
    assert inertia == pytest.approx(distances.min(axis=1).sum(), rel=1e-4, abs=1e-3)


def test_labels_do_not_depend_on_their_neighbours() -> None:
    rows = blobs(3000, 64)
    centres = train(rows, 32, 1, True, "faiss")
    labels, _ = centres.assign(rows)
    some = np.random.default_rng(0).permutation(3000)[:777]
    assert np.array_equal(centres.assign(rows[some])[0], labels[some])


def test_the_inertia_of_every_eighth_row_is_theirs() -> None:
    rows = blobs(3000, 8)
    centres = train(rows, 5, 1, True, "faiss")
    assert centres.assign(rows, 7)[1] == pytest.approx(centres.assign(rows[::7])[1])


def test_more_than_256_clusters_have_wider_labels(tmp_path: Path) -> None:
    made_features(tmp_path / "features", (400,))
    stage.make(job_of(tmp_path, clusters=300))
    assert assignments.read(tmp_path / "cluster").labels.dtype == np.uint16


RUN = """
import sys
from pathlib import Path
from avclips.curate.cluster import stage
features, out = map(Path, sys.argv[1:3])
for name in sys.argv[3:]:
    backend, seed = name.split("-")
    stage.make(stage.Job(features, out / name, clusters=20, seed=int(seed), backend=backend))
"""


def test_one_seed_gives_the_same_bytes_whatever_the_threads(tmp_path: Path) -> None:
    made_features(tmp_path / "features", (3000, 2000))
    found = {}
    for threads in "12":
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
        words = [str(tmp_path / "features"), str(tmp_path / threads), "faiss-1", "faiss-2", "sklearn-1"]
        environment = os.environ | limits | {"PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", RUN, *words], env=environment, check=True, capture_output=True)
        found[threads] = {name: content(tmp_path / threads / name) for name in words[2:]}
    assert found["1"] == found["2"]
    assert len({files["labels.npy"] for files in found["1"].values()}) == 3


def test_a_run_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_features(tmp_path / "features")
    whole = stage.Job(tmp_path / "features", tmp_path / "whole", clusters=5)
    stage.make(whole)
    for stop_at in ("_conclude", "assign_part", "finish"):
        job = stage.Job(tmp_path / "features", tmp_path / stop_at, clusters=5)
        calls, do = [], getattr(stage, stop_at)

        def stop(*words: Any, calls: list[Any] = calls, do: Any = do, at: str = stop_at) -> Any:
            calls.append(words)
            if at != "assign_part" or len(calls) == 2:
                raise KeyboardInterrupt
            return do(*words)

        with monkeypatch.context() as patched:
            patched.setattr(stage, stop_at, stop)
            with pytest.raises(KeyboardInterrupt):
                stage.make(job)
        stage.make(job)
        assert content(job.folder) == content(whole.folder), stop_at


def test_what_is_finished_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_features(tmp_path / "features")
    stage.make(job_of(tmp_path))
    before = (tmp_path / "cluster" / "labels.npy").stat().st_mtime_ns
    assert stage.make(job_of(tmp_path))["clips"] == 150
    assert (tmp_path / "cluster" / "labels.npy").stat().st_mtime_ns == before
    assert "already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"clusters": 151}, "150 clips cannot be 151 clusters"),
        ({"clusters": 0}, "from 1 to 65,536"),
        ({"clusters": 70_000}, "from 1 to 65,536"),
        ({"layers": ("classic/audio/7",)}, "there is no layer classic/audio/7"),
        ({"backend": "k-medoids"}, "there is no 'k-medoids'"),
    ],
)
def test_what_cannot_be_meant_is_said(tmp_path: Path, words: dict[str, Any], said: str) -> None:
    made_features(tmp_path / "features")
    with pytest.raises(UsageError, match=said):
        stage.make(job_of(tmp_path, **words))
    assert not (tmp_path / "cluster").exists()


def test_features_that_are_not_finished_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no finished features"):
        stage.make(job_of(tmp_path))
    made_features(tmp_path / "features")
    parts.table_path(tmp_path / "features", 2).unlink()
    with pytest.raises(RunError, match="lacks shards"):
        stage.make(job_of(tmp_path))


def test_clusters_of_other_features_are_refused(tmp_path: Path) -> None:
    made_features(tmp_path / "features")
    stage.make(job_of(tmp_path))
    made_features(tmp_path / "others", seed=1)
    with pytest.raises(UsageError, match="by another run: of other features$"):
        stage.make(stage.Job(tmp_path / "others", tmp_path / "cluster", clusters=5))
    for words, said in (
        ({"seed": 3}, "seed was 0, now 3$"),
        # The sample follows from it, and nobody named one.
        ({"clusters": 7}, "run: clusters was 5, now 7$"),
        ({"clusters": 7, "sample": 40}, "run: clusters was 5, now 7; sample was 384 a cluster, now 40$"),
    ):
        with pytest.raises(UsageError, match=said):
            stage.make(job_of(tmp_path, **words))


def test_few_clips_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_features(tmp_path / "features")
    stage.make(job_of(tmp_path, clusters=6))
    said = capsys.readouterr().out
    assert "150 clips are few for 6 clusters" in said and "--clusters 5 would do" in said
    made_features(tmp_path / "b" / "features")
    stage.make(job_of(tmp_path / "b"))
    assert "warning" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("clusters", "clips", "said"),
    [(3, 20, "--clusters 2 would do"), (2, 20, ""), (2, 19, "no number of clusters would do")],
)
def test_what_would_do_is_less_than_was_asked_for(
    clusters: int, clips: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stage._see_count(clusters, clips)
    told = capsys.readouterr().out
    assert said in told if said else not told


def test_a_column_that_never_changes_tells_nothing() -> None:
    rows = blobs(200, 4).astype(np.float32)
    rows[:, 2] = 7.0
    centres = train(rows, 5, 0, True, "faiss")
    assert np.isfinite(centres.centres).all() and centres.scale[2] == 0
    assert len(set(centres.assign(rows)[0].tolist())) == 5


def test_whitening_makes_columns_alike() -> None:
    """One column is large and noise, a small one tells two groups apart."""
    random = np.random.default_rng(0)
    rows = np.stack([100 * random.random(400), 0.01 * (np.arange(400) % 2) + 0.0001 * random.random(400)], axis=1)
    rows = rows.astype(np.float32)
    found = {whiten: train(rows, 4, 0, whiten, "faiss").assign(rows)[0] for whiten in (True, False)}
    mixed = {whiten: len({(int(a), at % 2) for at, a in enumerate(labels)}) for whiten, labels in found.items()}
    assert mixed[True] == 4 and mixed[False] == 8


def test_the_same_point_many_times_leaves_clusters_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tests.unit.curate.test_cluster as here

    monkeypatch.setattr(here, "blobs", lambda count, dims, seed=0: np.full((count, dims), 3.0, np.float16))
    made_features(tmp_path / "features")
    stage.make(job_of(tmp_path))
    assert set(assignments.read(tmp_path / "cluster").labels.ravel().tolist()) == {0}
    assert "4 empty" in capsys.readouterr().out


def test_a_sample_is_of_all_shards(tmp_path: Path) -> None:
    from avclips.curate.features.stage import opened

    features, _ = opened(made_features(tmp_path / "features"))
    whole = np.concatenate([parts.layer_of(features.folder, number, LAYERS[0][0]) for number in range(4)])
    assert np.array_equal(stage.sampled(features, LAYERS[0][0], 1000, 0), whole)
    some = stage.sampled(features, LAYERS[0][0], 40, 1)
    at = [int(np.flatnonzero((whole == row).all(axis=1))[0]) for row in some]
    assert at == sorted(set(at)) and len(at) == 40 and at[0] < 50 and at[-1] >= 120


def test_the_library_that_is_here_is_chosen() -> None:
    assert choose_backend() == "faiss" and choose_backend("sklearn") == "sklearn"
