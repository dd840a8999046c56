"""What is due of a clip: which frames and samples, and which packets hold them. Tables in, numbers out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from avclips.containers.samples import Samples
from avclips.core.errors import Gone, Transient
from avclips.media.cut_plan import (
    Frames,
    Material,
    Piece,
    Resampled,
    Sound,
    key_before,
    may_be_doubled,
    plan_frames,
    plan_sound,
    rate_of,
    shown_frames,
)

FEW = settings(deadline=None, derandomize=True, max_examples=200)


def film(
    times: Sequence[int],
    keys: Sequence[int] | None,
    *,
    each: int = 40,
    timescale: int = 1000,
    shift: int | None = None,
    since: int = 0,
    until: int | None = None,
    origin: Fraction = Fraction(0),
) -> Material:
    """Pictures in the order of decoding, shown at these ticks; decoded one after the other."""
    count = len(times)
    samples = Samples(
        *("video", "avc1", 160, 90, timescale, tuple(times), (each,) * count, tuple(range(count)), (1,) * count),
        keys=None if keys is None else tuple(keys),
        decode=tuple(each * (number - 2) for number in range(count)),
        shift=shift,
        since=since,
        until=until,
    )
    return Material(Path("film"), samples, origin)


def planned(material: Material, start: str, end: str | None) -> Frames:
    return plan_frames(material, Fraction(start), None if end is None else Fraction(end))


# Ten frames of 40 ms in two groups. Of the other film, the second group is open: its two B-frames, decoded behind
# the key frame, are shown before it.
CLOSED = film([0, 120, 40, 80, 160, 200, 240, 280, 320, 360], [0, 6])
OPEN = film([0, 120, 40, 80, 240, 160, 200, 360, 280, 320], [0, 4])
STILL = film([0, 5000], [0, 1], each=5000)


@pytest.mark.parametrize(
    ("material", "start", "end", "first", "last", "frames", "times"),
    [
        # Frames that begin in [start, end), each at its own time from the start.
        (CLOSED, "0", "0.08", 0, 2, (0, 2), ("0", "0.04")),
        (CLOSED, "0", "0.12", 0, 3, (0, 2, 3), ("0", "0.04", "0.08")),
        (CLOSED, "0.04", "0.12", 0, 3, (2, 3), ("0", "0.04")),
        (CLOSED, "0.24", "0.32", 6, 7, (6, 7), ("0", "0.04")),
        (CLOSED, "0.16", "0.28", 0, 6, (4, 5, 6), ("0", "0.04", "0.08")),
        # A start between two frames, and one a rounding away from a frame: that one is at it.
        (CLOSED, "0.23", "0.3", 6, 7, (6, 7), ("0.01", "0.05")),
        (CLOSED, "0.2400000001", "0.32", 6, 7, (6, 7), ("0", "0.0399999999")),
        (CLOSED, "0.24", "0.3200000001", 6, 7, (6, 7), ("0", "0.04")),
        # To the end.
        (CLOSED, "0.28", None, 6, 9, (7, 8, 9), ("0", "0.04", "0.08")),
        (CLOSED, "0.28", "99", 6, 9, (7, 8, 9), ("0", "0.04", "0.08")),
        # The leading frames of an open group need the group before; what is behind the key frame does not.
        (OPEN, "0.16", "0.28", 0, 6, (5, 6, 4), ("0", "0.04", "0.08")),
        (OPEN, "0.2", "0.24", 0, 6, (6,), ("0",)),
        (OPEN, "0.24", "0.32", 4, 8, (4, 8), ("0", "0.04")),
        (OPEN, "0.28", "0.4", 4, 9, (8, 9, 7), ("0", "0.04", "0.08")),
        # Every frame is a key frame.
        (film([0, 40, 80, 120], None), "0.05", "0.1", 2, 2, (2,), ("0.03",)),
        # The clock of the file began elsewhere.
        (replace(CLOSED, origin=Fraction(1, 25)), "0.2", "0.28", 6, 7, (6, 7), ("0", "0.04")),
        (replace(CLOSED, origin=Fraction(-1, 1)), "1.24", "1.32", 6, 7, (6, 7), ("0", "0.04")),
        # An edit list hides what is before it and behind it.
        (replace(film([-80, 40, -40, 0, 80], [0], shift=-80)), "0", "1", 0, 4, (3, 1, 4), ("0", "0.04", "0.08")),
        (film([-80, 40, -40, 0, 80], [0], shift=-80, until=80), "0", "1", 0, 3, (3, 1), ("0", "0.04")),
        (film([500, 540, 580], [0], shift=500, since=500), "0.4", "1", 0, 2, (0, 1, 2), ("0.1", "0.14", "0.18")),
        # Without one, what is before 0 is shown as any other.
        (film([-80, 40, -40, 0], [0]), "-0.1", "0", 0, 2, (0, 2), ("0.02", "0.06")),
    ],
)  # fmt: skip
def test_which_frames_are_due(
    material: Material,
    start: str,
    end: str | None,
    first: int,
    last: int,
    frames: tuple[int, ...],
    times: Sequence[str],
) -> None:
    found = planned(material, start, end)
    assert (found.first, found.last, found.frames) == (first, last, frames)
    slack = Fraction(1, 20_000)
    assert all(abs(a - Fraction(b)) <= slack for a, b in zip(found.times, times, strict=True))
    assert not found.stands and found.begin == (Fraction(start) + material.origin) * 1000


@pytest.mark.parametrize(
    ("material", "start", "end", "frames", "ends"),
    [
        # A frame stands until the next one begins: a still clip is a clip.
        (STILL, "1", "4", (0,), "3"),
        (STILL, "1", "5", (0,), "4"),
        (STILL, "1", None, (1,), "9"),
        (STILL, "5.5", "6", (1,), "0.5"),
        (STILL, "5.5", None, (1,), "4.5"),
        (STILL, "9.99", "20", (1,), "0.01"),
        (CLOSED, "0.05", "0.07", (2,), "0.02"),
        (OPEN, "0.21", "0.22", (6,), "0.01"),
    ],
)
def test_a_frame_that_stands(
    material: Material, start: str, end: str | None, frames: tuple[int, ...], ends: str
) -> None:
    found = planned(material, start, end)
    assert found.frames == frames and found.ends == Fraction(ends)
    assert found.stands is (material.samples.times[frames[0]] < Fraction(start) * 1000)
    assert found.times == (Fraction(0) if found.stands else 5 - Fraction(start),)


@pytest.mark.parametrize(
    ("start", "end", "ends"),
    [("0", "0.1", "0.1"), ("0", "0.4", "0.4"), ("0.3", "9", "0.1"), ("0.3", None, "0.1"), ("0", "0.36", "0.36")],
)
def test_where_the_last_frame_ends(start: str, end: str | None, ends: str) -> None:
    """With the clip, or with the video, whichever is first."""
    assert planned(CLOSED, start, end).ends == Fraction(ends)


@pytest.mark.parametrize(
    ("material", "start"),
    [
        (CLOSED, "0.4"),
        (CLOSED, "99"),
        (STILL, "10"),
        (film([0, 40], [0], shift=0, until=60), "0.06"),
        (film([0], [0], each=0), "0"),
        (film([], []), "0"),
    ],
)
def test_a_picture_that_is_over(material: Material, start: str) -> None:
    if material.samples.times == (0,):
        assert planned(material, start, "1").frames == (0,)
        start = "0.1"
    with pytest.raises(Gone) as caught:
        planned(material, start, str(Fraction(start) + 5))
    assert caught.value.reason == "over"


def test_a_picture_that_begins_behind_the_clip() -> None:
    """Nothing is shown then, and the clip is not the video's."""
    with pytest.raises(Gone):
        planned(film([5000, 5040], [0]), "1", "2")


