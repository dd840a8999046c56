"""One run at a time in one folder.

A lock of the file system where it has them (they end with their process), and beside it a file that names the
owner and is touched every 30 seconds, for file systems and hosts that the lock does not reach.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from .errors import RunError
from .files import write_json
from .pace import Clock

log = logging.getLogger("avclips.lock")

TOUCH_EVERY = 30.0
# An owner on another host is believed dead after so many seconds in which we saw no touch: our own clock
# counts, since those of two hosts may differ.
DEAD_AFTER = 300.0
LOOK_EVERY = 5.0


class FolderLock:
    """Keeps other runs out of ``folder`` from ``acquire`` to ``release``."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._owner = folder / ".owner.json"
        self._lock = FileLock(folder / ".lock", timeout=0)
        self._token = secrets.token_hex(8)
        self._held = False
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
            raise RunError(f"{self._folder} is in use by {in_words(owner)}", "wait for it to end, or end it")
        if owner is not None:
            log.info("taking over from %s, which is dead", in_words(owner))
        write_json(self._owner, {"host": socket.gethostname(), "pid": os.getpid(), "token": self._token})
        self._held = True
        threading.Thread(target=self._keep_touching, name="lock", daemon=True).start()

    def _take_lock(self) -> bool:
        """Whether the file system gave a lock; RunError when another process has it."""
        try:
            self._lock.acquire()
        except Timeout:
            who = self.owner() or {}
            raise RunError(
                f"{self._folder} is in use by {in_words(who)}", "wait for it to end, or end it"
            ) from None
        except (NotImplementedError, OSError) as error:
            log.warning(
                "%s: this file system has no locks (%s): only the owner file keeps a second run out",
                self._folder,
                error,
            )
            return False
        return True

    def _is_dead(self, owner: dict[str, Any], locked: bool) -> bool:
        if owner.get("host") == socket.gethostname():
            # On one host the lock speaks for itself; without locks, the process list does.
            # In a container every run may have the same pid: ours is nobody else's.
            return locked or owner.get("pid") == os.getpid() or not _is_running(owner.get("pid"))
        return self._is_silent(owner)

    def _is_silent(self, owner: dict[str, Any]) -> bool:
        """Watch another host's owner file until it is touched, or long enough."""
        log.warning(
            "%s was held by %s: watching for %d s whether it lives", self._folder, in_words(owner), DEAD_AFTER
        )
        seen, until = _touched(self._owner), self._clock.now() + DEAD_AFTER
        while self._clock.now() < until:
            self._clock.sleep(LOOK_EVERY)
            if _touched(self._owner) != seen:
                return not self._owner.exists()
        return True

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
        try:
            with self._lock:
                return None
        except Timeout:
            return in_words(self.owner() or {})
        except (NotImplementedError, OSError):
            owner = self.owner()
            return in_words(owner) if owner and _is_running(owner.get("pid")) else None

    def _keep_touching(self) -> None:
        while not self._released.wait(self._clock.real(TOUCH_EVERY)):
            try:
                os.utime(self._owner)
            except OSError as error:
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
                self._owner.unlink(missing_ok=True)
            self._lock.release()


def in_words(owner: dict[str, Any]) -> str:
    """ "a run on HOST with pid N"."""
    if not owner:
        return "another run"
    return f"a run on {owner.get('host', 'some host')} with pid {owner.get('pid', 'unknown')}"


def _is_running(pid: Any) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _touched(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
