"""manifest.jsonl: one line an outcome, appended as it comes, read back at a start with those of the shards.

Knows lines and what the last one says of each clip. Not which files stand in the folder.
"""

from __future__ import annotations

import functools
import heapq
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from .clip import Outcome

log = logging.getLogger("avclips.journal")

Line = dict[str, Any]
_DECODER = json.JSONDecoder()

# A power loss may take this many seconds of lines; the files they speak of are measured anew then.
SYNC_EVERY = 5.0
FAILURE_KEYS = ("reason", "permanent", "attempts", "error", "time", "identities")


class Done(NamedTuple):
    """What a run needs to know of a finished clip: how its files' names end, "" where there is none.

    ``folder``: where they lie beneath those of all clips.
    """

    video: str
    audio: str
    attempts: int
    folder: str = ""


# Most clips share one of a few.
_done = functools.cache(Done)


def done_of(line: Mapping[str, Any]) -> Done:
    """A finished clip's line, in short."""
    attempts = line.get("attempts")
    video, audio = line.get("video"), line.get("audio")
    endings, folder = (_ending(video), _ending(audio)), _folder(video or audio)
    return _done(*endings, attempts if isinstance(attempts, int) else 0, folder)


def _ending(name: Any) -> str:
    return name[name.rfind(".") :] if isinstance(name, str) and "." in name else ""


def _folder(name: Any) -> str:
    """``eval/3f`` of ``wavs/eval/3f/ID.m4a``."""
    return "/".join(name.split("/")[1:-1]) if isinstance(name, str) else ""


def failed_of(line: Mapping[str, Any]) -> Line:
    """A failed clip's line, in short."""
    return {name: line[name] for name in FAILURE_KEYS if name in line}


class Place(NamedTuple):
    """Where a line stands: the journal's name and the byte behind the line; ``video``: whose clip it speaks of."""

    journal: str
    end: int
    video: str


@dataclass
class Replay:
    """What the journals say of each clip last, in short: done or failed.

    ``places``: where that was said of the failed ones; ``sizes``: the bytes read of each journal.
    """

    done: dict[str, Done] = field(default_factory=dict)
    failed: dict[str, Line] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def take(self, line: Line, journal: str, end: int) -> None:
        """Let ``line`` replace whatever was said of its clip."""
        clip_id = line["id"]
        for book in (self.done, self.failed, self.places):
            book.pop(clip_id, None)
        if line["status"] == "done":
            self.done[clip_id] = done_of(line)
        elif line["status"] == "failed":
            self.failed[clip_id] = failed_of(line)
            self.places[clip_id] = Place(journal, end, line.get("source") or line.get("youtube_id") or clip_id)


def replay(journals: Iterable[Path]) -> Replay:
    """Read several journals as one."""
    told = Replay()
    journals = list(journals)
    for path, end, line in _merged(journals):
        told.take(line, path.name, end)
    told.sizes = {path.name: path.stat().st_size for path in journals}
    return told


def finished(journals: Iterable[Path]) -> dict[str, Line]:
    """The whole last line of each clip that is done, for a check of its files."""
    lines: dict[str, Line] = {}
    for _, _, line in _merged(list(journals)):
        lines.pop(line["id"], None)
        if line["status"] == "done":
            lines[line["id"]] = line
    return lines


def done_lines(journals: Iterable[Path]) -> Iterator[Line]:
    """The lines that say that a clip is done, of clips that may have been lost since, too."""
    return (line for _, _, line in _merged(list(journals)) if line["status"] == "done")


def _merged(journals: Sequence[Path]) -> Iterator[tuple[Path, int, Line]]:
    """The lines of all journals by their time. Of one clip, two runs never write at the same time."""
    if len(journals) == 1:
        # As they stand: to compare the times of a hundred thousand lines takes a while, too.
        return _lines(journals[0])
    return heapq.merge(*map(_lines, journals), key=lambda each: str(each[2].get("time", "")))


def _lines(path: Path) -> Iterator[tuple[Path, int, Line]]:
    at = 0
    with open(path, "rb") as stream:
        for raw in stream:
            at += len(raw)
            line = _parse(raw)
            if line is None:
                # A power loss or a full disk can cut a line; its clip is found in the folder, or fetched.
                log.warning("%s: a broken line at byte %d is passed over", path.name, at - len(raw))
            else:
                yield path, at, line


class Journal:
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
        self._stream = open(self.path, "ab", buffering=0)  # noqa: SIM115 - closed by close()
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


def line_of(outcome: Outcome) -> Line:
    """What the journal says of an outcome."""
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
    if clip.video != line["youtube_id"]:
        line["source"] = clip.video
    if clip.meta:
        line["meta"] = dict(clip.meta)
    if outcome.status == "done":
        return line | dict(outcome.facts)
    line |= {"reason": outcome.reason, "permanent": outcome.permanent, "error": outcome.detail}
    return line | ({"identities": [outcome.identity]} if outcome.identity else {})


def forgotten(clip_id: str) -> Line:
    """The line for a clip that is neither done nor failed any more."""
    return {"id": clip_id, "status": "forgotten", "time": now()}


def now() -> str:
    """The time as the files give it: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parse(raw: bytes) -> Line | None:
    try:
        line = _DECODER.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    known = isinstance(line, dict) and isinstance(line.get("id"), str) and isinstance(line.get("status"), str)
    if known and line["status"] == "failed":
        known = {"reason", "permanent", "attempts", "error", "time"} <= line.keys()
    return line if known else None
