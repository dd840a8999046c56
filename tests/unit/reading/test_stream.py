"""Which units of a stream are read for a clip: no fewer than it needs, no more, and none with a hole in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.containers.progressive import Table
from avclips.containers.samples import Samples
from avclips.containers.timeline import Begin
from avclips.core.errors import Transient
from avclips.media.cut_plan import Material, plan_frames
from avclips.media.demux import Opened
from avclips.reading.sample_table import Tabled
from avclips.reading.stream import InUnits, WholeFile, around, look_for_holes, with_next

FEW = settings(deadline=None, derandomize=True, max_examples=150)
Unit = list[tuple[int, bool]]


def table(unit: Unit, kind: str = "video", each: int = 40, lasts: dict[int, int] | None = None) -> Samples:
    """Packets in the order of decoding: when each is shown, in milliseconds, and whether it is a key frame."""
    times = tuple(time for time, _ in unit)
    keys = tuple(number for number, (_, key) in enumerate(unit) if key)
    return Samples(
        *(kind, "avc1" if kind == "video" else "mp4a", 160, 90, 1000),
        times=times,
        durations=tuple((lasts or {}).get(time, each) for time in times),
        offsets=tuple(range(len(unit))),
        sizes=(1,) * len(unit),
        keys=keys if kind == "video" else None,
        decode=times,
    )


class Fake(InUnits):
    """A stream whose units are lists of packets; it remembers which were loaded."""

    def __init__(self, units: Sequence[Unit], kind: str = "video", *, second: int = 1000, zero: int = 0) -> None:
        super().__init__([Fraction(second * number, 1000) for number in range(len(units) + 1)])
        self.units = units
        self.kind = kind
        self.loaded: list[tuple[int, int]] = []
        self.first = Fraction(zero, 1000)
        self.each = 40
        self.lasts: dict[int, int] = {}

    def begin(self, kind: str) -> Begin:
        return Begin(self.first, self.first, self.first)

    def load(self, first: int, last: int) -> Opened:
        self.loaded.append((first, last))
        packets = [packet for unit in self.units[first : last + 1] for packet in unit]
        return {self.kind: (Path(f"{first}-{last}"), table(packets, self.kind, self.each, self.lasts))}

    def read(self, since: float, until: float | None) -> tuple[int, int]:
        """The units that were read in the end for these seconds."""
        end = None if until is None else Fraction(str(until))
        path, samples = self.packets(self.kind, Fraction(str(since)), end)
        first, last = map(int, path.name.split("-"))
        assert samples.times == table([p for u in self.units[first : last + 1] for p in u]).times
        return first, last


def second(number: int, keys: Sequence[int] = (0,), each: int = 40) -> Unit:
    """The frames of a second, in order; ``keys``: the numbers of its key frames."""
    return [(number * 1000 + at * each, at in keys) for at in range(1000 // each)]


PLAIN = [second(number) for number in range(6)]


@pytest.mark.parametrize(
    ("since", "until", "units"),
    [
        (0, 1, (0, 0)),
        (0, 2, (0, 1)),
        (1, 2, (1, 1)),
        (1, 2.001, (1, 2)),
        (1.999, 2.001, (1, 2)),
        (2.5, 4.5, (2, 4)),
        (0, None, (0, 5)),
        (4.2, None, (4, 5)),
        # Beyond either end there is nothing more to be read.
        (-3, 1, (0, 0)),
        (5.5, 99, (5, 5)),
        (9, 12, (5, 5)),
    ],
)
def test_the_units_of_a_clip(since: float, until: float | None, units: tuple[int, int]) -> None:
    stream = Fake(PLAIN)
    assert stream.read(since, until) == units and stream.loaded == [units]
    # And once.
    assert stream.read(since, until) == units and stream.loaded == [units]


def test_a_clock_that_begins_elsewhere() -> None:
    units = [[(time + 1400, key) for time, key in unit] for unit in PLAIN]
    assert Fake(units, zero=1400).read(2.4, 3.4) == (1, 1)


@pytest.mark.parametrize(
    ("keys", "since", "until", "loaded"),
    [
        # The unit before, until one begins with a key frame: an open group, or units that cut groups in pieces.
        ({1: ()}, 1.2, 2, [(1, 1), (0, 1)]),
        ({2: (), 3: ()}, 3.2, 4, [(3, 3), (2, 3), (1, 3)]),
        ({1: (5,)}, 1.1, 2, [(1, 1), (0, 1)]),
        ({1: (5,)}, 1.2, 2, [(1, 1)]),
        # The first unit has none: there is nothing before it to be read.
        ({0: (5,)}, 0, 1, [(0, 0)]),
    ],
)
def test_back_to_a_key_frame(
    keys: dict[int, Sequence[int]], since: float, until: float, loaded: list[tuple[int, int]]
) -> None:
    stream = Fake([second(number, keys.get(number, (0,))) for number in range(5)])
    stream.read(since, until)
    assert stream.loaded == loaded


def test_back_for_the_frame_that_stands() -> None:
    """The last that began before the clip is wanted where none begins within it."""
    stream = Fake([second(0), [(1500, True), (1540, False)], second(2)])
    assert stream.read(1.2, 1.4) == (0, 1)
    assert stream.loaded == [(1, 1), (0, 1)]


def test_forward_for_leading_frames() -> None:
    """Frames of an open group lie in the unit of the key frame behind them, later than they are shown."""
    open_unit: Unit = [(2080, True), (2000, False), (2040, False), *second(2)[3:]]
    first: Unit = second(1)[:-1]
    stream = Fake([second(0), first, [(time - 40, key) for time, key in open_unit], second(3)])
    assert stream.read(1.9, 2.0) == (1, 2)
    assert stream.loaded == [(1, 1), (1, 2)]
    # However little of such a frame is shown before the clip ends.
    assert stream.read(1.9, 1.963) == (1, 2)


@pytest.mark.parametrize(("short", "loaded"), [(0, [(1, 1)]), (2, [(1, 1)]), (3, [(1, 1), (1, 2)])])
def test_a_unit_that_ends_a_little_before_its_time(short: int, loaded: list[tuple[int, int]]) -> None:
    """Two milliseconds are what rounding leaves; what is more may be the first of a frame in the next one."""
    stream = Fake([second(0), second(1), second(2)])
    stream.lasts = {1960: 40 - short}
    stream.read(1.1, 2)
    assert stream.loaded == loaded


@pytest.mark.parametrize(
    ("since", "until", "loaded"),
    [
        (1.0, 2.0, [(1, 1), (0, 1), (0, 2)]),
        (1.1, 1.9, [(1, 1)]),
        # The first sound there is begins where it does.
        (0, 0.5, [(0, 0)]),
    ],
)
def test_sound_does_not_end_where_its_unit_says(since: float, until: float, loaded: list[tuple[int, int]]) -> None:
    """Packets reach over the seconds in which pictures are cut."""
    late = 17
    units = [
        [(number * 1000 + at * 20 + (late if number else 0), True) for at in range(50)] for number in range(4)
    ]
    units[1].pop()
    stream = Fake(units, "audio")
    stream.each = 20
    stream.read(since, until)
    assert stream.loaded == loaded


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_units_that_hold_nothing(kind: str) -> None:
    stream = Fake([[], [], []], kind)
    with pytest.raises(Transient, match=f"no {kind} in what was read"):
        stream.read(1.1, 1.9)
    assert stream.loaded == [(1, 1), (0, 1)]


def test_a_track_that_ended_lies_in_the_units_before() -> None:
    """What there is of it is read: it may stand, and that it is over is said by the plan."""
    stream = Fake([second(0), second(1), [], []])
    assert stream.read(3.1, 3.9) == (1, 3)
    assert stream.loaded == [(3, 3), (2, 3), (1, 3)]


def test_a_unit_of_another_kind() -> None:
    with pytest.raises(Transient, match="no audio in what was read"):
        Fake(PLAIN).packets("audio", Fraction(1), Fraction(2))


# -- holes ---------------------------------------------------------------------------------------------------


def holed(missing: range, each: int = 40) -> Unit:
    """Six seconds, of which the packets between these milliseconds are not there."""
    return [(time, key) for number in range(6) for time, key in second(number, each=each) if time not in missing]


SECONDS = [Fraction(number) for number in range(6)]


@pytest.mark.parametrize(
    ("kind", "missing", "why"),
    [
        # A unit that is not there, or the end of one and all of the next.
        ("video", range(2000, 4000), "no frame from 1.960 s to 4.000 s"),
        ("video", range(1500, 3000), "no frame from 1.480 s to 3.000 s"),
        ("video", range(2400, 5000), "no frame from 2.360 s to 5.000 s"),
        # Up to a second may be a slow film.
        ("video", range(2040, 3000), None),
        ("video", range(0), None),
        # One that goes on in the middle of a unit is a freeze.
        ("video", range(2000, 4480), None),
        # A packet of sound does not stand, wherever it is.
        ("audio", range(2000, 3200), "no sound from 1.980 s to 3.200 s"),
        ("audio", range(2500, 2900), None),
    ],
)
def test_holes(kind: str, missing: range, why: str | None) -> None:
    packets = holed(missing, 40 if kind == "video" else 20)
    opened: Opened = {kind: (Path("x"), table(packets, kind))}
    if why is None:
        look_for_holes(opened, SECONDS)
        return
    with pytest.raises(Transient, match=why) as caught:
        look_for_holes(opened, SECONDS)
    assert caught.value.reason == "check"


def test_holes_are_looked_for_in_every_track() -> None:
    tracks = {"video": table(holed(range(0))), "audio": table(holed(range(2000, 3200), 20), "audio")}
    with pytest.raises(Transient, match="no sound"):
        look_for_holes({kind: (Path("x"), samples) for kind, samples in tracks.items()}, SECONDS)


def test_a_slow_film_has_no_holes() -> None:
    """A frame in two seconds, each where a unit begins."""
    look_for_holes({"video": (Path("x"), table([(2000 * n, True) for n in range(4)]))}, SECONDS)
    look_for_holes({"video": (Path("x"), table([(0, True)]))}, SECONDS)


# -- tables ----------------------------------------------------------------------------------------------------

WHOLE = table([packet for number in range(10) for packet in second(number)])


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [
        # From a key frame on, half a second before and behind.
        ("0", "1", 0, 37),
        ("2.7", "3.5", 50, 99),
        ("2.3", "3.5", 25, 99),
        ("9.5", "99", 225, 249),
        ("99", "100", 225, 249),
        ("3", None, 50, 249),
    ],
)
def test_around(since: str, until: str | None, first: int, last: int) -> None:
    stretch = around(WHOLE, Fraction(since), None if until is None else Fraction(until))
    assert stretch == (first, last + 1)
    found = WHOLE.cut(*stretch)
    assert found.keys is not None and found.keys[0] == 0


def test_a_pause_is_seen_and_a_decoder_has_its_state_behind_it() -> None:
    """Packets of 20 ms, and none from second 2 to 5."""
    times = [*range(0, 2000, 20), *range(5000, 7000, 20)]
    paused = replace(table([(time, True) for time in times], "audio"), durations=(20,) * len(times))
    # Of the packets before the pause, those of a second; of those behind it, the first.
    assert around(paused, Fraction(4), Fraction(9, 2)) == (50, 100)
    stretch = with_next(paused, 50, 100)
    assert stretch.times[-1] == 5000 and stretch.sizes[-2:] == (paused.sizes[99], 0)
    # It has no byte that is not there.
    assert stretch.offsets[-1] == paused.offsets[99] + paused.sizes[99]
    assert around(paused, Fraction(6), None) == (125, 200)
    assert with_next(paused, 125, 200).times[-1] == 6980
    assert with_next(WHOLE, 0, 25).times == WHOLE.times[:25]


def test_around_what_has_no_key_frame_before() -> None:
    late = table(second(0, keys=(10,)))
    assert around(late, Fraction(1, 10), Fraction(1))[0] == 0


def test_a_whole_file_begins_and_ends() -> None:
    layout = WholeFile({"video": (Path("x"), WHOLE)})
    assert layout.kinds() == ["video"] and layout.together
    assert layout.ends("video") == 10 and layout.begin("video").shown == 0


def test_of_a_whole_file_sound_is_decoded_from_long_before() -> None:
    """It is all here: AAC's own noise depends on where its decoder began."""
    sound = table([(at * 20, True) for at in range(3000)], "audio", 20)
    layout = WholeFile({"audio": (Path("x"), sound)})
    _, found = layout.packets("audio", Fraction(40), Fraction(50))
    assert found.times[0] <= 25_000 and 50_000 <= found.times[-1] <= 51_000
    _, found = WholeFile({"video": (Path("x"), WHOLE)}).packets("video", Fraction(8), Fraction(9))
    assert found.times[0] == 7000


