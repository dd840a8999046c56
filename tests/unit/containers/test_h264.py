"""Parameter sets, units and descriptions of H.264, of files that an encoder makes and of bytes that are wrong."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avclips.containers.h264 import (
    Look,
    SequenceSet,
    Sets,
    Unit,
    Unreadable,
    joined,
    read_sps,
    see_alike,
    see_playable,
    sets_of,
    unit_of,
)
from avclips.containers.mp4 import read_file
from tests.support.made_files import made

TINY = (
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size={size}:rate=25:duration=0.2",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
)
LOOK = Look((10, 6), (0, 0, 0, 3), 1, (8, 8), (1, 1), 0, (2, 2, 2), (0, 0))


def entry(folder: Path, *words: str, size: str = "160x90", pixels: str = "yuv420p") -> bytes:
    source = [word.format(size=size) for word in TINY]
    path = made(folder, "mp4", *source, "-pix_fmt", pixels, *words)
    return next(track.entry for track in read_file(path) if track.kind == "video")


BT709 = ("-x264-params", "colorprim=bt709:transfer=bt709:colormatrix=bt709")


@pytest.mark.parametrize(
    ("words", "size", "pixels", "look"),
    [
        ((), "160x90", "yuv420p", LOOK),
        ((), "160x96", "yuv420p", replace(LOOK, crop=(0, 0, 0, 0))),
        ((), "150x90", "yuv420p", replace(LOOK, crop=(0, 5, 0, 3))),
        ((), "160x90", "yuv444p", replace(LOOK, chroma=3, crop=(0, 0, 0, 6))),
        ((), "160x90", "yuv420p10le", replace(LOOK, depth=(10, 10))),
        (("-aspect", "4:3"), "160x90", "yuv420p", replace(LOOK, pixels=(3, 4))),
        (("-color_range", "pc"), "160x90", "yuvj420p", replace(LOOK, range=1)),
        (BT709, "160x90", "yuv420p", replace(LOOK, colour=(1, 1, 1))),
        (("-chroma_sample_location", "topleft"), "160x90", "yuv420p", replace(LOOK, places=(2, 2))),
        (("-x264-params", "interlaced=1"), "160x96", "yuv420p", replace(LOOK, size=(10, 3), crop=(0, 0, 0, 0))),
        (("-x264-params", "cqm=jvt", "-profile:v", "high"), "160x90", "yuv420p", LOOK),
    ],
)
def test_a_sequence_set_is_read(
    media_folder: Path, words: tuple[str, ...], size: str, pixels: str, look: Look
) -> None:
    (found,) = sets_of(entry(media_folder, *words, size=size, pixels=pixels)).read()
    assert (found.look, found.id, found.frames) == (look, 0, "interlaced=1" not in words)


@pytest.mark.parametrize(
    ("words", "size", "pixels", "why"),
    [
        ((), "160x90", "yuv420p", ""),
        (("-profile:v", "baseline"), "160x90", "yuv420p", ""),
        (("-x264-params", "interlaced=1"), "160x96", "yuv420p", "it is interlaced"),
        ((), "160x90", "yuv444p", "its profile is 244"),
        ((), "160x90", "yuv420p10le", "its profile is 110"),
    ],
)
def test_who_can_play_it(media_folder: Path, words: tuple[str, ...], size: str, pixels: str, why: str) -> None:
    known = sets_of(entry(media_folder, *words, size=size, pixels=pixels)).read()
    if not why:
        see_playable(known)
        return
    with pytest.raises(Unreadable, match=f"^{why}$"):
        see_playable(known)


@pytest.mark.parametrize(
    ("words", "size", "why"),
    [
        ((), "160x90", ""),
        (("-profile:v", "baseline"), "160x90", ""),
        ((), "160x96", "crop"),
        ((), "176x90", "size"),
        (("-color_range", "pc"), "160x90", "range"),
        (BT709, "160x90", "colour"),
        (("-aspect", "4:3"), "160x90", "pixels"),
    ],
)
def test_which_pictures_can_follow_each_other(
    media_folder: Path, words: tuple[str, ...], size: str, why: str
) -> None:
    one, other = sets_of(entry(media_folder)).read(), sets_of(entry(media_folder, *words, size=size)).read()
    if not why:
        see_alike(one, other)
        return
    with pytest.raises(Unreadable, match=f"^the encoder's {why} is another$"):
        see_alike(one, other)


def test_both_sets_in_one_description(media_folder: Path) -> None:
    """The richer profile, the higher level, and only what both promise; the source's other boxes stay."""
    plain = entry(media_folder, "-profile:v", "baseline", "-level", "3.1", "-aspect", "4:3")
    rich = entry(media_folder, "-preset", "veryfast", "-level", "2.0", "-x264-params", "sps-id=3")
    both = joined(plain, rich)
    assert struct.unpack(">I", both[:4]) == (len(both),)
    assert b"pasp" in both and b"btrt" in plain and b"btrt" not in both
    sets = sets_of(both)
    assert [each.id for each in sets.read()] == [0, 3]
    assert sets.sps == sets_of(plain).sps + sets_of(rich).sps and len(sets.pps) == 2
    assert sets.free_id() == 1
    at = both.index(b"avcC") + 4
    constraints = [unit[2] for unit in sets.sps]
    assert list(both[at : at + 6]) == [1, 100, constraints[0] & constraints[1], 31, 0xFF, 0xE2]
    # What this profile has at the end: 4:2:0, eight bits, no extensions.
    (size,) = struct.unpack(">I", both[at - 8 : at - 4])
    assert both[at - 8 + size - 4 : at - 8 + size] == b"\xfd\xf8\xf8\0"


