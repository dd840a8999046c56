"""One data folder: whose it is, what stands in it, how files come into it, when its JSON is written."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from avclips.core.errors import RunError, UsageError
from avclips.core.model import Outcome
from avclips.core.settings import Settings
from avclips.state import progress_files as snapshot_module
from avclips.state import store as store_module
from avclips.state.manifest import Manifest
from avclips.state.store import Store
from tests.support.data_folder import A, B, C, Start, fail, finish, read, runs
from tests.support.fake_clock import FakeClock


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with runs(tmp_path / "data") as start:
        yield start


# Layout


def test_a_fresh_folder(start: Start) -> None:
    store = start()
    assert {path.name for path in store.folder.iterdir()} == {
        *("metadata", "videos", "audio", "features", "manifest.jsonl", ".lock", ".owner.json", ".tmp")
    }
    shape = {"quality": 360, "cut": "exact", "video_format": "mp4", "audio_format": "wav"}
    shape |= {"media": "both", "flat": False, "audio_rate": None, "audio_channels": None}
    assert read(store, "metadata/folder.json") == {"dataset": "test", "settings": shape}
    owner = read(store, ".owner.json")
    assert (owner.pop("host"), owner.pop("pid"), list(owner)) == (socket.gethostname(), os.getpid(), ["token"])
    assert store.files.paths("x_1") == (store.folder / "videos/x_1.mp4", store.folder / "audio/x_1.wav")
    store.close()
    assert not (store.folder / ".owner.json").exists()
    assert store.user() is None


def test_the_json_that_people_read(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avclips.state.progress_files.now", lambda: "2026-01-02T03:04:05Z")
    monkeypatch.setattr("avclips.state.manifest.now", lambda: "2026-01-01T00:00:00Z")
    store = start()
    assert store.pending([A, B, C]) == [A, B, C]
    finish(store, A)
    fail(store, B)
    store.snapshot(force=True)
    assert read(store, "download_progress.json") == {
        "completed": ["a"],
        "total": 3,
        "timestamp": "2026-01-02T03:04:05Z",
        "manifest_bytes": {"manifest.jsonl": (store.folder / "manifest.jsonl").stat().st_size},
    }
    assert read(store, "failed_downloads.json") == {
        "b": {
            "reason": "removed",
            "permanent": True,
            "attempts": 1,
            "error": "words of removed",
            "last_attempt": "2026-01-01T00:00:00Z",
        }
    }


def test_leftovers_of_earlier_runs_are_cleared(start: Start) -> None:
    store = start()
    store.close()
    ours = store.folder / ".tmp" / f"{socket.gethostname()}-1" / "a"
    foreign = store.folder / ".tmp" / "elsewhere.example-1" / "b"
    for folder in (ours, foreign):
        folder.mkdir(parents=True)
        (folder / "part").write_bytes(b"x")
    half = [store.folder / ".failed_downloads.json.1.tmp", store.metadata / ".folder.json.1.tmp"]
    for path in half:
        path.write_text("{")
    start()
    assert not ours.parent.exists()
    # Another host's too: its run cannot live while the lock is ours.
    assert not foreign.exists()
    assert [path for path in half if path.exists()] == []


# Whose folder it is


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ({}, {"dataset": "other"}, "holds test, not other"),
        ({}, {"dataset": "other", "allow_mixed": True}, "holds test, not other"),
        ({"quality": 720}, {}, "was made with --quality 720$"),
        ({}, {"cut": "copy"}, "was made with --cut exact$"),
        ({"audio_rate": 16000}, {"audio_channels": 1}, "was made with --audio-rate 16000, no --audio-channels$"),
        ({"frame": "middle"}, {}, "was made with --frame middle$"),
        ({}, {"frame": "middle"}, "was made with no --frame$"),
        ({"quality": 720}, {"allow_mixed": True}, None),
        ({}, {"workers": 9, "sleep": 0.0, "allow_silent": True}, None),
    ],
)
def test_one_folder_holds_one_kind(
    start: Start, before: dict[str, Any], after: dict[str, Any], message: str | None
) -> None:
    start(**before)
    if message is None:
        assert start(**after).done == {}
        return
    with pytest.raises(UsageError, match=message) as caught:
        start(**after)
    assert caught.value.exit_code == 2
    start(**before)  # the folder was let go


def test_a_second_run_is_kept_out(start: Start, tmp_path: Path) -> None:
    store = start()
    finish(store, A)
    who = f"a run on {socket.gethostname()} with pid {os.getpid()}"
    second = Store(Settings(tmp_path / "data"), "test", FakeClock())
    with pytest.raises(RunError, match=f"in use by {who}"):
        second.open()
    assert second.user() == who
    second.close()
    # Nothing of the first one's was cleared away.
    assert (store.folder / ".owner.json").exists()
    with store.files.scratch(B) as folder, pytest.raises(RunError):
        (folder / "part").write_bytes(b"x")
        Store(Settings(tmp_path / "data"), "test", FakeClock()).open()
    store.check_lock()
    finish(store, B)


def test_a_run_that_was_silent_for_too_long_ends(start: Start) -> None:
    store = start()
    owner = store.folder / ".owner.json"
    owner.write_text('{"host": "elsewhere", "pid": 7, "token": "theirs"}')
    with pytest.raises(RunError, match="was taken over by a run on elsewhere with pid 7$"):
        store.check_lock()
    # Nothing is written into it any more.
    before = {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()}
    fail(store, B)
    store.forget("a")
    assert store.snapshot(force=True) == []
    store.close()
    assert {path: path.read_bytes() for path in store.folder.rglob("*") if path.is_file()} == before
    assert json.loads(owner.read_text())["token"] == "theirs"


def test_a_file_in_the_folders_place(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(UsageError, match="is not a folder"):
        Store(Settings(tmp_path / "data"), "test", FakeClock()).open()


# Files


def test_has_strangers(start: Start) -> None:
    store = start()
    assert not store.has_unknown_files(A)
    for path in (*store.files.paths("a")[:1], *store.files.paths("b")[1:]):
        path.write_bytes(b"x")
    assert (store.has_unknown_files(A), store.has_unknown_files(B)) == (True, True)
    finish(store, A)
    assert not store.has_unknown_files(A)


def test_set_aside_never_overwrites(start: Start) -> None:
    store = start()
    video, sound = store.files.paths("a")
    aside = store.folder / "set_aside"
    for round_, names in enumerate([["a.mp4", "a.wav"], ["a.1.mp4", "a.1.wav"], ["a.2.mp4"]]):
        for path in (video, sound)[: len(names)]:
            path.write_text(str(round_))
        assert store.set_aside("a") == [aside / name for name in names]
        assert [(aside / name).read_text() for name in names] == [str(round_)] * len(names)
    assert len(list(aside.iterdir())) == 5
    assert store.set_aside("a") == []


def test_the_sound_is_published_first(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    store = start()
    moved: list[Path] = []
    replace_ = os.replace

    def record(source: Path, target: Path) -> None:
        moved.append(Path(target))
        replace_(source, target)

    monkeypatch.setattr(os, "replace", record)
    finish(store, A)
    assert moved == [store.folder / "audio/a.wav", store.folder / "videos/a.mp4"]


def test_scratch_is_empty_on_the_same_disk_and_gone_afterwards(start: Start) -> None:
    store = start()
    with pytest.raises(KeyError), store.files.scratch(A) as folder:
        assert (list(folder.iterdir()), folder.is_relative_to(store.folder)) == ([], True)
        (folder / "part").write_bytes(b"x")
        raise KeyError
    assert not folder.exists()


# Snapshots


def test_snapshots_cost_a_fiftieth_of_the_time(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    store = start()
    clock = SimpleNamespace(time=100.0)
    write = snapshot_module.write_json
    written: list[str] = []

    def slow_write(path: Path, value: Any) -> None:
        clock.time += 0.5
        written.append(path.name)
        write(path, value)

    monkeypatch.setattr(store_module, "time", SimpleNamespace(monotonic=lambda: clock.time))
    monkeypatch.setattr(snapshot_module, "write_json", slow_write)
    both = ["failed_downloads.json", "download_progress.json"]
    store.snapshot()  # took 1 s: the next is due at 101 + 50
    assert written == both
    clock.time = 200.0
    store.snapshot()  # nothing is new
    assert written == both
    clock.time = 150.9
    finish(store, A)
    store.snapshot()
    assert written == both
    clock.time = 151.0
    store.snapshot()
    assert written == both * 2
    store.snapshot(force=True)
    assert written == both * 3


# No room


def refuse(number: int) -> Any:
    def write(*args: object) -> None:
        raise OSError(number, os.strerror(number))

    return write


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_line_that_found_no_room_is_kept(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    store = start()
    with monkeypatch.context() as full:
        full.setattr(Manifest, "flush", refuse(number))
        finish(store, A)
        fail(store, B)
    assert (list(store.done), list(store.failed)) == (["a"], ["b"])
    assert (store.folder / "manifest.jsonl").read_bytes() == b""
    assert [r.getMessage() for r in caplog.records] == ["no room for a line of the manifest: it is kept"] * 2
    finish(store, C)
    lines = (store.folder / "manifest.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a", "b", "c"]
    assert start().pending([A, B, C]) == []


def test_json_that_found_no_room_is_written_later(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = start()
    clock = SimpleNamespace(time=100.0)
    monkeypatch.setattr(store_module, "time", SimpleNamespace(monotonic=lambda: clock.time))
    fail(store, A)
    with monkeypatch.context() as full:
        full.setattr(snapshot_module, "write_json", refuse(errno.ENOSPC))
        assert store.snapshot() == []
    caplog.set_level(logging.WARNING, "avclips")
    assert [r.getMessage() for r in caplog.records] == ["no room for the JSON files: they are written later"]
    clock.time = 109.9
    store.snapshot()
    assert not (store.folder / "failed_downloads.json").exists()
    clock.time = 110.0
    store.snapshot()
    assert list(read(store, "failed_downloads.json")) == ["a"]
    # What was never in the file was not taken out of it.
    assert list(store.failed) == ["a"]


def test_has_room(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    store = start()
    scratch = store.folder / ".tmp" / f"{socket.gethostname()}-{os.getpid()}"
    assert store.files.has_space()
    scratch.rmdir()
    assert store.files.has_space()
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        with monkeypatch.context() as full:
            full.setattr(os, "fsync", refuse(number))
            assert not store.files.has_space()
    assert store.files.has_space() and list(scratch.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EIO])
def test_other_trouble_of_the_disk_ends_the_run(
    start: Start, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    store = start()
    with monkeypatch.context() as broken:
        broken.setattr(Manifest, "flush", refuse(number))
        with pytest.raises(RunError, match=os.strerror(number)):
            fail(store, A)
        with pytest.raises(RunError, match=os.strerror(number)):
            store.snapshot(force=True)


def test_who_was_refused_is_kept_together(start: Start) -> None:
    store = start()
    for who in ("guest", "b", "guest"):
        store.record(Outcome(A, "failed", "age", "words", True, 1, identity=who))
    assert store.failed["a"]["identities"] == ["b", "guest"]
    store.record(Outcome(A, "failed", "private", "words", True, 1))
    assert "identities" not in store.failed["a"]
    lines = (store.folder / "manifest.jsonl").read_text().splitlines()
    assert [line.get("identities") for line in map(json.loads, lines)] == [
        ["guest"],
        ["b", "guest"],
        ["b", "guest"],
        None,
    ]


def test_what_is_kept_of_a_line_and_what_stands_in_the_journal(start: Start) -> None:
    store = start()
    finish(store, A)
    fail(store, B)
    assert set(store.failed["b"]) == {"reason", "permanent", "attempts", "error", "time"}
    again = start()
    assert (again.done, again.failed) == (store.done, store.failed)
    assert list(again.finished()) == ["a"]
    assert (again.finished()["a"]["id"], again.finished()["a"]["status"]) == ("a", "done")
    # What stands no longer in the folder is not done.
    again.files.paths("a")[0].unlink()
    again.read()
    assert again.finished() == {}


def test_words_that_are_no_utf_8(start: Start) -> None:
    store = start()
    store.record(Outcome(A, "failed", "unknown", "x \ud83d y"))
    store.snapshot(force=True)
    assert read(store, "failed_downloads.json")["a"]["error"] == start().failed["a"]["error"]
