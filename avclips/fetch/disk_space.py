"""Whether a run may write now: room on the disks that it uses, and how long none is waited for.

Knows the data folder and the paths that failing writes name, neither videos nor workers. The main thread's.
"""

from __future__ import annotations

from pathlib import Path

from ..core.clock import Clock
from ..core.errors import GaveUp
from ..core.files import free_bytes, has_space
from ..core.settings import Settings
from ..core.wording import in_units
from ..state.clip_files import ROOM
from ..state.store import Store

# How often the disk is looked at, and how long a write that found no room waits; in seconds.
LOOK_EVERY = 10.0
FULL_WAIT = 60.0
# Bytes that a folder for temporary files should take.
LITTLE_SPACE = 64 * 1024


class DiskSpace:
    """The room for one run's files. ``paused``: why nothing may start now, None where it may."""

    def __init__(self, settings: Settings, clock: Clock, store: Store) -> None:
        self.paused: str | None = None
        self._settings = settings
        self._clock = clock
        self._store = store
        # Where there was no room, until when that is believed, and since when.
        self._full_at = store.folder
        self._full_until: float | None = None
        self._full_since = 0.0

    def look(self) -> None:
        """See whether there is room. GaveUp where a disk that others fill has had none for too long."""
        now = self._clock.now()
        self.paused = None
        if self._full_until is not None and (now < self._full_until or not self._has_space()):
            self._full_until = max(self._full_until, now + LOOK_EVERY)
            self.paused = f"no room left in {self._full_at} (full, no inodes, or a quota)"
        elif (free := free_bytes(self._store.folder)) < self._settings.min_free:
            self.paused = (
                f"{in_units(free)} are free in {self._store.folder}, "
                f"--min-free is {in_units(self._settings.min_free)}"
            )
        else:
            self._full_until = None
        if self.paused and self._full_until is not None and not self._is_ours(self._full_at):
            self._give_up_on_a_foreign_disk()

    def found_none(self, error: OSError) -> None:
        """A write found no room: it is waited for."""
        now, at = self._clock.now(), self._disk_of(error)
        if self._full_until is None or at != self._full_at:
            self._full_since = now
        self._full_at, self._full_until = at, now + FULL_WAIT

    def _has_space(self) -> bool:
        """Whether there is room again where there was none; elsewhere (in $TMPDIR) only little is written."""
        if self._full_at == self._store.folder:
            return self._store.files.has_space()
        if not self._full_at.is_dir():
            return True
        return has_space(self._full_at, ROOM if self._is_ours(self._full_at) else LITTLE_SPACE)

    def _disk_of(self, error: OSError) -> Path:
        """Where a failing write found no room: the data folder, unless it names a folder on another disk."""
        here = self._store.folder
        if not isinstance(error.filename, str) or not error.filename:
            return here
        named = Path(error.filename)
        at = next((folder for folder in (named, *named.parents) if folder.is_dir()), here)
        return here if at.stat().st_dev == here.stat().st_dev else at

    def _is_ours(self, folder: Path) -> bool:
        return folder.is_relative_to(self._store.folder)

    def _give_up_on_a_foreign_disk(self) -> None:
        """A full disk of ours is waited for; one that others fill, as $TMPDIR is, may never have room again."""
        if self._clock.now() - self._full_since > self._settings.give_up_after:
            hours = self._settings.give_up_after / 3600
            raise GaveUp(
                f"there was no room in {self._full_at} for {hours:g} hours",
                "make room there, or name another folder with TMPDIR; the same command goes on",
            )
