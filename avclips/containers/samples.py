"""A track's sample table as a value: where each packet lies, when it is shown, and the same track cut or moved.

Times are whole ticks. Knows no file and no boxes: `mp4`, `movie_fragments` and others make such tables.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from .sample_entry import without_rates

# Longer columns are kept packed.
LONG = 100_000


@dataclass(frozen=True)
class Description:
    """How packets are to be decoded: what an entry of stsd (``entry``, a whole box) says.

    ``width`` and ``height`` are of pictures, ``sample_rate`` is of sound.
    """

    codec: str
    width: int
    height: int
    sample_rate: int
    entry: bytes


@dataclass(frozen=True)
class Samples:
    """One track, sample by sample in the order of decoding.

    ``times``: when each is shown, in ticks of ``timescale`` a second, as the edit list has it (what is hidden
    before the start is below 0); ``durations`` in the same ticks; ``offsets`` and ``sizes``: its bytes. ``keys``:
    the numbers of the key frames, None where every sample is one. ``decode``: when each is decoded, on the clock
    of ``times``. ``entry``: the track's description (a whole box of its stsd); ``matrix``: how its picture is to
    be turned; ``shift``: what the edit list added to every time, None where there is no edit list; ``since``,
    ``until``: the ticks at which the edit list begins and ends, None for never; ``sample_rate``: of sound, as
    ``entry`` has it. ``descriptions``: all that the track has, where packets need not have the same;
    ``described``: which of them each has, empty where all have that of ``entry``.
    """

    kind: str
    codec: str
    width: int
    height: int
    timescale: int
    times: Sequence[int]
    durations: Sequence[int]
    offsets: Sequence[int]
    sizes: Sequence[int]
    keys: tuple[int, ...] | None
    decode: Sequence[int] = ()
    entry: bytes = b""
    matrix: bytes = b""
    shift: int | None = None
    since: int = 0
    until: int | None = None
    track: int = 0
    sample_rate: int = 0
    skipped: int = 0
    descriptions: tuple[Description, ...] = ()
    described: Sequence[int] = ()

    def shown(self) -> list[tuple[int, int]]:
        """When each sample begins and ends that a reader shows, in the order of decoding.

        Hidden is what begins before the edit or not before its end, or the track's: a last sample without a
        duration. Of sound, what the edit begins or ends within is heard in part.
        """
        spans = [(time, time + lasts) for time, lasts in zip(self.times, self.durations, strict=True)]
        end = max((end for _, end in spans), default=0)
        if self.until is not None:
            end = min(end, self.until)
        if self.kind == "audio":
            spans = [(max(begin, self.since), behind) for begin, behind in spans if behind > self.since]
        shown = [(begin, min(behind, end)) for begin, behind in spans if self.since <= begin < end]
        if self.kind == "video" and self.until is not None and shown:
            # With B-frames, the table's last duration is not the last frame's, which stands until the edit ends.
            last = max(shown)
            shown[shown.index(last)] = (last[0], max(last[1], min(self.until, self._ends())))
        return shown

    def _ends(self) -> int:
        """Where the track ends as its table counts it, on the clock of ``times``."""
        return min(self.times) + sum(self.durations)

    @property
    def is_quicktime(self) -> bool:
        """Whether its description of sound is one of QuickTime's own, which an MP4 cannot hold."""
        return self.kind == "audio" and self.entry[16:18] not in (b"", b"\0\0")

    def cut(self, first: int, behind: int) -> Samples:
        """Samples ``first``..``behind`` (without the last) of the track."""
        keys = None if self.keys is None else tuple(k - first for k in self.keys if first <= k < behind)
        return replace(
            self._described(self.described[first:behind]),
            times=self.times[first:behind],
            decode=self.decode[first:behind],
            durations=self.durations[first:behind],
            offsets=self.offsets[first:behind],
            sizes=self.sizes[first:behind],
            keys=keys,
        )

    def only(self, numbers: Sequence[int]) -> Samples:
        """The samples of these numbers, which rise."""
        places = {number: place for place, number in enumerate(numbers)}

        def some(values: Sequence[int]) -> Sequence[int]:
            return column([values[number] for number in numbers], len(numbers))

        return replace(
            self._described(some(self.described)) if self.described else self,
            times=some(self.times),
            decode=some(self.decode),
            durations=some(self.durations),
            offsets=some(self.offsets),
            sizes=some(self.sizes),
            keys=None if self.keys is None else tuple(places[key] for key in self.keys if key in places),
        )

    def describe(self, descriptions: tuple[Description, ...], described: Sequence[int]) -> Samples:
        """The same, each packet described by one of these; IndexError where there is none of that number."""
        return replace(self, descriptions=descriptions)._described(described)

    def _described(self, described: Sequence[int]) -> Samples:
        """The same track of packets that are described so: ``entry`` is that of the first."""
        if not described:
            return replace(self, described=()) if self.described else self
        # Joining films, some muxers write the same description again.
        alike = len({without_rates(self.descriptions[number].entry) for number in set(described)}) == 1
        found = self.descriptions[described[0]]
        return replace(
            self,
            codec=found.codec,
            width=found.width,
            height=found.height,
            sample_rate=found.sample_rate,
            entry=found.entry,
            described=() if alike else described,
        )

    def finer(self, times: int) -> Samples:
        """The same in ticks that are so many times finer."""
        if times == 1:
            return self
        return replace(
            self,
            timescale=self.timescale * times,
            times=tuple(value * times for value in self.times),
            decode=tuple(value * times for value in self.decode),
            durations=tuple(value * times for value in self.durations),
            since=self.since * times,
            until=None if self.until is None else self.until * times,
            shift=None if self.shift is None else self.shift * times,
            skipped=self.skipped * times,
        )

    def later(self, seconds: Fraction) -> Samples:
        """The same, later by exactly so much."""
        there = self.finer((seconds * self.timescale).denominator)
        by = int(seconds * there.timescale)
        return replace(
            there,
            times=tuple(value + by for value in there.times),
            decode=tuple(value + by for value in there.decode),
            since=there.since + by,
            until=None if there.until is None else there.until + by,
        )

    def seconds(self, number: int) -> Fraction:
        """When a sample is shown."""
        return Fraction(self.times[number], self.timescale)


def column(values: Iterable[int], count: int) -> Sequence[int]:
    """``count`` numbers of a table; of long ones, a fifth of the memory that a tuple takes. OverflowError."""
    if count <= LONG:
        return tuple(values)
    return values if isinstance(values, array) and values.typecode == "q" else array("q", values)
