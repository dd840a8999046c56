"""MP4 files that we write: PyAV and our own reader find in them what was put in."""

from __future__ import annotations

import itertools
import struct
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.containers.mp4 import read_file
from avclips.containers.mp4_writer import TrackOut, Unwritable, write_mp4
from avclips.containers.samples import Samples
from tests.support.made_files import AAC, B_FRAMES, PICTURE, PLAIN, SOUND, contents, frames, made, packets
from tests.unit.containers.test_mp4 import TURNED

FEW = settings(deadline=None, derandomize=True, max_examples=80)
KINDS = {"B-frames": B_FRAMES, "no B-frames": PLAIN}


def source(folder: Path, codec: tuple[str, ...] = B_FRAMES) -> tuple[Path, Samples, Samples]:
    """A file with picture and sound, and its two tables."""
    path = made(folder, "mp4", *PICTURE, *SOUND, *codec, *AAC)
    picture, sound = read_file(path)
    return path, picture, sound


def out(path: Path, track: Samples, first: int = 0, behind: int | None = None) -> TrackOut:
    """Packets ``first``..``behind`` of a track, as they are, decoded from 0 on."""
    part = track.cut(first, len(track.times) if behind is None else behind)
    zero = part.decode[0]
    return TrackOut(
        *(track.kind, track.entry, track.timescale),
        decode=[time - zero for time in part.decode],
        times=[time - zero for time in part.times],
        durations=part.durations,
        path=path,
        offsets=part.offsets,
        sizes=part.sizes,
        keys=part.keys,
        width=track.width,
        height=track.height,
        matrix=track.matrix,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", [("video",), ("audio",), ("video", "audio"), ("audio", "video")])
def test_what_is_written_is_read(media_folder: Path, tmp_path: Path, kind: str, names: tuple[str, ...]) -> None:
    path, *tables = source(media_folder, KINDS[kind])
    tracks = [out(path, next(table for table in tables if table.kind == name)) for name in names]
    target = tmp_path / "o.mp4"
    write_mp4(target, tracks)
    assert [found.kind for found in read_file(target)] == list(names)
    due = packets(target, {"ignore_editlist": "1"})
    for track, found in zip(tracks, read_file(target), strict=True):
        assert (found.times, found.decode) == (tuple(track.times), tuple(track.decode))
        assert found.keys == (None if track.keys is None else tuple(track.keys))
        assert (found.entry, found.width, found.height) == (track.entry, track.width, track.height)
        assert (found.timescale, found.shift, found.until) == (track.timescale, None, None)
        held = contents(path, track.offsets, track.sizes)
        assert contents(target, found.offsets, found.sizes) == held
        read = due[track.kind]
        assert [each.content for each in read] == held
        assert [each.time for each in read] == [Fraction(time, track.timescale) for time in track.times]
        assert [each.decode for each in read] == [Fraction(time, track.timescale) for time in track.decode]


def test_a_track_that_was_in_the_second_of_two_files_is_in_this_one(media_folder: Path, tmp_path: Path) -> None:
    path, picture, _ = source(media_folder)
    second = picture.entry[:14] + b"\0\2" + picture.entry[16:]
    write_mp4(tmp_path / "o.mp4", [replace(out(path, picture), entry=second)])
    (found,) = read_file(tmp_path / "o.mp4")
    assert found.entry == picture.entry and picture.entry[14:16] == b"\0\1"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"decode": [0, 512, 500]}, "packets that go back in time"),
        ({"decode": [0, 0, 1 << 32]}, "packets with numbers that are too large"),
        ({"times": [0, 512, 1 << 40]}, "packets with numbers that are too large"),
        ({"durations": [512, 512, 1 << 32]}, "packets with numbers that are too large"),
        ({"timescale": 1 << 32}, "packets with numbers that are too large"),
    ],
)
def test_what_no_film_can_hold(media_folder: Path, tmp_path: Path, changed: dict[str, Any], why: str) -> None:
    path, picture, _ = source(media_folder, PLAIN)
    three = replace(out(path, picture, 0, 3), **changed)
    with pytest.raises(Unwritable, match=why):
        write_mp4(tmp_path / "o.mp4", [three])
    assert not (tmp_path / "o.mp4").exists()


def test_the_same_packets_give_the_same_bytes(media_folder: Path, tmp_path: Path) -> None:
    path, picture, sound = source(media_folder)
    for name in "ab":
        write_mp4(tmp_path / name, [out(path, picture), out(path, sound)])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# -- edit lists ------------------------------------------------------------------------------------------------

