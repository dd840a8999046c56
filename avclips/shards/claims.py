"""Who is at which shard: small files beside the shards, each naming the run that made it.

A claim is made for one of many who try at once, also in stores that cannot say whether a file is new, and its
maker rewrites it while it is at work. One that has stood unchanged for long, or whose process is gone from this
host, is a dead run's. The clocks of two hosts are never compared.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from ..core.clock import Clock
from ..core.errors import RunError
from ..core.file_lock import is_running
from .storage import Remote

log = logging.getLogger("avclips.shards.claims")

BEAT_EVERY = 30.0
# Seconds in which we saw no sign of the one who made it.
DEAD_AFTER = 300.0
# After which two that claimed at once see the same, in a store that cannot say whose file is new.
SETTLE = 5.0


class Claims:
    """The claims of one run in one folder. Errors are RunError."""

    def __init__(self, remote: Remote, clock: Clock) -> None:
        self._remote = remote
        self._clock = clock
        self._token = secrets.token_hex(8)
        self._beats = 0
        # Whether the store says if a file is new, once we know.
        self._tells: bool | None = None
        # Of others' claims, what stood in them, and since when nothing else.
        self._seen: dict[str, tuple[bytes, float]] = {}

    def take(self, name: str) -> bool:
        """Make a claim, or find that it is ours; False where another lives who made it."""
        if self._create(name) or self.is_ours(name):
            return True
        if not self.is_dead(name):
            return False
        log.warning("%s is a dead run's, and is taken over", name)
        self._remote.remove(name)
        return self._create(name)

    def is_ours(self, name: str) -> bool:
        """Whether we made the claim, and nobody took it over."""
        return _owner(self._read(name)).get("token") == self._token

    def is_dead(self, name: str) -> bool:
        """Whether nobody is at it: there is no such claim, or its maker shows no sign of life any more."""
        said = self._read(name)
        if said is None:
            self._seen.pop(name, None)
            return True
        if _died_here(_owner(said)):
            return True
        now = self._clock.now()
        before, since = self._seen.get(name, (b"", now))
        if before != said:
            self._seen[name] = said, now
            return False
        return now - since >= DEAD_AFTER

    def drop(self, name: str) -> bool:
        """Take a claim away where it is ours; False where there is none."""
        said = self._read(name)
        if _owner(said).get("token") == self._token:
            self._remote.remove(name)
        return said is not None

    def drop_dead(self, names: Iterable[str]) -> None:
        """Take away, at once, what processes of this host left that are gone; others' are watched when needed."""
        for name in names:
            if _died_here(_owner(self._read(name))):
                self._remote.remove(name)

    @contextmanager
    def at_work(self, name: str) -> Iterator[None]:
        """Show that we live, for as long as we are at it."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(self._clock.real(BEAT_EVERY, at_least=0.05)):
                # It is away, perhaps; whether the claim is still ours is seen before anything counts.
                with suppress(RunError):
                    if self.is_ours(name) and not ended.is_set():
                        self._remote.replace(name, self._content())

        thread = threading.Thread(target=beat, name="claim", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _create(self, name: str) -> bool:
        content = self._content()
        # Some stores, and older drivers, replace without a word.
        if self._remote.has(name) or not self._remote.create(name, content):
            return False
        if self._tells is None:
            self._tells = not self._remote.create(name, content)
        if self._tells:
            return True
        # Of several that saw nothing there, the last one's stands; and each looks again before its work counts.
        self._clock.sleep(SETTLE)
        return self.is_ours(name)

    def _content(self) -> bytes:
        self._beats += 1
        us = {"host": socket.gethostname(), "pid": os.getpid(), "token": self._token}
        us["time"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return json.dumps(us | {"beat": self._beats}).encode()

    def _read(self, name: str) -> bytes | None:
        return self._remote.read(name) if self._remote.has(name) else None


def _owner(said: bytes | None) -> dict[str, Any]:
    try:
        owner = json.loads(said or b"{}")
    except (ValueError, RecursionError):
        return {}
    return owner if isinstance(owner, dict) else {}


def _died_here(owner: dict[str, Any]) -> bool:
    return owner.get("host") == socket.gethostname() and not is_running(owner.get("pid"))
