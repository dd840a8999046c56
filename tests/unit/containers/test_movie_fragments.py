"""Fragments of MP4 by their moof boxes: real ones beside PyAV's reading, those made by hand, broken ones."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.containers.movie_fragments import Defaults, children, first_fragment, read_defaults, read_fragments
from avclips.containers.mp4 import NoTable, read_moov
from avclips.containers.samples import Description, Samples
from avclips.reading.indexed import moov_in
from tests.standin.fake_media import boxes
from tests.support.made_files import AAC, B_FRAMES, PICTURE, PLAIN, SOUND, contents, made, packets
from tests.unit.containers.test_mp4 import GOOD, TRACK, box, full, trak

FEW = settings(deadline=None, derandomize=True, max_examples=150)
FRAGMENTS = "+frag_keyframe+empty_moov"
BOTH = (*PICTURE, *SOUND)

REAL: dict[str, tuple[str | Path, ...]] = {
    "picture, one sidx": (*PICTURE, *B_FRAMES, "-movflags", "+dash+global_sidx+frag_keyframe"),
    "picture, a sidx a fragment": (*PICTURE, *B_FRAMES, "-movflags", "+dash+frag_keyframe"),
    "picture, counted from the moof": (*PICTURE, *B_FRAMES, "-movflags", FRAGMENTS + "+default_base_moof"),
    "picture, counted from the file": (*PICTURE, *B_FRAMES, "-movflags", FRAGMENTS),
    "picture, without offsets": (*PICTURE, *B_FRAMES, "-movflags", FRAGMENTS + "+omit_tfhd_offset"),
    "picture, negative delays": (*PICTURE, *B_FRAMES, "-movflags", FRAGMENTS + "+negative_cts_offsets"),
    "picture, an edit list": (*PICTURE, *B_FRAMES, "-movflags", FRAGMENTS + "+delay_moov"),
    "picture, without B-frames": (*PICTURE, *PLAIN, "-movflags", FRAGMENTS),
    "sound": (*SOUND, *AAC, "-frag_duration", "1000000", "-movflags", "+empty_moov+default_base_moof"),
    "sound, an edit list": (*SOUND, *AAC, "-frag_duration", "1000000", "-movflags", "+delay_moov"),
    "both": (*BOTH, *B_FRAMES, *AAC, "-movflags", FRAGMENTS),
    "both, counted from the moof": (*BOTH, *B_FRAMES, *AAC, "-movflags", FRAGMENTS + "+default_base_moof"),
    "both, many runs": (*BOTH, *B_FRAMES, *AAC, "-frag_interleave", "3", "-movflags", FRAGMENTS + "+delay_moov"),
}  # fmt: skip


def tables(data: bytes) -> list[Samples]:
    """The tracks of a file in fragments."""
    moov = moov_in(data)
    heads = {track.track: track for track in read_moov(moov)}
    return list(read_fragments(heads, read_defaults(moov), data).values())


@pytest.mark.parametrize("name", REAL)
def test_real_fragments_are_pyavs(media_folder: Path, name: str) -> None:
    path = made(media_folder, "mp4", *REAL[name])
    # As they are in the file: PyAV would leave out what an edit list hides, and move the rest.
    due = packets(path, {"ignore_editlist": "1"})
    found = {track.kind: track for track in tables(path.read_bytes())}
    assert found.keys() == due.keys()
    for kind, track in found.items():
        shift = track.shift or 0
        keys = range(len(track.times)) if track.keys is None else track.keys
        scale = track.timescale
        assert len(track.times) == len(due[kind]) > 70
        # libav has all frames later by the greatest delay below 0, which the sound beside them would not be.
        later = Fraction(1, 25) if name == "picture, negative delays" else 0
        assert [Fraction(time - shift, scale) + later for time in track.times] == [each.time for each in due[kind]]
        assert [Fraction(time - shift, scale) for time in track.decode] == [each.decode for each in due[kind]]
        assert [number in keys for number in range(len(track.times))] == [each.key for each in due[kind]]
        assert contents(path, track.offsets, track.sizes) == [each.content for each in due[kind]]
        # One after the other: nothing is lost between two fragments.
        ends = [time + lasts for time, lasts in zip(track.decode, track.durations, strict=True)]
        assert [*track.decode[1:]] == ends[:-1]


@pytest.mark.parametrize("name", REAL)
def test_some_fragments_are_those_of_the_whole(media_folder: Path, name: str) -> None:
    """Wherever what was read begins, with offsets that count from the file's first byte, too."""
    data = made(media_folder, "mp4", *REAL[name]).read_bytes()
    moov = moov_in(data)
    heads, defaults = {track.track: track for track in read_moov(moov)}, read_defaults(moov)
    starts = [at for kind, at, _ in boxes(data) if kind == "moof"]
    whole, some = {track.kind: track for track in tables(data)}, data[starts[1] : starts[2]]
    for kind, track in (
        (track.kind, track) for track in read_fragments(heads, defaults, some, starts[1]).values()
    ):
        every = whole[kind]
        held = [n for n, offset in enumerate(every.offsets) if starts[1] <= offset < starts[2]]
        assert track.times == tuple(every.times[n] for n in held) and held
        assert track.decode == tuple(every.decode[n] for n in held)
        assert track.offsets == tuple(every.offsets[n] - starts[1] for n in held)
        assert track.sizes == tuple(every.sizes[n] for n in held)