def test_frames_whose_key_frame_was_not_read() -> None:
    with pytest.raises(Transient, match="no key frame"):
        planned(film([160, 80, 120, 200], [3]), "0.08", "0.2")
    with pytest.raises(Transient, match="no key frame"):
        planned(film([0, 40], []), "0", "1")


@pytest.mark.parametrize(
    ("material", "due", "key"),
    [
        (CLOSED, (0,), 0),
        (CLOSED, (2, 3, 1), 0),
        (CLOSED, (6, 7), 6),
        (CLOSED, (5, 6), 0),
        # Decoded behind the key frame, and shown before it.
        (OPEN, (5, 6, 4), 0),
        (OPEN, (4, 8), 4),
        (film([0, 40], None), (1,), 1),
        (film([40, 0], [0]), (1, 0), None),
    ],
)
def test_the_key_frame_before(material: Material, due: Sequence[int], key: int | None) -> None:
    assert key_before(material.samples, due) == key


def test_what_an_edit_list_shows() -> None:
    times = [0, 120, 40, 80, 160]
    assert shown_frames(film(times, [0]).samples) == [0, 2, 3, 1, 4]
    assert shown_frames(film(times, [0], shift=0, since=40, until=160).samples) == [2, 3, 1]
    # Without one, ``since`` says nothing.
    assert shown_frames(film(times, [0], since=40).samples) == [0, 2, 3, 1, 4]


