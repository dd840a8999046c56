"""Second 0 of a video, and the seconds of its tracks from there.

**Second 0** is where a whole download of the video begins: with its first picture, or earlier where its sound
begins before that (by more than what an encoder puts in front, which is nobody's sound). All streams of a video
share one presentation clock; a stream that begins later than another is that much later in every clip. A clip's
``start`` and ``end`` are seconds from second 0.

Where a track begins is read off its container, never assumed:

- An edit list says where its presentation begins; it is applied once, to all fragments alike.
- The tracks of one file, and of transport streams, begin where their first frame or sample is shown: that is what
  any player shows.
- A track in an MP4 of its own, without an edit list, begins where its first frame is *decoded*. That frame is
  shown a little later, by the frames that B-frames make a decoder wait for; the muxer put that delay there, and
  the sound, in another file, has no such delay. (A picture of ffmpeg's ``-movflags +dash``, as of YouTube's, would
  otherwise come 80 ms too late for its sound.) An edit list that keeps this delay, as of a file that was copied
  into fragments once more, decodes the first frame at 0: it means the same. Where one begins at that first frame,
  ffmpeg may have moved all streams by its delay, so that nothing is decoded before 0: then the sound, too, begins
  by that much later.

Times are kept as whole ticks, and as fractions of seconds where clocks meet.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median_low

from .samples import Samples, column

# How far a packet of sound may lie from where the one before ends, and follow it all the same: containers round
# times to the millisecond, and worse. What is farther away is a gap, in which there is silence.
GAP = Fraction(15, 1000)
# How far off the packets' grid a rounded time may be.
ROUNDING = Fraction(2, 1000)
# What an encoder of sound, or a muxer that waits for B-frames, may put before the first picture.
LEAD = Fraction(12, 100)
# A part of a second that no clip's start is meant to tell from nothing: the roundings of a few clocks.
INSTANT = Fraction(1, 20_000)
# The samples of a packet of AAC, of one with spectral band replication; both with 960 where radio has it so.
_AAC = (1024, 2048, 960, 1920)


@dataclass(frozen=True)
class Begin:
    """The second on the clock of its file at which a track's first frame or sample is ``shown``.

    ``starts``: the second of the presentation at which that is, in a file with others; ``alone``: the same in a
    file of its own, less what the muxer added; ``moved``: whether it may have added that to other streams as well.
    """

    shown: Fraction
    starts: Fraction
    alone: Fraction
    moved: bool = False

    @property
    def delay(self) -> Fraction:
        """What the muxer added, in seconds."""
        return self.starts - self.alone


def begin_of(samples: Samples) -> Begin | None:
    """Where a track begins whose first packets are among ``samples``; None where there are none."""
    if not samples.times:
        return None
    first = starts = min(samples.times)
    if samples.shift is not None:
        # A packet of sound is shown in part; of frames, readers show the first whole one where the edit begins.
        starts = max(first, samples.since)
        shown = (time for time in samples.times if time >= samples.since)
        first = starts if samples.kind == "audio" else min(shown, default=starts)
    elif samples.skipped:
        first = starts = first + samples.skipped
    seconds = (Fraction(ticks, samples.timescale) for ticks in (first, starts, samples.decode[0]))
    return begins(samples, *seconds)


def begins(track: Samples, shown: Fraction, starts: Fraction, decode: Fraction) -> Begin:
    """Where a track begins whose first frame or sample is ``shown`` and decoded at these seconds."""
    if track.shift is not None and decode != 0:
        return Begin(shown, starts, starts)
    return Begin(shown, starts, min(starts, decode), moved=track.shift is not None and track.since > 0)


def origins(found: Mapping[str, Begin], together: bool) -> dict[str, Fraction]:
    """For each track ("video", "audio") the second of its own file's clock at which the video is at second 0.

    ``together``: whether they are tracks of one file.
    """
    starts = {kind: begin.starts if together else begin.alone for kind, begin in found.items()}
    picture, sound = found.get("video"), found.get("audio")
    if picture is not None and sound is not None and picture.moved and sound.alone >= picture.delay:
        starts["video"] = picture.starts
    if not starts:
        return {}
    zero = min(starts.values())
    if "video" in starts and starts["video"] - zero <= LEAD:
        zero = starts["video"]
    return {kind: zero + (begin.shown - starts[kind]) for kind, begin in found.items()}


def standing(times: Sequence[int], durations: Sequence[int]) -> Sequence[int]:
    """How long each frame is shown: to the next, whatever is decoded in between; the last as it is told."""
    order = sorted(range(len(times)), key=times.__getitem__)
    lasts = list(durations)
    for one, following in itertools.pairwise(order):
        lasts[one] = times[following] - times[one]
    return column(lasts, len(lasts))


def usual_rate(times: Sequence[Fraction]) -> Fraction | None:
    """How many frames a second there usually are, of frames in the order of their times; None for a single one."""
    lasting = [after - before for before, after in itertools.pairwise(times) if after > before]
    if not lasting:
        return None
    usual = median_low(lasting)
    # Clocks round: the mean of those that are about as long is nearer to what was meant.
    near = [each for each in lasting if abs(each - usual) * 8 <= usual]
    return (len(near) / sum(near, Fraction(0))).limit_denominator(1001)


def samples_of_packet(samples: Samples, rate: int) -> int | None:
    """How many samples a packet of AAC or Opus decodes to at ``rate``; None for codecs of no fixed number."""
    if not samples.durations:
        return None
    usual = Fraction(median_low(samples.durations[:-1] or samples.durations) * rate, samples.timescale)
    if samples.codec == "mp4a":
        nearest = min(_AAC, key=lambda each: abs(each - usual))
        return nearest if abs(nearest - usual) <= nearest // 16 else None
    if samples.codec == "Opus":
        # Packets of 2.5 ms, and of any number of these.
        return max(1, round(usual / 120)) * 120
    return None


def on_grid(samples: Samples, rate: int, first: Fraction | None) -> Samples:
    """Sound with its times counted in samples, as a decoder that began with its first packet counts them.

    ``first``: the second at which the stream's first packet begins, where ``samples`` may begin later: from there,
    packets of one length stand on a grid. None: ``samples`` begin with it, or their times are exact.
    """
    held = samples_of_packet(samples, rate)
    exact = samples.timescale == rate
    lengths = [held or round(Fraction(lasts * rate, samples.timescale)) for lasts in samples.durations]
    if exact and held is None:
        return samples
    if held is not None and _ends_short(samples, held, rate):
        # Of a last packet, what was filled up is not heard.
        lengths[-1] = round(Fraction(samples.durations[-1] * rate, samples.timescale))
    times: list[int] = []
    # A clock that counts samples may have been given rounded times, as of a file that was in another container.
    rounded = not exact
    # In whole numbers, as a clip has hundreds of packets: a sample is so many of what a time is counted in here.
    sample, gap = samples.timescale, math.floor(GAP * rate * samples.timescale)
    for number, read in enumerate(samples.times):
        follows = times[-1] + lengths[number - 1] if times else None
        if follows is not None and abs(read * rate - follows * sample) <= gap:
            times.append(follows)
            rounded = rounded or read * rate != follows * sample
        else:
            time = Fraction(read * rate, sample)
            times.append(_placed(time, rate, held, first) if rounded else round(time))
    scaled = Fraction(rate, samples.timescale)
    since = None if samples.shift is None else round(samples.since * scaled)
    return replace(
        samples,
        timescale=rate,
        times=tuple(times),
        decode=tuple(times),
        durations=tuple(lengths),
        shift=None if samples.shift is None else round(samples.shift * scaled),
        since=since or 0,
        until=None if samples.until is None else round(samples.until * scaled),
    )


def _ends_short(samples: Samples, held: int, rate: int) -> bool:
    """Whether the last packet says that it is not full, and a decoder heeds it: not in fragments of MP4."""
    lasts = Fraction(samples.durations[-1] * rate, samples.timescale)
    if samples.timescale == rate:
        return samples.until is not None and lasts < held
    return lasts < held - ROUNDING * rate


def _placed(time: Fraction, rate: int, held: int | None, first: Fraction | None) -> int:
    """The sample at which a packet begins whose time was rounded: that of the grid, if it is near."""
    if held is None or first is None:
        return round(time)
    zero = round(first * rate)
    nearest = zero + round((time - zero) / held) * held
    return nearest if abs(nearest - time) <= ROUNDING * rate else round(time)
