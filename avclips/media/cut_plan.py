"""What a clip has of its source: which frames are due, which packets hold them, and which samples.

Pure arithmetic on tables of packets: it opens no file and starts no process. Everything is counted in whole ticks
and samples; a start between two ticks is a fraction until the last step.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from ..containers.samples import Samples
from ..containers.timeline import GAP, INSTANT, on_grid, samples_of_packet
from ..core.errors import Gone, Transient

# Seconds of sound before a clip's first sample that a decoder needs for it to be right: AAC the packet before;
# with spectral band replication twelve, at 32 kHz or more: it has no upper half until a header comes, which is in
# one packet of ten, and two later it is as it would have been. Opus, whose state fades slowly, a second.
BEFORE = {
    "opus": Fraction(1),
    "mp4a.40.2": Fraction(1, 10),
    "mp4a.40.5": Fraction(8, 10),
    "mp4a.40.29": Fraction(8, 10),
}
USUALLY_BEFORE = Fraction(8, 10)
# Of what was read, so many seconds before a clip are decoded: the noise that AAC has a decoder make up depends on
# where it began, and most begin with a file, or a fragment.
DECODED_BEFORE = 15
# A resampler looks so far to both sides.
RESAMPLER = Fraction(1, 20)
# The fewest ticks a second in which a clip's frames are timed: a start is then no more than 6 us off.
FINE = 90_000
VORBIS = "mp4a.dd"
_AAC_PACKET = 1024
# Packets before the first that is heard which prepare a decoder: MP3 keeps bits of a packet in those before it.
_COPIED_BEFORE = {"Opus": 4, "mp4a.6b": 10, "mp4a.69": 10, ".mp3": 10}
_HE_AT_MOST = 24_000


@dataclass(frozen=True)
class Material:
    """A track's packets around a clip, and the file with their bytes.

    ``origin``: the second on the packets' clock at which the video is at second 0. ``rate``: the samples a second
    that a site names, where it does. ``begins``: the second on that clock at which the stream is heard first;
    ``first_packet``: the one at which its first packet begins, where these packets may begin later.
    """

    path: Path
    samples: Samples
    origin: Fraction
    rate: int | None = None
    begins: Fraction = Fraction(0)
    first_packet: Fraction | None = None


@dataclass(frozen=True)
class Frames:
    """The frames of a clip: packets ``first``..``last`` of the material hold them, from a key frame.

    ``frames``: the numbers of the packets shown, in the order of their times; ``begin``: the tick (of the
    material's clock, a fraction) that is the clip's second 0; ``times``: the seconds from there at which each is
    shown; ``ends``: the second at which the last one ends. ``stands``: the one frame began before the clip.
    """

    material: Material
    first: int
    last: int
    frames: tuple[int, ...]
    begin: Fraction
    times: tuple[Fraction, ...]
    ends: Fraction
    stands: bool = False


@dataclass(frozen=True)
class Piece:
    """Samples ``skip``..``skip + count`` of what the packets decode to, behind ``silence`` samples of nothing."""

    silence: int
    skip: int
    count: int


@dataclass(frozen=True)
class Resampled:
    """The pieces at another ``rate``: ``delay`` samples of silence, then from ``skip`` on, ``count`` in all."""

    rate: int
    delay: int
    skip: int
    count: float


@dataclass(frozen=True)
class Sound:
    """The samples of a clip: what packets ``first``..``last`` decode to, in pieces, at ``rate`` samples a second.

    ``filled``: with silence behind, to so many samples at ``rate``, where the sound pauses at the clip's end.
    ``copied``: the packets that a copy holds. On the packets' clock, in samples: ``begin``, the clip's second 0;
    ``heard``, where the first sample is; ``ends``, behind the last. ``count``: the samples due in all, silence
    included, at the rate that is asked for.
    """

    material: Material
    first: int
    last: int
    copied: range
    rate: int
    begin: int
    heard: int
    ends: int
    pieces: tuple[Piece, ...]
    count: int
    resampled: Resampled | None = None
    filled: int = 0


def plan_frames(material: Material, start: Fraction, end: Fraction | None, standing: bool = False) -> Frames:
    """Which frames are due of seconds ``start``..``end`` of the video, and the packets that hold them.

    A frame stands until the next one begins: where none begins within the clip, the one that stands is due, at 0.
    ``standing``: the one that stands at ``start`` is due in any case, where there is one.
    Gone where the picture ends before the clip; Transient where the packets do not hold a frame that is due.
    """
    samples = material.samples
    scale = samples.timescale
    begin: Fraction = (start + material.origin) * scale
    slack = INSTANT * scale
    shown = shown_frames(samples)
    times_shown = [samples.times[number] for number in shown]
    at = bisect_left(times_shown, begin - slack)
    behind = len(shown) if end is None else bisect_left(times_shown, (end + material.origin) * scale - slack)
    due, stands = shown[at:behind], False
    if not due:
        if at == 0 or (at == len(shown) and _end_of(samples) <= begin + slack):
            raise Gone("over", "the picture ends before the clip starts")
        due, stands = shown[at - 1 : at], True
    elif standing and at and samples.times[due[0]] > begin + slack:
        before = shown[at - 1 : behind]
        due = due if key_before(samples, before) is None else before
    last = max(due)
    first = key_before(samples, due)
    if first is None:
        raise Transient("check", "no key frame before the clip's first frame")
    material = _of_one_description(material, first, last)
    zero = samples.times[due[0]] if stands else begin
    over, under = zero.as_integer_ratio()
    times = tuple(Fraction(max(0, samples.times[number] * under - over), under * scale) for number in due)
    ends = (_ends_at(samples, shown, behind - 1) - begin) / scale
    return Frames(
        *(material, first, last, tuple(due), begin, times),
        ends=max(times[-1], ends if end is None else min(ends, end - start)),
        stands=stands,
    )


def _of_one_description(material: Material, first: int, last: int) -> Material:
    """The material as packets ``first``..``last`` are described; Transient where they are not all alike."""
    samples = material.samples
    if not samples.described:
        return material
    samples = samples.describe(samples.descriptions, samples.described[first : last + 1])
    if samples.described:
        raise Transient("formats", f"its {samples.kind} changes within the clip to another description")
    return replace(material, samples=samples)


def shown_frames(samples: Samples) -> list[int]:
    """The numbers of the packets that are shown at all, in the order of their times."""
    since = samples.since if samples.shift is not None else -math.inf
    until = math.inf if samples.until is None else samples.until
    numbers = (number for number, time in enumerate(samples.times) if since <= time < until)
    return sorted(numbers, key=lambda number: samples.times[number])


def _end_of(samples: Samples) -> int:
    """The tick at which the last frame ends: of what a freeze lasts, the table says to the frame decoded last."""
    ends = max(map(int.__add__, samples.times, samples.durations))
    return ends if samples.until is None else min(ends, samples.until)


def _ends_at(samples: Samples, shown: Sequence[int], place: int) -> int:
    """The tick at which the frame at a place in the order of times makes way for the next."""
    return samples.times[shown[place + 1]] if place + 1 < len(shown) else _end_of(samples)


def key_before(samples: Samples, due: Sequence[int]) -> int | None:
    """The last key frame that is decoded and shown no later than any of ``due`` (in the order of their times)."""
    earliest, first_shown = min(due), samples.times[due[0]]
    if samples.keys is None:
        return earliest
    fit = (key for key in samples.keys if key <= earliest and samples.times[key] <= first_shown)
    return max(fit, default=None)


def rate_of(material: Material) -> int:
    """The samples a second that a decoder gives, as far as can be told before (see may_be_doubled)."""
    samples = material.samples
    return 48_000 if samples.codec == "Opus" else samples.sample_rate or material.rate or samples.timescale


def may_be_doubled(material: Material) -> bool:
    """Whether the sound may decode to twice its rate: HE-AAC, whose description need not say so."""
    return material.samples.codec == "mp4a" and rate_of(material) <= _HE_AT_MOST


def plan_sound(
    material: Material, start: Fraction, end: Fraction | None, rate: int, resampled: int | None = None
) -> Sound:
    """Which samples are due of seconds ``start``..``end`` of the video, and the packets that hold them.

    ``rate``: what the packets decode to; ``resampled``: the rate that is asked for, None for theirs. Silence
    stands where the sound begins later, or pauses. Gone where it ends before the clip, Transient where it goes
    back in time.
    """
    # Its rate, too, may change: what is decoded before the clip counts as well.
    material = _of_one_description(material, 0, len(material.samples.times) - 1)
    samples = on_grid(material.samples, rate, material.first_packet)
    begin = round((start + material.origin) * rate)
    until = math.inf if end is None else round((end + material.origin) * rate)
    # What an encoder or an edit list hides at the beginning of the stream is not heard.
    low = max(samples.since if samples.shift is not None else -math.inf, round(material.begins * rate))
    high = math.inf if samples.until is None else samples.until
    again, since, behind = None, begin, until
    if resampled not in (None, rate):
        again, since, behind = _resampled(material, start, end, rate, resampled)
    held = [
        number
        for number, (time, lasts) in enumerate(zip(samples.times, samples.durations, strict=True))
        if time + lasts > max(since, low) and time < behind and time < high
    ]
    heard = [
        number
        for number in held
        if samples.times[number] + samples.durations[number] > begin and samples.times[number] < until
    ]
    pause = _pauses_until(samples, material.samples, rate)
    # An edit list may end a sound, or begin it, within a packet.
    if not heard or max(low, begin) >= min(high, until):
        raise Gone("no_audio", "the sound pauses" if pause > begin else "the sound ends before the clip starts")
    first, last = _decoded_from(samples, held[0], rate), held[-1]
    pieces = tuple(_pieces(samples, range(held[0], last + 1), first, (max(since, low), min(behind, high)), since))
    if any(piece.silence < 0 for piece in pieces):
        raise Transient("check", "packets that go back in time")
    starts = int(max(begin, low, samples.times[heard[0]]))
    ends = int(min(until, high, samples.times[heard[-1]] + samples.durations[heard[-1]]))
    silent = int(max(ends, min(until, high, pause)))
    count = silent - begin
    if again is not None:
        count = int(min(again.count, math.ceil(Fraction(count * again.rate, rate))))
        again = replace(again, count=count)
    copied = range(max(first, heard[0] - _copied_before(samples, rate)), heard[-1] + 1)
    table = replace(material, samples=samples)
    filled = int(min(behind, max(high, ends), pause) - since) if silent > ends else 0
    return Sound(table, first, last, copied, rate, begin, starts, ends, pieces, count, again, filled)


def _pauses_until(samples: Samples, told: Samples, rate: int) -> int:
    """The sample at which the last packet begins, or what follows it where its container says that it pauses.

    ``told``: the packets with the lengths that their container gives, which are those to the next packet.
    """
    ends = samples.times[-1] + samples.durations[-1]
    follows = round(Fraction((told.times[-1] + told.durations[-1]) * rate, told.timescale))
    return follows if follows - ends > GAP * rate else samples.times[-1]


def _copied_before(samples: Samples, rate: int) -> int:
    """The packets before the first that is heard of a copy, which prepare its decoder."""
    if samples.codec in _COPIED_BEFORE:
        return _COPIED_BEFORE[samples.codec]
    # HE-AAC, whose packets decode to twice as much, needs a header of what is doubled.
    return 12 if (samples_of_packet(samples, rate) or 0) > _AAC_PACKET else 1


def _resampled(
    material: Material, start: Fraction, end: Fraction | None, rate: int, wanted: int
) -> tuple[Resampled, int, float]:
    """How a resampler is to be fed so that its samples are those of the whole sound, put through it at once.

    It begins where a sample of the one rate and one of the other fall together, counted from the first of all.
    """
    zero = round(material.begins * rate)
    step = rate // math.gcd(rate, wanted)
    begin = start + material.origin - Fraction(zero, rate)
    fed = max(0, math.floor((begin - RESAMPLER) * rate) // step * step)
    at = round(begin * wanted) - fed * wanted // rate
    count = math.inf if end is None else round((begin + end - start) * wanted) - round(begin * wanted)
    behind = math.inf if end is None else math.ceil((begin + end - start + RESAMPLER) * rate) + zero
    again = Resampled(wanted, delay=max(0, -at), skip=max(0, at), count=count)
    return again, zero + fed, behind


def _decoded_from(samples: Samples, number: int, rate: int) -> int:
    """The packet from which to decode so that packet ``number`` is right: a decoder's state outlasts a pause."""
    since = samples.times[number] - DECODED_BEFORE * rate
    first = number
    while first and samples.times[first] > since:
        first -= 1
    return first


def _follows(samples: Samples, number: int) -> bool:
    """Whether a packet begins where the one before it ends."""
    return samples.times[number] == samples.times[number - 1] + samples.durations[number - 1]


def _pieces(
    samples: Samples, held: range, first: int, window: tuple[float, float], since: float
) -> Iterator[Piece]:
    """What of the decoded packets is heard in ``window``, and how much silence stands before each part."""
    at = since
    decoded = sum(samples.durations[first : held.start])
    if samples.codec == VORBIS:
        # A decoder gives nothing for the packet that it begins with.
        decoded -= samples.durations[first]
    number = held.start
    while number in held:
        behind = number + 1
        while behind in held and _follows(samples, behind):
            behind += 1
        begins, lasts = samples.times[number], sum(samples.durations[number:behind])
        low, high = max(begins, window[0]), min(begins + lasts, window[1])
        if high > low:
            yield Piece(int(low - at), int(decoded + low - begins), int(high - low))
            at = high
        decoded += lasts
        number = behind