ORDERS = [[0], [0, 1], [0, 2, 1], [0, 3, 1, 2], [0, 4, 2, 1, 3]]


@st.composite
def films(draw: st.DrawFn) -> Material:
    """Any film of closed and open groups, with steps of any length."""
    order: list[int] = []
    keys: list[int] = []
    for group in draw(st.lists(st.sampled_from(ORDERS), min_size=1, max_size=5)):
        leading = draw(st.integers(0, 2)) if order else 0
        begin = len(order)
        keys.append(begin)
        # The key frame is decoded first, and shown behind its leading frames.
        order += [begin + leading, *range(begin, begin + leading)]
        order += [begin + leading + place for place in group[1:]]
    steps = draw(st.lists(st.integers(1, 300), min_size=len(order), max_size=len(order)))
    begins = list(itertools.accumulate(steps, initial=draw(st.integers(-500, 500))))
    times = [begins[place] for place in order]
    samples = replace(
        film(times, keys).samples,
        durations=tuple(steps[place] for place in order),
        timescale=draw(st.sampled_from([90, 1000, 30_000])),
    )
    return Material(Path("film"), samples, draw(st.sampled_from([Fraction(0), Fraction(7, 30), Fraction(-5, 3)])))


@FEW
@given(films(), st.fractions(-3, 20, max_denominator=300), st.fractions(Fraction(1, 100), 9, max_denominator=100))
def test_any_clip_of_any_film(material: Material, start: Fraction, length: Fraction) -> None:
    samples, origin = material.samples, material.origin
    whole = {number: Fraction(time, samples.timescale) - origin for number, time in enumerate(samples.times)}
    end, slack = start + length, Fraction(1, 20_000)
    due = sorted((n for n, at in whole.items() if start - slack <= at < end - slack), key=whole.__getitem__)
    ends = max(Fraction(t + d, samples.timescale) for t, d in zip(samples.times, samples.durations, strict=True))
    try:
        found = plan_frames(material, start, end)
    except Gone:
        assert not due and (ends - origin <= start + slack or min(whole.values()) >= end - slack)
        return
    if due:
        assert list(found.frames) == due and not found.stands
        assert [time + start for time in found.times] == [max(start, whole[number]) for number in due]
    else:
        assert found.stands and found.times == (0,)
        (one,) = found.frames
        assert whole[one] == max(at for at in whole.values() if at <= start + slack)
    # Whatever is decoded for them is there: from a key frame, to the last of them.
    assert samples.keys is not None and found.first in samples.keys
    assert found.first <= min(found.frames) and found.last == max(found.frames)
    assert samples.times[found.first] <= min(samples.times[number] for number in found.frames)
    assert all(a < b for a, b in itertools.pairwise(found.times)) and found.times[-1] <= found.ends <= length


