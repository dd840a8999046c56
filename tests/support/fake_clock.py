"""A clock for tests: its sleeps advance it and are written down; nothing waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from avclips.core.clock import Clock


class FakeClock(Clock):
    """``sleeps``: the seconds asked for so far; ``on_sleep`` is called after each, with the same number."""

    def __init__(self) -> None:
        super().__init__(1.0)
        self.time = 1000.0
        self.sleeps: list[float] = []
        self.on_sleep: Callable[[float], None] = lambda seconds: None

    def now(self) -> float:
        return self.time

    def shared(self, path: Path) -> float:
        assert path.exists()
        return self.time

    def sleep(self, seconds: float) -> None:
        self.check()
        self.sleeps.append(seconds)
        self.time += max(0.0, seconds)
        self.on_sleep(seconds)
        self.check()