@pytest.mark.parametrize("name", REAL)
def test_the_header_of_the_first_fragment_is_enough(media_folder: Path, name: str) -> None:
    data = made(media_folder, "mp4", *REAL[name]).read_bytes()
    moov = moov_in(data)
    heads, defaults = {track.track: track for track in read_moov(moov)}, read_defaults(moov)
    at, size = next((at, size) for kind, at, size in boxes(data) if kind == "moof")
    found = first_fragment(heads, defaults, data[at : at + size])
    assert found is not None
    for track, every in zip(found, tables(data), strict=True):
        assert track.times == every.times[: len(track.times)] and track.times
    assert first_fragment(heads, defaults, data[at : at + size - 1]) is None
    assert first_fragment(heads, defaults, b"") is None


# -- made by hand ----------------------------------------------------------------------------------------

KEY, OTHER = 0x2000000, 0x1010000
HEAD = replace(
    TRACK, times=(), decode=(), durations=(), offsets=(), sizes=(), keys=None, track=1, entry=b"", matrix=b""
)
SOUND_HEAD = replace(HEAD, kind="audio", codec="mp4a", track=2)
HEADS = {1: HEAD, 2: SOUND_HEAD}
USUAL = {1: Defaults(10, 5, OTHER), 2: Defaults(7, 3, KEY)}


def tfhd(track: int = 1, flags: int = 0x20000, *values: int) -> bytes:
    """A fragment's header for a track; the base is the only value of 64 bits."""
    fields = struct.pack(">Q", values[0]) if flags & 1 else b""
    fields += b"".join(struct.pack(">I", value) for value in values[flags & 1 :])
    return box(b"tfhd", struct.pack(">I", flags), struct.pack(">I", track), fields)


def tfdt(time: int, version: int = 0) -> bytes:
    return full(b"tfdt", struct.pack(">Q" if version else ">I", time), version=version)


def trun(
    flags: int, *rows: Sequence[int], offset: int = 0, first: int = 0, version: int = 0, count: int | None = None
) -> bytes:
    """A run; ``count``: a wrong number of rows."""
    fields = struct.pack(">I", len(rows) if count is None else count)
    fields += struct.pack(">i", offset) if flags & 1 else b""
    fields += struct.pack(">I", first) if flags & 4 else b""
    # The delay alone may be below 0, and stands last.
    table = b"".join(struct.pack(">I", value & 0xFFFFFFFF) for row in rows for value in row)
    return box(b"trun", struct.pack(">I", version << 24 | flags), fields, table)


def moof(*trafs: bytes) -> bytes:
    return box(b"moof", full(b"mfhd", bytes(4)), *trafs)


def traf(*parts: bytes) -> bytes:
    return box(b"traf", *parts)


MDAT = box(b"mdat", bytes(200))
MOST = (1 << 32) - 1
THREE = ((),) * 3