# -- sound -----------------------------------------------------------------------------------------------------

RATE = 1000


def sound(
    packets: Sequence[tuple[int, int]],
    *,
    codec: str = "mp4a.6b",
    rate: int = RATE,
    shift: int | None = None,
    since: int = 0,
    until: int | None = None,
    origin: Fraction = Fraction(0),
) -> Material:
    """Packets that begin at a sample, and last so many."""
    times, lasts = tuple(at for at, _ in packets), tuple(lasts for _, lasts in packets)
    count = len(packets)
    samples = Samples(
        *("audio", codec, 0, 0, rate, times, lasts, tuple(range(count)), (1,) * count, None),
        decode=times,
        shift=shift,
        since=since,
        until=until,
        sample_rate=rate,
    )
    return Material(Path("sound"), samples, origin, begins=Fraction(times[0] if times else 0, rate))


def even(first: int, count: int, lasts: int = 100, **more: object) -> Material:
    """Packets that follow each other."""
    return sound([(first + number * lasts, lasts) for number in range(count)], **more)  # type: ignore[arg-type]


def heard(material: Material, start: str, end: str | None, resampled: int | None = None) -> Sound:
    return plan_sound(material, Fraction(start), None if end is None else Fraction(end), RATE, resampled)


TEN = even(0, 100)
PAUSED = sound([(0, 100), (100, 100), (700, 100), (800, 100)])


@pytest.mark.parametrize(
    ("material", "start", "end", "first", "last", "pieces", "count"),
    [
        # From packet 0 on, all is decoded: so a decoder's own noise is that of the whole.
        (TEN, "0", "1", 0, 9, [(0, 0, 1000)], 1000),
        (TEN, "0.05", "0.25", 0, 2, [(0, 50, 200)], 200),
        (TEN, "1", "2", 0, 19, [(0, 1000, 1000)], 1000),
        (TEN, "0.3335", "0.5", 0, 4, [(0, 334, 166)], 166),
        # To the end.
        (TEN, "9.5", None, 0, 99, [(0, 9500, 500)], 500),
        (TEN, "9.5", "20", 0, 99, [(0, 9500, 500)], 500),
        # Its clock began elsewhere.
        (replace(TEN, origin=Fraction(1)), "0", "1", 0, 19, [(0, 1000, 1000)], 1000),
        # It begins later than the clip: silence.
        (even(400, 20), "0", "1", 0, 5, [(400, 0, 600)], 1000),
        (even(400, 20), "0.399", "0.6", 0, 1, [(1, 0, 200)], 201),
        (replace(even(0, 20), origin=Fraction(-2, 5)), "0", "1", 0, 5, [(400, 0, 600)], 1000),
        # It pauses: silence stands in it, also up to the clip's end; a decoder goes on behind it with its state.
        (PAUSED, "0", "0.9", 0, 3, [(0, 0, 200), (500, 200, 200)], 900),
        (PAUSED, "0.15", "0.75", 0, 2, [(0, 150, 50), (500, 200, 50)], 600),
        (PAUSED, "0.3", "0.8", 0, 2, [(400, 200, 100)], 500),
        (PAUSED, "0.1", "0.5", 0, 1, [(0, 100, 100)], 400),
        (PAUSED, "0.75", None, 0, 3, [(0, 250, 150)], 150),
        # Its container says that what was read pauses then; how long, within the clip or beyond it.
        (sound([(0, 1024), (1024, 1024), (2048, 7000)], codec="mp4a"), "2.1", "4", 0, 2, [(0, 2100, 972)], 1900),
        (sound([(0, 1024), (1024, 1024), (2048, 1500)], codec="mp4a"), "2.1", "4", 0, 2, [(0, 2100, 972)], 1448),
        # An edit list hides its encoder's delay, and what fills up the last packet.
        (even(-100, 20, shift=-100), "0", "0.3", 0, 3, [(0, 100, 300)], 300),
        (even(-30, 20, shift=-30), "0", "0.3", 0, 3, [(0, 30, 300)], 300),
        (even(270, 20, shift=270, since=300), "0", "0.5", 0, 2, [(300, 30, 200)], 500),
        (even(-100, 3, shift=-100, until=150), "0", "1", 0, 2, [(0, 100, 150)], 150),
    ],
)  # fmt: skip
def test_which_samples_are_due(
    material: Material,
    start: str,
    end: str | None,
    first: int,
    last: int,
    pieces: Sequence[tuple[int, int, int]],
    count: int,
) -> None:
    found = heard(material, start, end)
    assert (found.first, found.last) == (first, last)
    assert found.pieces == tuple(Piece(*piece) for piece in pieces)
    assert (found.count, found.resampled, found.rate) == (count, None, RATE)
    # Behind what is heard, a pause is filled up.
    assert found.begin + count == (found.begin + found.filled if found.filled else found.ends) >= found.ends
    assert found.heard == found.begin + pieces[0][0]
    # They begin at the clip's second 0, and what follows the last of them is not there.
    assert found.begin == round((Fraction(start) + material.origin) * RATE)
    assert sum(piece.silence + piece.count for piece in found.pieces) == found.ends - found.begin


