"""manifest.jsonl: what is read back of what was appended, whole or broken."""

from __future__ import annotations

import errno
import itertools
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avclips.core.model import Clip, Outcome
from avclips.state.manifest import (
    FAILURE_KEYS,
    Done,
    Line,
    Manifest,
    done_of,
    failed_of,
    finished,
    forgotten,
    last_lines,
    line_of,
    replay,
)

CLIP = Clip("a_000010", "a", 10.0, 20.0, {"label": "dog, barking"})


def done(clip_id: str, **more: Any) -> Line:
    return {"id": clip_id, "status": "done", **more}


def failed(clip_id: str, reason: str = "http", **more: Any) -> Line:
    rest = {"reason": reason, "permanent": False, "attempts": 1, "error": "e", "time": "t"}
    return {"id": clip_id, "status": "failed", **rest, **more}


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    manifest = Manifest(tmp_path / "manifest.jsonl")
    yield manifest
    manifest.close()


def fill(manifest: Manifest, lines: list[Line]) -> None:
    manifest.open()
    for line in lines:
        manifest.append(line)
    manifest.close()


@pytest.mark.parametrize(
    ("lines", "in_done", "in_failed"),
    [
        ([], [], []),
        ([done("a"), failed("b")], ["a"], ["b"]),
        ([failed("a"), done("a")], ["a"], []),
        ([done("a"), failed("a")], [], ["a"]),
        ([done("a"), forgotten("a")], [], []),
        ([failed("a"), forgotten("a")], [], []),
        ([forgotten("a"), done("a")], ["a"], []),
        ([done("a"), done("b"), done("a")], ["b", "a"], []),
    ],
)
def test_the_last_line_counts(
    manifest: Manifest, lines: list[Line], in_done: list[str], in_failed: list[str]
) -> None:
    fill(manifest, lines)
    told = replay([manifest.path])
    assert (list(told.done), list(told.failed)) == (in_done, in_failed)


def test_the_last_of_two_failures_is_kept_in_short(manifest: Manifest) -> None:
    fill(manifest, [failed("a", "http"), failed("a", "network", attempts=2, identities=["guest"], asked=[0, 9])])
    kept = {"reason": "network", "permanent": False, "attempts": 2, "error": "e", "time": "t"}
    assert replay([manifest.path]).failed == {"a": {**kept, "identities": ["guest"]}}


@pytest.mark.parametrize(
    ("line", "short"),
    [
        (done("a"), Done("", "", 0)),
        (done("a", attempts=3, audio="audio/a.wav"), Done("", ".wav", 3)),
        (done("a", attempts=3, audio=None), Done("", "", 3)),
        (done("a", attempts=1, withheld="sabr"), Done("", "", 1, "", "sabr")),
        (done("a", attempts=1, withheld=None), Done("", "", 1)),
        (done("a", video="videos/x/a.mkv", turn=7), Done(".mkv", "", 0, "x", "", 7)),
    ],
)
def test_done_in_short(manifest: Manifest, line: Line, short: Done) -> None:
    fill(manifest, [line])
    assert replay([manifest.path]).done == {"a": short}
    assert done_of(line) is done_of(dict(line)), "many clips share one"


def test_failed_in_short() -> None:
    line = failed("a", identities=["guest"], meta={"label": "x"}, youtube_id="a", turn=2)
    assert tuple(failed_of(line)) == FAILURE_KEYS
    assert "identities" not in failed_of(failed("a"))


def test_the_whole_lines_of_what_is_done(manifest: Manifest) -> None:
    assert finished([manifest.path] if manifest.path.exists() else []) == {}
    old, new, other = done("a", sha=1), done("a", sha=2), done("b", sha=3)
    fill(manifest, [old, other, failed("c"), done("d"), forgotten("d"), done("e"), failed("e"), new])
    with open(manifest.path, "ab") as stream:
        stream.write(b'{"id": "f", "sta')
    assert finished([manifest.path] if manifest.path.exists() else []) == {"b": other, "a": new}
    assert list(finished([manifest.path] if manifest.path.exists() else [])) == ["b", "a"]


def test_no_file_is_no_line(manifest: Manifest) -> None:
    told = replay([])
    assert (told.done, told.failed, told.places, told.sizes) == ({}, {}, {}, {})