def read(*parts: bytes, begins_at: int = 0) -> dict[int, Samples]:
    return read_fragments(HEADS, USUAL, b"".join(parts), begins_at)


def rows(track: Samples) -> list[tuple[int, int, int, int, int]]:
    return list(zip(track.decode, track.times, track.durations, track.offsets, track.sizes, strict=True))


@pytest.mark.parametrize(
    ("inside", "due", "keys"),
    [
        # What the moov box says of all.
        ([tfhd(), tfdt(100), trun(1, *THREE, offset=9)],
         [(100, 100, 10, 9, 5), (110, 110, 10, 14, 5), (120, 120, 10, 19, 5)], ()),
        # What the fragment's header says of all: duration, size, flags.
        ([tfhd(1, 0x20038, 4, 2, KEY), tfdt(100), trun(1, *THREE, offset=9)],
         [(100, 100, 4, 9, 2), (104, 104, 4, 11, 2), (108, 108, 4, 13, 2)], None),
        ([tfhd(1, 0x20012, 1, 2), tfdt(100), trun(1, (), offset=9)], [(100, 100, 10, 9, 2)], ()),
        # What the run says of each, and of its first.
        ([tfhd(), tfdt(100), trun(0xF01, (1, 2, KEY, 8), (3, 4, OTHER, 0), offset=9)],
         [(100, 108, 1, 9, 2), (101, 101, 3, 11, 4)], (0,)),
        ([tfhd(), tfdt(100), trun(0x205, (4,), (6,), offset=9, first=KEY)],
         [(100, 100, 10, 9, 4), (110, 110, 10, 13, 6)], (0,)),
        ([tfhd(1, 0x20020, KEY), tfdt(100), trun(0x205, (4,), (6,), offset=9, first=OTHER)],
         [(100, 100, 10, 9, 4), (110, 110, 10, 13, 6)], (1,)),
        # Delays below 0 are of the second version.
        ([tfhd(), tfdt(100), trun(0x801, (-5,), offset=9, version=1)], [(100, 95, 10, 9, 5)], ()),
        ([tfhd(), tfdt(100), trun(0x801, (0x80000000,), offset=9)], [(100, 100 + (1 << 31), 10, 9, 5)], ()),
        # Several runs follow each other, in time and in the file, unless they say where they lie.
        ([tfhd(), tfdt(100), trun(1, (), offset=9), trun(0, (), ()), trun(1, (), offset=50)],
         [(100, 100, 10, 9, 5), (110, 110, 10, 14, 5), (120, 120, 10, 19, 5), (130, 130, 10, 50, 5)], ()),
        ([tfhd(), tfdt(1 << 40, 1), trun(1, (), offset=9)], [(1 << 40, 1 << 40, 10, 9, 5)], ()),
        ([tfhd(), tfdt(100), trun(1, offset=9)], [], None),
        # Without a time of its own, it begins where what was before ends: at 0 here.
        ([tfhd(), trun(1, (), offset=9)], [(0, 0, 10, 9, 5)], ()),
        # A run that begins where its fragment does.
        ([tfhd(), tfdt(100), trun(0, ())], [(100, 100, 10, 0, 5)], ()),
    ],
)  # fmt: skip
def test_a_fragment_made_by_hand(
    inside: list[bytes], due: list[tuple[int, ...]], keys: tuple[int, ...] | None
) -> None:
    found = read(moof(traf(*inside)), MDAT)
    assert rows(found[1]) == due and found[1].keys == keys
    assert found[2].times == ()


ONE, OTHER_ONE = (Description("avc1", size, size, 0, box(b"avc1", bytes((size,)))) for size in (64, 32))
SEVERAL = {1: replace(HEAD, descriptions=(ONE, OTHER_ONE))}


