"""What a user watches: progress while it runs, and a summary at the end.

On a terminal a tqdm bar; anywhere else one plain line a minute, without control characters, for nohup and
Slurm. Every outcome goes to the log file. Together with ``cli.main`` the only module that prints.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from ..core.clock import Clock
from ..core.errors import REASONS
from ..core.model import Outcome
from ..core.redact import plain
from ..core.wording import in_units
from ..pacing.pace import TROUBLE, Block
from ..pacing.pacer import Pacer
from ..pacing.retries import TROUBLE_AFTER
from .forecast import Lately, Work, time_left
from .metrics import MetricsFile
from .notebook import bar_here, in_notebook
from .summary import NO_BETTER
from .update import Progress, Watch

log = logging.getLogger("avclips.progress.console")

LINE_EVERY, BLOCK_LINE_EVERY = 60.0, 600.0
# Seconds before which clips an hour say nothing.
SOON = 10.0
WAYS_OUT = "Other --cookies or another --proxy may help, and fewer --videos-per-hour."


class Report:
    """Progress of one run, as its whole list sees it.

    ``todo``: the clips it will try, ``done``: those that were there already, ``versions``: what to suspect
    when nothing works, ``work``: what else is known of what there is to do. ``watch`` is told how far it is,
    ``metrics`` has it written.
    """

    def __init__(
        self,
        clock: Clock,
        todo: int,
        done: int,
        versions: str = "",
        terminal: bool | None = None,
        work: Work | None = None,
        watch: Watch | None = None,
        metrics: MetricsFile | None = None,
    ) -> None:
        self._clock = clock
        self._watch = watch
        self._todo = todo
        self._done_before = done
        self._work = work
        self._metrics = metrics
        self._failed_before = work.failed if work else 0
        self._listed = work.listed if work else done + todo
        self.done = self.failed = 0
        self._bytes = 0
        self._lately = Lately(time.monotonic())
        self._next_line = time.monotonic() + clock.real(LINE_EVERY)
        self._versions = versions
        self._paused: str | None = None
        self._told_withheld = self._told_apart = False
        # Each identity's block as last told, and when.
        self._blocks: dict[Pacer, tuple[Block, float]] = {}
        on_terminal = (sys.stderr.isatty() or in_notebook()) if terminal is None else terminal
        # No bar is a bar whose output is switched off: the counts are the same.
        self._bar = bar_here()(
            total=self._listed,
            initial=done + self._failed_before,
            disable=not on_terminal or is_quiet(),
            dynamic_ncols=True,
            bar_format="{percentage:3.0f}%|{bar}| {desc}",
        )
        self._lines = not on_terminal
        # What stands behind the counts.
        self._rest: list[str] = []
        self._show_counts()

    def outcome(self, outcome: Outcome, retry_in: float | None) -> None:
        """Count one outcome; ``retry_in``: seconds until it is tried again, None when that was the last try."""
        clip = outcome.clip
        if outcome.status == "done":
            self.done += 1
            self._bytes += int(outcome.facts.get("bytes_fetched", 0))
            why = outcome.facts.get("withheld")
            log.info("done %s%s", clip.id, f" (format {outcome.facts.get('formats')} alone: {why})" if why else "")
            if why:
                self._tell_withheld(clip.video, why)
        elif retry_in is None:
            self.failed += 1
            log.info("failed %s: %s: %s", clip.id, outcome.reason, outcome.detail)
        elif outcome.status == "blocked":
            log.info("refused %s, not charged: %s: %s", clip.id, outcome.reason, outcome.detail)
            return
        else:
            log.info("again in %.0f s %s: %s: %s", retry_in, clip.id, outcome.reason, outcome.detail)
            return
        self._lately.ended(time.monotonic())
        self._show_counts()
        self._bar.update(1)

    def _tell_withheld(self, video: str, why: str) -> None:
        """Once a run: what came is no fault, and yet not what was asked for."""
        if not self._told_withheld:
            self._told_withheld = True
            words = f"{video} came in what was left of its formats: {REASONS[why]}. {NO_BETTER}"
            self.say(words, matters=True)

    def tick(self, pacers: Sequence[Pacer], paused: str | None) -> None:
        """Say what time alone brings: blocks, a full disk, and the line a minute."""
        for pacer in pacers:
            self._tell_block(pacer)
        self._tell_apart(pacers)
        if paused != self._paused and (paused is None or self._paused is None):
            words = f"Paused: {paused}; it goes on when there is room." if paused else "There is room again."
            self.say(words, matters=True)
        self._paused = paused
        stands = self._stands(pacers, paused)
        self._lately.idle(time.monotonic(), bool(stands))
        self._rest = self._words(pacers, stands)
        self._bar.set_description_str(", ".join([self._counts(), *self._rest]))
        self._tell(pacers)
        if self._lines and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + self._clock.real(LINE_EVERY, at_least=1.0)
            self.say(", ".join([self._counts(), *self._rest]))

    def _tell(self, pacers: Sequence[Pacer], last: bool = False) -> None:
        """Tell whoever watches, and the metrics; where these cannot be written, go on without."""
        done, failed = self._done_before + self.done, self._failed_before + self.failed
        now = Progress(self._listed, done, failed, self._bytes, ", ".join(self._rest))
        if self._watch is not None:
            self._watch(now)
        try:
            if self._metrics is not None:
                self._metrics.offer(now, pacers, bool(self._paused), last)
        except OSError as error:
            self._metrics = None
            self.say(f"The metrics are not written any more: {error}", matters=True)

    def _tell_apart(self, pacers: Sequence[Pacer]) -> None:
        """Once a run: the log has the rest."""
        why = next(filter(None, (pacer.trouble for pacer in pacers)), "")
        if why and not self._told_apart:
            self._told_apart = True
            self.say(
                f"Warning: the pace cannot be shared ({why}): other runs on this connection, and the next one, do "
                "not know of it. Name a folder that can be written to: --state-dir PATH",
                matters=True,
            )

    def _tell_block(self, pacer: Pacer) -> None:
        """A line when a block begins or is prolonged, each ten minutes, and when it ends."""
        block, known = pacer.block, self._blocks.get(pacer)
        left = self._duration(pacer.block_left)
        if block is None:
            if known is not None:
                del self._blocks[pacer]
                self.say(
                    f"{pacer.name}: {pacer.site} answers again; going on at {pacer.speed:.0%} of the full pace.",
                    matters=True,
                )
        elif known is None or known[0].waits != block.waits:
            self._blocks[pacer] = (block, self._clock.now())
            if block.reason == TROUBLE:
                self.say(
                    f"{pacer.name}: too many failed in a row, in this run or one on the same connection: waiting "
                    f"{left}, then one video tries. No clip is charged for it.",
                    matters=True,
                )
            else:
                self.say(
                    f"{pacer.name}: {pacer.site} refuses us ({REASONS.get(block.reason, block.reason)}): waiting "
                    f"{left}, then one video tries. No clip is charged for it. {WAYS_OUT}",
                    matters=True,
                )
        elif pacer.block_left > 0 and self._clock.now() - known[1] >= BLOCK_LINE_EVERY:
            self._blocks[pacer] = (block, self._clock.now())
            self.say(f"{pacer.name}: still waiting, {left} to go.")

    def _stands(self, pacers: Sequence[Pacer], paused: str | None) -> str:
        """Why nobody may start anything now, with a countdown; empty where somebody may."""
        if paused:
            return "no room"
        if pacers and all(pacer.block for pacer in pacers):
            return f"blocked: one video tries in {self._duration(min(pacer.block_left for pacer in pacers))}"
        return ""

    def _words(self, pacers: Sequence[Pacer], stands: str) -> list[str]:
        """How far it is, what it waits for, and how long the rest takes: not while nobody knows."""
        words = [stands]
        if not stands:
            now = time.monotonic()
            waits = [pacer.next_in for pacer in pacers if not pacer.block]
            due = min((wait for wait in waits if wait is not None), default=0.0)
            paced = [f"paced: next video in {self._in_words(due)}"] if due >= 1 else []
            words = [*paced, self._left(pacers, binds=not paced)]
            if self._lately.lasted(now) >= SOON:
                words.append(f"{3600 * self._lately.a_second(now):.0f} clips/h")
        return [*words, in_units(self._bytes)]

    def _show_counts(self) -> None:
        self._bar.set_description_str(", ".join([self._counts(), *self._rest]), refresh=False)

    def _counts(self) -> str:
        """``28/107 done 26 failed 2``, of the whole list."""
        done, failed = self._done_before + self.done, self._failed_before + self.failed
        return f"{done + failed}/{self._listed} done {done} failed {failed}"

    def _left(self, pacers: Sequence[Pacer], binds: bool) -> str:
        """How much longer it takes; ``binds``: and what makes it so."""
        left = self._todo - self.done - self.failed
        if self._work is None:
            speed = self._lately.a_second(time.monotonic())
            found = (left / speed, "") if speed else None
        else:
            if self._work.most is not None:
                left = max(0, min(left, self._work.most - self._done_before - self.done))
            asked = [pacer for pacer in pacers if not pacer.block and pacer.per_hour]
            found = time_left(self._work, left, asked, self._lately, time.monotonic())
        if found is None:
            return "time left unknown"
        return f"about {self._duration(found[0])} left" + (f" by {found[1]}" if found[1] and binds else "")

    def trouble(self, outcome: Outcome) -> None:
        """Say that many videos in a row failed for no reason of their own, and with what the last did."""
        self.say(
            f"{TROUBLE_AFTER} videos in a row failed, the last with: {outcome.reason}: {_short(outcome.detail)} "
            f"That is not the videos' fault, and no clip is charged for it. Is the network up? {self._versions}",
            matters=True,
        )

    def taken_back(self, clip_ids: Sequence[str]) -> None:
        """These clips, which were counted as failed, are tried again."""
        self.failed -= len(clip_ids)
        self._lately.taken_back(len(clip_ids))
        self._show_counts()
        self._bar.update(-len(clip_ids))

    @classmethod
    def _in_words(cls, seconds: float) -> str:
        return f"{seconds:.0f} s" if seconds < 100 else cls._duration(seconds)

    @staticmethod
    def _duration(seconds: float) -> str:
        return str(timedelta(seconds=round(max(0.0, seconds))))

    def say(self, text: str, matters: bool = False) -> None:
        """Print one line to the user and the log; with --quiet, what ``matters`` alone."""
        say(text, above=self._bar, matters=matters)

    def close(self) -> None:
        """Take the bar off the terminal."""
        self._tell((), last=True)
        self._bar.close()


def _short(text: str, most: int = 400) -> str:
    return f"{text}." if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " ..."


_quiet = False


def be_quiet(quiet: bool) -> None:
    """Whether from now on nothing is printed but what matters: it is one process's terminal."""
    global _quiet  # the one thing that all modules that print share
    _quiet = quiet


def is_quiet() -> bool:
    return _quiet


def say(text: str, above: Any = None, matters: bool = False) -> None:
    """Print one line, above a bar if there is one; the log file gets it as well.

    ``matters``: a warning, an error, or what a run ends with: it is printed with --quiet, too.
    """
    text = plain(text)
    log.info("%s", text)
    if _quiet and not matters:
        return
    stamp = time.strftime("%H:%M:%S")
    if above is not None and not above.disable:
        above.write(f"{stamp} {text}", file=sys.stderr)
    else:
        # A full disk under nohup's file, or a pipe whose reader left, is no reason to stop: the log has it.
        with suppress(OSError):
            print(f"{stamp} {text}", flush=True)
