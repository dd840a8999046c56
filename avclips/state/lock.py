"""One run at a time in one folder, or one of each partition.

A lock of the file system where it has them (they end with their process), and beside it a file that names the
owner and is touched every 30 seconds, for file systems and hosts that the lock does not reach. A partition has
both under names of its own; before it begins, it looks whether a run is there whose share overlaps with its own.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filelock import Timeout

from ..core.clock import Clock
from ..core.errors import RunError
from ..core.file_lock import Lock, NoLocks, is_running, take_away
from ..core.files import as_json, as_run_error, create_whole, is_about_the_disk, write_json
from .partition import Partition, exclude_each_other, named, siblings, suffix_of

log = logging.getLogger("avclips.state.lock")

OWNER = ".owner.json"
TOUCH_EVERY = 30.0
# An owner on another host is believed dead after so many seconds in which we saw no touch: our own clock
# counts, since those of two hosts may differ.
DEAD_AFTER = 300.0
LOOK_EVERY = 5.0


class FolderLock:
    """Keeps other runs out of ``folder``, or out of one partition of it, from ``acquire`` to ``release``."""

    def __init__(self, folder: Path, clock: Clock, partition: Partition | None = None) -> None:
        self._folder = folder
        self._clock = clock
        self._partition = partition
        self._owner = named(folder / OWNER, partition)
        self._lock = Lock(folder / f".lock{suffix_of(partition)}")
        self._token = secrets.token_hex(8)
        self._held = False
        # The owner files of dead runs, taken over with their shares.
        self._taken: list[Path] = []
        self._released = threading.Event()

    @property
    def held(self) -> bool:
        """Whether the folder is ours."""
        return self._held

    def acquire(self) -> None:
        """Take the folder; RunError names the run that holds it."""
        locked = self._take_lock()
        owner = self.owner()
        if owner is not None and not self._is_dead(owner, locked):
            self._lock.release()
            raise self._refused(owner)
        if owner is not None:
            log.info("taking over from %s, which is dead", in_words(owner))
        us = {"host": socket.gethostname(), "pid": os.getpid(), "token": self._token}
        self._write_owner(us, owner, locked)
        self._held = True
        threading.Thread(target=self._keep_touching, name="lock", daemon=True).start()
        # Ours first, then a look at the others: of two that come at once, each sees the other.
        others = [other for other in self._others() if exclude_each_other(self._partition, other._partition)]
        if (alive := self._alive(others)) is not None:
            self.release()
            raise self._refused(alive)
        for dead in others:
            # Should it only have slept, it sees whose its share is now; and the next run need not watch it again.
            write_json(dead._owner, us)
            self._taken.append(dead._owner)

    def _write_owner(self, us: dict[str, Any], before: dict[str, Any] | None, locked: bool) -> None:
        """Name ourselves; without locks, of two that come at once one is first. RunError where another was."""
        if locked:
            write_json(self._owner, us)
            return
        if before is not None:
            take_away(self._owner, before)
        if not create_whole(self._owner, as_json(us).encode()):
            raise self._refused(self.owner() or {})

    def _refused(self, owner: dict[str, Any]) -> RunError:
        return RunError(f"{self._folder} is in use by {in_words(owner)}", "wait for it to end, or end it")

    def _take_lock(self) -> bool:
        """Whether the file system gave a lock; RunError when another process has it."""
        try:
            # A neighbour that looks whether we live holds it for a moment.
            self._lock.acquire(2.0)
        except Timeout:
            raise self._refused(self.owner() or {}) from None
        except OSError as error:
            if not isinstance(error, NoLocks) and is_about_the_disk(error):
                raise as_run_error(error, self._folder) from error
            log.warning(
                "%s: this file system has no locks (%s): only the owner file keeps a second run out",
                self._folder,
                error,
            )
            return False
        return True

    def _others(self) -> list[FolderLock]:
        """The other runs of this folder that have left an owner file, dead or alive."""
        found = siblings(self._folder / OWNER)
        return [
            FolderLock(self._folder, self._clock, partition) for partition in found if partition != self._partition
        ]

    def neighbours(self) -> list[Partition | None]:
        """The other partitions that may be at work: whose owner file is there."""
        return [other._partition for other in self._others() if other._is_used() is not False]

    def _alive(self, others: Sequence[FolderLock]) -> dict[str, Any] | None:
        """The owner of one that lives; those of other hosts are watched, all at once."""
        doubtful = []
        for other in others:
            used = other._is_used()
            if used:
                return other.owner() or {}
            if used is None:
                doubtful.append(other)
        return self._see_touched(doubtful)

    def _is_used(self) -> bool | None:
        """Whether a run holds this lock; None where another host's may, or may be dead."""
        locked = True
        try:
            self._lock.acquire()
            self._lock.release()
        except Timeout:
            return True
        except OSError:
            locked = False
        owner = self.owner()
        if owner is None:
            return False
        return not self._is_dead_here(owner, locked) if owner.get("host") == socket.gethostname() else None

    def _is_dead(self, owner: dict[str, Any], locked: bool) -> bool:
        if owner.get("host") == socket.gethostname():
            return self._is_dead_here(owner, locked)
        return self._see_touched([self]) is None

    def _is_dead_here(self, owner: dict[str, Any], locked: bool) -> bool:
        # On one host the lock speaks for itself; without locks, the process list does.
        # In a container every run may have the same pid: ours is nobody else's.
        return locked or owner.get("pid") == os.getpid() or not is_running(owner.get("pid"))

    def _see_touched(self, doubtful: Sequence[FolderLock]) -> dict[str, Any] | None:
        """Watch other hosts' owner files until one is touched, or long enough; the owner of that one."""
        if not doubtful:
            return None
        for each in doubtful:
            who = in_words(each.owner() or {})
            log.warning("%s was held by %s: watching for %d s whether it lives", self._folder, who, DEAD_AFTER)
        seen = {each: _touched(each._owner) for each in doubtful}
        until = self._clock.now() + DEAD_AFTER
        while self._clock.now() < until:
            self._clock.sleep(LOOK_EVERY)
            for each in list(seen):
                if _touched(each._owner) != seen[each]:
                    if each._owner.exists():
                        return each.owner() or {}
                    del seen[each]
            if not seen:
                return None
        return None

    def owner(self) -> dict[str, Any] | None:
        """Who holds the folder, or held it when it died; None when nobody does."""
        try:
            said = json.loads(self._owner.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}

    def user(self) -> str | None:
        """Who uses the folder now, in words; None when nobody on this host does."""
        using = [other.owner() or {} for other in [self, *self._others()] if other._is_used_here()]
        return " and ".join(map(in_words, using)) or None

    def _is_used_here(self) -> bool:
        try:
            self._lock.acquire()
        except Timeout:
            return True
        except OSError:
            owner = self.owner()
            return owner is not None and is_running(owner.get("pid"))
        self._lock.release()
        return False

    def _keep_touching(self) -> None:
        while not self._released.wait(self._clock.real(TOUCH_EVERY)):
            try:
                os.utime(self._owner)
            except OSError as error:
                # It may have been released, and its file removed, since we woke up.
                if not self._released.is_set():
                    log.warning("%s cannot be touched: %s", self._owner, error)

    def check(self) -> None:
        """RunError if another run took the folder over, as it may after we were suspended."""
        owner = self.owner()
        if owner and owner.get("token") not in (None, self._token):
            raise RunError(
                f"{self._folder} was taken over by {in_words(owner)}", "this run was silent for too long"
            )

    def release(self) -> None:
        """Let the folder go."""
        if self._held:
            self._held = False
            self._released.set()
            if (self.owner() or {}).get("token") == self._token:
                for path in (self._owner, *self._taken):
                    path.unlink(missing_ok=True)
            self._lock.release()


def in_words(owner: dict[str, Any]) -> str:
    """ "a run on HOST with pid N"."""
    if not owner:
        return "another run"
    return f"a run on {owner.get('host', 'some host')} with pid {owner.get('pid', 'unknown')}"


def _touched(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
