"""Plain MP4 files: the table in front of the media, read no further than to its end."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings

from avclips.containers.fragments import MAX_HEAD, NeedMore, NoIndex
from avclips.containers.mp4 import MAX_MOOV, read_file
from avclips.containers.progressive import Table, read_table
from tests.standin import fake_media
from tests.standin.fake_media import PROGRESSIVE, Media
from tests.unit.containers.test_mp4 import (
    GOOD,
    MOST,
    STCO64,
    TRACK,
    box,
    clock,
    elst,
    hdlr,
    moov,
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
    assert read_table(HEAD + MDAT, SIZE) == Table((TRACK,), SIZE)
    # Where a sample lies behind the end of the file, it is not the file's table.
    assert read_table(HEAD + MDAT, 570) == Table((TRACK,), 570)


def test_a_sound_by_itself_has_a_table_too() -> None:
    found = read_table(FTYP + moov(hdlr=hdlr(b"soun")) + MDAT, 9999)
    assert isinstance(found, Table) and [track.kind for track in found.tracks] == ["audio"]


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
    assert found == Table((TRACK,), SIZE + 99)


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
    # Never a byte of media, but for its header.
    assert len(asked) <= 8 and asked[-1] <= mdat_at + 16
    assert found == Table(tuple(read_file(path)), len(content))


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
        (FTYP + moov(hdlr=hdlr(b"text")) + MDAT, 9999, "no sample"),
        (FTYP + moov(hdlr=b"") + MDAT, 9999, "no sample"),
        (FTYP + box(b"moov") + MDAT, 9999, "no sample"),
        (FTYP + moov(elst=elst((500, 6), (500, 60))) + MDAT, 9999, "several pieces"),
        (FTYP + box(b"moov", size=MAX_MOOV), 9 << 30, "a head of"),
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


def test_the_table_of_a_long_film_is_longer_than_any_index() -> None:
    assert read_table(FTYP + box(b"moov", size=MAX_HEAD + 1), 1 << 30) == NeedMore(len(FTYP) + MAX_HEAD + 1)


def test_a_track_of_nothing_is_no_track() -> None:
    names = ("stsz", "stts", "ctts", "stss", "stsc", "stco")
    empty = {name: table(name.encode(), ">I") for name in names[1:]} | {"stsz": stsz(), "hdlr": hdlr(b"soun")}
    content = FTYP + box(b"moov", GOOD["mvhd"], trak(**empty), trak()) + MDAT
    found = read_table(content, len(content))
    assert isinstance(found, Table) and found.tracks == (TRACK,)
