"""The stage `features` on small clips: shards, reasons, the same bytes however it is run; and what is refused."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from avclips.catalog.sample import Place, Sample
from avclips.core.errors import RunError, UsageError
from avclips.curate.features import parts, stage
from avclips.curate.features.classic import Classic
from avclips.curate.features.examine import Clip, Examiner
from avclips.curate.features.extractor import Unusable
from avclips.curate.features.processes import Processes
from tests.support.made_clips import made_clip

ROOT = Path(__file__).resolve().parents[3]
# A clip's name, and the reason that it has no features.
CLIPS = {"a": "", "b": "", "silent": "no_sound", "c": "", "broken": "not_decodable", "failed": "not_here", "d": ""}


def sample(clip_id: str, path: Path, status: str = "done") -> Sample:
    files = {"video": Place(str(path))} if status == "done" else {}
    return Sample(clip_id, "made-up", f"v-{clip_id}", 1.0, 3.0, status, labels=("dog",), files=files)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    folder = tmp_path_factory.mktemp("clips")
    made = []
    for number, name in enumerate(CLIPS):
        path = made_clip(folder / f"{name}.mp4", 1.0, 0.1 * (number + 1), with_sound=name != "silent")
        if name == "broken":
            path.write_bytes(path.read_bytes()[:600])
        made.append(sample(name, path, "failed" if name == "failed" else "done"))
    return made


def content(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file that a run left."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def job_of(folder: Path, shard_size: int = 3) -> stage.Job:
    return stage.Job(folder, shard_size=shard_size)


@pytest.fixture(scope="module")
def made(samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features, made in this process."""
    folder = tmp_path_factory.mktemp("made") / "features"
    stage.make(job_of(folder), lambda: iter(samples), 0)
    return folder


def test_each_clip_has_features_or_a_reason(samples: list[Sample], made: Path) -> None:
    features, record = stage.opened(made)
    assert features.counts == {0: 2, 1: 1, 2: 1} and features.total == 4
    rows = [row for number in parts.numbers(made) for row in parts.rows_of(made, number).to_pylist()]
    assert {row["id"]: row["reason"] for row in rows} == CLIPS
    assert all(bool(row["detail"]) == bool(row["reason"]) for row in rows)
    assert rows[0] | {"detail": ""} == {
        "id": "a", "kept": True, "reason": "", "detail": "", "dataset": "made-up", "video": "v-a", "start": 1.0,
        "end": 3.0, "labels": ["dog"], "captions": [],
    }  # fmt: skip
    assert [row["id"] for table in features.rows() for row in table.to_pylist()] == ["a", "b", "c", "d"]
    assert record.settings["extractors"] == {"classic": {"version": 1}} and "av" in record.versions
    for shape in Classic().layers:
        layer = parts.layer_of(made, 0, shape.name)
        assert layer.shape == (2, shape.dims) and layer.dtype == np.float16 and np.isfinite(layer).all()
        assert not np.array_equal(layer[0], layer[1]) or shape.name.endswith(("/0", "/1"))


def test_a_layer_is_what_numpy_reads(made: Path) -> None:
    with np.load(parts.arrays_path(made, 0)) as arrays:
        for shape in Classic().layers:
            assert np.array_equal(parts.layer_of(made, 0, shape.name), arrays[shape.name])


def test_the_bytes_are_the_same_whatever_the_processes(samples: list[Sample], made: Path, tmp_path: Path) -> None:
    stage.make(job_of(tmp_path / "x"), lambda: iter(samples), 2)
    assert content(tmp_path / "x") == content(made)


def test_what_is_there_is_not_made_again(samples: list[Sample], made: Path, tmp_path: Path) -> None:
    job = job_of(tmp_path / "x")
    stage.make(job, lambda: iter(samples), 0)
    # A shard whose table is not there was not finished.
    parts.table_path(job.folder, 1).unlink()
    parts.arrays_path(job.folder, 1).write_bytes(b"half")
    with pytest.raises(RunError, match="lacks shards"):
        stage.opened(job.folder)
    before = parts.table_path(job.folder, 0).stat().st_mtime_ns
    stage.make(job, lambda: iter(samples), 0)
    assert parts.table_path(job.folder, 0).stat().st_mtime_ns == before
    assert content(job.folder) == content(made)