@pytest.mark.parametrize(
    ("usual", "headers", "described", "width"),
    [
        # What the fragments' headers say, and for all what the moov box says.
        (1, [tfhd(), tfhd()], (), 64),
        (2, [tfhd(), tfhd()], (), 32),
        (1, [tfhd(1, 0x20002, 2), tfhd(1, 0x20002, 2)], (), 32),
        (1, [tfhd(), tfhd(1, 0x20002, 2)], (0, 1, 1), 64),
        (2, [tfhd(1, 0x2000A, 1, 10), tfhd()], (0, 1, 1), 64),
    ],
)
def test_fragments_have_descriptions(
    usual: int, headers: Sequence[bytes], described: tuple[int, ...], width: int
) -> None:
    one, other = headers
    data = moof(traf(one, tfdt(0), trun(1, (), offset=9))) + MDAT
    data += moof(traf(other, tfdt(10), trun(1, (), (), offset=9))) + MDAT
    found = read_fragments(SEVERAL, {1: Defaults(10, 5, OTHER, usual)}, data)[1]
    assert (tuple(found.described), found.width, found.decode) == (described, width, (0, 10, 20))


@pytest.mark.parametrize("number", [0, 3, MOST])
def test_a_description_that_is_not_there(number: int) -> None:
    data = moof(traf(tfhd(1, 0x20002, number), tfdt(0), trun(1, (), offset=9))) + MDAT
    with pytest.raises(NoTable, match="a description that is not there"):
        read_fragments(SEVERAL, USUAL, data)


def test_what_counts_from_the_file_counts_from_what_was_read() -> None:
    parts = moof(traf(tfhd(1, 1, 5000 + 40), tfdt(0), trun(1, (), offset=6))), MDAT
    assert rows(read(*parts, begins_at=5000)[1]) == [(0, 0, 10, 46, 5)]


@pytest.mark.parametrize(("flags", "place"), [(0x20000, 0), (0, 115)])
def test_the_second_track_of_a_fragment_follows_the_first(flags: int, place: int) -> None:
    """Unless it counts from its fragment, it begins behind the media of the track before (8.8.7.1)."""
    first = traf(tfhd(1, flags), tfdt(0), trun(1, *THREE, offset=100))
    found = read(moof(first, traf(tfhd(2, flags), tfdt(0), trun(1, (), offset=0))), MDAT)
    assert rows(found[1])[0][3] == 100 and rows(found[2]) == [(0, 0, 7, place, 3)]


def test_a_fragment_without_a_time_follows_the_one_before() -> None:
    one = moof(traf(tfhd(), tfdt(100), trun(1, (), (), offset=9)))
    found = read(one, MDAT, moof(traf(tfhd(), trun(1, (), offset=9))), MDAT)
    assert found[1].decode == (100, 110, 120)


def test_a_track_that_nobody_knows_is_passed_over() -> None:
    found = read(
        moof(traf(tfhd(3), tfdt(0), trun(0xF01, (1, 2, 3, 4), offset=9)), traf(tfhd(), trun(1, ()))), MDAT
    )
    assert len(found[1].times) == 1 and found.keys() == {1, 2}


@pytest.mark.parametrize("shift", [-30, 0, 45])
def test_the_edit_list_holds_for_every_fragment(shift: int) -> None:
    one, other = (moof(traf(tfhd(), tfdt(time), trun(0x801, (20,), offset=9))) for time in (0, 500))
    heads = {1: replace(HEAD, shift=shift, since=max(0, shift))}
    found = read_fragments(heads, USUAL, one + MDAT + other + MDAT)[1]
    assert (found.decode, found.times) == ((shift, 500 + shift), (20 + shift, 520 + shift))
    assert (found.shift, found.since) == (shift, max(0, shift))


def test_defaults() -> None:
    trex = [
        full(b"trex", struct.pack(">5I", track, track, track + 10, track + 20, track + 30)) for track in (1, 2)
    ]
    moov = box(b"moov", GOOD["mvhd"], trak(), box(b"mvex", full(b"mehd", bytes(4)), *trex))
    assert read_defaults(moov) == {1: Defaults(11, 21, 31, 1), 2: Defaults(12, 22, 32, 2)}
    assert read_defaults(box(b"moov", GOOD["mvhd"], trak())) == {}


