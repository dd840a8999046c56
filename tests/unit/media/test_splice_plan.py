"""Which frames of a clip stay as they are: tables of packets, and what is planned of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest

from avclips.containers.h264 import Unit
from avclips.containers.samples import Samples
from avclips.media.cut_plan import Material, plan_frames
from avclips.media.splice_plan import LEAST, NotSpliced, Splice, plan_splice

# Ten frames a second, in hundredths.
SCALE, STEP = 100, 10
# What is decoded: where its frame is shown, and "i" for an IDR picture, "I" for another key frame, "p" and "b" for
# frames that others refer to, "x" for those that none does.
PLAIN = "i0 p1 p2 p3 p4 p5 p6 p7 p8 p9 p10 p11"
PYRAMID = "i0 p4 b2 x1 x3 p8 b6 x5 x7 p11 x9 x10"
REORDERED = "i0 p3 x1 x2 p6 x4 x5 p9 x7 x8 p11 x10"
# The first frames that are shown of a group belong to the one before.
OPEN = "I2 x0 x1 p5 x3 x4 p8 x6 x7 p11 x9 x10"


@dataclass(frozen=True)
class Source:
    samples: Samples
    units: dict[int, Unit]


def source(*groups: str) -> Source:
    """Groups of frames one after the other, each shown behind all of the one before."""
    shown, kinds = [], []
    for group in groups:
        zero = len(shown)
        shown += [zero + int(word[1:]) for word in group.split()]
        kinds += [word[0] for word in group.split()]
    count = len(shown)
    samples = Samples(
        *("video", "avc1", 64, 64, SCALE, tuple(STEP * place for place in shown), (STEP,) * count),
        *(tuple(range(count)), (1,) * count, tuple(n for n, kind in enumerate(kinds) if kind in "iI")),
        decode=tuple(STEP * number for number in range(count)),
    )
    return Source(samples, {n: Unit(kind == "i", kind != "x") for n, kind in enumerate(kinds)})


def plan(there: Source, start: str, end: str | None) -> Splice:
    material = Material(Path("nowhere"), there.samples, Fraction(0))
    picture = plan_frames(material, Fraction(start), None if end is None else Fraction(end))
    return plan_splice(picture, there.units)


def span(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


@pytest.mark.parametrize(
    ("groups", "start", "end", "head", "copied", "tail"),
    [
        # A start on an IDR picture and an end where packets can break off: nothing is encoded.
        ([PLAIN] * 3, "0", "2.5", (), range(25), ()),
        ([PLAIN] * 3, "1.2", None, (), range(12, 36), ()),
        # One frame.
        ([PLAIN] * 2, "1.2", "1.3", (), range(12, 13), ()),
        # What begins within a group is encoded up to the next.
        ([PLAIN] * 3, "0.5", "3", span(5, 11), range(12, 30), ()),
        ([PLAIN] * 3, "0.45", "2.91", span(5, 11), range(12, 30), ()),
        ([REORDERED] * 3, "0.7", "2.8", (8, 9, 7, 11, 10), range(12, 28), ()),
        # A frame that is due is decoded behind one that is not: so many are left that a tail is long enough.
        ([REORDERED] * 3, "0", "2.6", (), range(16), (17, 18, 16, 20, 21, 19, 23, 22, 24, 26)),
        ([PYRAMID] * 3, "1.2", "3.4", (), range(12, 25), (27, 26, 28, 25, 31, 30, 32, 29, 34)),
        # Open groups begin with no IDR picture: they are copied behind one, and decoded from there.
        ([REORDERED, OPEN, OPEN], "0", "3.4", (), range(24), (25, 26, 24, 28, 29, 27, 31, 32, 30, 34)),
    ],
)
def test_what_is_kept(
    groups: Sequence[str],
    start: str,
    end: str | None,
    head: tuple[int, ...],
    copied: range,
    tail: tuple[int, ...],
) -> None:
    found = plan(source(*groups), start, end)
    assert (found.head, found.copied, found.tail) == (head, copied, tail)


GROUPS = {"plain": PLAIN, "pyramid": PYRAMID, "reordered": REORDERED, "open": OPEN}


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("start", range(0, 13))
@pytest.mark.parametrize("end", [30, 31, 32, 33, 34, 38, 47, 48])
def test_every_plan_can_be_decoded_and_shown(name: str, start: int, end: int) -> None:
    """Each frame comes once, in order, and what is decoded refers to nothing that is not there."""
    there = source(REORDERED, REORDERED, GROUPS[name], GROUPS[name])
    times = there.samples.times
    found = plan(there, f"{start / 10}", f"{end / 10}")
    shown = [times[n] // STEP for n in (*found.head, *sorted(found.copied, key=times.__getitem__), *found.tail)]
    assert shown == list(range(start, end))
    assert not found.tail or len(found.tail) >= LEAST
    assert len(found.copied) >= LEAST and there.units[found.copied[0]].idr
    decoded = set(found.decoded)
    assert decoded >= {*found.head, *found.tail}
    for number in (*found.head, *found.tail):
        # All that it can refer to: from the last IDR picture on, what others refer to.
        since = max(n for n in range(number + 1) if there.units[n].idr)
        assert decoded >= {n for n in range(since, number) if there.units[n].refers}
    assert all(there.units[n].refers or n in (*found.head, *found.tail) for n in decoded)


def changed(there: Source, **columns: object) -> Source:
    return replace(there, samples=replace(there.samples, **columns))


def with_times(there: Source, **moved: int) -> Source:
    times = list(there.samples.times)
    for name, time in moved.items():
        times[int(name[1:])] = time
    return changed(there, times=tuple(times))


@pytest.mark.parametrize(
    ("there", "start", "end", "why"),
    [
        (source(PLAIN, PLAIN), "0.1", "1.2", "no IDR picture inside"),
        (source(OPEN, OPEN), "0.3", "2", "no IDR picture inside"),
        (source(PLAIN, PLAIN, PLAIN), "1.3", "2.9", "too few frames that can stay as they are"),
        (source(REORDERED, REORDERED), "0.9", "2.0", "too few frames that can stay as they are"),
        (with_times(source(PLAIN, PLAIN), n15=140), "0.5", "2", "frames at the same time"),
        # What is decoded before an IDR picture is shown before it, and what comes behind it, behind.
        (with_times(source(PLAIN, PLAIN), n11=125), "0.5", "2", "frames that reach over the first IDR picture"),
        (with_times(source(PLAIN, PLAIN), n14=115), "0.5", "2", "frames that reach over the first IDR picture"),
    ],
)
def test_why_all_is_encoded(there: Source, start: str, end: str, why: str) -> None:
    with pytest.raises(NotSpliced, match=f"^{why}$"):
        plan(there, start, end)


def test_hidden_frames_among_those_that_are_shown() -> None:
    """An edit list hides stretches, never single frames: only a plan that was changed can have them."""
    there = source(PLAIN, PLAIN)
    picture = plan_frames(Material(Path("nowhere"), there.samples, Fraction(0)), Fraction("0.5"), Fraction(2))
    with pytest.raises(NotSpliced, match="hidden frames"):
        plan_splice(replace(picture, frames=tuple(n for n in picture.frames if n != 15)), there.units)