class Bytes:
    """A reader of a file in which every byte is there; it remembers what was read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[tuple[int, int]] = []

    def body(self, stream: object, first: int, last: int) -> Path:
        self.asked.append((first, last))
        path = self.file("body")
        path.write_bytes(bytes(last - first + 1))
        return path

    def file(self, name: str) -> Path:
        return self.folder / f"{len(self.asked)}.{name}"


def placed(samples: Samples, first: int, step: int) -> Samples:
    """The packets at every so many bytes from the first."""
    return replace(samples, offsets=tuple(first + step * number for number in range(len(samples.times))))


@pytest.mark.parametrize(
    ("sound", "kind", "since", "asked"),
    [
        # A picture and its sound lie between each other, and are read at once.
        (range(500), "video", 5, (1000, 1621)),
        # The sound alone is read alone, in which what lies between it is.
        (range(500), "audio", 5, (1124, 1621)),
        # One that ended long before, or begins long after, lies elsewhere.
        (range(10), "video", 5, (1000, 1620)),
        (range(490, 500), "video", 5, (1000, 1620)),
    ],
)
def test_what_is_read_of_a_plain_file(
    tmp_path: Path, sound: range, kind: str, since: int, asked: tuple[int, int]
) -> None:
    """Frames at every tenth byte from 0 on, two packets of sound behind each."""
    packets = table([(at * 20, True) for at in sound], "audio", 20)
    heard = replace(packets, offsets=tuple(at // 2 * 10 + 1 + at % 2 * 3 for at in sound))
    reader = Bytes(tmp_path)
    tracks = (placed(WHOLE, 0, 10), heard)
    layout = Tabled(reader, None, Table(tracks, 5000))  # type: ignore[arg-type]
    path, found = layout.packets(kind, Fraction(since), Fraction(since + 1))
    ((first, last),) = reader.asked
    assert path.stat().st_size == last - first + 1
    held = next(track for track in tracks if track.kind == kind)
    number = held.times.index(found.times[0])
    # Of what comes behind, there is no byte.
    count = sum(size > 0 for size in found.sizes)
    assert [at + first for at in found.offsets[:count]] == list(held.offsets[number : number + count])
    assert found.sizes[count:] in ((), (0,)) and max(found.offsets) <= path.stat().st_size
    assert (first, last) == asked


@st.composite
def streams(draw: st.DrawFn) -> Fake:
    """Units with groups of any length, over their borders, and leading frames that lie behind them."""
    begins = [40 * number for number in range(150)]
    keys = sorted({0, *draw(st.sets(st.integers(1, 149), max_size=12))})
    order: list[int] = []
    for key, behind in zip(keys, [*keys[1:], 150], strict=True):
        leading = draw(st.integers(0, 2)) if key else 0
        leading = min(
            leading, len(order) - order.index(max(order)) if order else 0, key - keys[keys.index(key) - 1] - 1
        )
        moved = order[len(order) - leading :] if leading else []
        # Leading frames are decoded behind their key frame.
        del order[len(order) - leading :]
        order += [key, *moved, *range(key + 1, behind)]
    units: list[Unit] = [[] for _ in range(6)]
    unit = 0
    for number in order:
        # A frame lies in the unit in which its turn to be decoded comes.
        while unit < 5 and number in keys and begins[number] >= 1000 * (unit + 1):
            unit += 1
        units[unit].append((begins[number], number in keys))
    return Fake(units)


@FEW
@given(streams(), st.integers(0, 5800), st.integers(1, 3000))
def test_whatever_is_read_holds_the_clip(stream: Fake, start: int, length: int) -> None:
    since, until = Fraction(start, 1000), Fraction(start + length, 1000)
    whole = table([packet for unit in stream.units for packet in unit])
    due = plan_frames(Material(Path(), whole, Fraction(0)), since, until)
    try:
        path, samples = stream.packets("video", since, until)
    except Transient as error:
        # A unit without a frame of its own, in a film that is cut into other units than it has groups.
        assert "no video in what was read" in error.detail or "no frame from" in error.detail
        return
    found = plan_frames(Material(path, samples, Fraction(0)), since, until)
    assert found.times == due.times
    assert [samples.times[n] for n in found.frames] == [whole.times[n] for n in due.frames]
