"""manifest.jsonl: one line an outcome, appended as it comes, read back at a start with those of the partitions.

Knows lines and what the last one says of each clip. Not which files stand in the folder.

Of one manifest, the later line of a clip counts. Of several, which runs on nodes with clocks of their own have
written, the one that knew the others does: a line of a clip that was spoken of before has its ``turn``, one more
than that of the line before. Where both are the first of their manifest, done is more than failed.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from ..core.files import appended
from ..core.model import Outcome
from ..core.redact import without_password
from .manifest_line import is_right
from .quick_lines import quick_reader

log = logging.getLogger("avclips.state.manifest")

Line = dict[str, Any]
_DECODER = json.JSONDecoder()

# A power loss may take this many seconds of lines; the files they speak of are measured anew then.
SYNC_EVERY = 5.0
FAILURE_KEYS = ("reason", "permanent", "attempts", "error", "time", "identities", "turn")


class Done(NamedTuple):
    """What a run needs to know of a finished clip: how its files' names end, "" where there is none.

    ``folder``: where they lie beneath those of all clips; ``withheld``: why the video had no better formats;
    ``turn``: of the line that says so; ``frame``: as ``video`` and ``audio``.
    """

    video: str
    audio: str
    attempts: int
    folder: str = ""
    withheld: str = ""
    turn: int = 1
    frame: str = ""


# Most clips share one of a few.
_done = functools.cache(Done)


def done_of(line: Mapping[str, Any]) -> Done:
    """A finished clip's line, in short."""
    attempts = line.get("attempts")
    video, audio, frame = line.get("video"), line.get("audio"), _ending(line.get("frame"))
    endings, folder = (_ending(video), _ending(audio)), _folder(video or audio)
    withheld = str(line.get("withheld") or "")
    tried = attempts if isinstance(attempts, int) else 0
    return _done(*endings, tried, folder, withheld, turn_of(line), frame)


def turn_of(line: Mapping[str, Any]) -> int:
    """How many words about its clip there were with this line, as far as its writer knew."""
    return int(line.get("turn", 1))


def _ending(name: Any) -> str:
    return name[name.rfind(".") :] if isinstance(name, str) and "." in name else ""


def _folder(name: Any) -> str:
    """``eval/3f`` of ``wavs/eval/3f/ID.m4a``."""
    return name[name.find("/") + 1 : max(name.rfind("/"), 0)] if isinstance(name, str) else ""


def video_of(line: Mapping[str, Any]) -> str:
    """The video whose clip a line speaks of."""
    return str(line.get("source") or line.get("youtube_id") or line["id"])


def failed_of(line: Mapping[str, Any]) -> Line:
    """A failed clip's line, in short."""
    return {name: line[name] for name in FAILURE_KEYS if name in line}


class Place(NamedTuple):
    """Where a line stands: the manifest's name and the byte behind it; ``video``: the video of its clip."""

    manifest: str
    end: int
    video: str


