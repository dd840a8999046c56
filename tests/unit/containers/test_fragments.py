"""Bytes of a clip: heads as YouTube's streams have them, heads made by hand, heads made by strangers."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.containers.fragments import (
    MAX_HEAD,
    FragmentRange,
    Index,
    NeedMore,
    NoIndex,
    check_boxes,
    guess_head,
    read_index,
)
from tests.standin import fake_media
from tests.standin.fake_media import Media
from tests.support.planned import plan

MEDIA = Media(duration=6, width=64, height=36, gop_seconds=2)
FEW = settings(deadline=None, derandomize=True, max_examples=200)


def box(kind: bytes, body: bytes = b"", wide: bool = False, size: int | None = None) -> bytes:
    """An MP4 box; ``wide`` writes its size in 64 bits, ``size`` a wrong one."""
    whole = len(body) + (16 if wide else 8) if size is None else size
    return struct.pack(">I4sQ", 1, kind, whole) + body if wide else struct.pack(">I4s", whole, kind) + body


def sidx(
    fragments: list[tuple[int, int]],
    version: int = 0,
    timescale: int = 1000,
    earliest: int = 0,
    first_offset: int = 0,
    count: int | None = None,
) -> bytes:
    """The body of a sidx box; ``fragments``: size and duration of each."""
    fixed = struct.pack(
        ">B3x2I2Q2xH" if version else ">B3x2I2I2xH",
        version,
        1,
        timescale,
        earliest,
        first_offset,
        len(fragments) if count is None else count,
    )
    return fixed + b"".join(struct.pack(">III", size, ticks, 0x90000000) for size, ticks in fragments)


FTYP, MOOV, STYP, FREE = box(b"ftyp", b"dash"), box(b"moov", b"m" * 30), box(b"styp", b"msdh"), box(b"free", b"??")
INIT = FTYP + MOOV
TWO = [(100, 5000), (70, 2500)]
TIMES = (0, 5000, 7500)


@pytest.mark.parametrize(
    ("itag", "timescale", "times"),
    [(134, 12800, (0, 25600, 51200, 76800)), (140, 44100, (0, 265624))],
    ids=["picture", "sound"],
)
def test_the_index_of_a_real_stream(media_folder: Path, itag: int, timescale: int, times: tuple[int, ...]) -> None:
    content = fake_media.make(MEDIA, itag, media_folder).read_bytes()
    places = {
        kind: [at for found, at, _ in fake_media.boxes(content) if found == kind] for kind in ("moof", "mfra")
    }
    index = read_index(content)
    assert (index.timescale, index.times) == (timescale, times)
    assert index.offsets == (*places["moof"], *places["mfra"])
    assert index.init == content[: content.index(b"sidx") - 4]


# A head, the bytes between its index and the first fragment, the bytes that make fragments readable, and the tick
# at which the first begins.
WIDE = box(b"ftyp", b"dash", wide=True) + MOOV
HEADS = {
    "plain": (INIT + box(b"sidx", sidx(TWO)), 0, INIT, 0),
    "version 1": (INIT + box(b"sidx", sidx(TWO, version=1)), 0, INIT, 0),
    "64 bit sizes": (WIDE + box(b"sidx", sidx(TWO), wide=True), 0, WIDE, 0),
    "other boxes between": (FTYP + FREE + MOOV + STYP + FREE + box(b"sidx", sidx(TWO)), 0, INIT, 0),
    "times that begin late": (INIT + box(b"sidx", sidx(TWO, earliest=777)), 0, INIT, 777),
    "later than 32 bits": (INIT + box(b"sidx", sidx(TWO, 1, earliest=1 << 40)), 0, INIT, 1 << 40),
    "a gap behind the index": (INIT + box(b"sidx", sidx(TWO, first_offset=33)), 33, INIT, 0),
    "a gap, version 1": (INIT + box(b"sidx", sidx(TWO, version=1, first_offset=33)), 33, INIT, 0),
    "bytes behind the last entry": (INIT + box(b"sidx", sidx(TWO) + b"more"), 0, INIT, 0),
}


@pytest.mark.parametrize("rest", [b"", box(b"moof", b"x" * 9), b"\0"], ids=["nothing", "media", "one byte"])
@pytest.mark.parametrize(("head", "gap", "init", "earliest"), HEADS.values(), ids=HEADS)
def test_the_index_of_a_head_made_by_hand(head: bytes, gap: int, init: bytes, earliest: int, rest: bytes) -> None:
    at = len(head) + gap
    assert read_index(head + rest) == Index(init, 1000, (at, at + 100, at + 170), TIMES, earliest=earliest)


# -- indexes of indexes, and of a part ------------------------------------------------------------------------

BELOW = box(b"sidx", sidx(TWO, earliest=40))
LAST = box(b"sidx", sidx([(30, 1000)], earliest=7540))


def above(*below: tuple[int, int], media: tuple[int, int] | None = None) -> bytes:
    """An index that names others: the bytes that each spans, with its media, and its ticks."""
    rows = [(1 << 31 | size, ticks) for size, ticks in below] + ([media] if media else [])
    return box(b"sidx", sidx(rows, earliest=40))


def test_an_index_of_indexes_names_their_fragments() -> None:
    # Without the media of what is below, its own would begin where that does.
    with pytest.raises(NoIndex, match="do not follow"):
        read_index(INIT + above((len(BELOW), 7500), media=(30, 1000)) + BELOW)
    front = INIT + above((len(BELOW) + 170, 7500), media=(30, 1000))
    at = len(front) + len(BELOW)
    due = Index(INIT, 1000, (at, at + 100, at + 170, at + 200), (0, 5000, 7500, 8500), earliest=40)
    assert read_index(front + BELOW) == due
    for length in range(len(INIT), len(front + BELOW)):
        found = read_index((front + BELOW)[:length])
        assert isinstance(found, NeedMore) and length < found.size <= len(front + BELOW)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (INIT + above((40, 7500)) + box(b"sidx", sidx(TWO, timescale=999)), "does not hold"),
        (INIT + above((40, 7500)) + box(b"moof", bytes(50)), "no index where another says"),
        (INIT + above((40, 7500)) + box(b"sidx", size=7), "a box of 7 bytes"),
        (INIT + above((40, 7500)) + box(b"sidx"), "broken sidx"),
        # Media of the first below lies between the two that stand in front.
        (INIT + above((len(BELOW), 7500), (len(LAST), 1000)) + BELOW + LAST, "do not follow"),
        (INIT + above((9, 1)) + above((9, 1)) + above((9, 1)) + above((9, 1)) + BELOW, "indexes of indexes"),
        (INIT + box(b"sidx", sidx([(100, 5000), (1 << 31 | 70, 5)], first_offset=MAX_HEAD)), "a head of"),
    ],
)
def test_indexes_of_indexes_that_do_not_add_up(head: bytes, why: str) -> None:
    with pytest.raises(NoIndex, match=why):
        read_index(head)


@pytest.mark.parametrize(
    ("behind", "whole"), [(None, True), (0, True), (4096, True), (4097, False), (1 << 20, False), (-50, True)]
)
def test_an_index_of_a_part_is_none(behind: int | None, whole: bool) -> None:
    """One in front of each fragment, as ffmpeg's ``+dash`` writes it: only the first would be read."""
    head = INIT + box(b"sidx", sidx(TWO))
    size = None if behind is None else len(head) + 170 + behind
    if whole:
        assert read_index(head, size) == read_index(head)
        return
    with pytest.raises(NoIndex, match="an index of a part"):
        read_index(head, size)


