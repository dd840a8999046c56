"""One machine's shard: fetched, written, or handed back."""

from __future__ import annotations

import contextlib
import json
import tarfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from avclips.core.clock import Clock
from avclips.core.errors import Stopped
from avclips.core.settings import Identity
from avclips.shards.claims import Claims
from avclips.shards.sample import Sample
from avclips.shards.shard import Shard, cut
from avclips.shards.storage import Remote
from avclips.spark import task
from avclips.spark.task import Job, Result, clean_up, do_shard
from avclips.state.lock import FolderLock
from tests.standin.fake_youtube import FakeYouTube
from tests.support.fake_clock import FakeClock
from tests.support.spark_jobs import HOST, clips_of, job_of, url_of
from tests.support.spark_stage import GONE, HURRY, ROWS, VIDEOS, known_videos


@dataclass
class Machine:
    """One machine, in this process: its packs, and the stand-in that it asks."""

    base: Path
    youtube: FakeYouTube
    planned: list[Shard]
    monkeypatch: pytest.MonkeyPatch
    clock: Clock

    def job(self, **more: Any) -> Job:
        return job_of(self.base, len(self.planned), identities=(Identity(self.youtube.proxy),), **more)

    def do(self, number: int = 0, clock: Clock | None = None, **more: Any) -> Result:
        """A task that is sent to it; its clock is hurried unless it is another."""
        self.monkeypatch.setattr(task, "Clock", lambda: clock or Clock(HURRY))
        shard = self.planned[number]
        return do_shard(self.job(**more), shard, {clip.video: url_of(clip.video) for clip in shard.clips})

    @property
    def shards(self) -> Path:
        return self.base / "shards"

    def files(self, number: int = 0) -> set[str]:
        return {path.name for path in self.shards.iterdir() if f"{number:05d}" in path.name}

    def left(self) -> list[Path]:
        """The files on the machine."""
        return [path for path in (self.base / "data").rglob("*") if path.is_file()]

    def members(self, number: int = 0) -> list[str]:
        with tarfile.open(self.shards / f"{number:05d}.tar") as tar:
            return sorted(member.name for member in tar)


WHOLE = {"00000.tar", "00000.parquet", "00000_stats.json"}


@pytest.fixture(scope="module")
def youtube(media_folder: Path) -> Iterator[FakeYouTube]:
    with FakeYouTube(media_folder, known_videos()) as standin:
        yield standin
        assert standin.unknown == []