def test_no_more_is_decoded_than_helps() -> None:
    """Fifteen seconds before are enough for any decoder to be as it would be."""
    found = heard(even(0, 600), "50", "51")
    assert (found.first, found.last) == (350, 509)
    assert found.pieces == (Piece(0, 15_000, 1000),)


@pytest.mark.parametrize(
    ("material", "start", "end"),
    [
        (TEN, "10", "11"),
        (TEN, "99", None),
        (even(5000, 10), "0", "1"),
        (even(5000, 10), "0", "5"),
        (PAUSED, "0.2", "0.7"),
        (even(-100, 3, shift=-100, until=150), "0.2", "1"),
        # An edit list ends it, or begins it, within a packet.
        (even(-100, 3, shift=-100, until=150), "0.15", "1"),
        (even(-100, 3, shift=-100, until=150), "0.18", "1"),
        (even(-100, 3, shift=-100, until=150), "0.18", None),
        (even(0, 20, shift=0, since=350), "0", "0.32"),
        (sound([(0, 10_000)], shift=0, until=8000), "9", None),
    ],
)  # fmt: skip
def test_a_clip_without_sound(material: Material, start: str, end: str | None) -> None:
    with pytest.raises(Gone) as caught:
        heard(material, start, end)
    assert caught.value.reason == "no_audio"


@pytest.mark.parametrize(
    "packets", [[(0, 100), (100, 100), (150, 100)], [(0, 300), (100, 100)], [(0, 100), (0, 100), (100, 100)]]
)
def test_a_sound_that_goes_back_in_time(packets: Sequence[tuple[int, int]]) -> None:
    with pytest.raises(Transient, match="^packets that go back in time$") as caught:
        heard(sound(packets), "0", None)
    assert caught.value.reason == "check"


@pytest.mark.parametrize(
    ("codec", "lasts", "rate", "before"),
    [
        ("mp4a", 1024, 44100, 1),
        # Spectral band replication needs a header of its own.
        ("mp4a", 2048, 44100, 12),
        ("Opus", 960, 48000, 4),
        # MP3 keeps bits of a packet in those before it.
        ("mp4a.6b", 1152, 44100, 10),
        ("fLaC", 4096, 44100, 1),
    ],
)
def test_what_a_copy_holds_before_the_clip(codec: str, lasts: int, rate: int, before: int) -> None:
    material = even(0, 100, lasts, codec=codec, rate=rate)
    start = Fraction(50 * lasts + 10, rate)
    found = plan_sound(material, start, start + Fraction(3 * lasts, rate), rate)
    assert found.copied == range(50 - before, 54)
    assert (found.heard, found.ends) == (50 * lasts + 10, 53 * lasts + 10)
    assert plan_sound(material, Fraction(0), Fraction(lasts, rate), rate).copied == range(1)