def test_behind_a_long_film_may_stand_an_index_of_another_kind() -> None:
    head = INIT + box(b"sidx", sidx([(1_000_000, 5000)]))
    assert isinstance(read_index(head, len(head) + 1_000_000 + 20_000), Index)
    with pytest.raises(NoIndex, match="an index of a part"):
        read_index(head, len(head) + 1_000_000 + 21_000)


@pytest.mark.parametrize("head", [head for head, *_ in HEADS.values()], ids=HEADS)
def test_every_piece_of_a_head_asks_for_more_and_never_too_much(head: bytes) -> None:
    for length in range(len(head)):
        found = read_index(head[:length])
        assert isinstance(found, NeedMore)
        assert length < found.size <= max(16, len(head))


def test_asking_again_comes_to_an_end(media_folder: Path) -> None:
    content = fake_media.make(MEDIA, 134, media_folder).read_bytes()
    asked = [1]
    while isinstance(found := read_index(content[: asked[-1]]), NeedMore):
        asked.append(found.size)
    # The boxes' headers, and the boxes: ftyp, moov, sidx.
    assert asked == [1, 16, 32, 48, 740, 756, 816]


SIDX = box(b"sidx", sidx(TWO))


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"\x1a\x45\xdf\xa3" + b"\0" * 60, "not an MP4"),
        (b"<!DOCTYPE html><html>", "not an MP4"),
        (MOOV + FTYP + SIDX, "not an MP4"),
        (INIT + box(b"moof", b"x") + SIDX, "media before"),
        (INIT + box(b"mdat", b"x") + SIDX, "media before"),
        (INIT + box(b"mdat", size=1 << 31), "media before"),
        (FTYP + SIDX + MOOV, "before the moov"),
        (INIT + box(b"sidx", sidx([])), "does not hold"),
        (INIT + box(b"sidx", sidx(TWO, timescale=0)), "does not hold"),
        (INIT + box(b"sidx", sidx(TWO, count=3)), "does not hold"),
        (INIT + box(b"sidx", sidx(TWO, count=65535)), "does not hold"),
        (INIT + box(b"sidx", sidx([(100, 5000), (0, 5)])), "empty fragment"),
        (INIT + box(b"sidx", sidx([(100, 0), (70, 0)])), "no duration"),
        (INIT + box(b"sidx"), "broken sidx"),
        (INIT + box(b"sidx", sidx(TWO)[:20]), "broken sidx"),
        (INIT + box(b"sidx", sidx(TWO, version=1)[:28]), "broken sidx"),
        (INIT + box(b"free", size=MAX_HEAD), "a head of"),
        (INIT + box(b"free", size=(1 << 32) - 1), "a head of"),
        (INIT + box(b"free", size=(1 << 64) - 1, wide=True), "a head of"),
        (INIT + box(b"free", size=0), "a box of 0 bytes"),
        (INIT + box(b"free", size=7), "a box of 7 bytes"),
        (INIT + box(b"free", size=15, wide=True), "a box of 15 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_has_no_index(head: bytes, why: str) -> None:
    with pytest.raises(NoIndex, match=why):
        read_index(head)


# Three fragments of five seconds, 100, 200 and 300 bytes from byte 1000.
INDEX = Index(b"", 1000, (1000, 1100, 1300, 1600), (0, 5000, 10000, 15000))
# Fragments that last no time: one in the middle, one at the end.
ODD = Index(b"", 10, (0, 1, 3, 6, 10), (0, 20, 20, 50, 50))


@pytest.mark.parametrize(
    ("index", "start", "end", "span"),
    [
        (INDEX, "0", "1", FragmentRange(1000, 1099, Fraction(0))),
        (INDEX, "-1", "1", FragmentRange(1000, 1099, Fraction(0))),
        (INDEX, "4.999", "5", FragmentRange(1000, 1099, Fraction(0))),
        (INDEX, "4.999", "5.001", FragmentRange(1000, 1299, Fraction(0))),
        (INDEX, "5", "6", FragmentRange(1100, 1299, Fraction(5))),
        (INDEX, "5", "10", FragmentRange(1100, 1299, Fraction(5))),
        (INDEX, "7", "12", FragmentRange(1100, 1599, Fraction(5))),
        (INDEX, "0", "15", FragmentRange(1000, 1599, Fraction(0))),
        (INDEX, "11", "999", FragmentRange(1300, 1599, Fraction(10))),
        (INDEX, "3", None, FragmentRange(1000, 1599, Fraction(0))),
        (INDEX, "14.999", None, FragmentRange(1300, 1599, Fraction(10))),
        (INDEX, "14.999", "25", FragmentRange(1300, 1599, Fraction(10))),
        (INDEX, "15", None, None),
        (INDEX, "15", "25", None),
        (INDEX, "99", "109", None),
        (INDEX, "6", "6", None),
        (INDEX, "6", "5", None),
        (ODD, "0", "2", FragmentRange(0, 0, Fraction(0))),
        (ODD, "2", "3", FragmentRange(3, 5, Fraction(2))),
        (ODD, "1", "3", FragmentRange(0, 5, Fraction(0))),
        (ODD, "4", None, FragmentRange(3, 9, Fraction(2))),
        (ODD, "5", None, None),
    ],
)
def test_plan(index: Index, start: str, end: str | None, span: FragmentRange | None) -> None:
    assert plan(index, Fraction(start), None if end is None else Fraction(end)) == span


WHOLE = box(b"moof", b"h" * 12) + box(b"mdat", b"m" * 22)  # 50 bytes
PLAN = Index(b"", 1000, (1000, 1050, 1100), (0, 5000, 10000))
BOTH, SECOND = FragmentRange(1000, 1099, Fraction(0)), FragmentRange(1050, 1099, Fraction(5))


@pytest.mark.parametrize(
    ("span", "body", "complaint"),
    [
        (BOTH, WHOLE * 2, None),
        (SECOND, WHOLE, None),
        (SECOND, box(b"styp") + box(b"moof", b"h" * 10) + box(b"mdat", b"m" * 16), None),
        (SECOND, box(b"moof", b"h" * 12) + box(b"mdat", b"m" * 14, wide=True), None),
        (SECOND, box(b"mdat", b"m" * 22) + box(b"moof", b"h" * 12), None),
        (BOTH, WHOLE + box(b"moof", b"h" * 12) + box(b"skip", b"m" * 22), "no media in the fragment at byte 1050"),
        (BOTH, box(b"mdat", b"m" * 42) + WHOLE, "no media in the fragment at byte 1000"),
        (BOTH, box(b"free", b"m" * 42) + WHOLE, "no media in the fragment at byte 1000"),
        # A chain that ends beside the fragment's end.
        (BOTH, WHOLE[:20] + box(b"mdat", b"m" * 23, size=31) + WHOLE[1:], "byte 1020 that leaves its fragment"),
        (BOTH, WHOLE[:20] + box(b"mdat", b"m" * 22, size=25) + WHOLE, "byte 1045 that leaves its fragment"),
        (SECOND, WHOLE[:20] + box(b"mdat", b"m" * 22, size=1 << 31), "byte 1070 that leaves its fragment"),
        # Damaged headers.
        (SECOND, bytes(8) + WHOLE[8:], "a box of 0 bytes"),
        (SECOND, WHOLE[:20] + box(b"mdat", b"m" * 22, size=7), "a box of 7 bytes"),
        (SECOND, bytes(50), "a box of 0 bytes"),
        (SECOND, b"\xff" * 50, "leaves its fragment"),
        # Cut off.
        (SECOND, WHOLE[:49], None),
        (SECOND, WHOLE[:25], "byte 1070 that leaves its fragment"),
        (SECOND, b"", "byte 1050 that leaves its fragment"),
    ],
)
def test_check_boxes(span: FragmentRange, body: bytes, complaint: str | None) -> None:
    found = check_boxes(PLAN, span, body)
    assert found == complaint if complaint is None else found is not None and complaint in found


@pytest.mark.parametrize("itag", [134, 140])
def test_the_fragments_of_a_real_stream(media_folder: Path, itag: int) -> None:
    content = fake_media.make(MEDIA, itag, media_folder).read_bytes()
    index = read_index(content)
    assert isinstance(index, Index)
    for start in range(0, 6, 2):
        span = plan(index, Fraction(start), Fraction(start + 1))
        assert span is not None
        body = content[span.first : span.last + 1]
        assert check_boxes(index, span, body) is None
        assert check_boxes(index, span, bytes(8) + body[8:]) is not None


@FEW
@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda tail: INIT + box(b"sidx", tail)))
def test_whatever_comes_is_an_index_or_no_index(data: bytes) -> None:
    for head in (data, FTYP + data, INIT + data):
        try:
            found = read_index(head)
        except NoIndex:
            continue
        if isinstance(found, NeedMore):
            assert len(head) < found.size <= MAX_HEAD
        else:
            assert len(found.offsets) == len(found.times) <= len(head) / 12 + 1
            assert len(found.init) <= len(head)