def test_where_the_failures_stand(manifest: Manifest) -> None:
    lines = [failed("a", youtube_id="v"), failed("b", youtube_id=None, source="w"), done("c"), failed("d")]
    fill(manifest, [*lines, failed("e"), done("e"), failed("f"), forgotten("f")])
    sizes = list(itertools.accumulate(map(len, manifest.path.read_bytes().splitlines(keepends=True))))
    told = replay([manifest.path])
    assert told.places == {
        "a": ("manifest.jsonl", sizes[0], "v"),
        "b": ("manifest.jsonl", sizes[1], "w"),
        "d": ("manifest.jsonl", sizes[3], "d"),
    }
    assert told.sizes == {"manifest.jsonl": sizes[-1]}


EARLY, LATE = "2026-11-01T00:00:00Z", "2026-11-01T09:00:00Z"


@pytest.mark.parametrize(
    ("one", "other", "done_by", "failed_by"),
    [
        # Done is more than failed, whatever the clocks of two nodes say.
        ([failed("a", time=LATE)], [done("a", time=EARLY)], "other", None),
        ([failed("a", time=EARLY)], [done("a", time=LATE)], "other", None),
        # A rerun that knew of it said otherwise.
        ([done("a", time=LATE)], [failed("a", turn=2, time=EARLY)], None, "other"),
        ([done("a", time=LATE)], [failed("a", turn=2), done("a", turn=3)], "other", None),
        ([failed("a", turn=2, time=EARLY)], [failed("a", time=LATE)], None, "one"),
        ([failed("a", time=LATE)], [forgotten("a", 2)], None, None),
        ([failed("a"), forgotten("a", 2), failed("a", turn=3)], [forgotten("a", 2)], None, "one"),
        # Of one journal the later line counts, also where it knew nothing of turns.
        ([done("a", turn=5), failed("a")], [], None, "one"),
        # As runs of before turns wrote them.
        ([failed("a", "http", time=EARLY)], [failed("a", "network", time=LATE)], None, "other"),
    ],
)
def test_of_several_journals_the_one_that_knew_more_counts(
    tmp_path: Path, one: list[Line], other: list[Line], done_by: str | None, failed_by: str | None
) -> None:
    """A clip's files, and the reason of its failure, tell whose line counts."""
    paths = [tmp_path / f"manifest.{n}-of-2.jsonl" for n in range(2)]
    for path, lines, name in zip(paths, (one, other), ("one", "other"), strict=True):
        fill(Manifest(path), [line | {"error": name, "sha256": name} for line in lines])
    for order in (paths, paths[::-1]):
        told = replay(order)
        assert (set(told.done), {line["error"] for line in told.failed.values()}) == (
            {"a"} if done_by else set(),
            {failed_by} if failed_by else set(),
        )
        assert [line["sha256"] for line in finished(order).values()] == ([done_by] if done_by else [])


def test_clips_with_several_lines_come_last(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path / "manifest.jsonl")
    fill(manifest, [done("a"), failed("b"), done("c"), done("b"), done("d")])
    assert [line["id"] for line in last_lines([manifest.path])] == ["a", "c", "d", "b"]
    assert [line["status"] for line in last_lines([manifest.path])] == ["done"] * 4


@pytest.mark.parametrize(
    "broken",
    [
        b'{"id": "x", "sta',
        b"\0\0\0\0",
        b"[1, 2]",
        b"7",
        b"\xff\xfe",
        b"",
        b'{"status": "done"}',
        b'{"id": 5, "status": "done"}',
        b'{"id": "x"}',
        b'{"id": "x", "status": 1}',
        b'{"id": "x", "status": "failed", "reason": "http"}',
    ],
)
def test_a_broken_line_is_passed_over(manifest: Manifest, broken: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "avclips")
    whole = [json.dumps(line).encode() for line in (done("a"), done("b"))]
    manifest.path.write_bytes(b"\n".join([whole[0], broken, whole[1], b""]))
    assert list(replay([manifest.path]).done) == ["a", "b"]
    assert [record.getMessage() for record in caplog.records] == [
        f"manifest.jsonl: lines that are broken, or no run's, are passed over: 1, the first at byte "
        f"{len(whole[0]) + 1}"
    ]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_that_was_cut_off_is_ended_before_the_next(manifest: Manifest, cut: int) -> None:
    fill(manifest, [done("a"), done("b")])
    content = manifest.path.read_bytes()
    manifest.path.write_bytes(content[:-cut])
    fill(manifest, [done("c")])
    assert list(replay([manifest.path]).done) == (["a", "b", "c"] if cut == 1 else ["a", "c"])


