"""Samples -> figures: what a clip costs by each way under each setting, medians of rounds with their spread."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .rounds import Sample


@dataclass(frozen=True)
class Figure:
    """A median of rounds, the smallest and the largest of them."""

    value: float
    low: float
    high: float

    def written(self, form: str = ".2f") -> str:
        """For a table: the median, and the spread where there is one."""
        texts = [format(number, form) for number in (self.value, self.low, self.high)]
        return texts[0] if texts[1] == texts[2] else f"{texts[0]} ({texts[1]}-{texts[2]})"


def figure(numbers: Iterable[float]) -> Figure:
    """The figure of several rounds."""
    found = list(numbers)
    return Figure(statistics.median(found), min(found), max(found))


Measure = Callable[[Sample], float]


def cpu(sample: Sample) -> float:
    """Seconds of CPU a clip, without the start of a program that then goes on for all of them."""
    return max(0.0, sample.cost.cpu - sample.start.cpu) / sample.clips


def wall(sample: Sample) -> float:
    """Seconds a clip, without that start."""
    return max(0.0, sample.cost.wall - sample.start.wall) / sample.clips


MEASURES: dict[str, Measure] = {
    "bytes": lambda sample: sample.bytes / sample.clips / 1e6,
    "media bytes": lambda sample: sample.media_bytes / sample.clips / 1e6,
    "requests": lambda sample: sample.requests / sample.clips,
    "media requests": lambda sample: sample.media_requests / sample.clips,
    "extractions": lambda sample: sample.extractions / sample.clips,
    "cpu": cpu,
    "wall": wall,
    "start cpu": lambda sample: sample.start.cpu,
    "start wall": lambda sample: sample.start.wall,
    "film bytes": lambda sample: sample.films / sample.clips / 1e6,
    "peak": lambda sample: sample.cost.peak,
    "over covering": lambda sample: sample.media_bytes / sample.covering,
    "a second and core": lambda sample: 1 / cpu(sample) if cpu(sample) else 0.0,
}


class Figures:
    """All samples of a run, asked by setting, way and measure."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples

    def ways(self, setting: str) -> list[str]:
        """The ways that were measured under a setting."""
        return list(dict.fromkeys(sample.way for sample in self._samples if sample.setting == setting))

    def of(self, setting: str, way: str, measure: str) -> Figure | None:
        """One figure; None where nothing was measured."""
        found = [MEASURES[measure](sample) for sample in self._of(setting, way)]
        return figure(found) if found else None

    def ratio(self, setting: str, way: str, other: str, measure: str) -> Figure | None:
        """``way`` by ``other``, round by round."""
        mine = {sample.round: MEASURES[measure](sample) for sample in self._of(setting, way)}
        theirs = {sample.round: MEASURES[measure](sample) for sample in self._of(setting, other)}
        found = [mine[number] / theirs[number] for number in mine if theirs.get(number)]
        return figure(found) if found else None

    def _of(self, setting: str, way: str) -> list[Sample]:
        return [sample for sample in self._samples if (sample.setting, sample.way) == (setting, way)]