@FEW
@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 30)), min_size=1, max_size=8),
    st.fractions(0, 30, max_denominator=7),
    st.none() | st.fractions(0, 30, max_denominator=7),
)
def test_a_plan_holds_the_clip_and_no_fragment_too_many(
    fragments: list[tuple[int, int]], start: Fraction, length: Fraction | None
) -> None:
    fragments[0] = (fragments[0][0], fragments[0][1] + 1)
    index = read_index(INIT + box(b"sidx", sidx(fragments, timescale=3)))
    assert isinstance(index, Index)
    end = None if length is None else start + length
    span = plan(index, start, end)
    wanted = [
        n
        for n, (since, until) in enumerate(zip(index.times, index.times[1:], strict=False))
        if until > start * 3 and (end is None or since < end * 3) and until > since
    ]
    if not wanted or end == start:
        assert span is None
        return
    assert span is not None
    first, last = index.offsets.index(span.first), index.offsets.index(span.last + 1) - 1
    assert span.starts_at == Fraction(index.times[first], 3)
    assert first == wanted[0]
    # Behind the last wanted one there may be only fragments of no duration.
    assert last >= wanted[-1]
    assert index.times[last + 1] == index.times[wanted[-1] + 1]


@pytest.mark.parametrize(("duration", "size"), [(None, 6408), (0, 6408), (10, 4632), (60, 4788), (36000, 112_608)])
def test_guess_head(duration: float | None, size: int) -> None:
    assert guess_head(duration) == size


@pytest.mark.parametrize("itag", [134, 140])
def test_the_guess_holds_a_real_head(media_folder: Path, itag: int) -> None:
    content = fake_media.make(MEDIA, itag, media_folder).read_bytes()
    assert isinstance(read_index(content[: guess_head(6)]), Index)


@pytest.mark.parametrize(
    ("body", "at"), [(bytes(50), 0), (b"\0\0\0\x14moof" + bytes(12) + b"\0\0\0\7mdat" + bytes(22), 20)]
)
def test_where_a_box_is_broken(body: bytes, at: int) -> None:
    index, span = Index(b"", 1000, (1000, 1050, 1100), (0, 5000, 10000)), FragmentRange(1050, 1099, Fraction(5))
    assert (check_boxes(index, span, body) or "").endswith(f"at byte {at} of the fragments from byte 1050")