def test_a_whole_file_gets_no_empty_line(manifest: Manifest) -> None:
    fill(manifest, [done("a")])
    fill(manifest, [done("b")])
    assert manifest.path.read_text() == '{"id": "a", "status": "done"}\n{"id": "b", "status": "done"}\n'


def test_a_line_is_in_the_file_before_append_returns(manifest: Manifest) -> None:
    manifest.open()
    manifest.append(done("ä"))
    assert manifest.path.read_text(encoding="utf-8") == '{"id": "ä", "status": "done"}\n'
    assert manifest.size == len(manifest.path.read_bytes()) == 31


class Disk:
    """A stream whose disk takes so many bytes, write by write, and then none."""

    def __init__(self, *room: int) -> None:
        self.room = list(room)
        self.content = b""

    def write(self, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = data[: self.room.pop(0)]
        self.content += taken
        return len(taken)

    def close(self) -> None: ...


def test_what_found_no_room_is_written_with_the_next_line(manifest: Manifest) -> None:
    manifest.open()
    real, full = manifest._stream, Disk(7)
    manifest._stream = full  # type: ignore[assignment]
    for line in (done("a"), done("b")):
        with pytest.raises(OSError, match="No space left"):
            manifest.append(line)
    # Something of the first line stands already: the rest follows, and nothing twice.
    assert full.content == json.dumps(done("a")).encode()[:7]
    room = Disk(3, 1, 1000)
    manifest._stream = room  # type: ignore[assignment]
    manifest._next_sync = float("inf")
    manifest.append(done("c"))
    manifest._stream = real
    lines = b"".join(json.dumps(done(name)).encode() + b"\n" for name in "abc")
    assert full.content + room.content == lines


def test_a_sync_writes_what_was_kept(manifest: Manifest) -> None:
    manifest.open()
    real = manifest._stream
    manifest._stream = Disk()  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space left"):
        manifest.append(done("a"))
    manifest._stream = real
    manifest.sync()
    assert list(replay([manifest.path]).done) == ["a"]


@pytest.mark.parametrize("words", ["x \ud83d y", "\udcff", "\0", "\u2028", "\n\r"])
def test_any_words_are_one_line_that_can_be_read(manifest: Manifest, words: str) -> None:
    fill(manifest, [failed("a", error=words), done("b")])
    assert len(manifest.path.read_bytes().splitlines()) == 2
    told = replay([manifest.path])
    assert (list(told.failed), list(told.done)) == (["a"], ["b"])
    assert told.failed["a"]["error"] == words


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (
            Outcome(CLIP, "done", attempts=2, facts={"video": "videos/a.mp4", "bytes": 7}),
            {"status": "done", "attempts": 2, "video": "videos/a.mp4", "bytes": 7},
        ),
        (
            Outcome(CLIP, "failed", "http", "HTTP Error 500", attempts=5),
            {"status": "failed", "attempts": 5, "reason": "http", "permanent": False, "error": "HTTP Error 500"},
        ),
        (
            Outcome(CLIP, "failed", "age", "Sign in", permanent=True, attempts=1, identity="guest"),
            {
                "status": "failed",
                "attempts": 1,
                "reason": "age",
                "permanent": True,
                "error": "Sign in",
                "identities": ["guest"],
            },
        ),
    ],
    ids=["done", "failed", "restricted"],
)
def test_line_of(outcome: Outcome, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avclips.state.manifest.now", lambda: "2026-01-02T03:04:05Z")
    always = {"id": "a_000010", "youtube_id": "a", "asked": [10.0, 20.0], "time": "2026-01-02T03:04:05Z"}
    assert line_of(outcome) == always | {"meta": {"label": "dog, barking"}} | line
    assert "meta" not in line_of(Outcome(Clip("b", "b", 0, None), "done"))
