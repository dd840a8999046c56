"""How the packets around a clip are got out of a stream, whatever its layout; each reads no more than it must.

A layout answers three questions about its tracks ("video", "audio"), on the clock of its own file: where does a
track begin, where does it end, and which packets lie around these seconds. What is read is looked at before it
counts: packets from a key frame on, none missing in between, and as far as the clip goes; else more is read.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import median_low
from typing import Protocol

from ..containers.fragments import covering
from ..containers.samples import Samples
from ..containers.timeline import GAP, ROUNDING, Begin, begin_of, on_grid, standing
from ..core.errors import Transient
from ..media.cut_plan import DECODED_BEFORE, key_before, shown_frames
from ..media.demux import Opened
from ..media.key_frames import with_true_keys

# A gap this long between frames, up to where a unit begins, is no freeze: what was before it is missing.
HOLE = Fraction(1)
# How far the times of units may be off where they are told by a list of rounded lengths.
LOOSE = Fraction(1, 2)
# Seconds more than asked for that are taken of a table: packets of sound lie before and behind their time.
_MARGIN = Fraction(1, 2)
_OPUS_RATE = 48_000


class Layout(Protocol):
    """One stream, or one file with both."""

    @property
    def together(self) -> bool:
        """Whether picture and sound are tracks of one file."""
        ...

    @property
    def from_zero(self) -> bool:
        """Whether its clock, which it may share with other files, begins at 0."""
        ...

    def media_types(self) -> Sequence[str]:
        """Which of "video" and "audio" it has tracks of."""
        ...

    def begin(self, kind: str) -> Begin:
        """Where a track begins."""
        ...

    def ends(self, kind: str) -> Fraction | None:
        """The second at which a track ends, None where that is not known before."""
        ...

    def first_packet(self, kind: str) -> Fraction | None:
        """The second at which its first packet begins, where times are rounded; None where they are exact."""
        ...

    def packets(self, kind: str, since: Fraction, until: Fraction | None) -> tuple[Path, Samples]:
        """The packets around ``since``..``until`` (None: to the end), and the file with their bytes."""
        ...


class WholeFile:
    """A file that is here from its first byte to its last."""

    from_zero = True

    def __init__(self, opened: Opened) -> None:
        self._opened = {kind: (path, settled(samples)) for kind, (path, samples) in opened.items()}
        self.together = True

    def media_types(self) -> Sequence[str]:
        return list(self._opened)

    def begin(self, kind: str) -> Begin:
        found = begin_of(self._opened[kind][1])
        assert found is not None
        return found

    def ends(self, kind: str) -> Fraction | None:
        samples = self._opened[kind][1]
        ends = max(map(int.__add__, samples.times, samples.durations))
        return Fraction(ends if samples.until is None else min(ends, samples.until), samples.timescale)

    def first_packet(self, kind: str) -> Fraction | None:
        # Its packets are on their grid already.
        return None

    def packets(self, kind: str, since: Fraction, until: Fraction | None) -> tuple[Path, Samples]:
        whole, earlier, step = self._opened[kind][1], since, Fraction(1)
        while True:
            path, samples = self._read(kind, earlier, until)
            samples = with_true_keys(path, samples)
            if kind == "audio" or _begins_late(samples, since, until) is None:
                return path, samples
            if samples.decode[0] == whole.decode[0]:
                # There is nothing before. Where no picture begins later either, one may be a key frame unsaid.
                begins_later = min(samples.times) > since * samples.timescale
                return path, samples if begins_later else with_true_keys(path, samples, among_all=True)
            # What was taken for a key frame is none.
            earlier = Fraction(samples.decode[0], samples.timescale) - step
            step *= 2

    def _read(self, kind: str, since: Fraction, until: Fraction | None) -> tuple[Path, Samples]:
        """The packets around these seconds, from what is called a key frame on."""
        path, samples = self._opened[kind]
        # It is all here: a decoder that begins long before makes up the noise that one of the whole would.
        since -= DECODED_BEFORE if kind == "audio" else 0
        return path, with_next(samples, *around(samples, since, until))


def settled(samples: Samples) -> Samples:
    """A whole track as it is shown: a frame until the next one, whatever is decoded in between.

    Sound has its packets where a decoder puts them that begins with the first: rounding does not add up.
    """
    if not samples.times:
        return samples
    if samples.kind == "video":
        return replace(samples, durations=standing(samples.times, samples.durations))
    rate = _OPUS_RATE if samples.codec == "Opus" else samples.sample_rate
    if samples.kind != "audio" or not rate:
        return samples
    return on_grid(samples, rate, Fraction(samples.times[0], samples.timescale))


def with_next(samples: Samples, first: int, behind: int) -> Samples:
    """A stretch of a table, and of sound when the packet behind it begins: whether it ends there, or pauses.

    Of that packet there is the time alone, and no byte.
    """
    if samples.kind != "audio" or behind >= len(samples.times):
        return samples.cut(first, behind)
    table = samples.cut(first, behind + 1)
    ends = samples.offsets[behind - 1] + samples.sizes[behind - 1]
    return replace(table, offsets=(*table.offsets[:-1], ends), sizes=(*table.sizes[:-1], 0))


def around(samples: Samples, since: Fraction, until: Fraction | None) -> tuple[int, int]:
    """The stretch of a table, in decoding order, that holds these seconds, from a key frame on.

    Returns the number of the first packet, and the one behind the last.
    """
    low = (since - _MARGIN) * samples.timescale
    first = last = None
    for number, time in enumerate(samples.times):
        if time + samples.durations[number] > low:
            first = number
            break
    # Behind its end, its last packet.
    first = len(samples.times) - 1 if first is None else first
    if samples.kind == "audio":
        first = _with_state(samples, first)
    if samples.keys is not None:
        before = (k for k in samples.keys if k <= first and samples.times[k] <= since * samples.timescale)
        first = max(before, default=0)
    if until is not None:
        high = (until + _MARGIN) * samples.timescale
        last = max((n for n, time in enumerate(samples.times) if time < high), default=len(samples.times) - 1)
    return first, len(samples.times) if last is None else max(last, first) + 1


def _with_state(samples: Samples, first: int) -> int:
    """The packet from which to read: behind a pause, a decoder has its state from what was before it."""
    if not first or samples.times[first] - samples.times[first - 1] - samples.durations[first - 1] <= (
        GAP * samples.timescale
    ):
        return first
    left = samples.timescale
    while first and left > 0:
        first -= 1
        left -= samples.durations[first]
    return first


def _lacks_state(samples: Samples) -> bool:
    """Whether a pause stands so near to the first packet that a decoder cannot have its state behind it."""
    # Some containers have a packet last to the next, over a pause.
    lasts = median_low(samples.durations)
    near = samples.times[: 2 + samples.timescale // max(1, lasts)]
    return any(after - before - lasts > GAP * samples.timescale for before, after in itertools.pairwise(near))


class InUnits(ABC):
    """A stream in units that are fetched apart: fragments, clusters, pieces."""

    together = False
    from_zero = True

    def __init__(self, starts: Sequence[Fraction]) -> None:
        """``starts``: the second at which each unit begins, and last the end, counted from the first."""
        self._starts = starts
        self._loaded: dict[tuple[int, int], Opened] = {}

    @abstractmethod
    def load(self, first: int, last: int) -> Opened:
        """Units ``first``..``last`` as tables of packets."""

    @abstractmethod
    def begin(self, kind: str) -> Begin:
        """Where a track begins."""

    def first_packet(self, kind: str) -> Fraction | None:
        return None

    def zero(self, kind: str) -> Fraction:
        """The second at which the first unit begins."""
        return self.begin(kind).shown

    def packets(self, kind: str, since: Fraction, until: Fraction | None) -> tuple[Path, Samples]:
        count = len(self._starts) - 1
        zero = self.zero(kind)
        starts = [zero + start for start in self._starts]
        first, last = covering(starts, since, until)
        begun = first
        while True:
            if (first, last) not in self._loaded:
                loaded = self.load(first, last)
                self._loaded[first, last] = {
                    each: (path, with_true_keys(path, samples)) for each, (path, samples) in loaded.items()
                }
            opened = self._loaded[first, last]
            if kind not in opened or not opened[kind][1].times:
                # It ended before: what there is of it lies in front.
                if first == 0:
                    raise Transient("check", f"no {kind} in what was read of the clip")
                first -= 1
                continue
            path, samples = opened[kind]
            if first > 0 and (short := _begins_late(samples, since, until)) is not None:
                # As far again as before: where no key frame is for long, all is not looked at for each unit.
                first = max(0, first - max(begun - first, _units(short, starts)))
            elif last < count - 1 and until is not None and (short := _ends_early(samples, until)) is not None:
                last = min(count - 1, last + _units(short, starts))
            else:
                return path, samples


def look_for_holes(opened: Opened, starts: Sequence[Fraction]) -> None:
    """Transient where packets are missing in the middle of units that a stream does not count.

    ``starts``: the seconds at which the units begin. A gap in the sound is taken for one; between frames, one that
    goes on up to where a unit begins, since those are what was lost with the end of the unit before.
    """
    for kind, (_, samples) in opened.items():
        times = sorted(samples.times)
        gaps = [b - a for a, b in itertools.pairwise(times)]
        usual = median_low(gaps) if gaps else 0
        for time, gap in zip(times, gaps, strict=False):
            begins, ends = Fraction(time, samples.timescale), Fraction(time + gap, samples.timescale)
            at_unit = any(abs(start - ends) <= GAP * 10 for start in starts)
            if ends - begins > HOLE and (kind == "audio" or (gap > 3 * usual and at_unit)):
                what = "sound" if kind == "audio" else "frame"
                raise Transient(
                    "check", f"no {what} from {float(begins):.3f} s to {float(ends):.3f} s of its stream"
                )


def _units(seconds: Fraction, starts: Sequence[Fraction]) -> int:
    """How many units hold so many seconds, at least one."""
    usual = (starts[-1] - starts[0]) / max(1, len(starts) - 1)
    return max(1, int(seconds / usual)) if usual else 1


def _begins_late(samples: Samples, since: Fraction, until: Fraction | None) -> Fraction | None:
    """By how many seconds the packets begin too late to decode what is shown from ``since`` on; None: in time."""
    scale = samples.timescale
    late = Fraction(min(samples.times), scale) - since
    if samples.kind == "audio":
        return late if late > 0 else Fraction(0) if _lacks_state(samples) else None
    shown = shown_frames(samples)
    times = [samples.times[number] for number in shown]
    at = bisect_right(times, since * scale)
    if at == 0:
        return max(late, Fraction(0))
    end = len(shown) if until is None else bisect_left(times, until * scale)
    # The frame that stands at the beginning is wanted where none begins behind it.
    wanted = shown[at - 1 : max(at, end)]
    return Fraction(0) if key_before(samples, wanted) is None else None


def _ends_early(samples: Samples, until: Fraction) -> Fraction | None:
    """By how many seconds the packets end before ``until``; None where they reach it."""
    ends = Fraction(max(map(int.__add__, samples.times, samples.durations)), samples.timescale)
    return until - ends if ends + ROUNDING < until else None
