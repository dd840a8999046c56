"""HLS playlists: the forms of RFC 8216, and those that are not taken."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import settings

from avclips.containers.fragments import NoIndex
from avclips.containers.hls import MAX_PARTS, Key, Part, Playlist, of_fragments, read_playlist
from tests.standin import fake_media
from tests.standin.fake_media import Media

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
    assert found == Playlist(head, tuple(parts), times)
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
        (playlist("#EXT-X-KEY:METHOD=SAMPLE-AES", *ONE), "protected"),
        (playlist('#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="k"', *ONE), "protected"),
        (playlist('#EXT-X-KEY:METHOD=AES-128,URI="k",KEYFORMAT="com.apple.keys"', *ONE), "protected"),
        (playlist("#EXT-X-KEY", *ONE), "protected"),
        (playlist('#EXT-X-KEY:URI="k"', *ONE), "protected"),
        (playlist("#EXT-X-KEY:METHOD=NONE", *ONE, "#EXT-X-KEY:METHOD=AES-128", *ONE), "without an address"),
        (playlist('#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/key"', *ONE), "http"),
        (playlist('#EXT-X-KEY:METHOD=AES-128,URI="skd://key"', *ONE), "http"),
        # Breaks and heads.
        (playlist(HEAD, '#EXT-X-MAP:URI="other.mp4"', *ONE), TWICE),
        (playlist(HEAD, *ONE, "#EXT-X-DISCONTINUITY", '#EXT-X-MAP:URI="other.mp4"', *ONE), TWICE),
        (playlist(HEAD, *ONE, '#EXT-X-MAP:URI="init.mp4",BYTERANGE="80@0"', *ONE), TWICE),
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


# -- keys and breaks -----------------------------------------------------------------------------------------

KEY_1, KEY_2 = "https://manifest.test/a/b/k1", "https://manifest.test/a/b/k2"
VECTOR = "0x000102030405060708090A0B0C0D0E0F"


def n(number: int) -> bytes:
    """A vector that is a number."""
    return number.to_bytes(16, "big")


@pytest.mark.parametrize(
    ("lines", "keys"),
    [
        # A piece's vector is its number in the whole programme, or what is named.
        (('#EXT-X-KEY:METHOD=AES-128,URI="k1"', *ONE, *ONE), [Key(KEY_1, n(0)), Key(KEY_1, n(1))]),
        (
            ("#EXT-X-MEDIA-SEQUENCE:7", '#EXT-X-KEY:METHOD=AES-128,URI="k1"', *ONE, *ONE),
            [Key(KEY_1, n(7)), Key(KEY_1, n(8))],
        ),
        (
            (f'#EXT-X-KEY:METHOD=AES-128,URI="k1",IV={VECTOR}', *ONE, *ONE),
            [Key(KEY_1, bytes(range(16)))] * 2,
        ),
        ((f'#EXT-X-KEY:METHOD=AES-128,IV={VECTOR.lower()},URI="k1"', *ONE), [Key(KEY_1, bytes(range(16)))]),
        (('#EXT-X-KEY:METHOD=AES-128,URI="k1",IV=0XFF', *ONE), [Key(KEY_1, n(255))]),
        # None at all is none, and its length is counted in hexadecimal digits.
        (('#EXT-X-KEY:METHOD=AES-128,URI="k1",IV=0x', *ONE), [Key(KEY_1, n(0))]),
        (('#EXT-X-KEY:METHOD=AES-128,URI="k1",XIV=0xFF', *ONE), [Key(KEY_1, n(0))]),
        (('#EXT-X-KEY:METHOD=AES-128,URI="k1,IV=0xFF"', *ONE), [Key(KEY_1 + ",IV=0xFF", n(0))]),
        (('#EXT-X-KEY:METHOD=AES-128,URI="k1",KEYFORMAT="identity"', *ONE), [Key(KEY_1, n(0))]),
        # It holds until the next.
        (
            (
                *ONE,
                '#EXT-X-KEY:METHOD=AES-128,URI="k1"',
                *ONE,
                '#EXT-X-KEY:METHOD=AES-128,URI="k2"',
                *ONE,
                "#EXT-X-KEY:METHOD=NONE",
                *ONE,
            ),
            [None, Key(KEY_1, n(1)), Key(KEY_2, n(2)), None],
        ),
        # What only looks like none.
        (('#EXT-X-KEY:METHOD=AES-128,URI="k1?METHOD=NONE"', *ONE), [Key(KEY_1 + "?METHOD=NONE", n(0))]),
        (('#EXT-X-KEY:METHOD=AES-128,URI="k1,METHOD=NONE,"', *ONE), [Key(KEY_1 + ",METHOD=NONE,", n(0))]),
    ],
)
def test_keys(lines: tuple[str, ...], keys: list[Key | None]) -> None:
    found = read_playlist(playlist(*lines), BASE)
    assert [part.key for part in found.parts] == keys and found.head is None


def test_a_head_is_encrypted_like_the_piece_behind_it() -> None:
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="k1",IV={VECTOR}'
    assert read_playlist(playlist(key, HEAD, *ONE), BASE).head == replace(
        at("init.mp4"), key=Key(KEY_1, bytes(range(16)))
    )
    # In front of the key, it is open.
    assert read_playlist(playlist(HEAD, key, *ONE), BASE).head == at("init.mp4")


@pytest.mark.parametrize("number", ["", "x", "-1", "1e3", "9" * 19])
def test_a_number_of_the_first_piece_that_is_none(number: str) -> None:
    text = playlist(f"#EXT-X-MEDIA-SEQUENCE:{number}", '#EXT-X-KEY:METHOD=AES-128,URI="k1"', *ONE)
    assert read_playlist(text, BASE).parts[0].key == Key(KEY_1, n(0))


BREAK = "#EXT-X-DISCONTINUITY"


@pytest.mark.parametrize(
    ("lines", "breaks"),
    [
        (ONE, ()),
        ((*ONE, BREAK, *ONE), (1,)),
        ((*ONE, *ONE, BREAK, *ONE, BREAK, *ONE), (2, 3)),
        # In front of all and behind all it parts nothing.
        ((BREAK, *ONE, *ONE), ()),
        ((*ONE, "#EXT-X-DISCONTINUITY-SEQUENCE:3", *ONE), ()),
    ],
)
def test_breaks(lines: tuple[str, ...], breaks: tuple[int, ...]) -> None:
    found = read_playlist(playlist(*lines), BASE)
    assert found.breaks == breaks
    # Its pieces and their lengths are the same.
    assert (found.parts, found.times) == (
        (plain := read_playlist(playlist(*(line for line in lines if line != BREAK)), BASE)).parts,
        plain.times,
    )


@pytest.mark.parametrize(
    "lines",
    [
        (HEAD, HEAD, *ONE),
        (HEAD, *ONE, HEAD, *ONE),
        # As players write it behind each break.
        (HEAD, *ONE, BREAK, HEAD, *ONE, BREAK, HEAD, *ONE),
    ],
)
def test_the_same_head_again_is_one_head(lines: tuple[str, ...]) -> None:
    assert read_playlist(playlist(*lines), BASE).head == at("init.mp4")


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
    assert abs(found.duration - 12) < Fraction(1, 10) and len(found.parts) == 3
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
    # Each is an exact fraction, and so is the sum of very many.
    fragments = [(f"{U}{n}", 1.001) for n in range(MAX_PARTS)]
    assert of_fragments(fragments).duration == Fraction(1001, 1000) * MAX_PARTS