TICK = Fraction(1, 12800)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hidden", [0, 1, 3, 30])
@pytest.mark.parametrize("waits", [0, 1, 1280, 5000])
def test_an_edit_list_hides_what_is_before_and_waits(
    media_folder: Path, tmp_path: Path, kind: str, hidden: int, waits: int
) -> None:
    """Frames before ``starts`` are decoded and not shown; the first that is stands ``waits`` behind 0."""
    path, picture, _ = source(media_folder, KINDS[kind])
    track = out(path, picture)
    shown = sorted(track.times)
    lasts = shown[-1] + 512 - shown[hidden]
    target = tmp_path / "o.mp4"
    write_mp4(target, [replace(track, starts=shown[hidden], waits=waits, lasts=lasts)])
    due = [(time - shown[hidden] + waits) * TICK for time in shown[hidden:]]
    assert frames(target) == due
    (found,) = read_file(target)
    assert (found.since, found.until) == (waits, waits + lasts)
    assert found.shift == waits - shown[hidden]
    assert sorted(time for time in found.times if time >= found.since) == [time / TICK for time in due]


@pytest.mark.parametrize("waits", [0, 4410, 44101])
@pytest.mark.parametrize("starts", [0, 1, 1024, 1500, 5000])
def test_sound_begins_at_the_sample(media_folder: Path, tmp_path: Path, starts: int, waits: int) -> None:
    path, _, sound = source(media_folder)
    track = out(path, sound)
    target = tmp_path / "o.mp4"
    write_mp4(target, [replace(track, starts=starts, waits=waits, lasts=80_000)])
    with av.open(str(target)) as container:
        decoded = list(container.decode(audio=0))
    whole = tmp_path / "whole.mp4"
    write_mp4(whole, [track])
    with av.open(str(whole)) as container:
        every = list(container.decode(audio=0))
    first = decoded[0]
    assert first.pts is not None and first.pts * first.time_base == Fraction(waits, 44100)
    # The samples are those of the whole, from ``starts`` on.
    place, at = divmod(starts, 1024)
    assert (first.to_ndarray()[0] == every[place].to_ndarray()[0][at:]).all()
    (found,) = read_file(target)
    assert (found.shift, found.since, found.until) == (waits - starts, waits, waits + 80_000)


@pytest.mark.parametrize(("movie", "since"), [(90_000, 1001), (1000, 998), (None, 1001)])
def test_the_clock_of_the_film_counts_pauses(
    media_folder: Path, tmp_path: Path, movie: int | None, since: int
) -> None:
    """In its ticks a pause is rounded: to the track's own ticks, where it is not said otherwise."""
    path, picture, _ = source(media_folder)
    track = replace(out(path, picture), starts=0, waits=1001, lasts=12800)
    write_mp4(tmp_path / "o.mp4", [track], movie)
    (found,) = read_file(tmp_path / "o.mp4")
    assert found.since == since


def test_a_picture_stays_turned(media_folder: Path, tmp_path: Path) -> None:
    path, picture, _ = source(media_folder)
    write_mp4(tmp_path / "o.mp4", [replace(out(path, picture), matrix=TURNED)])
    assert read_file(tmp_path / "o.mp4")[0].matrix == TURNED
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert next(iter(container.decode(video=0))).rotation in (90, -90)


def test_delays_below_zero(media_folder: Path, tmp_path: Path) -> None:
    """A picture may be shown before it is decoded, as far as a table is concerned."""
    path, picture, _ = source(media_folder)
    track = out(path, picture)
    early = min(track.times)
    write_mp4(tmp_path / "o.mp4", [replace(track, times=[time - early for time in track.times])])
    (found,) = read_file(tmp_path / "o.mp4")
    assert min(found.times) == 0 and min(map(int.__sub__, found.times, found.decode)) < 0
    assert [time + early for time in found.times] == list(track.times)


def test_the_last_frame_stands_as_long_as_it_is_told_to(media_folder: Path, tmp_path: Path) -> None:
    path, picture, _ = source(media_folder, PLAIN)
    track = out(path, picture, 0, 25)
    durations = [*track.durations[:-1], 6400]
    write_mp4(tmp_path / "o.mp4", [replace(track, durations=durations, starts=0, lasts=24 * 512 + 6400)])
    (found,) = read_file(tmp_path / "o.mp4")
    assert (found.durations[-1], found.until) == (6400, 24 * 512 + 6400)
    with av.open(str(tmp_path / "o.mp4")) as container:
        (stream,) = container.streams.video
        assert (stream.duration or 0) * stream.time_base == (24 * 512 + 6400) * TICK


# -- places ----------------------------------------------------------------------------------------------------


