"""The only way to the time: waits end at once when the run is stopped, and tests pass a clock of their own.

AVCLIPS_TIME_SCALE=k, for rehearsals and tests alone, divides every wait and deadline by k.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .errors import Stopped, UsageError
from .files import server_time


class Clock:
    """The time, and waits that a stop ends."""

    def __init__(self, scale: float | None = None) -> None:
        self.scale = _scale_asked_for() if scale is None else scale
        self._stopped = threading.Event()
        self._on_stop: list[Callable[[], None]] = []

    def now(self) -> float:
        """Seconds since some moment, never going back."""
        return time.monotonic() * self.scale

    def shared(self, path: Path) -> float:
        """Seconds that mean the same to all who share the file ``path``: its server's clock. OSError.

        The clocks of two nodes need not agree, and one may be set while a run goes on.
        """
        return server_time(path) * self.scale

    def sleep(self, seconds: float) -> None:
        """Wait, or raise Stopped as soon as the run is stopped."""
        if self._stopped.wait(max(0.0, seconds) / self.scale):
            raise Stopped

    def real(self, seconds: float, at_least: float = 0.0) -> float:
        """What to hand to a function with a time-out of its own; work does not get faster by scaling."""
        return max(seconds / self.scale, at_least)

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def check(self) -> None:
        """Raise Stopped if the run is stopped."""
        if self._stopped.is_set():
            raise Stopped

    def on_stop(self, action: Callable[[], None]) -> None:
        """Have ``action`` called when the run is stopped: it ends what no sleep of ours can."""
        self._on_stop.append(action)
        if self._stopped.is_set():
            action()

    def stop(self) -> None:
        """Wake every sleeper."""
        self._stopped.set()
        for action in self._on_stop:
            action()


def _scale_asked_for() -> float:
    text = os.environ.get("AVCLIPS_TIME_SCALE", "1")
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale < float("inf"):
        raise UsageError(f"AVCLIPS_TIME_SCALE={text} is not a number above 0")
    return scale
