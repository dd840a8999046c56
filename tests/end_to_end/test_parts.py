"""Several runs in one folder: shares, names, who keeps whom out, and what a start makes of all their files."""

from __future__ import annotations

import itertools
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from avclips.cli.arguments import partition_of
from avclips.core.errors import RunError
from avclips.core.model import Clip, Outcome
from avclips.core.settings import Settings
from avclips.state.lock import FolderLock
from avclips.state.partition import Partition, exclude_each_other, is_in, named, siblings
from avclips.state.store import Store
from tests.standin.fake_youtube import FakeVideo
from tests.support.data_folder import fail, finish, read
from tests.support.fake_clock import FakeClock
from tests.support.script import QUICK, TIMEOUT, stage

VIDEOS = [f"video{number:06d}" for number in range(2000)]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
def test_shares_are_all_of_the_videos_each_once_and_about_even(count: int) -> None:
    shares = [[video for video in VIDEOS if is_in((number, count), video)] for number in range(count)]
    assert sorted(itertools.chain(*shares)) == VIDEOS
    assert min(map(len, shares)) > 0.4 * len(VIDEOS) / count
    assert all(is_in(None, video) for video in VIDEOS)


@pytest.mark.parametrize(
    ("partition", "name"),
    [(None, "manifest.jsonl"), ((0, 4), "manifest.0-of-4.jsonl"), ((11, 12), "manifest.11-of-12.jsonl")],
)
def test_names(tmp_path: Path, partition: Partition | None, name: str) -> None:
    path = named(tmp_path / "manifest.jsonl", partition)
    assert path == tmp_path / name
    path.touch()
    assert siblings(tmp_path / "manifest.jsonl") == {partition: path}


def test_other_files_are_no_siblings(tmp_path: Path) -> None:
    for name in (
        "manifest.0-of-4.jsonl.bak",
        "manifest.a-of-b.jsonl",
        "my-manifest.jsonl",
        "manifest.0-of-4.json",
    ):
        (tmp_path / name).touch()
    assert siblings(tmp_path / "manifest.jsonl") == {}


@pytest.mark.parametrize(
    ("one", "other", "exclude"),
    [
        (None, None, True),
        (None, (0, 2), True),
        ((0, 2), None, True),
        ((0, 2), (0, 2), True),
        ((0, 2), (1, 2), False),
        ((0, 2), (0, 4), True),
        ((0, 2), (1, 4), True),
    ],
)
def test_who_keeps_whom_out(tmp_path: Path, one: Partition | None, other: Partition | None, exclude: bool) -> None:
    assert exclude_each_other(one, other) is exclude
    clock = FakeClock()
    first, second = FolderLock(tmp_path, clock, one), FolderLock(tmp_path, clock, other)
    first.acquire()
    try:
        if exclude:
            with pytest.raises(RunError, match="is in use by a run on "):
                second.acquire()
        else:
            second.acquire()
            assert " and " in (FolderLock(tmp_path, clock).user() or "")
        assert first.held
        first.check()
    finally:
        second.release()
        first.release()
    assert list(siblings(tmp_path / ".owner.json")) == []


def test_a_dead_shard_keeps_nobody_out_and_is_cleared(tmp_path: Path) -> None:
    dead = FolderLock(tmp_path, FakeClock(), (0, 2))
    dead.acquire()
    dead._released.set()
    dead._lock.release()
    whole = FolderLock(tmp_path, FakeClock())
    whole.acquire()
    # Should it wake, it sees that its share is another's.
    with pytest.raises(RunError, match="was taken over by a run on "):
        dead.check()
    whole.release()
    assert list(siblings(tmp_path / ".owner.json")) == []


def array(task: int, first: int = 0, last: int = 3, count: int = 4, step: int = 1) -> dict[str, str]:
    numbers = {"ID": task, "MIN": first, "MAX": last, "COUNT": count, "STEP": step}
    return {f"SLURM_ARRAY_TASK_{name}": str(number) for name, number in numbers.items()}


