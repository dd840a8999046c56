"""HLS playlists: the forms of RFC 8216, and those that are not taken."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fake_media
from avclips.hls import MAX_PARTS, SLACK, Part, Playlist, covering, of_fragments, read_playlist
from avclips.spans import NoIndex
from fake_media import Media

BASE = "https://manifest.test/a/b/index.m3u8?key=1"
FEW = settings(deadline=None, derandomize=True, max_examples=80)


def playlist(*lines: str, first: str = "#EXTM3U", last: str = "#EXT-X-ENDLIST") -> str:
    """A playlist of these lines and the two that every one has."""
    return "\n".join((first, "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:6", *lines, last, ""))


def at(name: str, first: int | None = None, last: int | None = None) -> Part:
    """A part beside the playlist."""
    return Part(f"https://manifest.test/a/b/{name}", first, last)


ONE = ("#EXTINF:5.5,", "1.ts")
FIVE = Fraction(11, 2)


@pytest.mark.parametrize(
    ("lines", "head", "parts"),
    [
        (("#EXTINF:5,", "1.ts", "#EXTINF:5,", "2.ts"), None, [at("1.ts"), at("2.ts")]),
        (("#EXTINF:5,", "https://x.test/1.ts?a=b"), None, [Part("https://x.test/1.ts?a=b")]),
        (("#EXTINF:5,", "http://x.test/1.ts"), None, [Part("http://x.test/1.ts")]),
        (("#EXTINF:5,", "/1.ts"), None, [Part("https://manifest.test/1.ts")]),
        (("#EXTINF:5,", "../1.ts"), None, [Part("https://manifest.test/a/1.ts")]),
        (("#EXTINF:5,", "//x.test/1.ts"), None, [Part("https://x.test/1.ts")]),
        (("#EXTINF:5,", "?part=1"), None, [Part("https://manifest.test/a/b/index.m3u8?part=1")]),
        (("#EXTINF:5,", "c/1.ts?a=b&range=0-9"), None, [at("c/1.ts?a=b&range=0-9")]),
        # Bytes: of a place, and behind those before.
        (
            ("#EXTINF:5,", "#EXT-X-BYTERANGE:100@20", "all", "#EXT-X-BYTERANGE:50", "#EXTINF:5,", "all"),
            None,
            [at("all", 20, 119), at("all", 120, 169)],
        ),
        (
            ("#EXT-X-BYTERANGE:1@0", "#EXTINF:5,", "all", "#EXTINF:5,", "#EXT-X-BYTERANGE:2@900", "all"),
            None,
            [at("all", 0, 0), at("all", 900, 901)],
        ),
        (
            ("#EXTINF:5,", "#EXT-X-BYTERANGE:10@5", "all", "#EXTINF:5,", "other"),
            None,
            [at("all", 5, 14), at("other")],
        ),
        # What goes before all.
        (('#EXT-X-MAP:URI="init.mp4"', "#EXTINF:5,", "1.m4s"), at("init.mp4"), [at("1.m4s")]),
        (
            ('#EXT-X-MAP:URI="all",BYTERANGE="800@0"', "#EXTINF:5,", "#EXT-X-BYTERANGE:100@800", "all"),
            at("all", 0, 799),
            [at("all", 800, 899)],
        ),
        (
            ('#EXT-X-MAP:BYTERANGE="80@7",URI="https://x.test/i,n.mp4"', "#EXTINF:5,", "1.m4s"),
            Part("https://x.test/i,n.mp4", 7, 86),
            [at("1.m4s")],
        ),
        (
            ('#EXT-X-MAP:URI="init.mp4",BYTERANGE="80"', "#EXTINF:5,", "1.m4s"),
            at("init.mp4", 0, 79),
            [at("1.m4s")],
        ),
        # What says nothing of where and when.
        (
            (
                "# a comment",
                "#EXT-X-KEY:METHOD=NONE",
                "#EXT-X-INDEPENDENT-SEGMENTS",
                "#EXT-X-PLAYLIST-TYPE:VOD",
                "#EXT-X-MEDIA-SEQUENCE:7",
                "#EXT-X-DISCONTINUITY-SEQUENCE:0",
                "#EXTINF:5,",
                "",
                "#EXT-X-PROGRAM-DATE-TIME:2020-01-01T00:00:00.000Z",
                "  1.ts  ",
                "#EXTM3U",
            ),
            None,
            [at("1.ts")],
        ),
    ],
)  # fmt: skip
def test_a_playlist(lines: tuple[str, ...], head: Part | None, parts: list[Part]) -> None:
    found = read_playlist(playlist(*lines), BASE)
    times = tuple(Fraction(5 * n) for n in range(len(parts) + 1))
    assert found == Playlist(head, tuple(parts), times, times[-1] - SLACK)
    for end in ("\r\n", "\n\n", "\r\n\r\n", "\n \n"):
        assert read_playlist(playlist(*lines).replace("\n", end), BASE) == found


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("5", "5"),
        ("5,", "5"),
        ("5.0", "5"),
        ("5.005,title", "5.005"),
        ("5.005,a, b:c", "5.005"),
        ("5.", "5"),
        ("0.000001,", "0.000001"),
        ("99999.999,", "99999.999"),
        ("5.338666666666666666,", "5.338666666666666666"),
        ("005,", "5"),
        (" 5 ,", "5"),
    ],
)
def test_the_length_of_a_part(written: str, seconds: str) -> None:
    found = read_playlist(playlist(f"#EXTINF:{written}", "1.ts", *ONE), BASE)
    assert found.times == (0, Fraction(seconds), Fraction(seconds) + FIVE)
    assert found.duration == found.times[-1]


def test_parts_that_last_no_time() -> None:
    found = read_playlist(playlist(*ONE, "#EXTINF:0,", "2.ts", *ONE), BASE)
    assert found.times == (0, FIVE, FIVE, 2 * FIVE) and found.duration == 11


MASTER = ('#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.4d401e,mp4a.40.2"', "low/index.m3u8")
TWICE = "several heads"
HEAD = '#EXT-X-MAP:URI="init.mp4"'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not an HLS"),
        ("\n \n", "not an HLS"),
        ("<html>", "not an HLS"),
        (playlist(*ONE, first="#EXTINF:5"), "not an HLS"),
        (playlist(*ONE, first="\ufeff#EXTM3U"), "not an HLS"),
        (playlist(*ONE, last=""), "without an end"),
        (playlist(*ONE, last="#EXT-X-ENDLIST-NOT"), "without an end"),
        (playlist(*MASTER, last=""), "without an end"),
        (playlist(*MASTER), "does not add up"),
        (playlist(), "empty"),
        (playlist("#EXTINF:5,"), "empty"),
        (playlist("#EXTINF:0,", "1.ts"), "empty"),
        (playlist("1.ts"), "does not add up"),
        (playlist(*ONE, "2.ts"), "does not add up"),
        # Lengths.
        *((playlist(f"#EXTINF:{text}", "1.ts", *ONE), "seconds") for text in (
            "", ",", "-1", "-0.001,", "nan", "sNaN", "inf", "-Infinity", "1e999", "100000", "five", "5:0",
            "5;title", "0x5", "5 5", "99999999999999999999999",
        )),
        (playlist("#EXTINF", "1.ts"), "seconds"),
        # Keys.
        (playlist('#EXT-X-KEY:METHOD=AES-128,URI="k"', *ONE), "encrypted"),
        (playlist("#EXT-X-KEY:METHOD=SAMPLE-AES", *ONE), "encrypted"),
        (playlist("#EXT-X-KEY:METHOD=NONE", *ONE, "#EXT-X-KEY:METHOD=AES-128", *ONE), "encrypted"),
        (playlist("#EXT-X-KEY", *ONE), "encrypted"),
        # Breaks and heads.
        (playlist(*ONE, "#EXT-X-DISCONTINUITY", *ONE), "break in time"),
        (playlist(HEAD, HEAD, *ONE), TWICE),
        (playlist(*ONE, HEAD, *ONE), TWICE),
        (playlist("#EXT-X-MAP", *ONE), "without an address"),
        (playlist('#EXT-X-MAP:URI=""', *ONE), "without an address"),
        (playlist("#EXT-X-MAP:URI=init.mp4", *ONE), "without an address"),
        (playlist('#EXT-X-MAP:XURI="init.mp4"', *ONE), "without an address"),
        (playlist('#EXT-X-MAP:URI="init.mp4",BYTERANGE="x"', *ONE), "of the bytes"),
        # Bytes.
        *((playlist("#EXTINF:5,", f"#EXT-X-BYTERANGE:{text}", "1.ts"), "of the bytes") for text in (
            "", "0@0", "0", "-5@0", "5@-1", "5@", "@5", "1@2@3", "5 @ 1", "9999999999999999@0",
            "5@9999999999999999", "0x5@0", "5.0@1",
        )),
        # Addresses.
        *((playlist("#EXTINF:5,", text), "http") for text in (
            "file:///etc/passwd", "ftp://x.test/1.ts", "data:video/mp2t;base64,AAAA", "crypto:1.ts", "C:\\1.ts",
        )),
        (playlist('#EXT-X-MAP:URI="file:///etc/passwd"', *ONE), "http"),
    ],
)  # fmt: skip
def test_what_is_no_plain_playlist(text: str, why: str) -> None:
    with pytest.raises(NoIndex, match=why):
        read_playlist(text, BASE)


@pytest.mark.parametrize("base", ["file:///etc/index.m3u8", "/etc/index.m3u8", ""])
def test_a_playlist_from_elsewhere(base: str) -> None:
    with pytest.raises(NoIndex, match="http"):
        read_playlist(playlist(*ONE), base)


def test_as_many_parts_as_there_may_be() -> None:
    began = time.process_time()
    found = read_playlist(playlist("#EXTINF:5.005,\n1.ts\n" * MAX_PARTS), BASE)
    assert len(found.parts) == MAX_PARTS and found.duration == MAX_PARTS * Fraction("5.005")
    for text in ("#EXTINF:5,\n1.ts\n" * (MAX_PARTS + 1), "1.ts\n" * MAX_PARTS):
        with pytest.raises(NoIndex):
            read_playlist(playlist(text), BASE)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("line", ["//[", "http://[x/1.ts", "https://[::1/1.ts"])
def test_an_address_that_cannot_be_read(line: str) -> None:
    with pytest.raises(NoIndex):
        read_playlist(playlist("#EXTINF:5,", line), BASE)


@pytest.mark.parametrize("written", ["1e-200000", "1e1", "1_0", "\u0665", "+5"])
def test_the_length_of_a_part_is_plain_decimal(written: str) -> None:
    with pytest.raises(NoIndex):
        read_playlist(playlist(f"#EXTINF:{written},", "1.ts"), BASE)


@pytest.mark.parametrize(
    "key",
    [
        'METHOD=AES-128,URI="k?METHOD=NONE"',
        'METHOD=AES-128,URI="k,METHOD=NONE,"',
        "METHOD=NONESUCH",
        "XMETHOD=NONE",
    ],
)
def test_a_key_that_only_looks_like_none(key: str) -> None:
    with pytest.raises(NoIndex, match="encrypted"):
        read_playlist(playlist(f"#EXT-X-KEY:{key}", *ONE), BASE)


@pytest.mark.parametrize(
    "lines",
    [
        ("#EXTINF:5,", "#EXT-X-BYTERANGE:100", "all"),
        ("#EXTINF:5,", "#EXT-X-BYTERANGE:100@0", "all", "#EXTINF:5,", "#EXT-X-BYTERANGE:100", "other"),
        ("#EXTINF:5,", "all", "#EXTINF:5,", "#EXT-X-BYTERANGE:100", "all"),
    ],
)
def test_bytes_that_follow_none(lines: tuple[str, ...]) -> None:
    # RFC 8216, 4.3.2.2: "the client MUST fail to parse the Playlist".
    with pytest.raises(NoIndex):
        read_playlist(playlist(*lines), BASE)


# -- real ones -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("itag", [93, 230, 234])
def test_a_real_rendition(media_folder: Path, itag: int) -> None:
    folder = fake_media.make_hls(Media(duration=12, width=64, height=36), itag, media_folder)
    found = read_playlist((folder / fake_media.PLAYLIST).read_text(), BASE)
    assert abs(found.duration - 12) < SLACK and len(found.parts) == 3
    held = []
    for part in (found.head, *found.parts):
        if part is not None:
            content = (folder / part.url.rpartition("/")[2]).read_bytes()
            held.append(content if part.last is None else content[part.first : part.last + 1])
    due = b"".join(path.read_bytes() for path in fake_media.segments(folder))
    assert due.startswith(b"".join(held)) and (found.head is None) == (itag == 93)
    if found.head is None:
        for path, begins in zip(fake_media.segments(folder), found.times, strict=False):
            with av.open(str(path)) as container:
                times = [p.pts * p.time_base for p in container.demux(video=0) if p.pts is not None and p.size]
                # ffmpeg's muxer begins 1.4 s and the reorder delay late.
                assert abs(min(times) - begins - Fraction(7, 5)) < Fraction(1, 5)


# -- covering --------------------------------------------------------------------------------------------

FOUR = Playlist(
    None, (Part("a"), Part("b"), Part("c"), Part("d")), tuple(map(Fraction, (0, 5, 10, 10, 12))), Fraction(12)
)


@pytest.mark.parametrize(
    ("since", "until", "numbers"),
    [
        ("0", "1", (0, 0)),
        ("0", "4.5", (0, 0)),
        ("0", "4.6", (0, 1)),
        ("5.4", "6", (0, 1)),
        ("5.5", "6", (1, 1)),
        ("6", "9.6", (1, 3)),
        ("-3", "1", (0, 0)),
        ("-3", "-2", (0, 0)),
        ("11", "12", (3, 3)),
        ("10.4", "99", (1, 3)),
        ("0", None, (0, 3)),
        ("11.9", None, (3, 3)),
        ("99", None, (3, 3)),
        ("99", "100", (3, 3)),
    ],
)
def test_covering(since: str, until: str | None, numbers: tuple[int, int]) -> None:
    assert covering(FOUR, Fraction(since), None if until is None else Fraction(until)) == numbers


@FEW
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(any),
    st.fractions(-1, 40, max_denominator=8),
    st.none() | st.fractions(0, 40, max_denominator=8),
)
def test_what_covers_a_clip_is_all_that_may_hold_it(
    lengths: list[int], since: Fraction, length: Fraction | None
) -> None:
    found = read_playlist(playlist(*(line for n in lengths for line in (f"#EXTINF:{n},", "1.ts"))), BASE)
    until = None if length is None else since + length
    first, last = covering(found, since, until)
    assert 0 <= first <= last < len(lengths)
    parts = range(len(lengths))
    held = [
        n
        for n in parts
        if found.times[n] < found.times[n + 1]
        and found.times[n + 1] > since - SLACK
        and (until is None or found.times[n] < until + SLACK)
    ]
    assert set(held) <= {*range(first, last + 1)}
    # And of those that last any time, no other.
    if held:
        assert all(n in held or lengths[n] == 0 for n in range(first, last + 1))


# -- fragments of DASH -----------------------------------------------------------------------------------------

U = "https://h.test/"


@pytest.mark.parametrize(
    ("fragments", "head", "times"),
    [
        ([("init", None), ("1", 4.0), ("2", 4.0), ("3", 2.5)], "init", (0, 4, 8, Fraction(21, 2))),
        ([("init", None), ("1", 4)], "init", (0, 4)),
        # Every segment with a head of its own.
        ([("1", 4.0), ("2", 1.0)], None, (0, 4, 5)),
        # Sums of fractions stay exact.
        ([("init", None)] + [(str(n), 2002 / 1000) for n in range(3)], "init",
            (0, Fraction(1001, 500), Fraction(1001, 250), Fraction(3003, 500))),
        ([("init", None)] + [(str(n), 1 / 3) for n in range(3)], "init", (0, Fraction(1, 3), Fraction(2, 3), 1)),
        ([("init", None), ("1", 1e-6)], "init", (0, Fraction(1, 1_000_000))),
    ],
)  # fmt: skip
def test_fragments(
    fragments: list[tuple[str, float | None]], head: str | None, times: tuple[int | Fraction, ...]
) -> None:
    found = of_fragments([(U + name, lasts) for name, lasts in fragments])
    parts = [name for name, lasts in fragments if lasts is not None]
    assert found == Playlist(
        Part(U + head) if head else None,
        tuple(Part(U + name) for name in parts),
        tuple(map(Fraction, times)),
        # Nobody says how long the last one is.
        Fraction(times[-2]),
    )
    assert found.duration == times[-1]


@pytest.mark.parametrize(
    "fragments",
    [
        [],
        [("init", None)],
        [("init", None), ("1", None)],
        [("init", None), ("1", 4.0), ("2", None)],
        [("init", None), ("1", 0)],
        [("init", None), ("1", -1.0)],
        [("init", None), ("1", float("nan"))],
        [("init", None), ("1", float("inf"))],
        [("init", None), ("1", 100_000.0)],
        # Parts of one file, of which nobody says which.
        [("all", None), ("all", 4.0), ("all", 4.0)],
        [("all", 4.0), ("all", 4.0)],
        [("init", None), ("1", 4.0), ("1", 4.0)],
        [(str(n), 1.0) for n in range(MAX_PARTS + 1)],
    ],
    ids=lambda fragments: f"{len(fragments)}: {fragments[:3]}",
)
def test_fragments_that_do_not_add_up(fragments: list[tuple[str, float | None]]) -> None:
    with pytest.raises(NoIndex):
        of_fragments([(U + name, lasts) for name, lasts in fragments])


@pytest.mark.parametrize("url", ["file:///etc/passwd", "1.m4s", "", "ftp://h.test/1", "data:,x"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_fragments_that_are_not_at_an_http_address(url: str, place: int) -> None:
    fragments: list[tuple[str, float | None]] = [(U, None), (f"{U}1", 4.0), (f"{U}2", 4.0)]
    fragments[place] = (url, fragments[place][1])
    with pytest.raises(NoIndex):
        of_fragments(fragments)


def test_as_many_fragments_as_there_may_be() -> None:
    started = time.monotonic()
    assert (
        of_fragments([(f"{U}{n}", 1.001) for n in range(MAX_PARTS)]).duration == Fraction(1001, 1000) * MAX_PARTS
    )
    assert time.monotonic() - started < 2
