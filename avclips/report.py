"""What a user watches: progress while it runs, and a summary at the end.

On a terminal a tqdm bar; anywhere else one plain line a minute, without control characters, for nohup and
Slurm. Every outcome goes to the log file. Together with ``cli`` the only room that prints.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from tqdm import tqdm

from .clip import Outcome
from .errors import REASONS, WITHHELD
from .pace import TROUBLE, Block, Clock
from .pacer import Pacer
from .tries import TROUBLE_AFTER
from .words import plain

log = logging.getLogger("avclips.report")

LINE_EVERY = 60.0
BLOCK_LINE_EVERY = 600.0
NO_BETTER = (
    "A newer yt-dlp, other --cookies or none, or a plugin for PO tokens (see yt-dlp's wiki) may bring more."
)
WAYS_OUT = "Other --cookies or another --proxy may help, and fewer --videos-per-hour."


class Report:
    """Progress of one run.

    ``todo``: the clips it will try, ``done``: those that were there already, ``versions``: what to suspect
    when nothing works.
    """

    def __init__(
        self, clock: Clock, todo: int, done: int, versions: str = "", terminal: bool | None = None
    ) -> None:
        self._clock = clock
        self._todo = todo
        self._done_before = done
        self._done = self._failed = 0
        self._bytes = 0
        self._started = time.monotonic()
        self._next_line = time.monotonic() + clock.real(LINE_EVERY)
        self._versions = versions
        self._paused: str | None = None
        self._told_withheld = False
        # Each identity's block as last told, and when.
        self._blocks: dict[Pacer, tuple[Block, float]] = {}
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
            why = outcome.facts.get("withheld")
            log.info("done %s%s", clip.id, f" (format {outcome.facts.get('formats')} alone: {why})" if why else "")
            if why:
                self._tell_withheld(clip.video, why)
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

    def _tell_withheld(self, video: str, why: str) -> None:
        """Once a run: what came is no fault, and yet not what was asked for."""
        if not self._told_withheld:
            self._told_withheld = True
            self.say(f"{video} came in what was left of its formats: {REASONS[why]}. {NO_BETTER}")

    def tick(self, pacers: Sequence[Pacer], paused: str | None) -> None:
        """Say what time alone brings: blocks, a full disk, and the line a minute."""
        for pacer in pacers:
            self._tell_block(pacer)
        if paused != self._paused and (paused is None or self._paused is None):
            self.say(f"Paused: {paused}; it goes on when there is room." if paused else "There is room again.")
        self._paused = paused
        self._bar.set_description_str(self._state(pacers, paused))
        if self._lines and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + self._clock.real(LINE_EVERY, at_least=1.0)
            self.say(self._line())

    def _tell_block(self, pacer: Pacer) -> None:
        """A line when a block begins or is prolonged, each ten minutes, and when it ends."""
        block, known = pacer.block, self._blocks.get(pacer)
        left = self._span(pacer.block_left)
        if block is None:
            if known is not None:
                del self._blocks[pacer]
                self.say(
                    f"{pacer.name}: {pacer.site} answers again; going on at {pacer.speed:.0%} of the full pace."
                )
        elif known is None or known[0].waits != block.waits:
            self._blocks[pacer] = (block, self._clock.now())
            if block.reason == TROUBLE:
                self.say(
                    f"{pacer.name}: too many failed in a row, in this run or one on the same connection: waiting "
                    f"{left}, then one video tries. No clip is charged for it."
                )
            else:
                self.say(
                    f"{pacer.name}: {pacer.site} refuses us ({REASONS.get(block.reason, block.reason)}): waiting "
                    f"{left}, then one video tries. No clip is charged for it. {WAYS_OUT}"
                )
        elif pacer.block_left > 0 and self._clock.now() - known[1] >= BLOCK_LINE_EVERY:
            self._blocks[pacer] = (block, self._clock.now())
            self.say(f"{pacer.name}: still waiting, {left} to go.")

    def _state(self, pacers: Sequence[Pacer], paused: str | None) -> str:
        """What stands before the bar: a countdown when nobody may start."""
        if paused:
            return "no room"
        if pacers and all(pacer.block for pacer in pacers):
            return f"waiting {self._span(min(pacer.block_left for pacer in pacers))}"
        return ""

    def trouble(self, outcome: Outcome) -> None:
        """Say that many videos in a row failed for no reason of their own, and with what the last did."""
        self.say(
            f"{TROUBLE_AFTER} videos in a row failed, the last with: {outcome.reason}: {_short(outcome.detail)} "
            f"That is not the videos' fault, and no clip is charged for it. Is the network up? {self._versions}"
        )

    def taken_back(self, clip_ids: Sequence[str]) -> None:
        """These clips, which were counted as failed, are tried again."""
        self._failed -= len(clip_ids)
        self._bar.update(-len(clip_ids))

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


def _short(text: str, most: int = 400) -> str:
    return f"{text}." if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " ..."


def say(text: str, above: Any = None) -> None:
    """Print one line, above a bar if there is one; the log file gets it as well."""
    text = plain(text)
    log.info("%s", text)
    stamp = time.strftime("%H:%M:%S")
    if above is not None and not above.disable:
        above.write(f"{stamp} {text}", file=sys.stderr)
    else:
        # A full disk under nohup's file, or a pipe whose reader left, is no reason to stop: the log has it.
        with suppress(OSError):
            print(f"{stamp} {text}", flush=True)


def without_better(videos: int, withheld: Mapping[str, int]) -> list[str]:
    """How many videos came without their better formats, and what may help; nothing where none did.

    ``withheld``: how many of ``videos``, by the reason (errors.WITHHELD).
    """
    lines = [
        f"{withheld[why]:,} of {videos:,} videos offered only format 18, or HLS, here: {REASONS[why]}."
        for why in WITHHELD
        if withheld.get(why)
    ]
    return [*lines, NO_BETTER] if lines else []


def summary(
    done: int, wanted: int, failed: Mapping[str, Mapping[str, Any]], untried: int, limit: int | None = None
) -> list[str]:
    """The last lines of a run: what is there, what failed and why, and what to do about it.

    ``failed``: clip id -> its journal line, of the clips that were asked for. ``untried``: clips that no try
    was made for (a stop, --max-videos). ``limit``: of --max-videos, where it was reached.
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
    if any(line["reason"] == "not_archived" for line in failed.values()):
        lines.append("What is in none of the archives comes when a run is given more of them: --archives PATH ...")
    if any(line["reason"] == "archive" for line in failed.values()):
        lines.append("What is broken in the archives stands in failed_downloads.json; it needs another archive.")
    if limit is not None:
        lines.append(f"--max-videos {limit} is reached: more come with a larger one, or without it.")
    elif untried or any(
        not line["permanent"] and line["reason"] not in ("not_archived", "archive") for line in failed.values()
    ):
        lines.append("What is missing comes with the same command.")
    if any(line["permanent"] for line in failed.values()):
        lines.append(
            "To ask again for what is final: --retry-failed [REASON ...], or take it out of failed_downloads.json."
        )
    return lines
