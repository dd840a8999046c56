"""What is read where key frames are none: packets from before, until a decoder can begin with one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from avclips.containers.progressive import Table
from avclips.containers.samples import Samples
from avclips.containers.timeline import Begin
from avclips.media.cut_plan import Material, plan_frames
from avclips.media.demux import Opened
from avclips.media.key_frames import with_true_keys
from avclips.reading.sample_table import Tabled
from avclips.reading.stream import InUnits, WholeFile
from tests.unit.containers.test_h264_access import IDR, IN_THREE, INTRA, P, packet
from tests.unit.containers.test_mp4 import box

ENTRY = box(b"avc1", bytes(78), box(b"avcC", bytes((1, 100, 0, 11, 0xFF))))
KINDS = {"i": packet(IDR), "r": packet(IN_THREE, P), "p": packet(P), "w": packet(INTRA), "?": b"\0"}
# Ten seconds of ten pictures, each shown as soon as it is decoded.
TICKS = 10


def film(folder: Path, packets: str, keys: Sequence[int] | None) -> tuple[Path, Samples]:
    """A film of these packets: "i" is an IDR picture, "w" another whole one, "r" a recovery point; "?" is none."""
    path, data, offsets = folder / "film.mp4", b"", []
    for kind in packets:
        offsets.append(len(data))
        data += KINDS[kind]
    path.write_bytes(data)
    times = tuple(range(len(packets)))
    samples = Samples(
        *("video", "avc1", 160, 90, TICKS, times, (1,) * len(times), tuple(offsets)),
        sizes=tuple(len(KINDS[kind]) for kind in packets),
        keys=None if keys is None else tuple(keys),
        decode=times,
        entry=ENTRY,
    )
    return path, samples


@pytest.mark.parametrize(
    ("packets", "keys", "among_all", "due"),
    [
        ("ipppippp", (0, 4), False, (0, 4)),
        ("ipppippp", None, False, (0, 4)),
        ("iiii", None, False, None),
        ("ipppippp", (0, 2, 4, 6), False, (0, 4)),
        ("ipppippp", (4,), False, (4,)),
        ("ipppippp", (4,), True, (0, 4)),
        ("ipppippp", (), True, (0, 4)),
        ("irpprppp", (0, 1, 4), False, (0,)),
        # Pictures of intra slices are some where all that are called so are whole, or no other is.
        ("ippwpwpp", (0, 3, 5), False, (0, 3, 5)),
        ("wppwpwpp", (0, 3, 5), False, (0, 3, 5)),
        ("ippwpwpp", (0, 3, 4, 5), False, (0,)),
        ("ippwpwpp", None, False, (0,)),
        ("ippwpwpp", (3,), True, (0,)),
        ("wppwpwpp", (0, 3, 4, 5), False, (0, 3, 5)),
        # What cannot be read is left to its decoder.
        ("ip?p", (0, 2), False, (0, 2)),
    ],
)
def test_key_frames_that_are_some(
    tmp_path: Path, packets: str, keys: Sequence[int] | None, among_all: bool, due: tuple[int, ...] | None
) -> None:
    assert with_true_keys(*film(tmp_path, packets, keys), among_all).keys == due


@pytest.mark.parametrize(
    "changed",
    [
        {"codec": "hvc1"},
        {"codec": "av01"},
        {"entry": b""},
        {"kind": "audio", "codec": "mp4a"},
        {"described": (0,) * 4},
    ],
)
def test_what_is_believed(tmp_path: Path, changed: dict[str, object]) -> None:
    path, samples = film(tmp_path, "pppp", (0, 2))
    believed = replace(samples, **changed)
    assert with_true_keys(path, believed) == believed


class Bytes:
    """A reader of a stream that is the film's file."""

    def __init__(self, path: Path) -> None:
        self.folder, self.path = path.parent, path
        self.asked: list[tuple[int, int]] = []

    def body(self, stream: object, first: int, last: int) -> Path:
        self.asked.append((first, last))
        part = self.folder / f"{len(self.asked)}.body"
        part.write_bytes(self.path.read_bytes()[first : last + 1])
        return part


class Units(InUnits):
    """A film in units of a second."""

    def __init__(self, path: Path, samples: Samples) -> None:
        self.path, self.samples = path, samples
        super().__init__([Fraction(number) for number in range(len(samples.times) // TICKS + 1)])
        self.loaded: list[tuple[int, int]] = []

    def begin(self, kind: str) -> Begin:
        return Begin(Fraction(0), Fraction(0), Fraction(0))

    def load(self, first: int, last: int) -> Opened:
        self.loaded.append((first, last))
        return {"video": (self.path, self.samples.cut(first * TICKS, (last + 1) * TICKS))}


GROUP = "i" + "p" * 29
EVERY_SECOND = tuple(range(0, 120, 10))
REFRESHED = "i" + "ppppppprpp" * 11 + "p" * 9


@pytest.mark.parametrize(
    ("packets", "keys", "since", "due"),
    [
        # By its container there is a key frame every second; there is one in three.
        (GROUP * 4, EVERY_SECOND, "5.5", 30),
        (GROUP * 4, EVERY_SECOND, "3", 30),
        (GROUP * 4, None, "5.5", 30),
        (GROUP * 4, (), "5.5", None),
        ("i" + "p" * 119, EVERY_SECOND, "11.5", 0),
        ("i" + "p" * 119, None, "11.5", 0),
        (REFRESHED, (0, *range(8, 120, 10)), "5.1", 0),
    ],
)
@pytest.mark.parametrize("layout", ["here", "table", "units"])
def test_what_is_read_begins_with_a_key_frame(
    tmp_path: Path, layout: str, packets: str, keys: Sequence[int] | None, since: str, due: int | None
) -> None:
    path, samples = film(tmp_path, packets, keys)
    begin = Fraction(since)
    if layout == "here":
        stream: WholeFile | InUnits = WholeFile({"video": (path, samples)})
    elif layout == "table":
        stream = Tabled(Bytes(path), None, Table((samples,), 5000))  # type: ignore[arg-type]
    else:
        stream = Units(path, samples)
    held, found = stream.packets("video", begin, begin + Fraction(1, 2))
    if due is None and layout == "units":
        # Where it cannot be known which packets are key frames, none is looked for.
        assert found.keys == ()
        return
    planned = plan_frames(Material(held, found, Fraction(0)), begin, begin + Fraction(1, 2))
    assert found.times[planned.first] == (30 if due is None else due)
    at, size = found.offsets[planned.first], found.sizes[planned.first]
    assert held.read_bytes()[at : at + size] == KINDS[packets[found.times[planned.first]]]


def test_of_units_without_a_key_frame_twice_as_many_are_read_each_time(tmp_path: Path) -> None:
    stream = Units(*film(tmp_path, "i" + "p" * 399, tuple(range(0, 400, 10))))
    stream.packets("video", Fraction(35), Fraction(36))
    assert [first for first, _ in stream.loaded] == [35, 34, 33, 31, 27, 19, 3, 0]