def test_packets_from_all_over_a_file(media_folder: Path, tmp_path: Path) -> None:
    """Not one behind the other, nor in their order: each is where its track says."""
    path, picture, _ = source(media_folder, PLAIN)
    track = out(path, picture)
    held = contents(path, track.offsets, track.sizes)
    mixed, offsets = b"", {}
    for number in sorted(range(len(held)), key=lambda number: number * 37 % 101):
        offsets[number] = len(mixed) + 3
        mixed += b"???" + held[number]
    (tmp_path / "mixed").write_bytes(mixed)
    places = [offsets[number] for number in range(len(held))]
    write_mp4(tmp_path / "o.mp4", [replace(track, path=tmp_path / "mixed", offsets=places)])
    assert [each.content for each in packets(tmp_path / "o.mp4")["video"]] == held


def test_a_source_that_ends_before_its_packets(media_folder: Path, tmp_path: Path) -> None:
    path, picture, _ = source(media_folder)
    (tmp_path / "short").write_bytes(path.read_bytes()[:5000])
    with pytest.raises(EOFError):
        write_mp4(tmp_path / "o.mp4", [replace(out(path, picture), path=tmp_path / "short")])


def test_two_tracks_lie_between_each_other(media_folder: Path, tmp_path: Path) -> None:
    """About a second of the one, then of the other: no reader has to go to and fro over the whole file."""
    path, picture, sound = source(media_folder)
    write_mp4(tmp_path / "o.mp4", [out(path, picture), out(path, sound)])
    found = read_file(tmp_path / "o.mp4")
    places = sorted((at, track.kind) for track in found for at in track.offsets)
    turns = sum(one != other for (_, one), (_, other) in itertools.pairwise(places))
    assert 4 <= turns <= 7
    data = (tmp_path / "o.mp4").read_bytes()
    # In front of all media, as --verify and every player would have it.
    assert data.index(b"moov") < data.index(b"mdat") < min(at for at, _ in places)


def test_places_beyond_four_gigabytes_are_wide(tmp_path: Path) -> None:
    """A film of 5 GB that takes no room: its source is one hole."""
    size, count = 50_000_000, 100
    with open(tmp_path / "hole", "wb") as stream:
        stream.truncate(size)
    entry = struct.pack(">I4s", 86, b"avc1") + bytes(24) + struct.pack(">HH", 64, 36) + bytes(50)
    track = TrackOut(
        *("video", entry, 10, range(count), range(count), [1] * count, tmp_path / "hole"),
        offsets=[0] * count,
        sizes=[size] * count,
    )
    target = tmp_path / "o.mp4"

    with pytest.MonkeyPatch.context() as patch:
        # Only the table is looked at: the media would take its time.
        patch.setattr("avclips.containers.mp4_writer._copy", lambda *_: None)
        write_mp4(target, [track])
    with open(target, "ab") as stream:
        stream.truncate(target.stat().st_size + size * count)
    with open(target, "rb") as stream:
        data = stream.read(4000)
    assert b"co64" in data and b"stco" not in data
    (found,) = read_file(target)
    first = found.offsets[0]
    assert found.offsets == tuple(first + number * size for number in range(count))
    assert found.offsets[-1] > 1 << 32


@FEW
@given(
    st.lists(st.tuples(st.integers(1, 900), st.integers(-300, 900), st.integers(1, 40)), min_size=1, max_size=40),
    st.integers(1, 90_000),
    st.integers(0, 5000),
    st.data(),
)
def test_any_track_is_read_as_it_was_written(
    rows: list[tuple[int, int, int]], timescale: int, waits: int, data: st.DataObject
) -> None:
    decode = [sum(step for step, _, _ in rows[:number]) for number in range(len(rows))]
    times = [time + delay for time, (_, delay, _) in zip(decode, rows, strict=True)]
    sizes = [size for _, _, size in rows]
    keys = data.draw(st.none() | st.sets(st.integers(0, len(rows) - 1)).map(sorted))
    starts = data.draw(st.none() | st.sampled_from(times))
    entry = struct.pack(">I4s", 86, b"avc1") + bytes(24) + struct.pack(">HH", 64, 36) + bytes(50)
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "held"
        held.write_bytes(bytes(range(256)) * 8)
        offsets = [data.draw(st.integers(0, 2000)) for _ in rows]
        track = TrackOut(
            *("video", entry, timescale, decode, times, [step for step, _, _ in rows], held, offsets, sizes, keys),
            *(starts, 777, waits),
        )
        write_mp4(Path(folder) / "o.mp4", [track])
        (found,) = read_file(Path(folder) / "o.mp4")
        wanted = contents(held, offsets, sizes)
        assert contents(Path(folder) / "o.mp4", found.offsets, found.sizes) == wanted
    moved = 0 if starts is None else waits - starts
    assert found.decode == tuple(time + moved for time in decode)
    assert found.times == tuple(time + moved for time in times)
    assert found.keys == (None if keys is None else tuple(keys))
    assert (found.since, found.until) == ((0, None) if starts is None else (waits, waits + 777))
