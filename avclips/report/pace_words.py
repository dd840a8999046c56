"""The pace in words: what was asked for, what was reached, how long it waited, what was refused."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from ..core.errors import REASONS
from ..pacing.pace import TROUBLE, Pace
from .pace import HOUR, PaceUsed, Refusal


def pace_rows(pace: PaceUsed) -> Iterator[list[str]]:
    """Rows of what, and how much; none where the folder's runs asked no site for anything."""
    if pace.runs and (limits := pace.runs[-1].limits):
        yield ["allowed, in the last run", "; ".join(map(_limit, limits.items()))]
    if videos := sum(pace.videos.values()):
        yield ["asked for", _reached(videos, pace.hours)]
        fullest = max(pace.videos.values())
        yield ["in the fullest hour", f"{fullest:,} videos"]
    if pace.gaps.count:
        median, most = pace.gaps.quantile(0.5), pace.gaps.quantile(0.95)
        yield ["from one video to the next", f"half within {_seconds(median)}, 95 % within {_seconds(most)}"]
    for (who, why), found in _by_who(pace.refusals).items():
        hours = sum((each.end - each.begin).total_seconds() for each in found) / HOUR
        yield [f"refused: {who}", f"{why}: {_times(len(found))}, to wait for {hours:.1f} hours in all"]
    for name, now in pace.now:
        yield [f"now: {name}", _now(now)]


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 1 else "a second"


def _limit(said: tuple[str, int | None]) -> str:
    name, limit = said
    # What tells its pace from another's is for programs.
    name = re.sub(r" \(pace-\w+\)$", "", name)
    return f"{name}: no limit" if limit is None else f"{name}: at most {limit:,} videos an hour"


def _reached(videos: int, hours: float) -> str:
    if hours * HOUR < 60:
        # No log, or a run of seconds: what that would be in an hour says nothing.
        return f"{videos:,} videos, those that failed among them"
    return f"{videos / hours:,.0f} videos an hour: {videos:,} in {hours:.1f} hours of runs"


def _by_who(refusals: list[Refusal]) -> dict[tuple[str, str], list[Refusal]]:
    found: dict[tuple[str, str], list[Refusal]] = {}
    for each in refusals:
        found.setdefault((each.who, each.why), []).append(each)
    return found


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _now(pace: Pace) -> str:
    words = "not slowed down" if pace.speed >= 1 else f"at {pace.speed:.0%} of its pace, since it was refused"
    if pace.block is None or pace.block.until <= time.time():
        return words
    why = "too many failed in a row" if pace.block.reason == TROUBLE else REASONS.get(pace.block.reason, "refused")
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(pace.block.until))
    return f"{words}; it waits until {until}: {why}"