@pytest.fixture
def machine(tmp_path: Path, youtube: FakeYouTube, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    for name, value in youtube.environment(proxy="").items():
        monkeypatch.setenv(name, value)
    rows = [row for row in ROWS if row["url"] in (*VIDEOS[:4], *GONE)]
    order = sorted(rows, key=lambda row: row["url"] in GONE)
    yield Machine(tmp_path, youtube, list(cut(clips_of(order), 5)), monkeypatch, Clock(HURRY))
    youtube.refuse = lambda request: None


def expected(shard: Shard) -> list[str]:
    there = [clip.id for clip in shard.clips if clip.video not in GONE]
    return sorted(f"{each}.{ending}" for each in there for ending in ("json", "mp4", "txt", "wav"))


def test_a_pack_is_fetched_and_written_and_nothing_is_left(machine: Machine) -> None:
    assert machine.do() == Result(0, "there", HOST)
    assert machine.files() == WHOLE and machine.members() == expected(machine.planned[0])
    assert machine.left() == []
    before, asked = (machine.shards / "00000.tar").read_bytes(), len(machine.youtube.log)
    assert machine.do() == Result(0, "there", HOST)
    assert (machine.shards / "00000.tar").read_bytes() == before and len(machine.youtube.log) == asked


def test_a_pack_whose_videos_are_all_gone(machine: Machine) -> None:
    last = len(machine.planned) - 1
    assert {clip.video for clip in machine.planned[last].clips} == set(GONE)
    # A reader takes a tar without a clip for a fault.
    assert machine.do(last).state == "there" and not (machine.shards / f"{last:05d}.tar").exists()
    rows = pyarrow.parquet.read_table(machine.shards / f"{last:05d}.parquet").to_pylist()
    assert {row["id"]: row["reason"] for row in rows} == {
        clip.id: "private" if clip.video == GONE[0] else "terminated" for clip in machine.planned[last].clips
    }
    stats = json.loads((machine.shards / f"{last:05d}_stats.json").read_text())
    assert (stats["done"], stats["may_come"], stats["clips"]) == (0, 0, 5)


def test_a_machine_that_is_refused_hands_its_pack_back_and_keeps_what_it_has(machine: Machine) -> None:
    videos = list(dict.fromkeys(clip.video for clip in machine.planned[0].clips))
    machine.youtube.refuse = lambda request: "bot_check" if request.video in videos[1:] else None
    before = len(machine.youtube.log)
    assert machine.do() == Result(0, "refused", HOST)
    assert machine.files() == set(), "nothing is written, and nothing claimed"
    kept = {path.stem for path in machine.left() if path.suffix == ".mp4"}
    assert kept == {clip.id for clip in machine.planned[0].clips if clip.video == videos[0]}
    machine.youtube.refuse = lambda request: None
    assert machine.do() == Result(0, "there", HOST)
    asked = Counter(r.video for r in machine.youtube.log[before:] if r.kind == "watch")
    assert asked[videos[0]] == 1 and machine.members() == expected(machine.planned[0])
    assert machine.left() == []


def test_what_a_user_can_mend_is_in_the_result(machine: Machine) -> None:
    folder = machine.job().folder
    folder.mkdir(parents=True)
    (folder / HOST).write_text("no folder")
    result = machine.do()
    assert (result.number, result.state, result.host) == (0, "failed", HOST)
    assert str(folder / HOST) in result.error, result


def test_a_missing_tool_is_in_the_result(machine: Machine) -> None:
    result = machine.do(ffmpeg=machine.base / "no-ffmpeg")
    assert result.state == "failed" and "no-ffmpeg" in result.error and machine.left() == []


def test_a_machine_without_room_hands_its_pack_back(machine: Machine) -> None:
    """Others have more, and this one would wait for ever."""
    clock, results = Clock(HURRY), []

    def work() -> None:
        with contextlib.suppress(Stopped):
            results.append(machine.do(clock=clock, min_free=1 << 60))

    thread = threading.Thread(target=work)
    thread.start()
    # Four hours of its own.
    thread.join(5)
    clock.stop()
    thread.join()
    assert [result.state for result in results] in (["refused"], ["failed"])
    assert machine.files() == set()


def test_what_another_task_of_the_machine_is_at_is_waited_for(machine: Machine) -> None:
    lock = _locked(machine)
    clock = FakeClock()

    def written(seconds: float) -> None:
        if len(clock.sleeps) == 3:
            (machine.shards / "00000_stats.json").write_text("{}")

    clock.on_sleep = written
    try:
        assert machine.do(clock=clock).state == "there"
    finally:
        lock.release()
    assert len(clock.sleeps) == 3


def test_a_pack_is_taken_over_as_soon_as_whoever_was_at_it_has_died(machine: Machine) -> None:
    """Of a job that ended, Spark's other tasks are killed within seconds: no reason to idle for minutes."""
    lock = _locked(machine)
    clock = FakeClock()
    clock.on_sleep = lambda seconds: lock.release()
    try:
        result = machine.do(clock=clock)
    finally:
        lock.release()
    assert sum(clock.sleeps) < 60, f"{result.state} after {sum(clock.sleeps):g} s"
    assert result.state == "there" and machine.members() == expected(machine.planned[0])


def _locked(machine: Machine) -> FolderLock:
    """Another task of the same machine is at the first pack."""
    folder = machine.job().folder / HOST / "00000"
    folder.mkdir(parents=True)
    lock = FolderLock(folder, FakeClock())
    lock.acquire()
    return lock


def test_a_claim_of_another_machine_is_waited_for_and_then_handed_back(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.shards.mkdir()
    claim = machine.shards / "00000.claim"
    claim.write_bytes(b"another machine's")
    is_dead = Claims.is_dead

    def at_work(self: Claims, name: str) -> bool:
        claim.write_bytes(claim.read_bytes() + b"!")
        return is_dead(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(Claims, "is_dead", at_work)
        assert machine.do().state == "busy"
    assert machine.files() == {"00000.claim"} and machine.left() != []
    before = len(machine.youtube.log)
    # It has died: no sign of it for long.
    assert machine.do().state == "there" and machine.files() == WHOLE
    assert machine.youtube.log[before:] == [], "it was all there"


def test_a_pack_that_another_machine_has_written_meanwhile(machine: Machine) -> None:
    """It is not written again, and what this machine has of it goes when it is next looked for."""

    def overtaken(request: Any) -> None:
        (machine.shards / "00000_stats.json").write_text("{}")

    machine.youtube.refuse = overtaken
    assert machine.do().state == "there"
    assert machine.files() == {"00000_stats.json"}
    clean_up(machine.job(), machine.job().output(), HOST)
    assert machine.left() == []


def test_of_two_that_are_ready_at_once_one_writes(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The other one looks, sees nothing, and before it has claimed the pack the first is through."""
    job = machine.job()
    first, second = job.output(), job.output()
    samples = [Sample(clip, None) for clip in machine.planned[0].clips]
    create, times = Remote.create, []

    def late(self: Remote, name: str, content: bytes) -> bool:
        if not times:
            times.append(1)
            assert first.write(0, samples, tmp_path, tmp_path / "one")
        return create(self, name, content)

    monkeypatch.setattr(Remote, "create", late)
    assert second.write(0, samples, tmp_path, tmp_path / "two") is False
    assert machine.files() == WHOLE - {"00000.tar"}, "no claim is left, nor a tar without a clip"


def test_only_what_is_finished_and_in_nobodys_hands_is_removed(machine: Machine) -> None:
    job = machine.job()
    output = job.output()
    for number in range(3):
        (job.folder / HOST / f"{number:05d}" / "metadata").mkdir(parents=True)
    (job.folder / HOST / "mine").mkdir()
    other = job.folder / "another" / "00000"
    other.mkdir(parents=True)
    for number in (0, 1):
        (machine.shards / f"{number:05d}_stats.json").write_text("{}")
    lock = FolderLock(job.folder / HOST / "00001", FakeClock())
    lock.acquire()
    try:
        clean_up(job, output, HOST)
    finally:
        lock.release()
    assert sorted(path.name for path in (job.folder / HOST).iterdir()) == ["00001", "00002", "mine"]
    assert other.exists(), "another machine's"


@pytest.mark.parametrize("when", ["before it begins", "before it writes"])
def test_a_store_that_is_away_for_a_while_fails_no_pack(machine: Machine, when: str) -> None:
    """Three failures end the run, and of a store that cannot be reached they come within a second."""
    away = machine.base / "away"
    machine.shards.mkdir()
    clock = BackSoon(lambda: _bring_back(away, machine.shards))

    def lose(request: Any = None) -> None:
        if not away.exists() and not clock.back:
            machine.shards.rename(away)
            machine.shards.write_text("no folder")

    if when == "before it begins":
        lose()
    else:
        machine.youtube.refuse = lambda request: lose() if request.kind == "media" else None
    result = machine.do(clock=clock)
    if not clock.back:
        _bring_back(away, machine.shards)
    assert result.state != "failed", result.error
    if result.state != "there":
        assert machine.do().state == "there"
    assert machine.files() == WHOLE and machine.members() == expected(machine.planned[0])


class BackSoon(Clock):
    """A hurried clock; at its third longer wait something comes back."""

    def __init__(self, action: Callable[[], None]) -> None:
        super().__init__(HURRY)
        self.back = False
        self._action, self._waits = action, 0

    def sleep(self, seconds: float) -> None:
        self._waits += seconds >= 5
        if self._waits == 3 and not self.back:
            self.back = True
            self._action()
        super().sleep(seconds)


def _bring_back(away: Path, shards: Path) -> None:
    shards.unlink()
    away.rename(shards)
