"""Where a video's second 0 is, and the grid of its sound: a row for every rule."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.containers.samples import Samples
from avclips.containers.timeline import (
    GAP,
    LEAD,
    Begin,
    begin_of,
    begins,
    on_grid,
    origins,
    samples_of_packet,
    usual_rate,
)

FEW = settings(deadline=None, derandomize=True, max_examples=150)
SECOND = Fraction(1)


def table(
    times: tuple[int, ...],
    durations: tuple[int, ...] | int = 10,
    *,
    kind: str = "video",
    codec: str = "avc1",
    timescale: int = 1000,
    decode: tuple[int, ...] | None = None,
    shift: int | None = None,
    since: int = 0,
    until: int | None = None,
) -> Samples:
    """A table of packets of one byte each."""
    lasts = (durations,) * len(times) if isinstance(durations, int) else durations
    order = tuple(range(len(times)))
    return Samples(
        *(kind, codec, 64, 36, timescale, times, lasts, order, (1,) * len(times), (0,)),
        decode=times if decode is None else decode,
        shift=shift,
        since=since,
        until=until,
    )


def ms(*milliseconds: int) -> tuple[Fraction, ...]:
    return tuple(Fraction(each, 1000) for each in milliseconds)


# -- where a track begins --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "shown", "starts", "alone"),
    [
        # Without an edit list: the first that is shown; in a file of its own, the first that is decoded.
        (table((0, 10, 20)), 0, 0, 0),
        (table((80, 160, 120), decode=(0, 40, 80)), 80, 80, 0),
        (table((580, 660, 620), decode=(500, 540, 580)), 580, 580, 500),
        # Delays below 0: shown before it is decoded, and that is where it begins.
        (table((0, 80, 40), decode=(40, 80, 120)), 0, 0, 0),
        # The first shown need not be the first decoded.
        (table((120, 80, 160), decode=(0, 40, 80)), 80, 80, 0),
        # A file that begins late, as live streams do, and one before 0.
        (table((90_000, 90_010)), 90_000, 90_000, 90_000),
        (table((-20, -10)), -20, -20, -20),
        # With an edit list it begins where that does, and so does a decoder's delay.
        (table((0, 80, 40), decode=(-80, -40, 0), shift=-80), 0, 0, 0),
        # One that keeps the delay decodes the first frame at 0: as if there were none.
        (table((80, 160, 120), decode=(0, 40, 80), shift=0), 80, 80, 0),
        # A pause before.
        (table((500, 540), shift=500, since=500), 500, 500, 500),
        # A pause that is the decoder's delay.
        (table((80, 160, 120), decode=(0, 40, 80), shift=0, since=80), 80, 80, 0),
        # It begins between two frames: the first whole one is shown, where it is.
        (table((-30, 10, 50), decode=(-30, 10, 50), shift=-30), 10, 0, 0),
        (table((-80, -40), decode=(-80, -40), shift=-80), 0, 0, 0),
        # Of sound, part of a packet is heard.
        (table((-23, 0, 23), kind="audio", shift=-23), 0, 0, 0),
        (table((-30, -7, 16), kind="audio", shift=-30), 0, 0, 0),
        (table((477, 500, 523), kind="audio", shift=477, since=500), 500, 500, 500),
        # An edit list before what there is hides nothing.
        (table((40, 80), kind="audio", shift=0), 40, 40, 40),
    ],
)
def test_where_a_track_begins(samples: Samples, shown: int, starts: int, alone: int) -> None:
    found = begin_of(samples)
    assert found == Begin(*ms(shown, starts, alone), moved=samples.shift == 0 and samples.since > 0)
    assert found.delay == Fraction(starts - alone, 1000)


def test_a_track_of_nothing_begins_nowhere() -> None:
    assert begin_of(table(())) is None


@pytest.mark.parametrize(
    ("shift", "decode", "alone"),
    [(None, 0, 0), (None, 80, 80), (None, 200, 120), (-80, -80, 120), (0, 0, 0), (-80, 0, 0), (40, 40, 120)],
)
def test_what_is_said_of_a_begin(shift: int | None, decode: int, alone: int) -> None:
    found = begins(table((), shift=shift), *ms(150, 120, decode))
    assert found == Begin(*ms(150, 120, alone))


# -- second 0 --------------------------------------------------------------------------------------------------


def at(shown: int, alone: int | None = None, starts: int | None = None, moved: bool = False) -> Begin:
    """A track whose first frame is shown at so many milliseconds."""
    starts = shown if starts is None else starts
    return Begin(*ms(shown, starts, starts if alone is None else alone), moved=moved)


@pytest.mark.parametrize(
    ("found", "together", "zeros"),
    [
        ({"video": at(0), "audio": at(0)}, True, {"video": 0, "audio": 0}),
        # All on one clock, wherever that began.
        ({"video": at(1400), "audio": at(1400)}, True, {"video": 1400, "audio": 1400}),
        # What begins later is later by that.
        ({"video": at(0), "audio": at(300)}, True, {"video": 0, "audio": 0}),
        ({"video": at(1400), "audio": at(1700)}, True, {"video": 1400, "audio": 1400}),
        # Sound before the picture, by no more than an encoder puts there, is nobody's.
        ({"video": at(80), "audio": at(0)}, True, {"video": 80, "audio": 80}),
        ({"video": at(120), "audio": at(0)}, True, {"video": 120, "audio": 120}),
        # By more, the video begins with it.
        ({"video": at(121), "audio": at(0)}, True, {"video": 0, "audio": 0}),
        ({"video": at(5000), "audio": at(0)}, True, {"video": 0, "audio": 0}),
        # In files of their own: less the delay of the picture's muxer.
        ({"video": at(80, alone=0), "audio": at(0)}, False, {"video": 80, "audio": 0}),
        ({"video": at(80, alone=0), "audio": at(0)}, True, {"video": 80, "audio": 80}),
        ({"video": at(580, alone=500), "audio": at(500)}, False, {"video": 580, "audio": 500}),
        ({"video": at(80, alone=0), "audio": at(300)}, False, {"video": 80, "audio": 0}),
        ({"video": at(2080, alone=2000), "audio": at(0)}, False, {"video": 80, "audio": 0}),
        # A muxer that may have moved both by the delay has, where the sound begins no earlier than that.
        ({"video": at(80, alone=0, moved=True), "audio": at(93)}, False, {"video": 80, "audio": 80}),
        ({"video": at(80, alone=0, moved=True), "audio": at(80)}, False, {"video": 80, "audio": 80}),
        ({"video": at(80, alone=0, moved=True), "audio": at(0)}, False, {"video": 80, "audio": 0}),
        ({"video": at(80, alone=0, moved=True), "audio": at(30)}, False, {"video": 80, "audio": 0}),
        ({"video": at(80, alone=0, moved=True)}, False, {"video": 80}),
        # An edit list that begins between two frames: it is there that the video does.
        ({"video": at(10, starts=0, alone=0), "audio": at(0)}, True, {"video": 10, "audio": 0}),
        # One alone.
        ({"video": at(80, alone=0)}, False, {"video": 80}),
        ({"audio": at(700)}, True, {"audio": 700}),
        ({}, True, {}),
    ],
)
def test_second_0(found: dict[str, Begin], together: bool, zeros: dict[str, int]) -> None:
    assert origins(found, together) == {kind: Fraction(zero, 1000) for kind, zero in zeros.items()}


@FEW
@given(st.integers(-5000, 5000), st.integers(-5000, 5000), st.integers(-90_000, 90_000), st.booleans())
def test_second_0_moves_with_the_clock(video: int, audio: int, moved: int, together: bool) -> None:
    """All that both tracks share is nobody's: a stream that was recorded later is cut the same."""
    here = origins({"video": at(video), "audio": at(audio)}, together)
    there = origins({"video": at(video + moved), "audio": at(audio + moved)}, together)
    assert there == {kind: zero + Fraction(moved, 1000) for kind, zero in here.items()}
    # And no frame is ever before it, nor sound but what an encoder put there.
    assert here["video"] <= Fraction(video, 1000)
    assert Fraction(audio, 1000) - here["audio"] >= -LEAD