# -- what does not add up --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([moof(traf(tfdt(0), trun(1, ())))], "without its header"),
        ([moof(traf(tfhd(), trun(1, (), count=MOST))), MDAT], "does not hold"),
        ([moof(traf(tfhd(), trun(0xF01, (1, 2, 3, 4), count=2))), MDAT], "does not hold"),
        # Samples of nothing but defaults cost the stranger nothing.
        ([moof(traf(tfhd(1, 0x20010, 0), trun(1, count=900_000))), MDAT], "does not hold"),
        ([moof(traf(tfhd(), trun(1, (), offset=272))), MDAT], "outside"),
        ([moof(traf(tfhd(), trun(1, (), offset=-1))), MDAT], "outside"),
        ([moof(traf(tfhd(1, 0x20010, MOST), trun(1, ()))), MDAT], "outside"),
        ([moof(traf(tfhd(1, 1, 1 << 62), trun(1, ()))), MDAT], "outside"),
        ([moof(traf(box(b"tfhd")))], "broken moof"),
        ([moof(traf(tfhd(), box(b"trun"))), MDAT], "broken moof"),
        ([moof(traf(tfhd(), box(b"tfdt"), trun(1, ()))), MDAT], "broken moof"),
        ([moof(traf(tfhd(), full(b"tfdt", bytes(4), version=1), trun(1, ()))), MDAT], "broken moof"),
        ([moof(traf(box(b"tfhd", struct.pack(">II", 0x20008, 1)), trun(1, ()))), MDAT], "broken moof"),
        ([moof(traf(tfhd(), box(b"trun", struct.pack(">II", 5, 1)))), MDAT], "broken moof"),
        ([moof(traf(box(b"tfhd", size=99)))], "leaves its parent"),
        ([moof(traf(tfhd())), box(b"mdat", size=7)], "a box of 7 bytes"),
        ([moof(traf(tfhd())), box(b"mdat", size=99)], "leaves its parent"),
        ([moof(traf(tfhd())), b"\0\0\0"], "leaves its parent"),
    ],
)
def test_what_does_not_add_up(parts: list[bytes], why: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(NoTable, match=why):
            read(*parts)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_runs_that_share_no_byte_with_what_they_claim() -> None:
    """Each run may claim as many as there are bytes; all together, no more."""
    runs = [trun(1, count=150)] * 50
    with pytest.raises(NoTable, match="does not hold"):
        read(moof(traf(tfhd(1, 0x20010, 1), *runs)), MDAT)


@pytest.mark.parametrize("content", [box(b"mdat"), box(b"free") + box(b"mdat")])
def test_media_where_the_first_fragment_should_be(content: bytes) -> None:
    with pytest.raises(NoTable, match="no fragment"):
        first_fragment(HEADS, USUAL, content)


@pytest.mark.parametrize("size", [2, 7])
def test_a_first_fragment_that_is_broken(size: int) -> None:
    with pytest.raises(NoTable, match="broken"):
        first_fragment(HEADS, USUAL, box(b"moof", size=size) + bytes(50))


def test_children_end_where_their_parent_does() -> None:
    data = box(b"free", b"abc") + box(b"skip")
    assert [each.kind for each in children(data, 0, len(data))] == [b"free", b"skip"]
    with pytest.raises(NoTable):
        list(children(data, 0, len(data) - 1))


@FEW
@given(st.data())
def test_whatever_comes_is_a_table_or_none(data: st.DataObject) -> None:
    runs = (trun(0xF01, (1, 2, KEY, 8), (3, 4, OTHER, 0), offset=9), trun(0x205, (4,), first=KEY))
    content = bytearray(moof(traf(tfhd(), tfdt(9), *runs), traf(tfhd(2, 0), trun(0, (), ()))) + MDAT)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        put = data.draw(st.binary(min_size=1, max_size=5) | st.sampled_from([bytes(4), b"\xff" * 4, b"\0\0\0\1"]))
        content[at : at + len(put)] = put
    del content[data.draw(st.sampled_from([len(content)]) | st.integers(0, len(content))) :]
    try:
        found = read_fragments(HEADS, USUAL, bytes(content), data.draw(st.integers(0, 50)))
    except NoTable:
        return
    for track in found.values():
        count = len(track.times)
        assert count == len(track.decode) == len(track.durations) == len(track.offsets) == len(track.sizes)
        assert count <= len(content) and all(0 <= key < count for key in track.keys or ())
        assert all(
            at >= 0 and at + size <= len(content) for at, size in zip(track.offsets, track.sizes, strict=True)
        )
