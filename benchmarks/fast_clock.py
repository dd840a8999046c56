"""A clock of simulated time for the real engine with scripted workers: a week passes in half a minute.

Time stands still while anybody is at work. It goes on when the engine waits for news and every worker sleeps: to
the moment at which the first of them wakes, or at which the engine wants to look around.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from pathlib import Path

from avclips.core.clock import Clock

# Simulated seconds after which the engine looks around at the latest: by this scale they are a real one.
LOOK = 60.0
# Real seconds that the engine waits for an event that is on its way.
_MOMENT = 0.0005


class FastClock(Clock):
    """Sleeps end in simulated time, which begins at ``time``.

    ``out()``: how many workers are out, asleep or not; to be set before the first of them is.
    """

    def __init__(self, time: float = 0.0) -> None:
        super().__init__(LOOK)
        self.time = time
        self.out: Callable[[], int] = lambda: 0
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._numbers = itertools.count()
        self._guard = threading.Lock()

    def now(self) -> float:
        return self.time

    def shared(self, path: Path) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        awake = threading.Event()
        with self._guard:
            self.check()
            heapq.heappush(self._sleepers, (self.time + seconds, next(self._numbers), awake))
        awake.wait()
        self.check()

    def stop(self) -> None:
        with self._guard:
            super().stop()
            for _, _, awake in self._sleepers:
                awake.set()

    def real(self, seconds: float, at_least: float = 0.0) -> float:
        """The engine waits: time passes until somebody wakes, or so many seconds are over."""
        with self._guard:
            if len(self._sleepers) < self.out():
                return _MOMENT
            until = self.time + max(seconds, at_least)
            if self._sleepers and self._sleepers[0][0] <= until:
                self.time, _, awake = heapq.heappop(self._sleepers)
                awake.set()
                return _MOMENT
            self.time = until
        return 0.0