@dataclass
class Replay:
    """What the manifests say of each clip last, in short: done or failed.

    ``places``: where that was said of the failed ones; ``let_go``: of those that are neither any more, the turn
    and the time; ``sizes``: the bytes read of each manifest.
    """

    done: dict[str, Done] = field(default_factory=dict)
    failed: dict[str, Line] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    let_go: dict[str, tuple[int, str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def take(self, line: Line, manifest: str, end: int) -> None:
        """Let ``line`` replace whatever its manifest said of its clip before."""
        clip_id = line["id"]
        if line["status"] == "done":
            self.take_done(clip_id, done_of(line))
            return
        self._drop(clip_id)
        if line["status"] == "failed":
            self.failed[clip_id] = failed_of(line)
            self.places[clip_id] = Place(manifest, end, video_of(line))
        else:
            self.let_go[clip_id] = turn_of(line), str(line.get("time", ""))

    def take_done(self, clip_id: str, done: Done) -> None:
        """The same, of a finished clip's line."""
        # Most are spoken of once.
        if clip_id in self.done or clip_id in self.failed or clip_id in self.let_go:
            self._drop(clip_id)
        self.done[clip_id] = done

    def join(self, other: Replay) -> None:
        """Take what another manifest says, where it knows more."""
        for book in (other.done, other.failed, other.let_go):
            for clip_id in book:
                if other._weight(clip_id) > self._weight(clip_id):
                    self._drop(clip_id)
                    if clip_id in other.places:
                        self.places[clip_id] = other.places[clip_id]
                    self._book_like(other, book)[clip_id] = book[clip_id]
        self.sizes |= other.sizes

    def _book_like(self, other: Replay, book: Mapping[str, Any]) -> dict[str, Any]:
        return self.done if book is other.done else self.failed if book is other.failed else self.let_go

    def _weight(self, clip_id: str) -> tuple[int, bool, str]:
        """What is said of a clip counts before what has less of it."""
        if (done := self.done.get(clip_id)) is not None:
            return done.turn, True, ""
        if (failed := self.failed.get(clip_id)) is not None:
            return turn_of(failed), False, failed["time"]
        turn, time = self.let_go.get(clip_id, (0, ""))
        return turn, False, time

    def turn(self, clip_id: str) -> int:
        """Of the last line about a clip; 0 where there is none."""
        return self._weight(clip_id)[0]

    def _drop(self, clip_id: str) -> None:
        for book in (self.done, self.failed, self.places, self.let_go):
            book.pop(clip_id, None)


def replay(manifests: Iterable[Path]) -> Replay:
    """Read several manifests as one."""
    told: Replay | None = None
    quick = quick_reader()
    for path in manifests:
        one, passed_over = Replay(), []
        for begin, raw in raw_lines(path):
            if (found := quick(raw)) is not None:
                one.take_done(found[0], _done(*found[1:]))
            elif (line := parse_line(raw)) is not None:
                one.take(line, path.name, begin + len(raw))
            else:
                passed_over.append(begin)
        one.sizes[path.name] = path.stat().st_size
        if passed_over:
            words = "%s: lines that are broken, or no run's, are passed over: %d, the first at byte %d"
            log.warning(words, path.name, len(passed_over), passed_over[0])
        if told is None:
            told = one
        else:
            told.join(one)
    return told or Replay()


def finished(manifests: Iterable[Path]) -> dict[str, Line]:
    """The whole last line of each clip that is done, for a check of its files."""
    return {line["id"]: line for line in last_lines(manifests) if line["status"] == "done"}


def last_lines(manifests: Iterable[Path]) -> Iterator[Line]:
    """The line that counts of each clip, as they are read; those of clips with several come last."""
    manifests = list(manifests)
    # Of most there is one: only the others' need be kept.
    seen: set[str] = set()
    several: set[str] = set()
    for line in _all(manifests):
        (several if line["id"] in seen else seen).add(line["id"])
    del seen
    counts: dict[str, Line] = {}
    for path in manifests:
        last: dict[str, Line] = {}
        for line in _all([path]):
            if line["id"] in several:
                last[line["id"]] = line
            else:
                yield line
        for clip_id, line in last.items():
            if clip_id not in counts or weight_of(line) > weight_of(counts[clip_id]):
                counts[clip_id] = line
    yield from counts.values()


def weight_of(line: Line) -> tuple[int, bool, str]:
    """Of the lines about a clip that several manifests have, the one with the most counts."""
    return turn_of(line), line["status"] == "done", str(line.get("time", ""))


def _all(manifests: Iterable[Path]) -> Iterator[Line]:
    # What is cut is found in the folder, or fetched.
    return (line for path in manifests for _, raw in raw_lines(path) if (line := parse_line(raw)) is not None)


def raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The byte at which each line begins, and the line."""
    at = 0
    with open(path, "rb") as stream:
        for raw in stream:
            yield at, raw
            at += len(raw)


class Manifest:
    """The manifest of one data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: FileIO | None = None
        self._unwritten = b""
        self._next_sync = 0.0

    def open(self) -> None:
        """Begin to append; a line that was cut off is ended first."""
        cut_off = False
        if self.path.exists() and self.path.stat().st_size:
            with open(self.path, "rb") as stream:
                stream.seek(-1, os.SEEK_END)
                cut_off = stream.read() != b"\n"
        # Without a buffer: what write() returns is what the file has.
        self._stream = FileIO(appended(self.path), "a")
        if cut_off:
            self._stream.write(b"\n")

    def append(self, line: Mapping[str, Any]) -> None:
        """Write one line so that a killed process loses nothing, and a power loss little.

        Where there is no room (OSError), the line is kept and written with the next one.
        """
        self._unwritten += json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        self.flush()
        if time.monotonic() >= self._next_sync:
            self.sync()

    def flush(self) -> None:
        """Write what is kept; a write that broke off in the middle goes on from there."""
        assert self._stream is not None
        while self._unwritten:
            written = self._stream.write(self._unwritten)
            self._unwritten = self._unwritten[written:]

    def sync(self) -> None:
        """Have the lines on the disk itself."""
        assert self._stream is not None
        self.flush()
        os.fsync(self._stream.fileno())
        self._next_sync = time.monotonic() + SYNC_EVERY

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self.path.stat().st_size

    def close(self) -> None:
        """Stop appending."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def line_of(outcome: Outcome, turn: int = 1) -> Line:
    """What the manifest says of an outcome; ``turn``: how many words about its clip there are with it."""
    clip = outcome.clip
    line: Line = {
        "id": clip.id,
        "status": outcome.status,
        # Not every dataset's videos are on YouTube.
        "youtube_id": clip.meta.get("youtube_id", clip.video),
        "asked": [clip.start, clip.end],
        "attempts": outcome.attempts,
        "time": now(),
    }
    line |= _turn(turn)
    if clip.video != line["youtube_id"]:
        line["source"] = clip.video
    if clip.meta:
        line["meta"] = dict(clip.meta)
    if outcome.status == "done":
        return line | dict(outcome.facts)
    error = without_password(outcome.detail)
    line |= {"reason": outcome.reason, "permanent": outcome.permanent, "error": error}
    return line | ({"identities": [outcome.identity]} if outcome.identity else {})


def forgotten(clip_id: str, turn: int = 1) -> Line:
    """The line for a clip that is neither done nor failed any more."""
    return {"id": clip_id, "status": "forgotten", "time": now(), **_turn(turn)}


def _turn(turn: int) -> Line:
    # Most clips are spoken of once.
    return {"turn": turn} if turn > 1 else {}


def now() -> str:
    """The time as the files give it: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_line(raw: bytes) -> Line | None:
    """What a line says; None where a power loss cut it, or no run wrote it."""
    try:
        # What decode() does, without its two searches for white space.
        text = raw.decode("utf-8").strip(" \t\r\n")
        line, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return line if end == len(text) and is_right(line) else None
