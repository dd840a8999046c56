"""What a user watches: progress while it runs, and a summary at the end.

On a terminal a tqdm bar; anywhere else one plain line a minute, without control characters, for nohup and
Slurm. Every outcome goes to the log file. Together with ``cli`` the only room that prints.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tqdm import tqdm

from .clip import Outcome
from .errors import REASONS
from .pace import Clock, Pacer

log = logging.getLogger("avclips.report")

LINE_EVERY = 60.0


class Report:
    """Progress of one run. ``todo``: the clips it will try, ``done``: those that were there already."""

    def __init__(self, clock: Clock, todo: int, done: int, terminal: bool | None = None) -> None:
        self._clock = clock
        self._todo = todo
        self._done_before = done
        self._done = self._failed = 0
        self._bytes = 0
        self._started = time.monotonic()
        self._next_line = time.monotonic() + clock.real(LINE_EVERY)
        self._blocked_until = 0.0
        on_terminal = sys.stderr.isatty() if terminal is None else terminal
        # No bar is a bar whose output is switched off: the counts are the same.
        self._bar = tqdm(total=todo, unit="clip", disable=not on_terminal, dynamic_ncols=True, smoothing=0.05)
        self._lines = not on_terminal

    def outcome(self, outcome: Outcome, retry_in: float | None) -> None:
        """Count one outcome; ``retry_in``: seconds until it is tried again, None when that was the last try."""
        clip = outcome.clip
        if outcome.status == "done":
            self._done += 1
            self._bytes += int(outcome.facts.get("bytes_fetched", 0))
            log.info("done %s", clip.id)
        elif retry_in is None:
            self._failed += 1
            log.info("failed %s: %s: %s", clip.id, outcome.reason, outcome.detail)
        elif outcome.status == "blocked":
            log.info("refused %s, not charged: %s: %s", clip.id, outcome.reason, outcome.detail)
            return
        else:
            log.info("again in %.0f s %s: %s: %s", retry_in, clip.id, outcome.reason, outcome.detail)
            return
        self._bar.update(1)
        self._bar.set_postfix(done=self._done_before + self._done, failed=self._failed, refresh=False)

    def tick(self, pacer: Pacer) -> None:
        """Say what time alone brings: a block, and the line a minute."""
        block = pacer.block
        if block is not None and block.until > self._blocked_until:
            self._blocked_until = block.until
            wait = self._span(block.until - self._clock.now())
            self.say(
                f"YouTube refuses us ({REASONS[block.reason]}): waiting {wait}, then one video tries. "
                "No clip is charged for it. --cookies or --proxy may help; fewer --workers too."
            )
        if self._lines and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + self._clock.real(LINE_EVERY, at_least=1.0)
            self.say(self._line())

    def _line(self) -> str:
        tried = self._done + self._failed
        seconds = time.monotonic() - self._started
        left = self._todo - tried
        eta = self._span(left * seconds / tried) if tried else "unknown"
        rate = 3600 * tried / seconds
        return (
            f"{self._done_before + self._done} done, {self._failed} failed, {left} to go, "
            f"{rate:.0f} clips/h, {self._bytes / 1e6:.1f} MB fetched, about {eta} left"
        )

    @staticmethod
    def _span(seconds: float) -> str:
        return str(timedelta(seconds=round(max(0.0, seconds))))

    def say(self, text: str) -> None:
        """Print one line to the user and the log."""
        say(text, above=self._bar)

    def close(self) -> None:
        """Take the bar off the terminal."""
        self._bar.close()


def say(text: str, above: Any = None) -> None:
    """Print one line, above a bar if there is one; the log file gets it as well."""
    log.info("%s", text)
    stamp = time.strftime("%H:%M:%S")
    if above is not None and not above.disable:
        above.write(f"{stamp} {text}", file=sys.stderr)
    else:
        print(f"{stamp} {text}", flush=True)


def summary(done: int, wanted: int, failed: Mapping[str, Mapping[str, Any]], untried: int) -> list[str]:
    """The last lines of a run: what is there, what failed and why, and what to do about it.

    ``failed``: clip id -> its journal line, of the clips that were asked for. ``untried``: clips that no try
    was made for (a stop, --max-videos).
    """
    lines = [f"{done} of {wanted} clips are done, {len(failed)} failed, {untried} not tried yet."]
    counts = Counter((line["reason"], bool(line["permanent"])) for line in failed.values())
    for (reason, permanent), count in counts.most_common():
        again = "final" if permanent else "another run tries again"
        lines.append(f"  {count:6d}  {reason}: {REASONS.get(reason, 'unknown reason')} ({again})")
    if any(line["reason"] in ("age", "members", "login") for line in failed.values()):
        lines.append(
            "Some videos want a signed-in viewer: --cookies FILE (of a throwaway account) may bring them."
        )
    if any(not line["permanent"] for line in failed.values()) or untried:
        lines.append("What is missing comes with the same command.")
    if any(line["permanent"] for line in failed.values()):
        lines.append(
            "To ask again for what is final: --retry-failed [REASON ...], or take it out of failed_downloads.json."
        )
    return lines
