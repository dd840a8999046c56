"""How a run in the folder is doing, by the files that it writes: progress, throughput, blocks, failures.

The downloader opens no port for this. The manifest is read on from where it was read last.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from ..core.errors import REASONS, RunError
from ..core.files import read_json
from ..pacing.pace_file import read_pace
from ..state.last_settings import paces_of
from ..state.lock import OWNER
from ..state.progress_files import PROGRESS

# Clips are counted by these many seconds of their ends.
BUCKET = 300
_PACE_AT_MOST = 1 << 16
# Seconds without a touch after which a run is taken for dead.
DEAD_AFTER = 300


class Live:
    """A data folder that a run may be at."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_to: dict[Path, int] = {}
        self._done: Counter[int] = Counter()
        self._failed: Counter[int] = Counter()
        self._bytes: Counter[int] = Counter()
        self._last: dict[str, str] = {}

    def look(self) -> dict[str, Any]:
        """What is to be said now; counts are of the clips that the manifest's last lines speak of."""
        for path in sorted(self._folder.glob("manifest*.jsonl")):
            self._read_on(path)
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
        try:
            line = json.loads(raw)
            clip_id, status = line["id"], line["status"]
            bucket = int(datetime.fromisoformat(line["time"]).timestamp()) // BUCKET
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if status == "done":
            self._last[clip_id] = ""
            self._done[bucket] += 1
            self._bytes[bucket] += line.get("bytes", 0) if isinstance(line.get("bytes"), int) else 0
        elif status == "failed":
            self._last[clip_id] = str(line.get("reason") or "unknown")
            self._failed[bucket] += 1
        else:
            self._last.pop(clip_id, None)

    def _total(self) -> int | None:
        found = []
        for path in self._folder.glob(PROGRESS.replace(".json", "*.json")):
            try:
                said = read_json(path, "")
            except RunError:
                continue
            if isinstance(said, dict) and isinstance(said.get("total"), int):
                found.append(said["total"])
        return max(found, default=None)

    def _user(self) -> str:
        for path in sorted(self._folder.glob(OWNER.replace(".json", "*.json"))):
            try:
                # Its run touches it all along.
                if time.time() - path.stat().st_mtime < DEAD_AFTER:
                    said = json.loads(path.read_text(encoding="utf-8"))
                    return f"{said['host']}, process {said['pid']}"
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return ""

    def _blocks(self) -> Iterator[dict[str, Any]]:
        try:
            paces = paces_of(self._folder)
        except RunError:
            return
        for name, path in paces:
            try:
                if path.stat().st_size > _PACE_AT_MOST:
                    continue
                pace = read_pace(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
                continue
            if pace.block is not None and pace.block.until > time.time():
                words = REASONS.get(pace.block.reason, "refused")
                yield {"who": name, "until": pace.block.until, "reason": pace.block.reason, "words": words}
