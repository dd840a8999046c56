"""The two JSON files that people read, and what a person did to them meanwhile.

``download_progress.json`` and ``failed_downloads.json``, of a run or of a partition. They are written whole from
what the store knows; what counts of them at a start is which failures a person took out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from ..core.files import read_json, write_json
from .manifest import Line, Place, now
from .partition import Partition, is_in, named, siblings

log = logging.getLogger("avclips.state.progress_files")

PROGRESS, FAILURES = "download_progress.json", "failed_downloads.json"
# Where the lines go that the files speak of.
MANIFEST = "manifest.jsonl"
# Seconds in which an editor has written a file of a few megabytes.
EDITORS_TIME = 2.0


@dataclass(frozen=True)
class Listed:
    """What a pair of files said: the failed ids, and of how many bytes of each manifest it knew."""

    partition: Partition | None
    failed: frozenset[str]
    reflected: Mapping[str, int]

    def misses(self, clip_id: str, place: Place) -> bool:
        """Whether the files knew of this failure, and it is no longer in them: a person took it out."""
        knew = self.reflected.get(place.manifest, 0) >= place.end and is_in(self.partition, place.video)
        return knew and clip_id not in self.failed


def listings(folder: Path) -> Iterator[Listed]:
    """What the files of all runs and partitions say; RunError where one does not parse."""
    for partition, path in siblings(folder / PROGRESS).items():
        progress = read_json(path, "delete it: the next run writes it anew")
        yield Listed(partition, _read_failed(named(folder / FAILURES, partition)), _reflected(progress))


def _reflected(progress: Any) -> dict[str, int]:
    said = progress.get("manifest_bytes") if isinstance(progress, dict) else None
    # One number, before there were partitions.
    sizes = said if isinstance(said, dict) else {MANIFEST: said}
    return {name: size for name, size in sizes.items() if isinstance(size, int)}


def _read_failed(path: Path) -> frozenset[str]:
    if not path.exists():
        # Deleted by hand: all of it is let go.
        return frozenset()
    listed = read_json(path, "mend it, or delete it to have all that failed tried again")
    if not isinstance(listed, dict):
        raise RunError(f"{path} holds no object", "mend it, or delete it")
    return frozenset(listed)


class Snapshot:
    """The pair of files that one run, or one partition, writes."""

    def __init__(self, folder: Path, partition: Partition | None) -> None:
        self._progress = named(folder / PROGRESS, partition)
        self._failures = named(folder / FAILURES, partition)
        self._written: frozenset[str] = frozenset()
        self._stamp: tuple[int, int, int] | None = None
        # Since when the failures cannot be read, and whether that was said.
        self._broken_since: float | None = None
        self._told = False

    def begin(self, failed: frozenset[str]) -> None:
        """What stands there now is what we know; ``failed``: the failures that were read."""
        self.expect(failed)
        self._stamp = _stamp(self._failures)

    def expect(self, failed: frozenset[str]) -> None:
        """From now on, these are the failures that a person may take out."""
        self._written = failed

    def taken_out(self, patient: bool = False) -> list[str] | None:
        """The ids that a person took out since the files were written last; None while that cannot be read.

        An editor may be writing the file at this moment: it is looked at again, and said once where that is not
        all. ``patient``: there is no later look.
        """
        if _stamp(self._failures) == self._stamp:
            return []
        try:
            listed = self._read(patient)
        except RunError as error:
            now = time.monotonic()
            self._broken_since = self._broken_since or now
            if not self._told and (patient or now - self._broken_since >= EDITORS_TIME):
                self._told = True
                log.error("%s; what it held before counts until it can be read: mend it, or delete it", error)
            return None
        if self._told:
            log.warning("%s can be read again", self._failures)
        self._broken_since, self._told = None, False
        return sorted(self._written - listed)

    def _read(self, patient: bool) -> frozenset[str]:
        try:
            return _read_failed(self._failures)
        except RunError:
            if not patient:
                raise
            time.sleep(EDITORS_TIME)
            return _read_failed(self._failures)

    def write(self, done: list[str], failed: Mapping[str, Line], total: int, reflected: Mapping[str, int]) -> None:
        """Rewrite both; OSError where there is no room."""
        write_json(self._failures, {clip_id: _failure(line) for clip_id, line in failed.items()})
        self.begin(frozenset(failed))
        progress = {"completed": done, "total": total, "timestamp": now(), "manifest_bytes": dict(reflected)}
        write_json(self._progress, progress)


def _failure(line: Line) -> dict[str, Any]:
    """An entry of failed_downloads.json."""
    return {
        "reason": line["reason"],
        "permanent": line["permanent"],
        "attempts": line["attempts"],
        "error": line["error"],
        "last_attempt": line["time"],
    }


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Tells one state of a file from another."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns
