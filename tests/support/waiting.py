"""Wait for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(come_true: Callable[[], object], seconds: float = 120) -> None:
    """Wait for it, by default as long as a loaded machine may take."""
    end = time.monotonic() + seconds
    while not come_true():
        assert time.monotonic() < end, f"it did not come true within {seconds} s"
        time.sleep(0.01)
