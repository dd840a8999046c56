"""What the report says, as numbers: out of samples, manifests and logs. Draws nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..catalog.coverage import Coverage
from ..catalog.sample import Sample
from ..quality.thresholds import raised
from ..state.line_time import seconds_of
from ..state.manifest import parse_line, raw_lines
from ..state.partition import siblings
from ..state.progress_files import MANIFEST
from .pace import HOUR, PaceUsed, pace_of
from .values import Values


@dataclass
class Numbers:
    """Everything that the page shows.

    ``labels``: by label, clips of the list and those that are done. ``histograms``: by title.
    ``hours``: by hour (seconds since 1970), clips that were done then, and that failed.
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
    pace: PaceUsed = field(default_factory=PaceUsed)
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
    """Count what was done hour by hour, and how fast it was asked for, by what runs wrote into a data folder."""
    manifests = siblings(folder / MANIFEST).values()
    numbers.pace = pace_of(folder, (_counted(numbers, path) for path in manifests))


def _counted(numbers: Numbers, path: Path) -> Iterator[Mapping[str, Any]]:
    """The lines of a manifest, counted by their hours."""
    for _, raw in raw_lines(path):
        line = parse_line(raw)
        if line is None or line["status"] not in ("done", "failed"):
            continue
        if (at := seconds_of(line)) is None:
            continue
        count = numbers.hours.setdefault(at // HOUR * HOUR, [0, 0])
        count[line["status"] == "failed"] += 1
        yield line