# -- packets of sound ------------------------------------------------------------------------------------------


def sound(times: tuple[int, ...], lasts: tuple[int, ...] | int, **more: object) -> Samples:
    return table(times, lasts, **{"kind": "audio", "codec": "mp4a", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codec", "timescale", "lasts", "rate", "held"),
    [
        ("mp4a", 44100, (1024, 1024, 1024), 44100, 1024),
        ("mp4a", 48000, (1024, 1024, 500), 48000, 1024),
        # Rounded to the millisecond, in a container that counts these.
        ("mp4a", 1000, (23, 23, 24, 23), 44100, 1024),
        ("mp4a", 1000, (21, 22, 21), 48000, 1024),
        ("mp4a", 90_000, (2089, 2090, 2089), 44100, 1024),
        # Spectral band replication: twice as many at the rate that is heard.
        ("mp4a", 22050, (1024, 1024), 44100, 2048),
        ("mp4a", 1000, (46, 47, 46), 44100, 2048),
        # As digital radio has it.
        ("mp4a", 48000, (960, 960), 48000, 960),
        ("mp4a", 1000, (40, 40), 48000, 1920),
        ("mp4a", 48000, (700, 700), 48000, None),
        ("mp4a", 48000, (4096, 4096), 48000, None),
        ("Opus", 48000, (960, 960, 312), 48000, 960),
        ("Opus", 1000, (20, 20, 21), 48000, 960),
        ("Opus", 1000, (60, 60), 48000, 2880),
        ("Opus", 1000, (3, 2, 3), 48000, 120),
        ("Opus", 48000, (120, 120), 48000, 120),
        ("Opus", 1000, (0, 0), 48000, 120),
        # Of one packet alone, its own.
        ("Opus", 1000, (20,), 48000, 960),
        # Packets of no fixed length.
        ("mp4a.dd", 44100, (576, 1024), 44100, None),
        ("mp4a.6b", 44100, (1152, 1152), 44100, None),
        ("fLaC", 44100, (4608, 4608), 44100, None),
        ("mp4a", 44100, (), 44100, None),
    ],
)
def test_the_samples_of_a_packet(
    codec: str, timescale: int, lasts: tuple[int, ...], rate: int, held: int | None
) -> None:
    times = tuple(itertools.accumulate(lasts[:-1], initial=0)) if lasts else ()
    assert samples_of_packet(sound(times, lasts, codec=codec, timescale=timescale), rate) == held


AAC, OPUS = 1024, 960


def rounded(packets: int, samples: int, rate: int, timescale: int, begins: int = 0) -> tuple[int, ...]:
    """The times of packets that follow each other, as a container rounds them; from sample ``begins`` on."""
    return tuple(round(Fraction((begins + number * samples) * timescale, rate)) for number in range(packets))


@pytest.mark.parametrize(
    ("rate", "samples"), [(44100, 1024), (48000, 1024), (44100, 2048), (22050, 1024), (48000, 960)]
)
@pytest.mark.parametrize("timescale", [1000, 90_000, 1_000_000])
@pytest.mark.parametrize("begins", [0, 1024, 44_100])
def test_rounded_times_are_put_on_the_grid(rate: int, samples: int, timescale: int, begins: int) -> None:
    times = rounded(500, samples, rate, timescale, begins)
    lasts = tuple(b - a for a, b in itertools.pairwise(times))
    read = sound(times, (*lasts, lasts[0]), timescale=timescale, codec="Opus" if samples == 960 else "mp4a")
    found = on_grid(read, rate, None)
    assert found.timescale == rate and found.durations == (samples,) * 500
    assert found.times == found.decode
    assert list(map(int.__sub__, found.times[1:], found.times)) == [samples] * 499
    # Where it begins is known as well as its container says it; the rest does not drift away from that.
    assert abs(found.times[0] - begins) <= Fraction(rate, 2 * timescale)


@pytest.mark.parametrize("number", [0, 1, 7, 499, 30_000])
def test_what_is_read_from_the_middle_stands_on_the_grid_of_the_first(number: int) -> None:
    """The same samples wherever reading began: so clips that share a second share its samples."""
    times = rounded(number + 50, OPUS, 48000, 1000, 312)
    first = Fraction(312, 48000)
    found = on_grid(sound(times[number:], 20, timescale=1000, codec="Opus"), 48000, first)
    assert found.times == tuple(312 + OPUS * each for each in range(number, number + 50))
    aac = on_grid(sound(rounded(number + 50, AAC, 44100, 1000)[number:], 23), 44100, Fraction(0))
    assert aac.times == tuple(AAC * each for each in range(number, number + 50))


def test_what_is_off_the_grid_is_where_it_says() -> None:
    """More than what rounding explains: another packet is missing, and where it is nobody can tell better."""
    for off in (3, 5, -5):
        found = on_grid(sound((1000 + off, 1020 + off), 20, codec="Opus"), 48000, Fraction(0))
        assert found.times == (48 * (1000 + off), 48 * (1000 + off) + OPUS)
    for off in (-2, -1, 1, 2):
        found = on_grid(sound((1000 + off, 1020 + off), 20, codec="Opus"), 48000, Fraction(0))
        assert found.times == (48_000, 48_960)


@pytest.mark.parametrize(
    ("gap", "follows"),
    [(0, True), (1, True), (14, True), (15, True), (16, False), (500, False), (-15, True), (-16, False)],
)
def test_a_gap(gap: int, follows: bool) -> None:
    """Up to 15 ms a packet follows the one before; what is farther away is later by what it says."""
    times = (0, 20, 40 + gap, 60 + gap)
    found = on_grid(sound(times, 20, codec="Opus"), 48000, None)
    begins = 1920 if follows else 1920 + 48 * gap
    assert found.times == (0, 960, begins, begins + 960)
    assert Fraction(15, 1000) == GAP


def test_a_gap_of_packets_that_are_counted_exactly() -> None:
    found = on_grid(sound((0, 1024, 5000, 6024), 1024, timescale=44100), 44100, None)
    assert found.times == (0, 1024, 5000, 6024)
    # A hair's breadth is none.
    found = on_grid(sound((0, 1024, 2050, 3072), 1024, timescale=44100), 44100, None)
    assert found.times == (0, 1024, 2048, 3072)


@pytest.mark.parametrize(
    ("samples", "lasts"),
    [
        # A container with ticks that tell: the last packet is as long as it says.
        (sound((0, 1024, 2048), (1024, 1024, 300), timescale=44100, shift=0, until=2348), (1024, 1024, 300)),
        # In fragments, it is only what their muxer knew.
        (sound((0, 1024, 2048), (1024, 1024, 300), timescale=44100), (1024, 1024, 1024)),
        (sound((0, 20, 40), (20, 20, 6), codec="Opus"), (960, 960, 288)),
        # What rounding explains is none.
        (sound((0, 23, 46), (23, 23, 22)), (1024, 1024, 1024)),
        (sound((0, 23, 46), (23, 23, 21)), (1024, 1024, 926)),
        # Longer than a packet can be.
        (sound((0, 20, 40), (20, 20, 35), codec="Opus"), (960, 960, 960)),
        # A packet in the middle is full, whatever it says.
        (sound((0, 20, 40, 46), (20, 20, 6, 20), codec="Opus"), (960, 960, 960, 960)),
    ],
)
def test_how_long_a_last_packet_is(samples: Samples, lasts: tuple[int, ...]) -> None:
    rate = 48000 if samples.codec == "Opus" else 44100
    assert on_grid(samples, rate, None).durations == lasts


def test_packets_of_no_fixed_length_keep_theirs() -> None:
    vorbis = sound((0, 576, 1600), (576, 1024, 1024), codec="mp4a.dd", timescale=44100, shift=0)
    assert on_grid(vorbis, 44100, None) is vorbis
    # In another clock, each is rounded, and follows the one before.
    flac = sound((0, 104, 209), (104, 105, 104), codec="fLaC")
    assert on_grid(flac, 44100, None).times == (0, 4586, 9216)


def test_an_edit_list_is_counted_in_samples() -> None:
    read = sound((-23, 0, 23), 23, shift=-23, since=0, until=46)
    found = on_grid(read, 44100, None)
    assert (found.shift, found.since, found.until) == (-1014, 0, 2029)
    assert (on_grid(sound((0, 23), 23), 44100, None).shift, found.timescale) == (None, 44100)


@FEW
@given(
    st.lists(st.sampled_from([0, 0, 0, 0, 40, 1000]), min_size=1, max_size=60),
    st.sampled_from([(44100, 1024, "mp4a"), (48000, 960, "Opus"), (48000, 1024, "mp4a")]),
    st.sampled_from([1000, 90_000]),
)
def test_no_packet_is_ever_moved_far(pauses: list[int], kind: tuple[int, int, str], timescale: int) -> None:
    rate, samples, codec = kind
    begins, at_sample = [], 0
    for pause in pauses:
        at_sample += pause * rate // 1000
        begins.append(at_sample)
        at_sample += samples
    times = tuple(round(Fraction(each * timescale, rate)) for each in begins)
    found = on_grid(sound(times, round(samples * timescale / rate), codec=codec, timescale=timescale), rate, None)
    most = GAP * rate
    assert all(abs(one - due) <= most for one, due in zip(found.times, begins, strict=True))
    ends = list(map(int.__add__, found.times, found.durations))
    assert all(end <= begin for end, begin in zip(ends, found.times[1:], strict=False))


@pytest.mark.parametrize(
    ("times", "rate"),
    [
        ([Fraction(n, 25) for n in range(50)], Fraction(25)),
        ([Fraction(n * 1001, 30000) for n in range(50)], Fraction(30000, 1001)),
        # Rounded to the millisecond.
        ([Fraction(round(Fraction(n * 100100, 3000)), 1000) for n in range(100)], Fraction(30)),
        # With a pause, and with frames that are left out.
        ([Fraction(n, 25) for n in (*range(10), *range(100, 110))], Fraction(25)),
        ([Fraction(n, 30) for n in range(60) if n % 7], Fraction(30)),
        ([Fraction(0), Fraction(5)], Fraction(1, 5)),
        ([Fraction(1)], None),
        ([Fraction(1), Fraction(1)], None),
    ],
)
def test_how_many_frames_a_second_there_usually_are(times: list[Fraction], rate: Fraction | None) -> None:
    found = usual_rate(times)
    assert found == rate or (found is not None and rate is not None and abs(found - rate) < rate / 500)