def test_numbers_that_are_free(media_folder: Path) -> None:
    sets = sets_of(entry(media_folder))
    other = sets_of(entry(media_folder, "-x264-params", "sps-id=1"))
    assert sets.free_id() == 1
    # Of either kind: a picture set with a number keeps it from both.
    assert Sets(sets.sps, other.pps).free_id() == 2
    every = [sets_of(entry(media_folder, "-x264-params", f"sps-id={number}")) for number in range(32)]
    full = Sets(tuple(s for each in every for s in each.sps), tuple(p for each in every for p in each.pps))
    with pytest.raises(Unreadable, match="every number"):
        full.free_id()


def packed(*units: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in units)


@pytest.mark.parametrize(
    ("packet", "unit"),
    [
        (packed(b"\x65\x88"), Unit(idr=True, refers=True)),
        (packed(b"\x41\x9a"), Unit(idr=False, refers=True)),
        (packed(b"\x01\x9e"), Unit(idr=False, refers=False)),
        (packed(b"\x09\x10", b"\x06\x05\x01", b"\x41\x9a", b"\x41\x9b"), Unit(idr=False, refers=True)),
        (packed(b"\x67\x42", b"\x68\xce", b"\x25\x88"), Unit(True, True, frozenset((b"\x67\x42", b"\x68\xce")))),
    ],
)
def test_what_a_packet_is(packet: bytes, unit: Unit) -> None:
    assert unit_of(packet) == unit


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (b"", "a packet without a picture"),
        (packed(b"\x06\x05\x01"), "a packet without a picture"),
        (packed(b"\x65\x88")[:-1], "units whose lengths do not add up"),
        (b"\0\0\0\0" + packed(b"\x65"), "units whose lengths do not add up"),
        (b"\0\0\1", "units whose lengths do not add up"),
        (b"\xff" * 20, "units whose lengths do not add up"),
        # Data partitions, and a second layer.
        (packed(b"\x62\x88"), "units of kind 2"),
        (packed(b"\x65\x88", b"\x74\x40"), "units of kind 20"),
    ],
)
def test_packets_that_are_none(packet: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=f"^{why}$"):
        unit_of(packet)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data.replace(b"avc1", b"avc3", 1), "not H.264 with its sets in front"),
        (lambda data: data.replace(b"avcC", b"xxxC", 1), "without avcC"),
        (lambda data: _with(data, 4, 0xFD), "lengths have other than four bytes"),
        (lambda data: _with(data, 5, 0xE0), "cut off|without parameter sets"),
        (lambda data: _with(data, 5, 0xFF), "cut off"),
        (lambda data: _with(data, 6, 0xFF), "cut off"),
    ],
)
def test_descriptions_that_are_none(media_folder: Path, change: object, why: str) -> None:
    assert callable(change)
    with pytest.raises(Unreadable, match=why):
        sets_of(change(entry(media_folder)))


def _with(data: bytes, place: int, value: int) -> bytes:
    at = data.index(b"avcC") + 4 + place
    return data[:at] + bytes((value,)) + data[at + 1 :]


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read, kind in ((read_sps, SequenceSet), (unit_of, Unit)):
        try:
            assert isinstance(read(data), kind)
        except Unreadable as error:
            assert str(error)


def test_a_set_that_is_cut_off_anywhere(media_folder: Path) -> None:
    (unit,) = sets_of(entry(media_folder, *BT709)).sps
    for length in range(1, len(unit)):
        try:
            read_sps(unit[:length])
        except Unreadable as error:
            assert "cut off" in str(error) or "too large" in str(error)
