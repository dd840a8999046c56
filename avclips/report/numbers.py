"""What the report says, as numbers: out of samples, manifests and logs. Draws nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..catalog.coverage import Coverage
from ..catalog.sample import Sample
from ..quality.thresholds import raised
from ..state.manifest import parse_line, raw_lines
from ..state.partition import siblings
from ..state.progress_files import MANIFEST

# Values of a histogram that are kept: of more clips, every so many-th, so that a report of millions is small.
MOST_VALUES = 100_000
# "2026-11-30 15:06:10,937 WARNING avclips.progress.console: guest: YouTube refuses us (...): waiting 0:30:00, ..."
_REFUSED = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d+ \w+ [\w.]+: (.*?): (?:.* refuses us|too many failed)")
_WAITING = re.compile(r"waiting (?:(\d+) days?, )?(\d+):(\d\d):(\d\d)")


class Values:
    """Values of a histogram, thinned evenly where there are too many."""

    def __init__(self) -> None:
        self.kept: list[float] = []
        self.count = 0
        self.total = 0.0
        self._every = 1

    def add(self, value: Any) -> None:
        """Take a number; anything else is none."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return
        if self.count % self._every == 0:
            self.kept.append(float(value))
            if len(self.kept) >= MOST_VALUES:
                self.kept = self.kept[::2]
                self._every *= 2
        self.count += 1
        self.total += float(value)


@dataclass
class Numbers:
    """Everything that the page shows.

    ``labels``: by label, clips of the list and those that are done. ``histograms``: by title.
    ``hours``: by hour (seconds since 1970), clips that were done then, and that failed. ``blocks``: begin and end
    of waits, and who waited.
    """

    source: str
    coverage: Mapping[str, Any] = field(default_factory=dict)
    labels: dict[str, list[int]] = field(default_factory=dict)
    sizes: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    flagged: int = 0
    histograms: dict[str, Values] = field(default_factory=dict)
    bytes: int = 0
    hours: dict[int, list[int]] = field(default_factory=dict)
    blocks: list[tuple[datetime, datetime, str]] = field(default_factory=list)
    curve: Mapping[str, Any] | None = None


_HISTOGRAMS = {
    "Length (s)": ("duration",),
    "Frames a second": ("fps",),
    "Loudness (LUFS)": ("flags", "loudness"),
    "Brightness (0 to 1)": ("flags", "brightness"),
    "Bytes fetched (MB)": ("bytes_fetched",),
}


def of_samples(source: str, samples: Iterable[Sample], title: str = "") -> Numbers:
    """Count the clips of a source."""
    numbers = Numbers(source)
    coverage = Coverage(title, title)
    numbers.histograms = {name: Values() for name in _HISTOGRAMS}
    for sample in samples:
        coverage.add(sample)
        done = sample.status == "done"
        for label in sample.labels:
            count = numbers.labels.setdefault(label, [0, 0])
            count[0] += 1
            count[1] += done
        if done:
            _add_facts(numbers, sample.facts)
    numbers.coverage = coverage.as_json()
    return numbers


def _add_facts(numbers: Numbers, facts: Mapping[str, Any]) -> None:
    if isinstance(facts.get("width"), int) and facts["width"]:
        numbers.sizes[f"{facts['width']} × {facts['height']}"] += 1
    if isinstance(flags := facts.get("flags"), Mapping):
        numbers.flagged += 1
        numbers.flags.update(raised(flags))
    if isinstance(size := facts.get("bytes"), int):
        numbers.bytes += size
    for title, path in _HISTOGRAMS.items():
        value: Any = facts
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if title.endswith("(MB)") and isinstance(value, int):
            value = value / 1e6
        numbers.histograms[title].add(value)


def add_history(numbers: Numbers, folder: Path) -> None:
    """Count what was done hour by hour, and when it was refused, by the manifests and logs of a data folder."""
    for path in siblings(folder / MANIFEST).values():
        for _, raw in raw_lines(path):
            line = parse_line(raw)
            if line is None or line["status"] not in ("done", "failed"):
                continue
            try:
                hour = int(datetime.fromisoformat(line["time"]).timestamp()) // 3600 * 3600
            except (KeyError, TypeError, ValueError):
                continue
            count = numbers.hours.setdefault(hour, [0, 0])
            count[line["status"] == "failed"] += 1
    for path in sorted(folder.glob("*.log")):
        numbers.blocks += list(_blocks(path))


def _blocks(path: Path) -> Iterator[tuple[datetime, datetime, str]]:
    with open(path, encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if "waiting" in line and (found := _REFUSED.match(line)) and (wait := _WAITING.search(line)):
                days, hours, minutes, seconds = (int(each or 0) for each in wait.groups())
                begin = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").astimezone()
                length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
                yield begin, begin + length, found[2]
