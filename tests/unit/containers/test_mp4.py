"""The sample tables of MP4 files: real ones beside PyAV's reading, and those that do not add up."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.containers.mp4 import MAX_MOOV, NoTable, read_file, read_moov
from avclips.containers.samples import Samples
from tests.standin import fake_media
from tests.standin.fake_media import PROGRESSIVE, Media

MEDIA = Media(duration=6, width=64, height=36, gop_seconds=2)
PLAIN = replace(MEDIA, variant="faststart")
FEW = settings(deadline=None, derandomize=True, max_examples=120)


@dataclass(frozen=True)
class Packet:
    """What PyAV says of a packet."""

    time: int
    lasts: int
    offset: int
    size: int
    key: bool


def packets(path: Path) -> dict[str, tuple[Fraction, list[Packet]]]:
    """The tick and the packets of each kind of stream in a file, in the order of decoding."""
    with av.open(str(path)) as container:
        found: dict[str, tuple[Fraction, list[Packet]]] = {
            stream.type: (Fraction(stream.time_base), []) for stream in container.streams
        }
        for p in container.demux():
            if p.size:
                packet = Packet(int(p.pts or 0), int(p.duration or 0), int(p.pos or 0), p.size, p.is_keyframe)
                found[p.stream.type][1].append(packet)
    return found


@pytest.mark.parametrize(
    ("media", "itag", "kinds"),
    [
        (PLAIN, 134, ["video"]),
        (PLAIN, 140, ["audio"]),
        (MEDIA, PROGRESSIVE, ["video", "audio"]),
        (replace(MEDIA, bframes=0, audio=False), PROGRESSIVE, ["video"]),
        (replace(MEDIA, fps=30000 / 1001, sample_rate=48000), PROGRESSIVE, ["video", "audio"]),
    ],
    ids=["picture", "sound", "both", "no B-frames, silent", "29.97 fps"],
)
def test_a_real_table_is_pyavs(media_folder: Path, media: Media, itag: int, kinds: list[str]) -> None:
    path = fake_media.make(media, itag, media_folder)
    due, tracks = packets(path), read_file(path)
    assert [track.kind for track in tracks] == kinds
    for track in tracks:
        tick, expected = due[track.kind]
        assert Fraction(1, track.timescale) == tick and len(expected) > 100
        keys = range(len(track.times)) if track.keys is None else track.keys
        rows = zip(track.times, track.durations, track.offsets, track.sizes, strict=True)
        assert [Packet(*row, number in keys) for number, row in enumerate(rows)] == expected
        shape = ("avc1", *media.size(itag)) if track.kind == "video" else ("mp4a", 0, 0)
        assert (track.codec, track.width, track.height) == shape
        assert track.seconds(7) == expected[7].time * tick


@pytest.mark.parametrize("itag", [134, 140])
@pytest.mark.parametrize("variant", ["sidx", "fragmented"])
def test_the_table_of_fragments_is_empty(media_folder: Path, itag: int, variant: Any) -> None:
    (track,) = read_file(fake_media.make(replace(MEDIA, variant=variant), itag, media_folder))
    assert track.times == track.durations == track.offsets == track.sizes == ()


# -- tables made by hand ---------------------------------------------------------------------------------


def box(kind: bytes, *body: bytes, size: int | None = None) -> bytes:
    """An MP4 box; ``size`` is a wrong one."""
    content = b"".join(body)
    return struct.pack(">I4s", 8 + len(content) if size is None else size, kind) + content


def full(kind: bytes, *body: bytes, version: int = 0) -> bytes:
    """A box with a version."""
    return box(kind, bytes((version, 0, 0, 0)), *body)


def table(kind: bytes, each: str, *rows: Sequence[int], count: int | None = None, version: int = 0) -> bytes:
    """A box of rows; ``count`` is a wrong number of them."""
    number = struct.pack(">I", len(rows) if count is None else count)
    return full(kind, number, *(struct.pack(each, *row) for row in rows), version=version)


def clock(kind: bytes, timescale: int, version: int = 0) -> bytes:
    """An mvhd or mdhd box."""
    each = ">QQIQ" if version else ">IIII"
    return full(kind, struct.pack(each, 1, 2, timescale, 3), bytes(80), version=version)


def stsz(*sizes: int, uniform: int = 0, count: int | None = None) -> bytes:
    """The box of sizes."""
    number = len(sizes) if count is None else count
    return full(b"stsz", struct.pack(">II", uniform, number), *(size.to_bytes(4, "big") for size in sizes))


def stz2(bits: int, rows: bytes, count: int = 4) -> bytes:
    """The box of short sizes."""
    return full(b"stz2", struct.pack(">II", bits, count), rows)


def hdlr(kind: bytes = b"vide") -> bytes:
    """What a track is."""
    return full(b"hdlr", bytes(4), kind, bytes(13))


ENTRY = box(b"avc1", bytes(24), struct.pack(">HH", 64, 36), bytes(50))
# Four samples of 10, 20, 30, 40 bytes: two in the chunk at byte 100, two in the one at 500.
GOOD: dict[str, bytes] = {
    "mvhd": clock(b"mvhd", 1000),
    "tkhd": full(b"tkhd", bytes(80)),
    "elst": b"",
    "mdhd": clock(b"mdhd", 90),
    "hdlr": hdlr(),
    "stsd": table(b"stsd", ">0s", (b"",)) + b"",
    "stts": table(b"stts", ">II", (3, 6), (1, 5)),
    "ctts": table(b"ctts", ">Ii", (1, 0), (1, 6), (2, -6)),
    "stss": table(b"stss", ">I", (1,), (3,)),
    "stsc": table(b"stsc", ">III", (1, 2, 1)),
    "stsz": stsz(10, 20, 30, 40),
    "stco": table(b"stco", ">I", (100,), (500,)),
}
GOOD["stsd"] = full(b"stsd", struct.pack(">I", 1), ENTRY)
TRACK = Samples(
    *("video", "avc1", 64, 36, 90),
    times=(0, 12, 6, 12),
    durations=(6, 6, 6, 5),
    offsets=(100, 110, 500, 530),
    sizes=(10, 20, 30, 40),
    keys=(0, 2),
    decode=(0, 6, 12, 18),
    entry=ENTRY,
    matrix=bytes(36),
)


def trak(**boxes: bytes) -> bytes:
    """A track of the good boxes and of these in their places."""
    have = GOOD | boxes
    names = ("stsd", "stts", "ctts", "stss", "stsc", "stsz", "stco")
    stbl = box(b"stbl", *(have[name] for name in names))
    mdia = box(b"mdia", have["mdhd"], have["hdlr"], box(b"minf", full(b"vmhd", bytes(8)), stbl))
    return box(b"trak", have["tkhd"], box(b"edts", have["elst"]) if have["elst"] else b"", mdia)


def moov(**boxes: bytes) -> bytes:
    """A moov box with one track."""
    return box(b"moov", (GOOD | boxes)["mvhd"], trak(**boxes), box(b"udta", b"whatever"))


def elst(*rows: tuple[int, int], version: int = 0) -> bytes:
    """An edit list: duration and media time of each."""
    return table(b"elst", ">QqI" if version else ">IiI", *((*row, 1 << 16) for row in rows), version=version)


def moved(ticks: int, since: int = 0, until: int | None = None) -> Samples:
    """The good track, shown later, from tick ``since`` to ``until``."""
    times, decode = (tuple(time + ticks for time in each) for each in (TRACK.times, TRACK.decode))
    return replace(TRACK, times=times, decode=decode, shift=ticks, since=since, until=until)


# A quarter to the right.
TURNED = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
LONG, FOREVER = (round(Fraction(ticks * 90, 1000)) for ticks in (1 << 63, (1 << 64) - 1))
STCO64 = table(b"co64", ">Q", (1 << 40,), (1 << 62,))
FAR = (1 << 40, (1 << 40) + 10, 1 << 62, (1 << 62) + 30)


@pytest.mark.parametrize(
    ("boxes", "due"),
    [
        ({}, TRACK),
        ({"mvhd": clock(b"mvhd", 1000, 1), "mdhd": clock(b"mdhd", 90, 1)}, TRACK),
        ({"stco": STCO64}, replace(TRACK, offsets=FAR)),
        ({"stss": b""}, replace(TRACK, keys=None)),
        ({"stss": table(b"stss", ">I")}, replace(TRACK, keys=())),
        ({"ctts": b""}, replace(TRACK, times=(0, 6, 12, 18))),
        ({"ctts": table(b"ctts", ">II", (4, 3), version=1)}, replace(TRACK, times=(3, 9, 15, 21))),
        ({"stsz": stsz(uniform=7, count=4)}, replace(TRACK, sizes=(7,) * 4, offsets=(100, 107, 500, 507))),
        # Short sizes, of four, eight or sixteen bits.
        ({"stsz": stz2(4, b"\x12\x34")}, replace(TRACK, sizes=(1, 2, 3, 4), offsets=(100, 101, 500, 503))),
        ({"stsz": stz2(8, bytes((10, 20, 30, 40)))}, TRACK),
        (
            {"stsz": stz2(16, struct.pack(">4H", 10, 20, 300, 40))},
            replace(TRACK, sizes=(10, 20, 300, 40), offsets=(100, 110, 500, 800)),
        ),
        ({"stsc": table(b"stsc", ">III", (1, 3, 1), (2, 1, 1))}, replace(TRACK, offsets=(100, 110, 130, 500))),
        ({"stsc": table(b"stsc", ">III", (1, 9, 1))}, replace(TRACK, offsets=(100, 110, 130, 160))),
        # What is the width of a picture is the rate of a sound.
        ({"hdlr": hdlr(b"soun")}, replace(TRACK, kind="audio", width=0, height=0, sample_rate=64)),
        (
            {"tkhd": full(b"tkhd", bytes(8), struct.pack(">I", 7), bytes(24), TURNED)},
            replace(TRACK, track=7, matrix=TURNED),
        ),
        (
            {"tkhd": full(b"tkhd", bytes(16), struct.pack(">I", 7), bytes(28), TURNED, version=1)},
            replace(TRACK, track=7, matrix=TURNED),
        ),
        ({"mdhd": clock(b"mdhd", (1 << 32) - 1)}, replace(TRACK, timescale=(1 << 32) - 1)),
        # What an edit list hides lies below 0; a pause before is counted by the film's clock.
        ({"elst": elst((500, 6))}, moved(-6, 0, 45)),
        ({"elst": elst((500, 6), version=1)}, moved(-6, 0, 45)),
        ({"elst": elst((500, 0))}, moved(0, 0, 45)),
        ({"elst": elst((139, 0))}, moved(0, 0, 13)),
        # A file in fragments does not know how long it will be.
        ({"elst": elst((0, 6))}, moved(-6)),
        ({"elst": elst((500, 6)), "mvhd": b""}, moved(-6)),
        ({"elst": elst((2000, -1), (500, 6))}, moved(180 - 6, 180, 225)),
        ({"elst": elst((2000, -1), (1000, -1), (500, 0), version=1)}, moved(270, 270, 315)),
        ({"elst": elst((2000, -1))}, moved(180, 180)),
        ({"elst": elst()}, moved(0)),
        ({"elst": elst((500, -9))}, moved(9, 0, 45)),
        ({"elst": elst((1 << 63, 1 << 62), version=1)}, moved(-(1 << 62), 0, LONG)),
        ({"elst": elst(((1 << 64) - 1, -1), version=1)}, moved(FOREVER, FOREVER)),
    ],
)
def test_a_table_made_by_hand(boxes: dict[str, bytes], due: Samples) -> None:
    assert read_moov(moov(**boxes)) == [due]


# Descriptions of another size, with another rate of bits, and of nothing.
OTHER = box(b"avc1", bytes(24), struct.pack(">HH", 32, 18), bytes(50))
RATED, FASTER = (
    box(b"avc1", bytes(24), struct.pack(">HH", 64, 36), bytes(50), box(b"btrt", bytes(8), struct.pack(">I", rate)))
    for rate in (1000, 2000)
)


def stsd(*entries: bytes, count: int | None = None) -> bytes:
    """The box of descriptions; ``count`` is a wrong number of them."""
    return full(b"stsd", struct.pack(">I", len(entries) if count is None else count), *entries)


@pytest.mark.parametrize(
    ("entries", "chunks", "described", "entry", "width"),
    [
        # All packets have one of several: it is theirs.
        ((ENTRY, OTHER), ((1, 2, 1),), (), ENTRY, 64),
        ((ENTRY, OTHER), ((1, 2, 2),), (), OTHER, 32),
        ((ENTRY, OTHER), ((1, 9, 2),), (), OTHER, 32),
        # They have not the same.
        ((ENTRY, OTHER), ((1, 2, 1), (2, 2, 2)), (0, 0, 1, 1), ENTRY, 64),
        ((ENTRY, OTHER), ((1, 1, 2), (2, 3, 1)), (1, 0, 0, 0), OTHER, 32),
        # What differs in a rate of bits alone, or not at all, is the same.
        ((ENTRY, ENTRY), ((1, 2, 1), (2, 2, 2)), (), ENTRY, 64),
        ((RATED, FASTER), ((1, 2, 1), (2, 2, 2)), (), RATED, 64),
        # Of one description, the number is not looked at.
        ((ENTRY,), ((1, 2, 0),), (), ENTRY, 64),
    ],
)
def test_packets_have_descriptions(
    entries: tuple[bytes, ...],
    chunks: tuple[tuple[int, int, int], ...],
    described: tuple[int, ...],
    entry: bytes,
    width: int,
) -> None:
    (track,) = read_moov(moov(stsd=stsd(*entries), stsc=table(b"stsc", ">III", *chunks)))
    assert (tuple(track.described), track.entry, track.width) == (described, entry, width)
    assert (track.times, track.offsets[0]) == (TRACK.times, 100)


@pytest.mark.parametrize(
    ("stretch", "described", "entry", "width"),
    [((0, 2), (), ENTRY, 64), ((2, 4), (), OTHER, 32), ((1, 3), (0, 1), ENTRY, 64), ((0, 0), (), ENTRY, 64)],
)
def test_what_is_cut_has_the_description_of_its_packets(
    stretch: tuple[int, int], described: tuple[int, ...], entry: bytes, width: int
) -> None:
    chunks = table(b"stsc", ">III", (1, 2, 1), (2, 2, 2))
    (track,) = read_moov(moov(stsd=stsd(ENTRY, OTHER), stsc=chunks))
    found = track.cut(*stretch)
    assert (tuple(found.described), found.entry, found.width) == (described, entry, width)


@pytest.mark.parametrize(
    ("boxes", "shown"),
    [
        # At 0, 12, 6 and 12 of 90 ticks a second.
        ({}, [(0, 6), (12, 18), (6, 12), (12, 17)]),
        ({"elst": elst((200, 0))}, [(0, 6), (12, 18), (6, 12), (12, 17)]),
        ({"elst": elst((134, 0))}, [(0, 6), (6, 12)]),
        # The last picture stands until the edit or the track ends, whatever the table's last duration.
        ({"elst": elst((200, 6))}, [(6, 17), (0, 6), (6, 11)]),
        ({"elst": elst((150, 6))}, [(6, 14), (0, 6), (6, 11)]),
        ({"elst": elst((1000, -1), (200, 6))}, [(96, 107), (90, 96), (96, 101)]),
        ({"elst": elst((0, 6))}, [(6, 12), (0, 6), (6, 11)]),
        # A last picture of no duration, as ffmpeg 7.0 writes it: the track, and its edit, end where it begins.
        ({"ctts": b"", "stts": table(b"stts", ">II", (3, 6), (1, 0))}, [(0, 6), (6, 12), (12, 18)]),
        ({"ctts": b"", "elst": elst((200, 0))}, [(0, 6), (6, 12), (12, 18)]),
        ({"ctts": b"", "stts": table(b"stts", ">II", (4, 0))}, []),
    ],
)
def test_what_a_reader_shows(boxes: dict[str, bytes], shown: list[tuple[int, int]]) -> None:
    (track,) = read_moov(moov(**boxes))
    assert track.shown() == shown


@pytest.mark.parametrize(
    ("boxes", "heard"),
    [
        ({}, [(0, 6), (6, 12), (12, 18), (18, 23)]),
        # A packet that the edit begins or ends within is heard in part, also where it is the only one.
        ({"elst": elst((200, 8))}, [(0, 4), (4, 10), (10, 15)]),
        ({"elst": elst((67, 8))}, [(0, 4), (4, 6)]),
        ({"elst": elst((22, 8))}, [(0, 2)]),
        ({"elst": elst((200, 6))}, [(0, 6), (6, 12), (12, 17)]),
    ],
)
def test_what_of_a_sound_is_heard(boxes: dict[str, bytes], heard: list[tuple[int, int]]) -> None:
    (track,) = read_moov(moov(hdlr=hdlr(b"soun"), ctts=b"", **boxes))
    assert track.shown() == heard


def test_tracks_of_all_kinds() -> None:
    found = read_moov(
        box(b"moov", GOOD["mvhd"], trak(hdlr=hdlr(b"text")), trak(hdlr=hdlr(b"soun")), trak(hdlr=b""), trak())
    )
    assert [(track.kind, track.codec) for track in found] == [("audio", "avc1"), ("video", "avc1")]
    assert read_moov(box(b"moov")) == []


MOST = (1 << 32) - 1
BROKEN: list[tuple[dict[str, bytes], str]] = [
    # Without a table.
    ({"mdhd": b""}, "without its tables"),
    ({"stsd": b""}, "without its tables"),
    ({"stts": b""}, "without its tables"),
    ({"stsc": b""}, "without its tables"),
    ({"stsz": b""}, "without its tables"),
    ({"stco": b""}, "without its tables"),
    ({"mdhd": clock(b"mdhd", 0)}, "without a clock"),
    # Counts that nothing stands behind.
    ({"stts": table(b"stts", ">II", (4, 6), count=MOST)}, "does not hold"),
    ({"ctts": table(b"ctts", ">Ii", (4, 6), count=2)}, "does not hold"),
    ({"stsc": table(b"stsc", ">III", (1, 2, 1), count=MOST)}, "does not hold"),
    ({"stco": table(b"stco", ">I", (1,), count=MOST)}, "does not hold"),
    ({"stco": table(b"co64", ">Q", (1,), count=MOST)}, "does not hold"),
    ({"stss": table(b"stss", ">I", (1,), count=MOST)}, "does not hold"),
    ({"elst": table(b"elst", ">IiI", (1, 2, 3), count=MOST)}, "does not hold"),
    ({"elst": table(b"elst", ">IiI", (1, 2, 3), version=1)}, "does not hold"),
    ({"stsz": stsz(1, 2, count=MOST)}, "does not hold"),
    ({"stsz": stsz(count=MOST)}, "does not hold"),
    ({"stsz": stsz(uniform=1, count=MOST)}, "samples"),
    ({"stsz": stsz(uniform=MOST, count=MAX_MOOV + 1)}, "samples"),
    # Tables of another number of samples.
    ({"stts": table(b"stts", ">II", (3, 6))}, "times for 3 of 4"),
    ({"stts": table(b"stts", ">II", (5, 6))}, "more samples"),
    ({"stts": table(b"stts", ">II", (MOST, 6))}, "more samples"),
    ({"stts": table(b"stts", ">II", (3, 6), (MOST, 6))}, "more samples"),
    ({"stts": table(b"stts", ">II")}, "times for 0 of 4"),
    ({"ctts": table(b"ctts", ">Ii", (3, 6))}, "times for 3 of 4"),
    ({"ctts": table(b"ctts", ">Ii", (MOST, 6))}, "more samples"),
    ({"stss": table(b"stss", ">I", (0,))}, "key frame"),
    ({"stss": table(b"stss", ">I", (5,))}, "key frame"),
    ({"stsz": stsz()}, "more samples"),
    ({"stsc": table(b"stsc", ">III")}, "places of 0 of 4|counted upwards"),
    ({"stsc": table(b"stsc", ">III", (1, 1, 1))}, "places of 2 of 4|upwards"),
    ({"stsc": table(b"stsc", ">III", (1, 0, 1))}, "places of 0 of 4|counted upwards"),
    ({"stsc": table(b"stsc", ">III", (3, 2, 1))}, "places of 0 of 4|counted upwards"),
    ({"stsc": table(b"stsc", ">III", (1, 1, 1), (MOST, 1, 1))}, "broken moov|upwards"),
    ({"stco": table(b"stco", ">I")}, "places of 0 of 4|counted upwards"),
    # A film put together from pieces of the track: no packet has one time in it.
    ({"elst": elst((500, 6), (500, 60))}, "several pieces"),
    ({"elst": elst((500, 6), (500, -1))}, "several pieces"),
    # No more than a header, or not that.
    ({"stsd": full(b"stsd", struct.pack(">I", 1))}, "description|broken"),
    ({"stsd": full(b"stsd", struct.pack(">I", 1), box(b"avc1", size=99))}, "description"),
    ({"stsd": full(b"stsd", struct.pack(">I", 1), box(b"avc1", size=3))}, "broken moov"),
    ({"stsd": full(b"stsd", struct.pack(">I", 1), box(b"avc1", size=0))}, "broken moov"),
    ({"stts": box(b"stts")}, "does not hold|times for"),
    ({"tkhd": box(b"tkhd", size=7)}, "broken moov"),
    ({"tkhd": box(b"tkhd", size=0)}, "broken moov"),
    ({"tkhd": box(b"tkhd", size=1) + struct.pack(">Q", (1 << 64) - 1)}, "leaves its parent"),
    ({"tkhd": box(b"tkhd", size=MOST)}, "leaves its parent"),
    ({"mvhd": box(b"mvhd", size=1000)}, "leaves its parent"),
    ({"stsz": stz2(4, b"\x12")}, "does not hold"),
    ({"stsz": stz2(8, bytes(3))}, "does not hold"),
    ({"stsz": stz2(16, bytes(7))}, "does not hold"),
    ({"stsz": stz2(12, bytes(80))}, "does not hold"),
    ({"stsz": stz2(8, bytes(4), count=(1 << 32) - 1)}, "does not hold"),
    # Descriptions that are not there.
    ({"stsd": stsd(ENTRY, OTHER), "stsc": table(b"stsc", ">III", (1, 2, 3))}, "broken moov"),
    ({"stsd": stsd(ENTRY, OTHER), "stsc": table(b"stsc", ">III", (1, 2, 0))}, "broken moov"),
    ({"stsd": stsd(ENTRY, OTHER, count=9), "stsc": table(b"stsc", ">III", (1, 2, 1), (2, 2, 9))}, "broken moov"),
    ({"stsd": stsd()}, "no description"),
]


@pytest.mark.parametrize(("boxes", "why"), BROKEN)
def test_what_does_not_add_up(boxes: dict[str, bytes], why: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(NoTable, match=why):
            read_moov(moov(**boxes))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


CHUNKS = table(b"stco", ">I", (100,), (500,), (900,))


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 2, 1)],
        [(0, 4, 1), (1, 2, 1)],
        [(2, 2, 1)],
        [(1, 2, 1), (1, 2, 1)],
        [(3, 0, 1), (1, 2, 1)],
        [(1, 0, 1), (2, 2, 1)],
    ],
)
def test_chunks_are_counted_upwards_from_one(rows: list[tuple[int, int, int]]) -> None:
    with pytest.raises(NoTable):
        read_moov(moov(stsc=table(b"stsc", ">III", *rows), stco=CHUNKS))


def test_samples_that_nothing_stands_behind() -> None:
    count = 3_000_000
    boxes = {
        "stsz": stsz(uniform=1, count=count),
        "stts": table(b"stts", ">II", (count // 2, 1)),
        "stsc": table(b"stsc", ">III", (1, count, 1)),
    }
    tracemalloc.start()
    try:
        with pytest.raises(NoTable):
            read_moov(moov(**boxes))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_tracks_of_samples_that_nothing_stands_behind() -> None:
    count = 200_000
    boxes = {
        "stsz": stsz(uniform=1, count=count),
        "stts": table(b"stts", ">II", (count, 1)),
        "ctts": b"",
        "stss": b"",
        "stsc": table(b"stsc", ">III", (1, count, 1)),
    }
    with pytest.raises(NoTable):
        read_moov(box(b"moov", GOOD["mvhd"], trak(**boxes) * 6))


def test_boxes_without_number() -> None:
    content = box(b"moov", GOOD["mvhd"], box(b"free") * 30_000)
    tracemalloc.start()
    try:
        with pytest.raises(NoTable):
            read_moov(content)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kinds", [[b"moov"], [b"trak"], [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"]])
def test_boxes_in_boxes_in_boxes(kinds: list[bytes]) -> None:
    nested = b""
    for depth in range(3000):
        nested = box(kinds[depth % len(kinds)], nested)
    with suppress(NoTable):
        assert read_moov(box(b"moov", nested)) == []


@FEW
@given(st.data())
def test_whatever_comes_is_a_table_or_none(data: st.DataObject) -> None:
    content = bytearray(moov(elst=elst((2000, -1), (500, 6))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(8, len(content) - 1))
        put = data.draw(
            st.binary(min_size=1, max_size=5) | st.sampled_from([b"\0\0\0\0", b"\xff" * 4, b"\0\0\0\1"])
        )
        content[at : at + len(put)] = put
    del content[data.draw(st.sampled_from([len(content), len(content) // 2]) | st.integers(0, len(content))) :]
    try:
        tracks = read_moov(bytes(content))
    except NoTable:
        return
    for track in tracks:
        count = len(track.times)
        assert count == len(track.durations) == len(track.offsets) == len(track.sizes)
        assert track.timescale > 0 and all(0 <= key < count for key in track.keys or ())


# -- files -----------------------------------------------------------------------------------------------

WIDE_MDAT = struct.pack(">I4sQ", 1, b"mdat", 616) + bytes(600)


@pytest.mark.parametrize(
    "content",
    [
        box(b"ftyp", b"isom") + moov() + box(b"mdat", bytes(600)),
        box(b"ftyp", b"isom") + box(b"mdat", bytes(600)) + moov(),
        box(b"ftyp", b"isom") + WIDE_MDAT + moov(),
        moov(),
    ],
    ids=["in front", "behind", "behind a wide box", "alone"],
)
def test_a_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.mp4"
    path.write_bytes(content)
    assert read_file(path) == [TRACK]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no moov"),
        (b"1234567", "no moov"),
        (box(b"ftyp", b"isom"), "no moov"),
        (box(b"ftyp", b"isom") + box(b"mdat", bytes(600)), "no moov"),
        (box(b"ftyp", b"isom") + bytes(8) + moov() + bytes(600), "a box of 0 bytes"),
        (box(b"ftyp", b"isom") + box(b"mdat", size=MOST), "no moov"),
        (box(b"mdat", size=1) + struct.pack(">Q", (1 << 64) - 1), "no moov"),
        (box(b"moov", size=MOST) + bytes(600), "a moov box of"),
        (box(b"moov", size=1) + struct.pack(">Q", 1 << 63) + bytes(600), "a moov box of"),
        (moov()[:-1], "a moov box of"),
        (moov(stsz=stsz(10, 20, 30, 400)), "behind the end"),
        (moov(stco=table(b"stco", ">I", (100,), (MOST,))), "behind the end"),
        (moov(stco=STCO64), "behind the end"),
        (box(b"ftyp", b"isom") + moov(stts=b"") + bytes(600), "without its tables"),
    ],
)
def test_a_file_without_a_table(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "file.mp4"
    path.write_bytes(content)
    with pytest.raises(NoTable, match=why):
        read_file(path)


def test_a_moov_that_is_said_to_be_huge_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file.mp4"
    with path.open("wb") as file:
        file.write(box(b"moov", size=MAX_MOOV + 1))
        file.truncate(MAX_MOOV + 1)
    tracemalloc.start()
    try:
        with pytest.raises(NoTable, match="a moov box of"):
            read_file(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
