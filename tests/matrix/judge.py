"""Whether what came of a clip is exact, refused for a reason that is true, or a fault. There is no fourth.

Exact means, of seconds start..end of a source (truth says what second 0 is):

- Pictures: each that begins in [start, end), once, at its time less the start, within 1 ms. Where none begins,
  the one that stands at the start, from 0.
  A copy may be earlier by what is between the start and its first picture, and may have EXTRA pictures behind its
  end.
- Of an exact cut, the pictures that are said to have stayed as they were are the source's bit for bit, and readers
  show the right one after a jump to any key picture (splice).
- Sound in wav and flac: the source's own samples, bit for bit as far as its decoder lets them be (sound),
  from the one at the start, rounded to either side, to the one at the end; silence where the source has none yet.
  At another rate: the whole source resampled.
- Sound in packets (m4a, and beside the pictures): what a reader hears from the start on is the source's, with up
  to a packet more at the end. Every packet of an m4a is the source's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np

from tests.matrix.layouts import Spec
from tests.matrix.pieces import HOLE, PIECE
from tests.matrix.rules import STEADY
from tests.matrix.sound import heard_after, of_another_rate, of_packets, of_samples
from tests.matrix.splice import of_seeks, of_splice
from tests.matrix.truth import Frames, Truth, read_packets, read_pictures, read_sound

TOLERANCE = Fraction(1, 1000) + Fraction(1, 10**6)
STANDING = Fraction(1, 5)
EXTRA = 8
# How far pictures that were encoded anew may be from the source's, on average and in 8 bits.
UNLIKE = 3.0

Verdict = Literal["exact", "refused", "fault"]


@dataclass(frozen=True)
class Shape:
    """How the clip was asked for: ``start`` and ``end`` in seconds, and the run's options."""

    start: Fraction
    end: Fraction
    cut: str
    media: str
    video_format: str
    audio_format: str
    audio_rate: int | None


@dataclass(frozen=True)
class Came:
    """What came of a clip: its files, or why there are none."""

    video: Path | None
    audio: Path | None
    reason: str = ""
    words: str = ""
    encode: Mapping[str, Any] | None = None


def judge(spec: Spec, truth: Truth, shape: Shape, came: Came) -> tuple[Verdict, list[str]]:
    """The verdict, and what stands behind it: each fault begins with its kind, "pictures: ..."."""
    if came.video is None and came.audio is None:
        true = came.reason in _true_reasons(spec, truth, shape)
        return ("refused" if true else "fault"), [f"refused: {came.reason}: {came.words}"]
    faults = [*_of_pictures(spec, truth, shape, came), *_of_sound(spec, truth, shape, came)]
    return ("fault" if faults else "exact"), faults


def _true_reasons(spec: Spec, truth: Truth, shape: Shape) -> set[str]:
    """The reasons for which a clip cannot be had."""
    reasons = set()
    heard = _is_heard(truth, shape)
    seen = _standing(truth, shape) is not None or bool(_due(truth, shape))
    if shape.start >= truth.ends or (shape.media == "both" and not seen) or (shape.media == "audio" and not heard):
        reasons.add("over")
    if not heard:
        reasons.add("no_audio")
    if spec.layout == "dash-hole" and shape.media == "both":
        # The pieces beside it may be needed too.
        first, last = (HOLE - 1) * PIECE, (HOLE + 2) * PIECE
        if shape.start < last and shape.end > first:
            reasons |= {"check", "media"}
    return reasons


def _is_heard(truth: Truth, shape: Shape) -> bool:
    sound, length = truth.sound, shape.end - shape.start
    return sound.begins < shape.end and sound.ends > shape.start and heard_after(sound, shape.start) < length


# -- pictures --------------------------------------------------------------------------------------------


def _due(truth: Truth, shape: Shape) -> list[Frames]:
    # Half a tick of any container's clock is no picture's distance.
    slack = Fraction(1, 20_000)
    return [p for p in truth.pictures if shape.start - slack <= p.time < shape.end - slack]