@pytest.mark.parametrize(
    ("environment", "partition"),
    [
        ({}, None),
        (array(0), (0, 4)),
        (array(3), (3, 4)),
        (array(1, first=1, last=2, count=2), (0, 2)),
        (array(9, first=1, last=9, count=3, step=4), (2, 3)),
        # --array=0-10:4 gives 0, 4, 8.
        (array(8, last=8, count=3, step=4), (2, 3)),
        (array(20, last=30, step=10), (2, 4)),
        (array(999, last=999, count=1000), (999, 1000)),
        # Slurm has one for jobs that are no array, and an empty one is none.
        ({"SLURM_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": ""}, None),
        ({name: value for name, value in array(2).items() if "STEP" not in name}, (2, 4)),
    ],
)
def test_the_share_of_an_array_task(environment: dict[str, str], partition: Partition | None) -> None:
    assert partition_of(environment) == partition


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        # --array=1,5,9 and the like: Slurm gives their ends, their count, and a step of 1.
        (array(9, first=1, last=9, count=3), "the numbers of this Slurm array have no common step"),
        (array(1, first=1, last=9, count=3), "the numbers of this Slurm array have no common step"),
        (array(1, first=1, last=3, count=2), "the numbers of this Slurm array have no common step"),
        (array(2, first=1, last=9, count=3, step=4), "the numbers of this Slurm array have no common step"),
        (array(2, last=2, count=2), "the numbers of this Slurm array have no common step"),
        # One task again, which would take everything.
        (array(3, first=3, last=3, count=1), "this Slurm array is task 3 alone, perhaps one of many to be done"),
        (array(0, last=0, count=1), "this Slurm array is task 0 alone, perhaps one of many to be done again"),
        # Two tasks again, and the second thousand: other tasks have these shares.
        (array(2, first=2, last=3, count=2), "this Slurm array is of the tasks 2 to 3, perhaps some of many"),
        (array(1000, first=1000, last=1999, count=1000),
            "this Slurm array is of the tasks 1000 to 1999, perhaps some of many"),
        (array(10, first=10, last=30, count=3, step=10), "this Slurm array is of the tasks 10 to 30, perhaps"),
        # Whoever sets these differently.
        ({"SLURM_ARRAY_TASK_ID": "3"}, "Slurm does not say of which array this is task 3"),
        ({**array(0), "SLURM_ARRAY_TASK_ID": "x"}, "Slurm does not say of which array this is task x"),
        ({**array(3), "SLURM_ARRAY_TASK_MAX": "?"}, "Slurm does not say of which array this is task 3"),
    ],
)  # fmt: skip
def test_an_array_that_can_mean_several_things_is_refused(environment: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(said)}.*: say --part I/N \(task I of N, I from 0\), or "):
        partition_of(environment)


# The store of a partition

CLIPS = [Clip(f"{video}_000000", video, 0.0, 10.0) for video in VIDEOS[:20]]
OURS, THEIRS = ([clip for clip in CLIPS if is_in((number, 2), clip.video)] for number in (0, 1))


