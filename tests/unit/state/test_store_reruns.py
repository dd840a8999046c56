"""One data folder over many runs: what is tried again, what a person may change by hand, what a kill leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from avclips.core.errors import RunError
from tests.support.data_folder import A, B, C, Start, edit_failures, fail, finish, ids, read, runs


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with runs(tmp_path / "data") as start:
        yield start


# What is to be tried


@pytest.mark.parametrize(
    ("sound", "deleted", "pending"),
    [
        (True, [], False),
        (True, ["videos/a.mp4"], True),
        (True, ["audio/a.wav"], True),
        (True, ["videos/a.mp4", "audio/a.wav"], True),
        (False, [], False),
        (False, ["videos/a.mp4"], True),
    ],
)
def test_a_clip_is_done_when_its_files_stand(start: Start, sound: bool, deleted: list[str], pending: bool) -> None:
    store = start()
    finish(store, A, sound)
    assert store.pending([A]) == []
    for name in deleted:
        (store.folder / name).unlink()
    store = start()
    assert store.pending([A]) == ([A] if pending else [])
    # What is left of a clip that was ours is no stranger's.
    assert not store.has_unknown_files(A)


@pytest.mark.parametrize(
    ("reason", "permanent", "retry_failed", "pending"),
    [
        ("removed", True, None, False),
        ("removed", True, (), True),
        ("removed", True, ("removed",), True),
        ("removed", True, ("private", "removed"), True),
        ("removed", True, ("private",), False),
        ("age", True, None, False),
        ("age", True, ("age",), True),
        ("network", False, None, True),
        ("network", False, ("private",), True),
        ("internal", False, None, True),
    ],
)
def test_what_failed_is_tried_again(
    start: Start, reason: str, permanent: bool, retry_failed: tuple[str, ...] | None, pending: bool
) -> None:
    fail(start(), B, reason, permanent, identity="guest" if reason == "age" else None)
    assert ids(start(retry_failed=retry_failed).pending([A, B, C])) == (["a", "b", "c"] if pending else ["a", "c"])


@pytest.mark.parametrize(
    ("reason", "refused", "whose", "pending"),
    [
        ("age", "guest", ("one",), True),
        ("members", "one", ("two",), True),
        ("login", "one", ("guest",), True),
        ("age", "one", ("one",), False),
        ("age", "guest", ("guest",), False),
        ("age", "one", ("one", "two"), True),
        ("age", "one", ("guest", "one"), True),
        ("removed", None, ("one",), False),
        ("country", None, ("one",), False),
        # A line that does not say whose cookies were refused.
        ("age", None, ("guest",), True),
    ],
)
def test_other_cookies_may_mend_a_restriction(
    start: Start, reason: str, refused: str | None, whose: tuple[str, ...], pending: bool
) -> None:
    fail(start(), B, reason, identity=refused)
    assert start(whose=whose).pending([B]) == ([B] if pending else [])


# What a person does to failed_downloads.json


def test_an_id_taken_out_before_a_start_is_tried_again(start: Start) -> None:
    store = start()
    fail(store, A)
    fail(store, B)
    store.snapshot(force=True)
    edit_failures(store, "b")
    assert ids(start().pending([A, B])) == ["b"]
    # Nor is it forgotten by the run after, even if this one wrote nothing.
    assert ids(start().pending([A, B])) == ["b"]


def test_an_id_taken_out_meanwhile_is_let_go(start: Start) -> None:
    store = start()
    fail(store, A)
    fail(store, B)
    store.snapshot(force=True)
    edit_failures(store, "b")
    assert store.snapshot(force=True) == ["b"]
    assert store.snapshot(force=True) == []
    assert (list(store.failed), list(read(store, "failed_downloads.json"))) == (["a"], ["a"])
    assert ids(start().pending([A, B])) == ["b"]


def test_a_failure_since_the_last_snapshot_is_not_let_go(start: Start) -> None:
    store = start()
    fail(store, A)
    store.snapshot(force=True)
    fail(store, B)
    edit_failures(store, "a")
    assert store.snapshot(force=True) == ["a"]
    assert list(read(store, "failed_downloads.json")) == ["b"]


@pytest.mark.parametrize("meanwhile", [True, False])
def test_the_whole_file_deleted(start: Start, meanwhile: bool) -> None:
    store = start()
    fail(store, A)
    fail(store, B)
    store.snapshot(force=True)
    (store.folder / "failed_downloads.json").unlink()
    if meanwhile:
        assert sorted(store.snapshot(force=True)) == ["a", "b"]
        assert read(store, "failed_downloads.json") == {}
    assert ids(start().pending([A, B])) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n "a": {"reason": "removed"},\n "b"', "line 3, column 5"),
        ("", "line 1, column 1"),
        ('{"a": 1,}', "line 1, column "),
        ('["a", "b"]', "holds no object"),
    ],
)
def test_a_file_that_does_not_parse_is_never_overwritten(
    start: Start,
    text: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A comma too many does not end a run of days: it is said once, and the old content counts until it parses."""
    monkeypatch.setattr("avclips.state.progress_files.EDITORS_TIME", 0.0)
    store = start()
    fail(store, A)
    store.snapshot(force=True)
    path, progress = store.folder / "failed_downloads.json", store.folder / "download_progress.json"
    right, before = path.read_text(), progress.read_bytes()
    path.write_text(text)
    for _ in range(3):
        fail(store, B)
        assert store.snapshot(force=True) == []
    assert path.read_text() == text and progress.read_bytes() == before
    assert [message in each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == [True]
    # At a start nothing is lost by stopping.
    store.close()
    with pytest.raises(RunError, match=message):
        start()
    path.write_text(right)
    again = start()
    assert set(again.failed) == {"a", "b"}, "what was recorded meanwhile is no person's doing"


def test_a_file_that_was_mended_counts_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avclips.state.progress_files.EDITORS_TIME", 0.0)
    store = start()
    fail(store, A)
    fail(store, B)
    store.snapshot(force=True)
    path = store.folder / "failed_downloads.json"
    right = json.loads(path.read_text())
    path.write_text('{"a": 1,}')
    assert store.snapshot(force=True) == []
    del right["a"]
    path.write_text(json.dumps(right))
    assert store.snapshot(force=True) == ["a"]
    assert set(read(store, "failed_downloads.json")) == {"b"}


# Kills


def test_a_kill_before_the_first_snapshot_loses_nothing(start: Start) -> None:
    store = start()
    finish(store, A)
    fail(store, B)
    assert ids(start().pending([A, B, C])) == ["c"]
    assert not (store.folder / "download_progress.json").exists()


def test_a_kill_between_two_snapshots_loses_nothing(start: Start) -> None:
    store = start()
    fail(store, A)
    store.snapshot(force=True)
    fail(store, B)
    finish(store, C)
    store = start()
    assert store.pending([A, B, C]) == []
    store.snapshot(force=True)
    assert list(read(store, "failed_downloads.json")) == ["a", "b"]
    assert read(store, "download_progress.json")["completed"] == ["c"]


def test_a_kill_between_publishing_and_the_journal_leaves_a_stranger(start: Start) -> None:
    store = start()
    with store.files.scratch(A) as folder:
        (folder / "x").write_bytes(b"picture")
        store.files.publish(A, folder / "x", None)
    assert start().pending([A]) == [A]
    assert start().has_unknown_files(A)


@pytest.mark.parametrize("reflected", ["null", '"7"', "[]", "-1", "1e9", "true"])
def test_a_progress_file_that_says_nothing_of_the_journal(start: Start, reflected: str) -> None:
    """No failure is let go for it, at worst one that a person took out is kept."""
    store = start()
    fail(store, A)
    store.snapshot(force=True)
    fail(store, B)
    (store.folder / "download_progress.json").write_text(f'{{"manifest_bytes": {reflected}}}')
    assert start().pending([A, B]) == []