def test_features_of_another_run_are_refused(samples: list[Sample], made: Path) -> None:
    for job, clips, said in (
        (job_of(made, 4), samples, "shard_size was 3, now 4"),
        (job_of(made), samples[:-1], "of other clips than are here now$"),
        (
            job_of(made),
            [*samples[:-1], replace(samples[-1], status="missing", files={})],
            "of other clips than are here now$",
        ),
    ):
        with pytest.raises(UsageError, match=said):
            stage.make(job, lambda clips=clips: iter(clips), 0)  # type: ignore[misc]


def test_a_list_without_clips_is_no_error(tmp_path: Path) -> None:
    assert stage.make(job_of(tmp_path / "x"), lambda: iter(()), 0) == {"clips": 0, "kept": 0, "dropped": 0}


def test_lost_rows_are_said(samples: list[Sample], tmp_path: Path) -> None:
    job = job_of(tmp_path / "x")
    stage.make(job, lambda: iter(samples), 0)
    table = pq.read_table(parts.table_path(job.folder, 0))
    pq.write_table(table.slice(1), parts.table_path(job.folder, 0))
    with pytest.raises(RunError, match="of 7 clips 3 have features and 3 a reason"):
        stage.make(job, lambda: iter(samples), 0)


class Dies(Examiner):
    """An examiner whose process ends at one clip, as a decoder's may."""

    def __call__(self, clips):  # type: ignore[no-untyped-def]
        if any(clip.said["id"] == "dies" for clip in clips):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(clips)


def test_a_clip_that_ends_its_process_is_told_apart(samples: list[Sample]) -> None:
    clips = [Clip({}, {"id": name}) for name in ("a", "dies", "b")]
    pool = Processes(Dies((Classic(),), ()), 1)
    try:
        assert [found.reason for found in pool.examine(clips)] == ["not_here", "crashed", "not_here"]
    finally:
        pool.close()


class Endless(Classic):
    """Not a number for every clip."""

    def extract(self, clips):  # type: ignore[no-untyped-def]
        return [np.full((len(clips), shape.dims), np.nan) for shape in self.layers]


def test_a_feature_that_is_no_number_drops_its_clip(samples: list[Sample]) -> None:
    found = Examiner((Endless(),), ())([Clip(samples[0].files, {"id": "a"})])
    assert [each.reason for each in found] == ["not_finite"]


KILLED = """
import sys
from pathlib import Path
from avclips.catalog.sample import Place, Sample
from avclips.curate.features import stage
clip, folder = Path(sys.argv[1]), Path(sys.argv[2])
if __name__ == "__main__":
    samples = [Sample(f"c{n}", "m", "v", 0.0, None, "done", files={"video": Place(str(clip))}) for n in range(200)]
    stage.make(stage.Job(folder, shard_size=2), lambda: iter(samples), 1)
"""


def test_a_killed_run_goes_on_and_leaves_no_process(samples: list[Sample], tmp_path: Path) -> None:
    script, folder = tmp_path / "killed.py", tmp_path / "x"
    script.write_text(KILLED)
    words = [sys.executable, str(script), samples[0].files["video"].path, str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(words, env=environment, start_new_session=True)
    while len(parts.numbers(folder)) < 2:
        assert child.poll() is None
        time.sleep(0.02)
    child.kill()
    child.wait()
    whole = parts.numbers(folder)
    assert 2 <= len(whole) < 100
    for number in whole:
        assert len(parts.layer_of(folder, number, "classic/audio/0")) == 2
    assert _ends(child.pid)


def _ends(group: int) -> bool:
    """Whether no process of a group is left, after at most some seconds."""
    for _ in range(500):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(("layers", "rows"), [({"x": np.zeros((2, 3), np.float16)}, 1), ({}, 0)])
def test_a_shard_has_as_many_rows_as_its_layers(tmp_path: Path, layers: dict[str, np.ndarray], rows: int) -> None:  # type: ignore[type-arg]
    said = [{"id": str(number), "kept": True, "reason": "", "detail": ""} for number in range(rows)]
    if rows:
        with pytest.raises(ValueError, match="1 clips are kept"):
            parts.write_part(tmp_path, 0, layers, said)
    else:
        parts.write_part(tmp_path, 0, layers, said)
    assert parts.numbers(tmp_path) == ([] if rows else [0])


def test_a_reason_is_one_of_the_table() -> None:
    with pytest.raises(KeyError):
        Unusable("whatever")


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test's progress is nobody's."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    yield