class Runs:
    """Stores of one folder, opened and closed as runs would."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack

    def start(self, partition: Partition | None = None) -> Store:
        store = Store(replace(Settings(self.folder), part=partition), "test", FakeClock())
        store.open()
        self._stack.callback(store.close)
        share = [clip for clip in CLIPS if is_in(partition, clip.video)]
        self.pending = [clip.id for clip in store.pending(share)]
        return store


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with ExitStack() as stack:
        yield Runs(tmp_path, stack)


def test_two_shards_at_once_each_with_its_own_json(runs: Runs) -> None:
    first = runs.start((0, 2))
    assert runs.pending == [clip.id for clip in OURS]
    second = runs.start((1, 2))
    finish(first, OURS[0])
    fail(first, OURS[1])
    finish(second, THEIRS[0])
    for store in (first, second):
        store.snapshot(force=True)
    assert read(first, "download_progress.0-of-2.json")["completed"] == [OURS[0].id]
    assert read(first, "download_progress.0-of-2.json")["total"] == len(OURS)
    assert list(read(first, "failed_downloads.0-of-2.json")) == [OURS[1].id]
    assert read(first, "download_progress.1-of-2.json")["completed"] == [THEIRS[0].id]
    assert not (runs.folder / "download_progress.json").exists()


@pytest.mark.parametrize("partition", [None, (0, 1), (0, 3), (2, 3), (0, 2)])
def test_a_start_reads_all_of_them_whatever_n_was(runs: Runs, partition: Partition | None) -> None:
    first, second = runs.start((0, 2)), runs.start((1, 2))
    finish(first, OURS[0])
    fail(first, OURS[1])
    finish(second, THEIRS[0])
    first.close()
    second.close()
    store = runs.start(partition)
    ended = {OURS[0].id, OURS[1].id, THEIRS[0].id}
    assert runs.pending == [clip.id for clip in CLIPS if is_in(partition, clip.video) and clip.id not in ended]
    assert set(store.done) | set(store.failed) == ended
    assert set(store.finished()) == {OURS[0].id, THEIRS[0].id}


@pytest.mark.parametrize("taken_out_of", ["failed_downloads.0-of-2.json", "failed_downloads.json"])
def test_an_id_taken_out_of_any_of_the_files_is_tried_again(runs: Runs, taken_out_of: str) -> None:
    partition = runs.start((0, 2))
    fail(partition, OURS[0])
    fail(partition, OURS[1])
    partition.snapshot(force=True)
    partition.close()
    whole = runs.start()
    whole.snapshot(force=True)
    whole.close()
    path = runs.folder / taken_out_of
    path.write_text(path.read_text().replace(OURS[0].id, "no such id"))
    runs.start()
    assert OURS[0].id in runs.pending and OURS[1].id not in runs.pending


def test_old_files_of_shards_take_nothing_back(runs: Runs) -> None:
    """What failed after them is not missing in them."""
    partition = runs.start((0, 2))
    fail(partition, OURS[0])
    partition.snapshot(force=True)
    partition.close()
    whole = runs.start()
    fail(whole, OURS[1])
    whole.snapshot(force=True)
    whole.close()
    runs.start()
    assert not {OURS[0].id, OURS[1].id} & set(runs.pending)


def test_a_clip_of_no_known_youtube_video_has_its_share(runs: Runs) -> None:
    partition = runs.start((0, 2))
    clip = OURS[0]._replace(meta={"youtube_id": None})
    partition.record(Outcome(clip, "failed", "not_archived", "words", True, attempts=1))
    partition.snapshot(force=True)
    partition.close()
    path = runs.folder / "failed_downloads.0-of-2.json"
    path.write_text("{}")
    runs.start()
    assert OURS[0].id in runs.pending


def test_a_shard_leaves_alone_what_its_neighbour_writes(runs: Runs) -> None:
    first = runs.start((0, 2))
    with first.files.scratch(OURS[0]) as folder:
        (folder / "half").touch()
        (runs.folder / ".download_progress.0-of-2.json.host-1.tmp").touch()
        dead = runs.folder / ".tmp" / "host-1.0-of-3"
        dead.mkdir()
        # Not that of a partition which is just beginning.
        os.utime(dead, (0, 0))
        runs.start((1, 2))
        assert (folder / "half").exists()
        assert (runs.folder / ".download_progress.0-of-2.json.host-1.tmp").exists()
        assert not dead.exists()


# Whole runs


def _once(event: threading.Event) -> None:
    """Let a request pass after that."""
    event.wait(TIMEOUT)


@pytest.mark.slow
def test_two_runs_at_once_finish_a_folder_together(tmp_path: Path, media_folder: Path) -> None:
    names = [f"shard{number:06d}_{start:06d}" for number in range(6) for start in (0, 2)]
    others_were_here = threading.Event()
    with stage(tmp_path, media_folder, {name: FakeVideo(QUICK) for name in names}) as both:
        # Neither is done before the others came, however slow this machine is today.
        both.youtube.refuse = lambda request: _once(others_were_here) if request.kind == "watch" else None
        patient = ("--cut", "copy", "--yt-dlp-args", f"--socket-timeout {2 * TIMEOUT}")
        children = [both.start(*patient, "--part", f"{number}/2") for number in (0, 1)]
        # Whoever comes with other shares while they are at work is kept out.
        children[0].until(lambda: (both.data / ".owner.0-of-2.json").exists())
        children[1].until(lambda: (both.data / ".owner.1-of-2.json").exists())
        kept_out = [both.run("--cut", "copy", "--part", "0/3"), both.run("--cut", "copy")]
        others_were_here.set()
        ended = [child.end() for child in children]
        status = both.run("--status")
        again = both.run("--cut", "copy")
        extractions = both.youtube.requests("watch")
    assert [each.code for each in kept_out] == [1, 1]
    assert all("is in use by a run on " in each.err for each in kept_out)
    assert [each.code for each in ended] == [0, 0], [each.said for each in ended]
    lines = [path.read_text().splitlines() for path in both.data.glob("manifest.*-of-2.jsonl")]
    done = [json.loads(line)["id"] for each in lines for line in each]
    assert sorted(done) == sorted(names) and all(lines)
    assert f"{len(names)} of {len(names)} clips are done" in status.out
    # A run without partitions finds all of it, and asks nobody again.
    assert again.code == 0 and len(extractions) == 6
    assert sorted(both.completed) == sorted(names)
