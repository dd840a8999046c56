"""Plain MP4 files by their tables: which bytes a clip needs, beside PyAV's reading of the whole."""

from __future__ import annotations

import functools
import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fake_media
from avclips.progressive import MARGIN, Stretch, Table, plan, read_table
from avclips.spans import MAX_HEAD, NeedMore, NoIndex
from fake_media import PROGRESSIVE, Media
from test_mp4 import (
    CHUNKS,
    GOOD,
    MOST,
    STCO64,
    TRACK,
    Packet,
    box,
    clock,
    elst,
    hdlr,
    moov,
    packets,
    stsz,
    table,
    trak,
)

LONG = Media(duration=24, width=64, height=36, gop_seconds=2)
FEW = settings(deadline=None, derandomize=True, max_examples=60)
FTYP = box(b"ftyp", b"isom")
MDAT = box(b"mdat", bytes(600))
HEAD = FTYP + moov()
SIZE = len(HEAD + MDAT)


def test_a_table_made_by_hand() -> None:
    found = read_table(HEAD + MDAT, SIZE)
    assert found == Table(HEAD, (TRACK,), SIZE)
    # The last that is shown is not the last that is decoded.
    assert isinstance(found, Table) and found.duration == Fraction(12 + 6, 90)


@pytest.mark.parametrize(
    "head",
    [HEAD, FTYP + box(b"free", b"??") + moov() + box(b"free", bytes(50)), FTYP + box(b"uuid") + moov()],
    ids=["plain", "room to spare", "others"],
)
@pytest.mark.parametrize("mdat", [MDAT[:8], MDAT, struct.pack(">I4sQ", 1, b"mdat", 616)])
def test_every_piece_of_a_head_asks_for_more_and_never_too_much(head: bytes, mdat: bytes) -> None:
    whole = head + mdat
    for length in range(len(head) + 8):
        if whole[:length].endswith(b"\0\0\0\1mdat"):
            continue
        found = read_table(whole[:length], SIZE + 99)
        assert isinstance(found, NeedMore)
        assert length < found.size <= max(16, len(head) + 16)
    found = read_table(whole, SIZE + 99)
    assert isinstance(found, Table) and found.head == head and found.tracks == (TRACK,)


@pytest.mark.parametrize("variant", ["faststart", "sidx"])
def test_asking_again_comes_to_an_end(media_folder: Path, variant: str) -> None:
    itag = 134 if variant == "faststart" else PROGRESSIVE
    path = fake_media.make(replace(LONG, variant="faststart"), itag, media_folder)
    content, asked = path.read_bytes(), [0]
    while isinstance(found := read_table(content[: asked[-1]], len(content)), NeedMore):
        asked.append(found.size)
    places = {kind: (at, size) for kind, at, size in fake_media.boxes(content)}
    (moov_at, moov_size), (mdat_at, _) = places["moov"], places["mdat"]
    assert asked[:5] == [0, 16, moov_at, moov_at + 16, moov_at + moov_size]
    assert len(asked) <= 8 and found.head == content[:mdat_at] and found.size == len(content)


LATE = box(b"moof", bytes(8))


