"""How far a look at many files is: a bar on a terminal, a plain line a minute anywhere else."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from tqdm import tqdm

from ..core.redact import plain
from .console import LINE_EVERY, say


class Progress:
    """A look at ``total`` things, each told of by ``step``; ``what``: what is done with them, for people.

    ``total`` None: nobody knows how many they are.
    """

    def __init__(self, what: str, total: int | None, unit: str, terminal: bool | None = None) -> None:
        self._what, self._unit = what, unit
        on_terminal = sys.stderr.isatty() if terminal is None else terminal
        # No bar is a bar whose output is switched off: the counts are the same.
        self._bar = tqdm(total=total, desc=what, unit=unit, disable=not on_terminal, dynamic_ncols=True)
        self._seen, self._total = 0, total
        self._next_line = time.monotonic() + LINE_EVERY

    @property
    def seen(self) -> int:
        """How many were looked at."""
        return self._seen

    def step(self, count: int = 1) -> None:
        """One more was looked at, or so many."""
        self._seen += count
        self._bar.update(count)
        if self._bar.disable and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_EVERY
            of = "" if self._total is None else f" of {self._total}"
            say(f"{self._what}: {self._seen}{of} {self._unit}s")

    def tell(self, text: str) -> None:
        """Print a line of the result, above the bar."""
        self._bar.write(plain(text), file=sys.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()
