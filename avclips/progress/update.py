"""How far a run is, for whoever watches it from a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    ``listed``: clips of its list, None where only shards are counted (Spark); ``done`` and ``failed``: of these,
    with those of earlier runs; ``bytes_fetched``: of this run. ``words``: what it waits for, and how long the rest
    takes, as the progress bar says it.
    """

    listed: int | None
    done: int
    failed: int
    bytes_fetched: int
    words: str

    @property
    def left(self) -> int | None:
        """Clips that are neither done nor failed."""
        return None if self.listed is None else max(0, self.listed - self.done - self.failed)


# Called by the thread that runs, after each outcome and about once a second: a slow one holds the run up. What it
# raises ends the run, whose state is saved.
Watch = Callable[[Progress], object]
