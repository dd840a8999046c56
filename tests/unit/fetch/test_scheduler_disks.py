"""The engine where a disk is full that is not the data folder's: which one is named, and what is waited for."""

from __future__ import annotations

import errno
import types
from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import GaveUp
from tests.support.scripted import Run, Script, Simulated


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
