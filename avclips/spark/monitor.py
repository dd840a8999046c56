"""How far the shards of many machines are, as what is written tells."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

from tqdm import tqdm

from ..core.clock import Clock
from ..core.errors import RunError
from ..progress.console import LINE_EVERY, is_quiet, say
from ..progress.update import Progress, Watch
from ..shards.layout import Output
from ..shards.stats import Totals

log = logging.getLogger("avclips.spark.monitor")


class Monitor:
    """Looks at what is written, and says how far it is: a bar on a terminal, else a line a minute."""

    def __init__(
        self, output: Output, todo: int, clock: Clock, wandb: Any = None, watch: Watch | None = None
    ) -> None:
        self._output = output
        self._clock = clock
        self._wandb = wandb
        self._watch = watch
        self._totals = Totals()
        self._seen: set[int] = set()
        self._todo = todo
        self._started = time.monotonic()
        self._next = 0.0
        self._bar = tqdm(
            total=todo, unit="shard", disable=is_quiet() or not sys.stderr.isatty(), dynamic_ncols=True
        )
        self._look(output.finished())
        self._before = self._totals.clips
        self._shards_before = self._totals.shards
        self._fetched_before = self._totals.bytes_fetched
        self._next = time.monotonic() + clock.real(LINE_EVERY, at_least=1.0)

    def _look(self, finished: frozenset[int]) -> None:
        for number in sorted(finished - self._seen):
            self._totals.add(self._output.stats(number))
            self._seen.add(number)

    def __call__(self) -> None:
        """Look around, when it is time."""
        if time.monotonic() < self._next:
            return
        self.tell()

    def tell(self) -> None:
        """Look around, and say it."""
        self._next = time.monotonic() + self._clock.real(LINE_EVERY, at_least=1.0)
        try:
            self._look(self._output.finished())
        except RunError as error:
            log.warning("%s", error)
            return
        totals, hours = self._totals, (time.monotonic() - self._started) / 3600
        rate = (totals.clips - self._before) / hours if hours else 0.0
        failed = sum(totals.failed.values())
        written = totals.shards - self._shards_before
        say(
            f"{written} of {self._todo} shards, {totals.done} clips done, {failed} failed, {rate:.0f} clips/h, "
            f"{totals.bytes_fetched / 1e6:.1f} MB fetched",
            above=self._bar,
        )
        self._bar.update(written - self._bar.n)
        if self._watch is not None:
            fetched, words = totals.bytes_fetched - self._fetched_before, f"{written} of {self._todo} shards"
            self._watch(Progress(None, totals.done, failed, fetched, words))
        if self._wandb is not None:
            self._wandb.log({"shards": totals.shards, "done": totals.done, "failed": failed, "clips/h": rate})

    def close(self) -> None:
        """Take the bar off the terminal."""
        self._bar.close()
