"""Where the pace of one identity lies, so that every process that goes by it sees it.

A small locked file. Its times are those of the server that keeps it: clocks of nodes differ, and are set. While it
cannot be shared (a neighbour is suspended in its lock, the disk is full), a process goes on by what it knew last,
counts what it spends, and shares again as soon as it can.
"""

from __future__ import annotations

import errno
import json
import logging
import math
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..core.clock import Clock
from ..core.file_lock import held
from ..core.files import new_file
from ..core.state_dir import private_folder
from .pace import LONGEST_WAIT, SLOWEST, Block, Limit, Pace, fresh, refilled, reunited, shifted

log = logging.getLogger("avclips.pacing.pace_file")

# Seconds for which a lock is waited for; and while it could not be had, at each further look.
LOCK_PATIENCE, LOOK_PATIENCE = 5.0, 0.1
_MOST_WAITS = 1000
# Bytes of a file with a pace, for a look from outside.
_AT_MOST = 1 << 16


@dataclass(frozen=True)
class _Apart:
    """A while in which nothing could be shared: the tokens spent, and the round in which it began."""

    spent: float
    round: int


class Shelf:
    """Where one Pace lies: a small locked file, or this process's memory."""

    def __init__(self, path: Path | None, limit: Limit | None, clock: Clock, by_default: bool = True) -> None:
        """``path``: None where nothing is to be shared; ``by_default``: its folder was not chosen by the user."""
        self._path = path
        self._by_default = by_default
        # Whether the folder was seen to be this user's.
        self._trusted = False
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        # By how much the shared time is ahead of this process's.
        self._ahead = 0.0
        self._apart: _Apart | None = None
        # Why nothing can be shared now; empty where it can.
        self.trouble = ""
        self.pace = fresh(limit, self.now())

    def now(self) -> float:
        """The shared time, as far as this process knows."""
        return self._clock.now() + self._ahead

    @contextmanager
    def open(self) -> Iterator[Shelf]:
        """Hold the shelf; ``pace`` is as of now, and what it is set to is kept."""
        with self._lock, ExitStack() as stack:
            path = self._path if self._is_locked(stack) else None
            shared = self._read(path) if path else None
            known = self._known(shared)
            before = self.pace = refilled(known, self.limit, self.now())
            yield self
            if shared is not None and self._apart is None and self.pace == before and before.refused_at is None:
                # Nothing but the time has changed, which each who reads it counts; a block's is kept up to date.
                return
            if path:
                self._keep(path, before, (shared or known).round)
            elif self._apart is not None:
                self._apart = replace(self._apart, spent=self._apart.spent + before.tokens - self.pace.tokens)

    def _keep(self, path: Path, before: Pace, round: int) -> None:
        """Write the pace for the others; ``round``: of what stands there until it is written."""
        spent = self._apart.spent if self._apart else 0.0
        if (error := self._write(path, self.pace)) is None:
            if self._apart is not None:
                log.warning("%s is shared again", path)
            self._apart, self.trouble = None, ""
            return
        self._part(error)
        self._apart = _Apart(spent + before.tokens - self.pace.tokens, round)

    def _is_locked(self, stack: ExitStack) -> bool:
        """Take the file's lock; False where it cannot be had."""
        if self._path is None:
            return False
        try:
            self._see_folder(self._path.parent)
            lock = self._path.with_suffix(".lock")
            stack.enter_context(held(lock, LOOK_PATIENCE if self._apart else LOCK_PATIENCE))
            self._set_time(self._clock.shared(lock))
        except OSError as error:
            self._part(error)
            return False
        return True

    def _see_folder(self, folder: Path) -> None:
        """Make the folder, and see that nobody else can write there what we would believe."""
        if self._trusted and folder.is_dir():
            return
        if why := private_folder(folder, self._by_default):
            raise PermissionError(errno.EPERM, why, str(folder))
        self._trusted = True

    def _part(self, error: OSError) -> None:
        if self._apart is None:
            log.warning("%s cannot be shared now (%s): this process goes by what it knows", self._path, error)
            self.trouble = f"{error.filename or self._path}: {error.strerror or error}"
            self._apart = _Apart(0.0, self.pace.round)

    def _set_time(self, now: float) -> None:
        ahead = now - self._clock.now()
        # What this process knows was of another time: the server's clock was set, or is asked for the first time.
        self.pace = shifted(self.pace, ahead - self._ahead)
        self._ahead = ahead

    def _known(self, shared: Pace | None) -> Pace:
        if shared is None:
            # Perhaps a cleaner of caches took it: what this process knows still holds.
            return self.pace
        if self._apart is None:
            return shared
        now = self.now()
        both = refilled(shared, self.limit, now), refilled(self.pace, self.limit, now)
        return reunited(*both, self._apart.spent, self._apart.round)

    def _read(self, path: Path) -> Pace | None:
        try:
            return read_pace(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            log.warning("%s is replaced: it holds no pace (%s)", path, error)
            return None

    def _write(self, path: Path, pace: Pace) -> OSError | None:
        # A name that nobody knows beforehand.
        temp = path.with_suffix(f".{secrets.token_hex(8)}.tmp")
        try:
            with open(new_file(temp, 0o600), "w", encoding="utf-8") as stream:
                stream.write(json.dumps({"version": 1, **asdict(pace)}))
            temp.replace(path)
        except OSError as error:
            temp.unlink(missing_ok=True)
            return error
        return None


def read_pace(value: Any) -> Pace:
    """A Pace out of JSON; ValueError, TypeError, KeyError or OverflowError where it is none.

    What no run writes is set back: anybody's hand may have been at it.
    """
    if value["version"] != 1:
        raise ValueError(f"version {value['version']}")
    numbers = {name: float(value[name]) for name in ("tokens", "at", "speed", "probe_until")}
    refused_at = None if value["refused_at"] is None else float(value["refused_at"])
    round, at = int(value["round"]), numbers["at"]
    if not all(map(math.isfinite, (*numbers.values(), refused_at or 0.0))) or not 0 <= at < 1e15:
        raise ValueError("a number out of all bounds")
    if not SLOWEST <= numbers["speed"] <= 1:
        numbers["speed"] = 1.0
    if not 0 <= round < 1 << 53:
        round = 0
    return Pace(**numbers, round=round, block=_read_block(value["block"], at), refused_at=refused_at)


def paces_now(paces: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, Pace]]:
    """The pace in each file, by the name beside it; a file that is none tells of none.

    For a look from outside: nothing is locked, and a block that is over may be among them.
    """
    for name, path in paces:
        try:
            if not path.is_file() or path.stat().st_size > _AT_MOST:
                continue
            pace = read_pace(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            continue
        yield name, pace


def blocks_of(paces: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, Block]]:
    """The block that each of these files tells of, as ``paces_now`` reads them."""
    for name, pace in paces_now(paces):
        if pace.block is not None:
            yield name, pace.block


def _read_block(value: Any, at: float) -> Block | None:
    if value is None:
        return None
    block = Block(
        str(value["reason"]),
        float(value["since"]),
        float(value["until"]),
        int(value["waits"]),
        bool(value.get("thorough")),
    )
    # A wait is drawn out by a tenth at most.
    usual = 1 <= block.waits <= _MOST_WAITS and block.since <= at and block.until - at <= 1.2 * LONGEST_WAIT
    return block if usual and math.isfinite(block.since + block.until) else None
