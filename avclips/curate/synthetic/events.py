"""What happens in a clip: when, how strongly, and in which course. Picture and sound are both made from this."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KINDS = ("bounce", "zoom", "flash", "flicker", "pendulum", "colours", "slide", "spin", "rings", "rain")
# Of the course of a clip; far above what a picture shows.
COURSE_RATE = 200


@dataclass(frozen=True)
class Events:
    """``onsets``: seconds, ascending; ``strengths``: of each, 0 to 1; ``course``: COURSE_RATE values a second.

    What the course means depends on the kind: a height, an angle, a brightness, the number of a tint.
    """

    kind: str
    seconds: float
    onsets: Floats
    strengths: Floats
    course: Floats

    def at(self, times: Floats) -> Floats:
        """The course at these seconds."""
        return np.interp(times, np.arange(len(self.course)) / COURSE_RATE, self.course)

    def since(self, times: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """At each second, how long ago the last onset was (infinity before the first), and its number."""
        last = np.searchsorted(self.onsets, times, side="right") - 1
        ago = np.where(last >= 0, times - self.onsets[np.maximum(last, 0)], np.inf)
        return ago, np.maximum(last, 0)


def happen(kind: str, seconds: float, rng: np.random.Generator) -> Events:
    """Draw the events of a clip of ``kind``."""
    times = np.arange(int(seconds * COURSE_RATE) + 1) / COURSE_RATE
    match kind:
        case "bounce":
            onsets = _regular(seconds, rng.uniform(0.8, 3.0), 0.0, rng)
            return Events(kind, seconds, onsets, _strengths(onsets, rng), _arcs(times, onsets))
        case "zoom":
            onsets = _regular(seconds, rng.uniform(0.5, 1.6), 0.05, rng)
            return Events(kind, seconds, onsets, np.ones(len(onsets)), _ramps(times, onsets))
        case "flash":
            onsets = _irregular(seconds, rng.uniform(0.6, 2.5), 0.15, rng)
            return Events(kind, seconds, onsets, _strengths(onsets, rng), np.zeros(len(times)))
        case "flicker":
            phase = 2 * np.pi * (rng.uniform(2.0, 5.0) * times + rng.random())
            return Events(kind, seconds, np.zeros(0), np.zeros(0), 0.5 + 0.5 * np.sin(phase))
        case "pendulum":
            phase = 2 * np.pi * (rng.uniform(0.4, 1.2) * times + rng.random())
            return Events(kind, seconds, np.zeros(0), np.zeros(0), np.sin(phase))
        case "colours":
            onsets = np.concatenate([[0.0], _irregular(seconds, rng.uniform(0.6, 1.6), 0.4, rng)])
            steps = rng.integers(1, 6, len(onsets)).cumsum() % 6
            course = steps[np.searchsorted(onsets, times, side="right") - 1].astype(float)
            return Events(kind, seconds, onsets, np.ones(len(onsets)), course)
        case "slide":
            return Events(kind, seconds, np.zeros(0), np.zeros(0), _wander(times, rng.uniform(0.3, 1.0), rng))
        case "spin":
            speed = rng.uniform(0.4, 0.9) + rng.uniform(0.6, 1.4) * _wander(times, 0.4, rng)
            return Events(kind, seconds, np.zeros(0), np.zeros(0), np.cumsum(speed) / COURSE_RATE)
        case "rings":
            onsets = _irregular(seconds, rng.uniform(0.5, 1.4), 0.4, rng)
            return Events(kind, seconds, onsets, _strengths(onsets, rng), np.zeros(len(times)))
        case "rain":
            onsets = _irregular(seconds, rng.uniform(7.0, 20.0), 0.005, rng)
            return Events(kind, seconds, onsets, _strengths(onsets, rng), np.zeros(len(times)))
    raise ValueError(f"no kind {kind!r}")


def _strengths(onsets: Floats, rng: np.random.Generator) -> Floats:
    return rng.uniform(0.4, 1.0, len(onsets))


def _regular(seconds: float, rate: float, jitter: float, rng: np.random.Generator) -> Floats:
    """Onsets at a rate a second, from a random phase, one before the clip and one behind it among them.

    ``jitter``: share of a period.
    """
    count = int(seconds * rate) + 3
    return np.asarray((np.arange(count) + rng.random() - 1 + jitter * rng.uniform(-0.5, 0.5, count)) / rate)


def _irregular(seconds: float, rate: float, apart: float, rng: np.random.Generator) -> Floats:
    """Onsets at a mean rate a second, at least ``apart`` seconds from each other."""
    waits = apart + rng.exponential(max(1 / rate - apart, 0.01), int(seconds * rate * 2) + 20)
    onsets = waits.cumsum() - waits[0] * rng.random()
    return np.asarray(onsets[onsets < seconds])


def _ramps(times: Floats, onsets: Floats) -> Floats:
    """From 0 at an onset to 1 at the next one."""
    last = np.clip(np.searchsorted(onsets, times, side="right") - 1, 0, len(onsets) - 2)
    return np.clip((times - onsets[last]) / (onsets[last + 1] - onsets[last]), 0, 1)


def _arcs(times: Floats, onsets: Floats) -> Floats:
    """The height of a thrown ball, 0 at each onset."""
    part = _ramps(times, onsets)
    return 4 * part * (1 - part)


def _wander(times: Floats, rate: float, rng: np.random.Generator) -> Floats:
    """A smooth random course between 0 and 1, with so many turns a second or fewer."""
    waves = sum(
        weight * np.sin(2 * np.pi * (rate * share * times + rng.random()))
        for weight, share in ((0.5, rng.uniform(0.3, 0.5)), (0.3, rng.uniform(0.5, 0.8)), (0.2, 1.0))
    )
    return np.asarray(0.5 + 0.5 * waves)