def test_a_copy_holds_no_packet_more_where_another_rate_looks_ahead() -> None:
    flac = even(0, 100, codec="fLaC")
    assert heard(flac, "1", "2", 500).copied == heard(flac, "1", "2").copied == range(9, 20)


def test_vorbis_gives_nothing_for_its_first_packet() -> None:
    material = sound([(0, 0), *((number * 100, 100) for number in range(20))], codec="mp4a.dd")
    found = heard(material, "0.5", "0.8")
    assert found.pieces == (Piece(0, 500, 300),)
    # From a packet in the middle, the first is decoded for nothing.
    middle = sound([(number * 100, 100) for number in range(5, 20)], codec="mp4a.dd")
    found = heard(middle, "0.75", "0.8")
    assert (found.first, found.pieces) == (0, (Piece(0, 150, 50),))


@pytest.mark.parametrize(
    ("codec", "coded", "named", "timescale", "rate"),
    [
        ("Opus", 44100, None, 1000, 48000),
        ("Opus", 0, 24000, 48000, 48000),
        ("mp4a", 44100, None, 1000, 44100),
        # HE-AAC: that it is doubled need not be written anywhere.
        ("mp4a", 22050, 44100, RATE, 22050),
        ("mp4a", 44100, 48000, 44100, 44100),
        ("mp4a", 0, 44100, 1000, 44100),
        ("mp4a", 0, None, 44100, 44100),
        ("mp4a.6b", 22050, 44100, 22050, 22050),
    ],
)
def test_the_rate_of_a_decoder(codec: str, coded: int, named: int | None, timescale: int, rate: int) -> None:
    material = even(0, 3, codec=codec, rate=timescale)
    assert rate_of(replace(material, samples=replace(material.samples, sample_rate=coded), rate=named)) == rate


@pytest.mark.parametrize(
    ("codec", "rate", "doubled"),
    [
        ("mp4a", 22050, True),
        ("mp4a", 24000, True),
        ("mp4a", 44100, False),
        ("mp4a.6b", 22050, False),
        ("Opus", 0, False),
    ],
)
def test_what_may_be_doubled(codec: str, rate: int, doubled: bool) -> None:
    assert may_be_doubled(even(0, 3, codec=codec, rate=rate or 48000)) is doubled


# -- another rate ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "again", "skip"),
    [
        # From the first sample of all; behind the end, what a resampler looks ahead.
        ("0", "1", Resampled(16_000, 0, 0, 16_000), 0),
        ("0.03", "1", Resampled(16_000, 0, 480, 15_520), 0),
        # Fed from where a sample of both rates falls together: every 441 of 44100 and 160 of 16000.
        ("0.5", "1", Resampled(16_000, 0, 800, 8000), 45 * 441),
        ("0.512345", "1", Resampled(16_000, 0, 8198 - 46 * 160, 7802), 46 * 441),
    ],
)
def test_another_rate(start: str, end: str, again: Resampled, skip: int) -> None:
    material = even(0, 200, 441, rate=44100)
    found = plan_sound(material, Fraction(start), Fraction(end), 44100, 16_000)
    assert found.resampled == again and found.pieces[0].skip == skip
    assert found.count == again.count
    fed = found.pieces[0]
    assert fed.skip % 441 == 0 and fed.skip + fed.count >= (Fraction(end) + Fraction(1, 20)) * 44100


def test_the_same_rate_is_no_other() -> None:
    assert heard(TEN, "0", "1", RATE).resampled is None


def test_another_rate_to_the_end() -> None:
    found = heard(TEN, "9", None, 500)
    assert (found.count, found.resampled) == (500, Resampled(500, 0, found.resampled.skip, 500))  # type: ignore[union-attr]


