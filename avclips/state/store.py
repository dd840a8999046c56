"""One data folder: what is done, what failed, and the JSON that people read.

The files are the truth: a clip is done when its files stand under their final names, and they get there only
by a rename after their check. The two JSON files are rebuilt from the manifest and the folder at each start.
Never touches the network and never looks into media.

Workers call ``has_unknown_files`` and ``set_aside``, and share ``files``; the rest belongs to the main thread.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core.clock import Clock
from ..core.errors import RunError, Stopped, UsageError
from ..core.files import as_run_error, is_full
from ..core.model import Clip, Outcome
from ..core.settings import Settings
from ..core.symlinks import see_no_links
from .clip_files import ClipFiles
from .failures import may_be_tried, says_nothing_new
from .lock import FolderLock
from .manifest import (
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
    turn_of,
)
from .manifest_line import MOST_TURNS
from .partition import is_in, named, siblings, suffix_of
from .progress_files import MANIFEST, Snapshot, listings
from .shape import claim_folder

log = logging.getLogger("avclips.state.store")

# The JSON is rewritten whole; it may cost this part of the time.
SNAPSHOT_SHARE = 0.02
# Seconds until they are tried again when there was no room for them.
FULL_WAIT = 10.0
# Seconds until a file that a person broke is looked at again.
UNREADABLE_WAIT = 5.0


class Store:
    """One data folder, held by one run.

    ``done`` and ``failed``: clip id -> its last manifest line; an id is in at most one of them.
    """

    def __init__(
        self,
        settings: Settings,
        dataset: str,
        clock: Clock,
        whose: frozenset[str] = frozenset({"guest"}),
        audio: str = "audio",
    ) -> None:
        """A folder that nobody holds yet.

        ``dataset``: the name of what it holds; ``whose``: the identities that ask (youtube.who); ``audio``: what
        the folder of sounds is called in it.
        """
        self.folder = settings.data_dir
        self.metadata = self.folder / "metadata"
        self.done: dict[str, Done] = {}
        self.failed: dict[str, Line] = {}
        self._settings = settings
        self._dataset = dataset
        self._whose = whose
        self._manifest_path = self.folder / MANIFEST
        self._manifest = Manifest(named(self._manifest_path, settings.part))
        self._snapshot = Snapshot(self.folder, settings.part)
        self._lock = FolderLock(self.folder, clock, settings.part)
        owner = f"{socket.gethostname()}-{os.getpid()}{suffix_of(settings.part)}"
        self.files = ClipFiles(settings, audio, self.folder / ".tmp" / owner)
        # Ids whose files a manifest line once knew: what stands under their names is ours.
        self._known: set[str] = set()
        # Of clips that are neither done nor failed, how often their manifest spoke of them.
        self._turns: dict[str, int] = {}
        # How many clips there are to be, and which ones: kept of a partition alone, whose share has to be told.
        self._total = 0
        # How many were done at the start that the list does not name.
        self._others = 0
        self._wanted: set[str] = set()
        # Of failed clips, whose they are: their share does not depend on what is asked for now.
        self._video_of: dict[str, str] = {}
        # Bytes of every manifest as they were read.
        self._read: dict[str, int] = {}
        self._next_snapshot = 0.0
        self._dirty = True
        # Whether another run has taken the folder over.
        self.lost = False

    # -- opening and closing -------------------------------------------------------------------------------

    def open(self) -> None:
        """Take the folder: make it, lock it, see that it is ours, read its manifest. RunError, UsageError."""
        try:
            self._make_folders()
            self._lock.acquire()
            claim_folder(self._settings, self._dataset)
            # The lock is ours: what lies there unfinished is nobody's, but of the partitions that run now.
            self.files.clear_leftovers(tuple(suffix_of(part) for part in self._lock.neighbours()))
            self.read()
            self._manifest.open()
        except OSError as error:
            self.close()
            raise as_run_error(error, self.folder) from error
        except (RunError, Stopped):
            self.close()
            raise

    def close(self) -> None:
        """Let the folder go."""
        self._manifest.close()
        if self._lock.held:
            shutil.rmtree(self.files.unfinished, ignore_errors=True)
            self._lock.release()

    def check_lock(self) -> None:
        """RunError if another run took the folder over; nothing is written into it any more."""
        try:
            self._lock.check()
        except RunError:
            self.lost = True
            raise

    @property
    def done_of_list(self) -> int:
        """How many clips are done of those that were expected, as far as the list was gone through."""
        return len(self.done) - self._others

    def finished(self) -> dict[str, Line]:
        """The manifest's whole line of each clip that is done."""
        lines = finished(siblings(self._manifest_path).values())
        return {clip_id: lines[clip_id] for clip_id in self.done if clip_id in lines}

    def done_lines(self) -> Iterator[Line]:
        """The manifest's line of each clip that is done, one after the other as they are read."""
        for line in last_lines(siblings(self._manifest_path).values()):
            if line["status"] == "done" and line["id"] in self.done:
                yield line

    def file_of(self, clip_id: str) -> str | None:
        """The sound of a clip that is done, or else its picture, beneath the folder; None where it is not."""
        done = self.done.get(clip_id)
        if done is None:
            return None
        root, ending = (self.files.audio, done.audio) if done.audio else (self.files.videos, done.video)
        return (root / done.folder / f"{clip_id}{ending}").relative_to(self.folder).as_posix()

    def knew(self, clip_id: str) -> bool:
        """Whether a clip was done once, and its files, or some of them, are no longer there."""
        return clip_id in self._known

    def video_of(self, clip_id: str) -> str | None:
        """The video that a failed clip was of; None where that is not known."""
        return self._video_of.get(clip_id)

    def user(self) -> str | None:
        """Who uses the folder now, in words; None when nobody does."""
        return self._lock.user()

    @property
    def spill(self) -> Path:
        """A folder for what has no other place before it is asked for; it ends with the run."""
        return self.files.unfinished / "spill"

    def _make_folders(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"{self.folder} is not a folder", "name another with --data-dir")
        see_no_links(self.folder)
        pictures = [self.files.videos] if self._settings.media == "both" else []
        for folder in (self.metadata, *pictures, self.files.audio, self.folder / "features"):
            folder.mkdir(parents=True, exist_ok=True)

    # -- what stands in the folder -------------------------------------------------------------------------

    def read(self) -> None:
        """Rebuild ``done`` and ``failed`` from the manifest, the folder and what a user took out of the JSON."""
        told = replay(siblings(self._manifest_path).values())
        self.done, self.failed, self._read = told.done, told.failed, told.sizes
        self._turns = {clip_id: turn for clip_id, (turn, _) in told.let_go.items()}
        self._video_of = {clip_id: place.video for clip_id, place in told.places.items()}
        for listed in listings(self.folder):
            for clip_id, place in told.places.items():
                if listed.misses(clip_id, place) and (line := self.failed.pop(clip_id, None)):
                    self._turns[clip_id] = turn_of(line)
        for clip_id in self.files.look(self.done):
            self._known.add(clip_id)
            self._turns[clip_id] = self.done.pop(clip_id).turn
        self._snapshot.begin(frozenset(self._ours(self.failed)))

    def expect(self, clips: Iterable[Clip]) -> Iterator[Clip]:
        """Go once through all clips that the folder is to hold, before any is tried; yields them as they come."""
        listed = done = 0
        self._wanted.clear()
        for clip in clips:
            listed += 1
            done += clip.id in self.done
            if self._settings.part is not None:
                self._wanted.add(clip.id)
            yield clip
        self._others = len(self.done) - done
        self._total = listed + self._others
        self._snapshot.expect(frozenset(self._ours(self.failed)))

    def pending(self, clips: Iterable[Clip]) -> list[Clip]:
        """The clips that are to be tried, in their order."""
        return [clip for clip in self.expect(clips) if self.may_come(clip)]

    def may_come(self, clip: Clip) -> bool:
        """Whether the clip is not done, and may be had by another try."""
        if clip.id in self.done:
            return False
        return may_be_tried(self.failed.get(clip.id), self._settings, self._whose)

    def has_unknown_files(self, clip: Clip) -> bool:
        """Whether files stand under the clip's names that no manifest line knows."""
        return not self._has_line(clip) and self.files.has_files(clip)

    def had_unknown_files(self, clip: Clip) -> bool:
        """The same, as the folder was when it was read: for a whole list, without a look at each file."""
        return not self._has_line(clip) and self.files.had_unknown(clip)

    def _has_line(self, clip: Clip) -> bool:
        return clip.id in self.done or clip.id in self._known

    def set_aside(self, clip_id: str, folder: str = "") -> list[Path]:
        """Move a clip's files out of the way, never deleting them; return where they are now.

        ``folder``: where they lie, of a clip that is not done.
        """
        return self.files.set_aside(clip_id, folder, self.done.get(clip_id))

    # -- the main thread -----------------------------------------------------------------------------------

    def record(self, outcome: Outcome) -> None:
        """Write one outcome into the manifest."""
        clip_id = outcome.clip.id
        line = line_of(outcome, self._next_turn(clip_id))
        if not outcome.asked and outcome.status != "done" and says_nothing_new(line, self.failed.get(clip_id)):
            return
        if "identities" in line:
            # Whoever was refused before was refused too.
            before = self.failed.get(clip_id, {}).get("identities", [])
            line["identities"] = sorted({*before, *line["identities"]})
        self._append(line)
        self._drop(clip_id)
        if outcome.status == "done":
            self.done[clip_id] = done_of(line)
        else:
            self.failed[clip_id] = failed_of(line)

    def amend(self, line: Line, more: Mapping[str, Any]) -> None:
        """Say more of a finished clip, or other things: the new line counts. RunError where it has no room."""
        clip_id = line["id"]
        line = {**line, **more, "turn": self._next_turn(clip_id)}
        self._append(line, keep=False)
        self.done[clip_id] = done_of(line)

    def forget(self, clip_id: str) -> None:
        """Have the clip neither done nor failed: its files were set aside, or a user let it go."""
        turn = self._next_turn(clip_id)
        self._append(forgotten(clip_id, turn))
        self._drop(clip_id)
        self._turns[clip_id] = turn

    def _next_turn(self, clip_id: str) -> int:
        """Of the next line about a clip: it counts more than any that this run has read."""
        if (done := self.done.get(clip_id)) is not None:
            turn = done.turn
        elif (failed := self.failed.get(clip_id)) is not None:
            turn = turn_of(failed)
        else:
            turn = self._turns.get(clip_id, 0)
        return min(turn + 1, MOST_TURNS)

    def _drop(self, clip_id: str) -> None:
        self.done.pop(clip_id, None)
        self.failed.pop(clip_id, None)
        self._turns.pop(clip_id, None)
        self._dirty = True

    def _append(self, line: Line, keep: bool = True) -> None:
        if self.lost:
            return
        try:
            self._manifest.append(line)
        except OSError as error:
            if not (keep and is_full(error)):
                raise as_run_error(error, self.folder) from error
            # Kept in memory until there is room; the files themselves stand.
            log.warning("no room for a line of the manifest: it is kept")

    def snapshot(self, force: bool = False) -> list[str]:
        """Rewrite the two JSON files when it is time; return the ids that a user took out of the failed ones."""
        started = time.monotonic()
        if self.lost or (not force and (not self._dirty or started < self._next_snapshot)):
            return []
        taken_out = self._snapshot.taken_out(patient=force)
        if taken_out is None:
            # A person's work is not overwritten: what it held before counts until it can be read.
            self._next_snapshot = started + UNREADABLE_WAIT
            return []
        let_go = [clip_id for clip_id in taken_out if clip_id in self.failed]
        for clip_id in let_go:
            self.forget(clip_id)
        try:
            self._manifest.sync()
            failed = {clip_id: self.failed[clip_id] for clip_id in self._ours(self.failed)}
            done = list(self._ours(self.done))
            known = {**self._read, self._manifest.path.name: self._manifest.size}
            total = self._total if self._settings.part is None else len(self._wanted.union(done))
            self._snapshot.write(done, failed, total, known)
        except OSError as error:
            if not is_full(error):
                raise as_run_error(error, self.folder) from error
            log.warning("no room for the JSON files: they are written later")
            self._next_snapshot = time.monotonic() + FULL_WAIT
            return let_go
        self._dirty = False
        self._next_snapshot = time.monotonic() + (time.monotonic() - started) / SNAPSHOT_SHARE
        return let_go

    def _ours(self, clip_ids: Iterable[str]) -> Iterable[str]:
        """Those of our partition: each has its own JSON."""
        partition = self._settings.part
        if partition is None:
            return clip_ids
        videos = self._video_of
        return (
            each
            for each in clip_ids
            if each in self._wanted or (each in videos and is_in(partition, videos[each]))
        )
