"""The engine where a disk is full, the data folder's or another: which one is named, and what is waited for."""

from __future__ import annotations

import errno
import itertools
import os
import types
from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import GaveUp, RunError
from avclips.core.model import Clip, Video
from tests.support.scripted import Run, Script, Simulated


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_pauses_and_charges_nobody(tmp_path: Path, number: int) -> None:
    script = Script({"b1": [OSError(number, os.strerror(number))] * 3})
    run = Run(tmp_path, script, Simulated(), workers=1, retry_attempts=1)
    at: dict[str, list[float]] = {}
    script.on_call = lambda video: at.setdefault(video.id, []).append(run.clock.now())
    run.of("a1 b1 b2 c1")
    assert run.tries == {"a1": 1, "b1": 4, "b2": 4, "c1": 1}
    assert {done.attempts for done in run.store.done.values()} == {1}
    assert run.store.failed == {}
    assert [retry_in for *_, retry_in in run.report.said] == [None] * 4
    words = f"no room left in {run.store.folder} (full, no inodes, or a quota)"
    assert [pause for pause in run.report.pauses if pause] == [words] * len(run.report.pauses[1::2])
    assert len(run.report.pauses) >= 2
    tries = at["b"]
    assert all(later - earlier >= 60 for earlier, later in itertools.pairwise(tries))


def test_it_goes_on_only_when_a_write_finds_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Free space says nothing of a quota; and before a write found no room, nobody tries."""
    run = Run(tmp_path, Script({"b1": [OSError(errno.EDQUOT, "quota")]}), Simulated(), workers=1)
    began: dict[str, float] = {}
    asked: list[float] = []

    def has_space() -> bool:
        asked.append(run.clock.now())
        return len(asked) > 20

    monkeypatch.setattr(run.store.files, "has_space", has_space)
    run.script.on_call = lambda video: began.__setitem__(video.id, run.clock.now())
    run.of("a1 b1 c1")
    assert sorted(run.store.done) == ["a1", "b1", "c1"]
    assert len(asked) == 21 and asked[0] >= 60
    assert all(later - earlier >= 10 for earlier, later in itertools.pairwise(asked))
    assert min(began["b"], began["c"]) >= asked[-1]


def test_nobody_tries_the_room_before_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path, Script({}), Simulated(), workers=1)
    monkeypatch.setattr(run.store.files, "has_space", lambda: pytest.fail("a trial without need"))
    assert len(run.of("a1 b1 c1").store.done) == 3


def test_what_was_told_before_the_disk_was_full_is_kept(tmp_path: Path) -> None:
    run = Run(tmp_path, Script({"a2": [OSError(errno.ENOSPC, "full")]}), workers=1).of("a1 a2 a3")
    assert run.script.calls == [["a1", "a2", "a3"], ["a2", "a3"]]
    assert sorted(run.store.done) == ["a1", "a2", "a3"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_may_not_be_written_to_ends_the_run(tmp_path: Path, number: int) -> None:
    run = Run(tmp_path, Script({"a1": [OSError(number, os.strerror(number))]}))
    with pytest.raises(RunError, match=f"^{run.store.folder} cannot be read or written: {os.strerror(number)}$"):
        run.of("a1 b1")
    assert run.store.failed == {}


def test_nothing_begins_below_min_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Simulated()
    # Enough at first, too little for two minutes, then enough.
    monkeypatch.setattr(
        "avclips.fetch.disk_space.free_bytes", lambda folder: int(1.5e9 if 20 <= clock.now() < 140 else 3e9)
    )
    script = Script({})
    began: list[float] = []
    run = Run(tmp_path, script, clock, workers=1, min_free=int(2e9), give_up_after=60.0)

    def on_call(video: Video) -> None:
        began.append(clock.now())
        clock.time += 8

    script.on_call = on_call
    run.over([Clip(f"v{n}", f"v{n}", 0.0, 10.0) for n in range(9)])
    assert len(run.store.done) == 9
    words = f"1.50 GB are free in {run.store.folder}, --min-free is 2.00 GB"
    assert run.report.pauses == [None, words, None]
    # It is looked for every ten seconds.
    assert [at for at in began if 30 <= at < 140] == []
    assert began[0] < 20 and began[-1] >= 140


def other_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, room: list[bool]) -> Path:
    """A folder for temporary files that is on another disk, with and without room."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    stat = Path.stat

    def elsewhere(self: Path, **more: Any) -> Any:
        found = stat(self, **more)
        return types.SimpleNamespace(st_dev=-1, st_mode=found.st_mode) if self == folder else found

    monkeypatch.setattr(Path, "stat", elsewhere)
    sizes: list[int] = []

    def has_space(where: Path, size: int) -> bool:
        assert where == folder
        sizes.append(size)
        return room.pop(0) if room else False

    monkeypatch.setattr("avclips.fetch.disk_space.has_space", has_space)
    monkeypatch.setattr(run.store.files, "has_space", lambda: pytest.fail("the data folder has room"))
    return folder


def full(path: Path) -> OSError:
    return OSError(errno.ENOSPC, "No space left on device", str(path))


def test_another_disk_that_is_full_is_named_and_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$TMPDIR without inodes, say: the data folder's room says nothing of it."""
    script = Script({})
    run = Run(tmp_path, script, Simulated(), workers=1)
    folder = other_disk(tmp_path, monkeypatch, run, [False] * 9 + [True])
    script.rows["b1"] = [full(folder / "tmpabc")]
    run.of("a1 b1 c1")
    assert sorted(run.store.done) == ["a1", "b1", "c1"] and run.store.failed == {}
    assert run.tries["b1"] == 2, "it is asked for again when there is room"
    assert {pause for pause in run.report.pauses if pause} == {
        f"no room left in {folder} (full, no inodes, or a quota)"
    }


@pytest.mark.slow
def test_another_disk_that_stays_full_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who else fills it need never make room."""
    script = Script({})
    run = Run(tmp_path, script, Simulated(), workers=1, give_up_after=7200.0)
    folder = other_disk(tmp_path, monkeypatch, run, [])
    script.rows["b1"] = [full(folder / "tmpabc")]
    with pytest.raises(GaveUp, match=f"^there was no room in {folder} for 2 hours$"):
        run.of("a1 b1 c1")
    assert run.tries["b1"] == 1 and run.store.failed == {}


def test_a_full_disk_names_what_is_in_the_data_folder_as_such(tmp_path: Path) -> None:
    run = Run(tmp_path, Script({}), Simulated(), workers=1)
    run.script.rows["a1"] = [full(run.store.folder / ".tmp" / "host-1" / "a1" / "x.mp4")]
    run.of("a1")
    assert {pause for pause in run.report.pauses if pause} == {
        f"no room left in {run.store.folder} (full, no inodes, or a quota)"
    }