def test_another_rate_of_a_sound_that_begins_late() -> None:
    """What is silent is silent at the other rate, and no shorter."""
    found = heard(even(400, 20), "0", "1", 500)
    assert found.resampled is not None
    delay, fed = found.resampled.delay, found.pieces[0].silence
    assert found.count == 500 and delay + Fraction(fed * 500, RATE) - found.resampled.skip == 200


@FEW
@given(
    st.integers(0, 3000),
    st.fractions(0, 8, max_denominator=1000),
    st.fractions(Fraction(1, 10), 2, max_denominator=1000),
    st.sampled_from([(44100, 16_000), (48000, 16_000), (44100, 48000), (22050, 44100)]),
)
def test_samples_of_another_rate_are_those_of_the_whole(
    begins: int, start: Fraction, length: Fraction, rates: tuple[int, int]
) -> None:
    """Sample n of a clip is sample round(start * rate) + n of the whole, put through the resampler at once."""
    rate, wanted = rates
    # Something is heard at all.
    assume((start + length) * rate > begins)
    material = even(begins, 2000, 441, rate=rate)
    found = plan_sound(material, start, start + length, rate, wanted)
    again = found.resampled
    assert again is not None
    # The sample of the whole sound that is fed first, and the one of the clip, counted from the sound's first.
    first = found.pieces[0]
    fed = material.samples.times[found.first] - begins + first.skip - first.silence
    assert Fraction(fed * wanted, rate).denominator == 1
    at = fed * wanted // rate + again.skip - again.delay
    assert at == round((start - Fraction(begins, rate)) * wanted)
    assert again.count == math.floor(again.count) and abs(again.count - length * wanted) < 2


@st.composite
def sounds(draw: st.DrawFn) -> Material:
    """Any sound, with pauses, an encoder's delay and an edit list."""
    at, packets = draw(st.integers(-300, 2000)), []
    for lasts, pause in draw(
        st.lists(st.tuples(st.integers(20, 120), st.sampled_from([0, 0, 0, 16, 700])), min_size=1, max_size=40)
    ):
        packets.append((at, lasts))
        at += lasts + pause
    shift = draw(st.none() | st.just(packets[0][0]))
    since = draw(st.integers(packets[0][0], packets[0][0] + 150)) if shift is not None else 0
    until = draw(st.none() | st.integers(since + 1, max(at, since + 1))) if shift is not None else None
    return sound(
        packets, shift=shift, since=since, until=until, origin=draw(st.sampled_from([Fraction(0), Fraction(1, 3)]))
    )


@FEW
@given(
    sounds(),
    st.fractions(0, 5, max_denominator=500),
    st.none() | st.fractions(Fraction(1, 50), 5, max_denominator=500),
)
def test_any_clip_of_any_sound(material: Material, start: Fraction, length: Fraction | None) -> None:
    """Every sample is the source's at its time, or silence where the source has none."""
    samples = material.samples
    low = samples.since if samples.shift is not None else -math.inf
    high = math.inf if samples.until is None else samples.until
    there = {
        at
        for begin, lasts in zip(samples.times, samples.durations, strict=True)
        for at in range(begin, begin + lasts)
        if low <= at < high
    }
    begin = round((start + material.origin) * RATE)
    until = math.inf if length is None else round((start + length + material.origin) * RATE)
    due = {at for at in there if begin <= at < until}
    try:
        found = plan_sound(material, start, None if length is None else start + length, RATE)
    except Gone:
        assert not due
        return
    # What the packets decode to, in a row, and where on the clock each sample stands.
    decoded = [
        at
        for number in range(found.first, found.last + 1)
        for at in range(samples.times[number], samples.times[number] + samples.durations[number])
    ]
    got, at = {}, begin
    for piece in found.pieces:
        at += piece.silence
        got |= dict(enumerate(decoded[piece.skip : piece.skip + piece.count], at))
        at += piece.count
    assert all(place == source for place, source in got.items())
    assert set(got) == due and at <= begin + found.count
    if length is not None:
        assert found.count <= until - begin