def _standing(truth: Truth, shape: Shape) -> Frames | None:
    """The picture that is on the screen when the clip starts."""
    before = [picture for picture in truth.pictures if picture.time <= shape.start]
    if not before:
        return None
    last = before[-1] is truth.pictures[-1]
    return None if last and before[-1].time + before[-1].lasts <= shape.start else before[-1]


def _of_pictures(spec: Spec, truth: Truth, shape: Shape, came: Came) -> Iterator[str]:
    if shape.media == "audio":
        if came.video is not None:
            yield "pictures: nobody asked for any"
        return
    got = [] if came.video is None else read_pictures(came.video)
    if not got:
        yield "pictures: there are none"
        return
    due, standing = _due(truth, shape), _standing(truth, shape)
    expected = [(picture.time - shape.start, picture) for picture in due]
    if standing is not None and not expected:
        expected = [(Fraction(0), standing)]
    if complaint := _compare(expected, got, shape):
        yield f"pictures: {complaint}"
    elif shape.cut == "exact" and came.video is not None:
        if complaint := of_splice(spec.picture, [picture for _, picture in expected], got, came.encode):
            yield f"splice: {complaint}"
        if complaint := of_seeks(came.video, got, spec.rate in STEADY):
            yield f"seeks: {complaint}"


def _compare(due: list[tuple[Fraction, Frames]], got: list[Frames], shape: Shape) -> str | None:
    more = len(got) - len(due)
    if shape.cut == "copy" and more > 0:
        if more > EXTRA:
            return f"{more} more than the clip has"
        got = got[: len(due)]
    numbers, wanted = [picture.number for picture in got], [picture.number for _, picture in due]
    if numbers != wanted:
        return f"{len(numbers)} {_told(numbers)}, due are {len(wanted)} {_told(wanted)}"
    off = [picture.time - time for (time, _), picture in zip(due, got, strict=True)]
    # A copy begins with a whole picture: all of them are earlier by as much as this one would begin late.
    early = min(due[0][0], STANDING) if shape.cut == "copy" and due else Fraction(0)
    moved = early and max(off, default=Fraction(0)) - min(off, default=Fraction(0)) > 2 * TOLERANCE
    if off and (max(off) > TOLERANCE or min(off) < -early - TOLERANCE or moved):
        return f"{float(min(off)) * 1000:+.1f} to {float(max(off)) * 1000:+.1f} ms off their times"
    if any(a.look.shape != b.look.shape for (_, a), b in zip(due, got, strict=True)):
        return "of another size"
    away = [float(np.abs(a.look - b.look).mean()) for (_, a), b in zip(due, got, strict=True)]
    unlike = sum(each > UNLIKE for each in away)
    return f"{unlike} of {len(away)} do not look like the source's" if unlike else None


def _told(numbers: list[int]) -> str:
    return f"[{', '.join(map(str, numbers[:3]))} ... {numbers[-1]}]" if len(numbers) > 4 else str(numbers)


# -- sound -----------------------------------------------------------------------------------------------


def _of_sound(spec: Spec, truth: Truth, shape: Shape, came: Came) -> Iterator[str]:
    whole, start, end = truth.sound, shape.start, shape.end
    if not _is_heard(truth, shape):
        yield "sound: no sample of the source lies in the clip, that is no_audio"
        return
    if came.audio is None:
        yield "sound: there is no file"
        return
    got = read_sound(came.audio)
    if shape.audio_format == "m4a":
        if fault := of_packets(spec, whole, got, start, end, Fraction(0)):
            yield f"m4a: {fault}"
        if not set(read_packets(came.audio)) <= truth.packets:
            yield "m4a: packets that are not the source's"
    elif shape.audio_rate:
        if fault := of_another_rate(spec, whole, got, start, end, shape.audio_rate):
            yield f"sound: {fault}"
    elif fault := of_samples(spec, whole, got, start, end):
        yield f"sound: {fault}"
    if came.video is not None:
        with av.open(str(came.video)) as container:
            if not container.streams.audio:
                yield "beside: no sound with the pictures"
                return
        rounding = Fraction(1, 1000) if shape.video_format == "mkv" else Fraction(0)
        if fault := of_packets(spec, whole, read_sound(came.video), start, end, rounding):
            yield f"beside: {fault}"
