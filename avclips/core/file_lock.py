"""A file that one process holds at a time, on file systems with locks and on those without.

Where the system knows no ``flock`` (Lustre without ``-o flock``, some FUSE), a file beside it is made by the one
who holds it, names him, and is taken over when he has died: an existence lock that nobody takes over would keep
everybody out after one ``kill -9``.
"""

from __future__ import annotations

import errno
import inspect
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from .files import create_whole, server_time

# What a file system without locks answers.
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
# Seconds for which a small file is never held by one who is at work.
HELD_AT_MOST = 30.0
_LOOK_EVERY = 0.05
# Newer ones make a file of an existence lock instead, silently, unless they are told not to.
_OPTIONS: dict[str, Any] = (
    {"fallback_to_soft": False}
    if "fallback_to_soft" in inspect.signature(BaseFileLock.__init__).parameters
    else {}
)


class NoLocks(OSError):
    """This file system has none."""


class Lock:
    """A lock of the file system. ``acquire`` raises Timeout where another has it, NoLocks, OSError."""

    def __init__(self, path: Path, mode: int = 0o644) -> None:
        self._lock = FileLock(path, timeout=0, mode=mode, **_OPTIONS)

    def acquire(self, patience: float = 0.0) -> None:
        """Take it; ``patience``: seconds for which another is waited for."""
        try:
            self._lock.acquire(timeout=patience, poll_interval=min(0.1, max(patience / 5, 0.01)))
        except NotImplementedError as error:
            raise NoLocks(errno.ENOSYS, str(error)) from error
        except OSError as error:
            if isinstance(error, Timeout) or error.errno not in _NO_LOCKS:
                raise
            raise NoLocks(error.errno, error.strerror or str(error)) from error
        if isinstance(self._lock, SoftFileLock):
            self._lock.release()
            raise NoLocks(errno.ENOSYS, os.strerror(errno.ENOSYS))

    def release(self) -> None:
        """Let it go."""
        self._lock.release()


@contextmanager
def held(path: Path, patience: float) -> Iterator[None]:
    """Hold ``path`` for a moment, whatever file system it is on. Timeout where another does, OSError.

    For what takes milliseconds: one who holds it longer than HELD_AT_MOST, by the server's time, counts as dead
    where there are no locks.
    """
    lock = Lock(path, mode=0o600)
    try:
        lock.acquire(patience)
    except NoLocks:
        with _marked(path.with_name(f"{path.name}.held"), patience):
            # Whose time is asked is there.
            path.touch(mode=0o600)
            yield
        return
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _marked(marker: Path, patience: float) -> Iterator[None]:
    us = {"host": socket.gethostname(), "pid": os.getpid(), "token": secrets.token_hex(8)}
    until = time.monotonic() + patience
    while not create_whole(marker, json.dumps(us).encode()):
        _remove_dead(marker)
        if time.monotonic() >= until:
            raise Timeout(str(marker))
        time.sleep(_LOOK_EVERY)
    try:
        yield
    finally:
        if owner_in(marker).get("token") == us["token"]:
            marker.unlink(missing_ok=True)


def owner_in(marker: Path) -> dict[str, Any]:
    """Whom a file names; nobody where it names none."""
    try:
        said = json.loads(marker.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _remove_dead(marker: Path) -> None:
    """Take away the mark of one who has died at it; of two who try, one does."""
    owner = owner_in(marker)
    if _has_died(marker, owner):
        take_away(marker, owner)


def take_away(marker: Path, owner: dict[str, Any]) -> None:
    """Remove a file that names ``owner``, and no other that took its place just now."""
    aside = marker.with_name(f"{marker.name}.{secrets.token_hex(8)}")
    with suppress(FileNotFoundError):
        marker.rename(aside)
        if owner_in(aside) != owner:
            # Another did so first, and this is the next one's mark.
            with suppress(OSError):
                os.link(aside, marker, follow_symlinks=False)
        aside.unlink(missing_ok=True)


def _has_died(marker: Path, owner: dict[str, Any]) -> bool:
    if owner.get("host") == socket.gethostname() and not is_running(owner.get("pid")):
        return True
    clock = marker.with_name(f"{marker.name}.{secrets.token_hex(8)}")
    try:
        clock.touch(mode=0o600)
        return server_time(clock) - marker.lstat().st_mtime > HELD_AT_MOST
    except FileNotFoundError:
        return False
    finally:
        clock.unlink(missing_ok=True)


def is_running(pid: Any) -> bool:
    """Whether a process of this host has the number."""
    if not isinstance(pid, int) or isinstance(pid, bool) or not 0 < pid < 1 << 31:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
