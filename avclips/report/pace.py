"""How fast videos were asked for, and how fast they came: out of manifests, logs and files of paces.

A run's log says when it began, how many videos an hour each of its identities may ask for, and when a site refused
it; the manifest says when each video brought its first result. The file of a pace says how an identity stands now.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from ..pacing.pace import Pace
from ..pacing.pace_file import paces_now
from ..state.last_settings import paces_of
from ..state.line_time import seconds_of
from .values import Values

HOUR = 3600
# "2026-11-30 15:06:10,937 INFO avclips.progress.console: MUSIC-AVQA -> ./data: yt-dlp 2026.10.26, deno 2.9.8, ..."
_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+ \w+ [\w.]+: ")
_BEGIN = re.compile(r".* -> .*: yt-dlp ")
# "pace of direct (pace-0123456789abcdef): at most 270 videos an hour", as fetch.pool logs it.
_LIMIT = re.compile(r"pace of (.+): (?:at most (\d{1,9}) videos an hour|no limit)$")
# "guest: YouTube refuses us (...): waiting 0:30:00, then one video tries. ...", by progress.console
_REFUSES = " refuses us ("
_WAITING = re.compile(r"waiting (?:(\d{1,4}) days?, )?(\d{1,3}):(\d\d):(\d\d)")
_TROUBLE = "too many failed in a row"
# What a clip failed with that no site was asked for.
_NOT_ASKED = ("archive", "not_archived")


@dataclass(frozen=True)
class Refusal:
    """A wait that a run said it would make: ``who`` had asked, and ``why`` it waits, in words."""

    begin: datetime
    end: datetime
    who: str
    why: str


@dataclass
class RunSeen:
    """A run, by its log, and the videos an hour that each identity was allowed; None: as many as it can."""

    begin: datetime
    end: datetime
    limits: dict[str, int | None] = field(default_factory=dict)


@dataclass
class PaceUsed:
    """``videos``: by hour (seconds since 1970), those that had a result. ``gaps``: seconds from one video's first
    result to the next one's, within a run, without those in which a site refused. ``now``: by identity.
    """

    videos: dict[int, int] = field(default_factory=dict)
    gaps: Values = field(default_factory=Values)
    runs: list[RunSeen] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    now: list[tuple[str, Pace]] = field(default_factory=list)

    @property
    def hours(self) -> float:
        """Hours in which at least one run was there."""
        found, until = 0.0, None
        for run in sorted(self.runs, key=lambda run: run.begin):
            begin = run.begin if until is None else max(run.begin, until)
            if run.end > begin:
                found += (run.end - begin).total_seconds() / HOUR
                until = run.end
        return found

    def asked(self, hour: int) -> int | None:
        """How many videos the runs of an hour might ask for in it; None: no limit, or nobody said one."""
        limits: dict[str, int | None] = {}
        for run in self.runs:
            if run.begin.timestamp() < hour + HOUR and run.end.timestamp() >= hour:
                # Runs that share an identity share its limit.
                limits |= run.limits
        found = [limit for limit in limits.values() if limit is not None]
        return sum(found) if found and len(found) == len(limits) else None


def pace_of(folder: Path, manifests: Iterable[Iterable[Mapping[str, Any]]]) -> PaceUsed:
    """The pace of a data folder. ``manifests``: the lines of each manifest, in their order."""
    pace = PaceUsed()
    for path in sorted(folder.glob("*.log")):
        _read_log(path, pace)
    pace.refusals.sort(key=lambda refusal: refusal.begin)
    starts = sorted(run.begin.timestamp() for run in pace.runs)
    refused = _merged((each.begin.timestamp(), each.end.timestamp()) for each in pace.refusals)
    for lines in manifests:
        _read_manifest(lines, pace, starts, refused)
    try:
        pace.now = list(paces_now(paces_of(folder)))
    except RunError:
        # What a folder was asked for last is written anew by its next run.
        pace.now = []
    return pace


def _read_log(path: Path, pace: PaceUsed) -> None:
    run: RunSeen | None = None
    if not path.is_file():
        # A folder, a pipe, or a link to what never ends: whoever gave the folder may have put it there.
        return
    with open(path, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if (found := _LINE.match(line)) is None:
                # The rest of what has several lines.
                continue
            try:
                at = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").astimezone()
            except (ValueError, OverflowError):
                continue
            text = line[found.end() :].rstrip()
            if _BEGIN.match(text):
                run = RunSeen(at, at)
                pace.runs.append(run)
            elif run is not None and text.startswith("pace of ") and (limit := _LIMIT.match(text)):
                run.limits[limit[1]] = int(limit[2]) if limit[2] else None
            elif "waiting" in text and (refusal := _refusal(at, text)) is not None:
                pace.refusals.append(refusal)
            if run is not None:
                run.end = max(run.end, at)


def _refusal(at: datetime, text: str) -> Refusal | None:
    who, _, rest = text.partition(": ")
    if (wait := _WAITING.search(rest)) is None:
        return None
    if _REFUSES in rest:
        why = rest.partition(_REFUSES)[2].rpartition("): waiting ")[0]
    elif rest.startswith(_TROUBLE):
        why = _TROUBLE
    else:
        return None
    days, hours, minutes, seconds = (int(each or 0) for each in wait.groups())
    try:
        end = at + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None
    return Refusal(at, end, who, why)


def _read_manifest(
    lines: Iterable[Mapping[str, Any]], pace: PaceUsed, starts: list[float], refused: list[tuple[float, float]]
) -> None:
    hour, seen, before = 0, set[str](), set[str]()
    last: float | None = None
    for at, video in _asked_for(lines):
        if at // HOUR * HOUR != hour:
            hour, seen, before = at // HOUR * HOUR, set(), seen
        if video in seen:
            continue
        seen.add(video)
        pace.videos[hour] = pace.videos.get(hour, 0) + 1
        if video in before:
            # Its clips came before the hour and after.
            continue
        if last is not None and at >= last and not _interrupted(last, at, starts, refused):
            pace.gaps.add(at - last)
        last = at


def _asked_for(lines: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """When each clip that a site was asked for came to its end, and its video."""
    for line in lines:
        if line["status"] not in ("done", "failed") or line.get("reason") in _NOT_ASKED:
            continue
        if line["status"] == "done" and "bytes_fetched" not in line:
            # It was here, or in an archive.
            continue
        if (at := seconds_of(line)) is not None:
            yield at, str(line.get("source") or line.get("youtube_id") or line["id"])


def _interrupted(begin: float, end: float, starts: list[float], refused: list[tuple[float, float]]) -> bool:
    place = bisect.bisect_right(starts, begin)
    if place < len(starts) and starts[place] <= end:
        return True
    place = bisect.bisect_left(refused, (end, 0.0)) - 1
    return place >= 0 and refused[place][1] > begin


def _merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans of time that do not overlap, in order, out of those that may."""
    found: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found