@pytest.mark.parametrize(
    ("head", "size", "why"),
    [
        (b"\x1a\x45\xdf\xa3" + b"\0" * 60, 999, "no plain MP4"),
        (b"<!DOCTYPE html><html>", 999, "no plain MP4"),
        (moov() + FTYP + MDAT, 9999, "no plain MP4"),
        (FTYP + LATE, 999, "no plain MP4"),
        (HEAD + LATE, 9999, "no plain MP4"),
        (FTYP + MDAT[:8], 9999, "media before"),
        (FTYP + MDAT + moov(), 9999, "media before"),
        (HEAD + MDAT, None, "unknown size"),
        (HEAD + MDAT, 569, "behind the end"),
        (FTYP + moov(stco=STCO64) + MDAT, 9999, "behind the end"),
        (FTYP + moov(stco=table(b"stco", ">I", (100,), (MOST,))) + MDAT, MOST, "behind the end"),
        (FTYP + moov(stts=b"") + MDAT, 9999, "without its tables"),
        (FTYP + moov(mdhd=clock(b"mdhd", 0)) + MDAT, 9999, "without a clock"),
        (FTYP + moov(stsz=stsz(1, 2, count=MOST)) + MDAT, 9999, "does not hold"),
        (FTYP + moov(tkhd=box(b"tkhd", size=5)) + MDAT, 9999, "broken moov"),
        (FTYP + moov(hdlr=hdlr(b"soun")) + MDAT, 9999, "no picture"),
        (FTYP + moov(hdlr=b"") + MDAT, 9999, "no picture"),
        (FTYP + box(b"moov") + MDAT, 9999, "no picture"),
        (FTYP + box(b"moov", size=MAX_HEAD), 9 << 20, "a head of"),
        (FTYP + box(b"moov", size=MOST), 9 << 30, "a head of"),
        (FTYP + box(b"free", size=1) + b"\xff" * 8, 9999, "a head of"),
        (FTYP + box(b"free", size=7), 9999, "a box of 7 bytes"),
        (FTYP + box(b"mdat", size=0), 9999, "a box of 0 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_has_no_table(head: bytes, size: int | None, why: str) -> None:
    with pytest.raises(NoIndex, match=why):
        read_table(head, size)


def test_a_track_of_nothing_is_no_track() -> None:
    names = ("stsz", "stts", "ctts", "stss", "stsc", "stco")
    empty = {name: table(name.encode(), ">I") for name in names[1:]} | {"stsz": stsz(), "hdlr": hdlr(b"soun")}
    content = FTYP + box(b"moov", GOOD["mvhd"], trak(**empty), trak()) + MDAT
    found = read_table(content, len(content))
    assert isinstance(found, Table) and found.tracks == (TRACK,)


# -- stretches -------------------------------------------------------------------------------------------


@functools.cache
def real(
    media: Media, folder: Path, itag: int = PROGRESSIVE
) -> tuple[Table, dict[str, tuple[Fraction, list[Packet]]]]:
    """The table of a real file, and PyAV's packets."""
    path = fake_media.make(media, itag, folder)
    found = read_table(path.read_bytes()[:200_000], path.stat().st_size)
    assert isinstance(found, Table)
    return found, packets(path)


def needed(
    due: dict[str, tuple[Fraction, list[Packet]]], since: Fraction, until: Fraction
) -> tuple[Fraction, list[Packet]]:
    """When the last key picture up to ``since`` is shown, and the packets without which something is missing."""
    tick, pictures = due["video"]
    key = max(n for n, each in enumerate(pictures) if each.key and each.time * tick <= since)
    shown = [n for n, each in enumerate(pictures) if n >= key and each.time * tick < until]
    found = pictures[key : shown[-1] + 1]
    if "audio" in due:
        rate, sounds = due["audio"]
        found += [each for each in sounds if since < (each.time + each.lasts) * rate and each.time * rate < until]
    return pictures[key].time * tick, found


CLIPS = [
    (0, 5),
    (0, "0.01"),
    ("1.999", 4),
    (2, 4),
    ("3.3", "6.7"),
    ("7.96", "8.04"),
    (17, 24),
    ("23.9", 99),
    (30, 31),
]


@pytest.mark.parametrize(
    "media", [LONG, replace(LONG, audio=False, bframes=0)], ids=["sound and B-frames", "silent"]
)
@pytest.mark.parametrize(("start", "end"), CLIPS)
def test_a_stretch_holds_all_that_a_clip_needs(
    media_folder: Path, media: Media, start: float | str, end: float | str
) -> None:
    found, due = real(media, media_folder)
    since, until = Fraction(start), Fraction(end)
    stretch = plan(found, since, until)
    key, wanted = needed(due, since, until)
    assert stretch is not None
    assert stretch.first <= min(each.offset for each in wanted)
    assert stretch.last >= max(each.offset + each.size for each in wanted) - 1
    # Behind the key picture, so that rounding leaves it the last before; and not behind the next picture.
    assert key < stretch.lead <= key + Fraction(1, 1000)
    assert until < stretch.until <= until + MARGIN
    # It is not much more than is needed: a second of it at each end, and the interleaving of the two.
    tick, pictures = due["video"]
    around = [each for each in pictures if key - 2 <= each.time * tick <= until + 2]
    assert stretch.first >= min(each.offset for each in around)
    assert stretch.last < max(each.offset + each.size for each in around) + 60_000


def test_any_stretch_of_a_real_file(media_folder: Path) -> None:
    found, due = real(LONG, media_folder)

    @FEW
    @given(st.fractions(0, 25, max_denominator=1000), st.fractions(Fraction(1, 50), 26, max_denominator=50))
    def check(since: Fraction, length: Fraction) -> None:
        key, wanted = needed(due, since, since + length)
        held = max(each.offset + each.size for each in wanted) - min(each.offset for each in wanted)
        stretch = plan(found, since, since + length)
        if stretch is None:
            # With its margins it is more than the half.
            assert held > found.size * 4 // 10
            return
        assert stretch.last + 1 - stretch.first <= found.size // 2
        assert stretch.first <= min(each.offset for each in wanted)
        assert stretch.last + 1 >= max(each.offset + each.size for each in wanted)
        assert key < stretch.lead <= key + Fraction(1, 1000) and stretch.until > since + length

    check()


def test_duration(media_folder: Path) -> None:
    for media in (LONG, replace(LONG, audio=False, bframes=0)):
        found, due = real(media, media_folder)
        ends = [max((each.time + each.lasts) * tick for each in held) for tick, held in due.values()]
        assert found.duration == max(ends)


# A key picture at 0 s and another at 20 s, the bytes 100..129 and 500..569.
PLAIN = Table(b"", (replace(TRACK, times=(0, 900, 1800, 2700)),), 2000)


@pytest.mark.parametrize(
    ("table", "since", "until", "stretch"),
    [
        (PLAIN, "0", "1", Stretch(100, 109, Fraction(1, 1000), Fraction(5, 4))),
        (PLAIN, "0", "9.4", Stretch(100, 109, Fraction(1, 1000), Fraction("9.65"))),
        # The margin reaches the next picture.
        (PLAIN, "0", "9.6", Stretch(100, 129, Fraction(1, 1000), Fraction("9.85"))),
        (PLAIN, "19.999", "20", Stretch(100, 529, Fraction(1, 1000), Fraction("20.25"))),
        (PLAIN, "20", "20.1", Stretch(500, 529, Fraction("20.001"), Fraction("20.35"))),
        (PLAIN, "99", "100", Stretch(500, 569, Fraction("20.001"), Fraction("100.25"))),
        (PLAIN, "0", None, None),
        (PLAIN, "-1", "1", None),
        (replace(PLAIN, size=939), "0", "35", None),
        (replace(PLAIN, size=940), "0", "35", Stretch(100, 569, Fraction(1, 1000), Fraction("35.25"))),
        # An empty list of key pictures names none; without a list, each is one: here the third is shown second.
        (Table(b"", (replace(TRACK, keys=()),), 2000), "0", "1", None),
        (
            Table(b"", (replace(TRACK, keys=None),), 2000),
            "0.1",
            "1",
            Stretch(500, 569, Fraction(6, 90) + Fraction(1, 1000), Fraction(5, 4)),
        ),
    ],
)
def test_plan(table: Table, since: str, until: str | None, stretch: Stretch | None) -> None:
    assert plan(table, Fraction(since), None if until is None else Fraction(until)) == stretch


def test_the_sound_beside_the_pictures() -> None:
    sound = replace(
        TRACK,
        kind="audio",
        timescale=10,
        times=tuple(range(0, 300, 10)),
        durations=(10,) * 30,
        offsets=tuple(range(1000, 1300, 10)),
        sizes=(10,) * 30,
        keys=None,
    )
    both = Table(b"", (sound, PLAIN.tracks[0]), 9000)
    # From half a second before the key picture to half a second behind the end.
    assert plan(both, Fraction(20), Fraction(22)) == Stretch(500, 1229, Fraction("20.001"), Fraction("22.25"))
    early = replace(sound, offsets=tuple(range(200, 500, 10)))
    assert plan(Table(b"", (early, PLAIN.tracks[0]), 9000), Fraction(20), Fraction(22)) == Stretch(
        400, 529, Fraction("20.001"), Fraction("22.25")
    )
    # Sound that ends before the clip is none of it.
    none = replace(sound, times=tuple(range(30)))
    assert plan(Table(b"", (none, PLAIN.tracks[0]), 9000), Fraction(20), Fraction(22)) == Stretch(
        500, 529, Fraction("20.001"), Fraction("22.25")
    )


def test_samples_without_bytes() -> None:
    nothing = Table(b"", (replace(PLAIN.tracks[0], sizes=(0, 0, 0, 0)),), 2000)
    assert plan(nothing, Fraction(0), Fraction(1)) is None


def test_an_edit_list_moves_the_stretch() -> None:
    found = read_table(FTYP + moov(elst=elst((9, 6)), stco=CHUNKS) + MDAT[:8], 2000)
    assert isinstance(found, Table)
    # The first picture is hidden, before second 0.
    assert found.tracks[0].times == (-6, 6, 0, 6) and found.duration == Fraction(12, 90)
    stretch = plan(found, Fraction(0), Fraction(1))
    assert stretch is not None and stretch.first == 500
