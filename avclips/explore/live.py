"""How a run in the folder is doing, by the files that it writes: progress, throughput, blocks, failures.

The downloader opens no port for this. The manifest is read on from where it was read last.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.errors import REASONS, RunError
from ..core.files import read_json
from ..pacing.pace_file import blocks_of
from ..state.last_settings import paces_of
from ..state.line_time import seconds_of
from ..state.lock import DEAD_AFTER, OWNER, in_words
from ..state.manifest import parse_line
from ..state.partition import siblings
from ..state.progress_files import MANIFEST, PROGRESS

# Clips are counted by these many seconds of their ends.
BUCKET = 300


class Live:
    """A data folder that a run may be at."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Pages ask from threads of their own.
        self._turn = threading.Lock()
        self._read_to: dict[Path, int] = {}
        self._done: Counter[int] = Counter()
        self._failed: Counter[int] = Counter()
        self._bytes: Counter[int] = Counter()
        self._last: dict[str, str] = {}

    def look(self) -> dict[str, Any]:
        """What is to be said now; counts are of the clips that the manifest's last lines speak of."""
        with self._turn:
            for path in siblings(self._folder / MANIFEST).values():
                self._read_on(path)
            return self._told()

    def _told(self) -> dict[str, Any]:
        how = Counter(self._last.values())
        failed = {reason: count for reason, count in how.items() if reason}
        return {
            "running": self._user(),
            "total": self._total(),
            "done": how[""],
            "failed": sum(failed.values()),
            "reasons": [
                {"reason": reason, "count": count, "words": REASONS.get(reason, reason)}
                for reason, count in Counter(failed).most_common()
            ],
            "blocks": list(self._blocks()),
            "bucket": BUCKET,
            "history": [
                [bucket * BUCKET, self._done[bucket], self._failed[bucket], self._bytes[bucket]]
                for bucket in sorted(self._done.keys() | self._failed.keys())
            ],
        }

    def _read_on(self, path: Path) -> None:
        begin = self._read_to.get(path, 0)
        try:
            with open(path, "rb") as stream:
                stream.seek(begin)
                for raw in stream:
                    if not raw.endswith(b"\n"):
                        # It is being written.
                        break
                    begin += len(raw)
                    self._take(raw)
        except OSError:
            return
        self._read_to[path] = begin

    def _take(self, raw: bytes) -> None:
        line = parse_line(raw)
        if line is None:
            return
        clip_id, status = line["id"], line["status"]
        if (at := seconds_of(line)) is None:
            return
        bucket = at // BUCKET
        if status == "done":
            self._last[clip_id] = ""
            self._done[bucket] += 1
            self._bytes[bucket] += line.get("bytes") or 0
        elif status == "failed":
            self._last[clip_id] = str(line.get("reason") or "unknown")
            self._failed[bucket] += 1
        else:
            self._last.pop(clip_id, None)

    def _total(self) -> int | None:
        found = []
        for path in siblings(self._folder / PROGRESS).values():
            try:
                said = read_json(path, "")
            except RunError:
                continue
            if isinstance(said, dict) and isinstance(said.get("total"), int):
                found.append(said["total"])
        return max(found, default=None)

    def _user(self) -> str:
        """Who is at work here, in words. By the touch of their files alone: a lock is for runs."""
        for path in siblings(self._folder / OWNER).values():
            try:
                if time.time() - path.stat().st_mtime < DEAD_AFTER:
                    said = json.loads(path.read_text(encoding="utf-8"))
                    return in_words(said if isinstance(said, dict) else {})
            except (OSError, ValueError, RecursionError):
                continue
        return ""

    def _blocks(self) -> Iterator[dict[str, Any]]:
        try:
            paces = paces_of(self._folder)
        except RunError:
            return
        for name, block in blocks_of(paces):
            if block.until > time.time():
                words = REASONS.get(block.reason, "refused")
                yield {"who": name, "until": block.until, "reason": block.reason, "words": words}
