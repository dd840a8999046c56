"""WebVTT cut to a clip: which cues stay, at which times, and what around them is left alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.containers.webvtt import cut_vtt
from tests.standin.fake_player import rolling_webvtt, webvtt

MANY = settings(deadline=None, derandomize=True, max_examples=300)
LINE = re.compile(
    r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})[ \t]*-->[ \t]*(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})(.*)"
)


@dataclass(frozen=True)
class Cue:
    """A cue as a player reads it; times in seconds."""

    id: str
    begin: float
    end: float
    settings: str
    text: str


def cues(text: str) -> list[Cue]:
    """The cues of a WebVTT file, by its specification: another reader than the one that is tried here."""
    head, *blocks = re.split(r"\n\n+", text.removesuffix("\n"))
    assert re.match(r"WEBVTT(?=[ \t\n]|$)", head)
    found = []
    for block in blocks:
        lines = block.split("\n")
        at = next((number for number, line in enumerate(lines[:2]) if "-->" in line), None)
        if at is None:
            continue
        parts = LINE.fullmatch(lines[at])
        assert parts, f"no times: {lines[at]!r}"
        begin, end = (
            int(h or 0) * 3600 + int(m) * 60 + int(s) + int(ms) / 1000
            for h, m, s, ms in (parts.groups()[:4], parts.groups()[4:8])
        )
        found.append(Cue("\n".join(lines[:at]), begin, end, parts[9], "\n".join(lines[at + 1 :])))
    return found


def cut(body: str, start: float = 10.0, end: float | None = 20.0) -> str:
    """What is left of the blocks behind the header, the header not counted; "" where nothing is."""
    found = cut_vtt(f"WEBVTT\n\n{body}\n", start, end)
    assert not found or found.startswith("WEBVTT\n\n")
    return found.removeprefix("WEBVTT\n\n")


# -- times -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "left"),
    [
        # Before, over each end, within, over both, behind.
        ("00:00:01.000 --> 00:00:09.000", None),
        ("00:00:05.000 --> 00:00:10.000", None),
        ("00:00:05.000 --> 00:00:10.001", "00:00:00.000 --> 00:00:00.001"),
        ("00:00:05.000 --> 00:00:12.500", "00:00:00.000 --> 00:00:02.500"),
        ("00:00:10.000 --> 00:00:20.000", "00:00:00.000 --> 00:00:10.000"),
        ("00:00:12.345 --> 00:00:13.456", "00:00:02.345 --> 00:00:03.456"),
        ("00:00:19.999 --> 00:00:25.000", "00:00:09.999 --> 00:00:10.000"),
        ("00:00:01.000 --> 01:00:00.000", "00:00:00.000 --> 00:00:10.000"),
        ("00:00:20.000 --> 00:00:25.000", None),
        ("00:10:00.000 --> 00:10:01.000", None),
        # Hours may be absent, on either side, and have more digits than two.
        ("00:12.000 --> 00:13.000", "00:00:02.000 --> 00:00:03.000"),
        ("00:12.000 --> 00:00:13.000", "00:00:02.000 --> 00:00:03.000"),
        ("59:59.000 --> 01:00:01.000", None),
        ("100:00:12.000 --> 100:00:13.000", None),
        # Blanks: tabs too, and a player does without any.
        ("00:12.000\t-->\t00:13.000", "00:00:02.000 --> 00:00:03.000"),
        ("00:12.000   -->   00:13.000", "00:00:02.000 --> 00:00:03.000"),
        ("00:12.000-->00:13.000", "00:00:02.000 --> 00:00:03.000"),
        ("00:01.000-->00:02.000", None),
    ],
)  # fmt: skip
def test_times(times: str, left: str | None) -> None:
    assert cut(f"{times}\nHello.") == (f"{left}\nHello.\n" if left else "")


@pytest.mark.parametrize(
    ("start", "end", "left"),
    [
        (3600.0, 3610.0, "00:00:01.500 --> 00:00:02.000"),
        (3601.5, 3602.0, "00:00:00.000 --> 00:00:00.500"),
        (0.0, 3601.6, "01:00:01.500 --> 01:00:01.600"),
        # To the thousandth, whatever a float is a little more or less than.
        (0.1 + 0.2, 3610.0, "01:00:01.200 --> 01:00:01.700"),
        (3601.9996, 3610.0, None),
        (3601.9994, 3610.0, "00:00:00.000 --> 00:00:00.001"),
        (0.0, 3601.5004, None),
        (0.0, 3601.5006, "01:00:01.500 --> 01:00:01.501"),
        # To the end.
        (0.0, None, "01:00:01.500 --> 01:00:02.000"),
        (3601.75, None, "00:00:00.000 --> 00:00:00.250"),
        (3602.0, None, None),
    ],
)
def test_seconds_of_the_clip(start: float, end: float | None, left: str | None) -> None:
    assert cut("01:00:01.500 --> 01:00:02.000\nHello.", start, end) == (f"{left}\nHello.\n" if left else "")


@pytest.mark.parametrize(
    ("block", "left"),
    [
        ("7\n00:12.000 --> 00:13.000\nHello.", "7\n00:00:02.000 --> 00:00:03.000\nHello."),
        ("an id: x\n00:12.000 --> 00:13.000\nA\nB", "an id: x\n00:00:02.000 --> 00:00:03.000\nA\nB"),
        (
            "00:12.000 --> 00:13.000 align:start position:0%\nHello.",
            "00:00:02.000 --> 00:00:03.000 align:start position:0%\nHello.",
        ),
        ("00:12.000 --> 00:13.000\tline:0 \nHello.", "00:00:02.000 --> 00:00:03.000\tline:0 \nHello."),
        ("00:12.000 --> 00:13.000", "00:00:02.000 --> 00:00:03.000"),
        # A line that only looks empty ends no cue.
        ("00:12.000 --> 00:13.000\n \nHello.\n \n", "00:00:02.000 --> 00:00:03.000\n \nHello.\n "),
        # Words with times: shifted, and what was spoken before the start has none.
        (
            "00:08.000 --> 00:14.000\nHe<00:00:09.000><c> said</c><00:12.500><c> so</c>",
            "00:00:00.000 --> 00:00:04.000\nHe<c> said</c><00:00:02.500><c> so</c>",
        ),
        # What is no time is text.
        ("00:12.000 --> 00:13.000\n00:12.500 <v Ann>", "00:00:02.000 --> 00:00:03.000\n00:12.500 <v Ann>"),
    ],
)  # fmt: skip
def test_what_is_around_the_times(block: str, left: str | None) -> None:
    assert cut(block) == (f"{left}\n" if left else "")


@pytest.mark.parametrize(
    "block",
    [
        "NOTE by hand",
        "NOTE\nof two\nlines, 00:01",
        "STYLE\n::cue { color: red }",
        "REGION\nid:fred\nwidth:40%",
    ],
)
def test_what_is_no_cue_is_kept(block: str) -> None:
    cue, left = "00:12.000 --> 00:13.000\nHello.", "00:00:02.000 --> 00:00:03.000\nHello.\n"
    assert cut(f"{block}\n\n00:01.000 --> 00:02.000\nGone.\n\n{cue}") == f"{block}\n\n{left}"
    assert cut(f"{cue}\n\n\n\n{block}") == f"{left}\n{block}\n"
    # But it alone is no subtitles.
    assert cut(f"{block}\n\n00:01.000 --> 00:02.000\nGone.") == ""


# -- the file --------------------------------------------------------------------------------------------------

CUE = "00:12.000 --> 00:13.000\nHello.\n"


@pytest.mark.parametrize(
    "head",
    ["WEBVTT", "WEBVTT - a title", "WEBVTT\ta title", "WEBVTT\nKind: captions\nLanguage: en", "WEBVTT\nX-MAP=x"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_heads_and_ends_of_lines(head: str, end: str, mark: str) -> None:
    text = mark + f"{head}\n\n{CUE}".replace("\n", end)
    assert cut_vtt(text, 10.0, 20.0) == f"{head}\n\n00:00:02.000 --> 00:00:03.000\nHello.\n"


@pytest.mark.parametrize(
    "text",
    [
        *("", "\n", "x", "<!DOCTYPE html><html></html>", '{"events": []}', "\ufeff\ufeffWEBVTT"),
        *("1\n00:00:12,000 --> 00:00:13,000\nHello.\n", CUE, f"webvtt\n\n{CUE}", f" WEBVTT\n\n{CUE}"),
        f"WEBVTTS\n\n{CUE}",
    ],
)
def test_what_is_no_webvtt(text: str) -> None:
    with pytest.raises(ValueError, match="^not a WebVTT file$"):
        cut_vtt(text, 10.0, 20.0)


@pytest.mark.parametrize("text", ["WEBVTT", "WEBVTT\n", "WEBVTT\n\n", "WEBVTT\n\n\n\nNOTE x\n"])
def test_nothing_is_said(text: str) -> None:
    assert cut_vtt(text, 0.0, None) == ""


def test_youtubes_own() -> None:
    written = webvtt([(0, 4, "before"), (4, 6, "over"), (6, 8, "within\nin two lines"), (9, 3661.5, "behind")])
    assert cut_vtt(written, 5.0, 9.0) == (
        "WEBVTT\nKind: captions\nLanguage: en\n\n00:00:00.000 --> 00:00:01.000\nover\n\n"
        "00:00:01.000 --> 00:00:03.000\nwithin\nin two lines\n"
    )
    heard = rolling_webvtt([(0, 2, "hello there you"), (2, 5, "all of you"), (5, 8, "again")])
    style = "align:start position:0%"
    assert cut_vtt(heard, 1.0, 4.0) == (
        "WEBVTT\nKind: captions\nLanguage: en\n\n"
        f"00:00:00.000 --> 00:00:00.990 {style}\n \nhello<c> there</c><00:00:00.327><c> you</c>\n\n"
        f"00:00:00.990 --> 00:00:01.000 {style}\nhello there you\n \n\n"
        f"00:00:01.000 --> 00:00:03.000 {style}\nhello there you\n"
        "all<00:00:01.997><c> of</c><00:00:02.993><c> you</c>\n"
    )


# -- any file --------------------------------------------------------------------------------------------------

THOUSANDTHS = st.integers(0, 8_000_000)
WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n\x85\u2028\u2029", exclude_categories=["Cs"]), max_size=12
)
TEXTS = WORDS.filter(lambda text: "-->" not in text and text.strip())


def clock(thousandths: int, hours: bool) -> str:
    seconds, rest = divmod(thousandths, 1000)
    shown = f"{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
    return f"{seconds // 3600:02}:{shown}" if hours or seconds >= 3600 else shown


@st.composite
def blocks(draw: st.DrawFn) -> tuple[str, tuple[int, int] | None]:
    """A block, and the thousandths of a second of a cue."""
    text = draw(TEXTS)
    if draw(st.integers(0, 4)) == 0:
        return f"NOTE {text}", None
    begin, lasts = draw(THOUSANDTHS), draw(st.integers(1, 20_000))
    hours = draw(st.booleans())
    name = draw(st.just("") | TEXTS.map(lambda text: f"{text}\n").filter(lambda text: not text.startswith("NOTE")))
    inside = f"<{clock(begin + lasts // 2, hours)}>" if draw(st.booleans()) else ""
    setting = draw(st.sampled_from(["", " align:start", "\tline:0 position:10%"]))
    times = f"{clock(begin, hours)} --> {clock(begin + lasts, hours)}{setting}"
    return f"{name}{times}\n{text}{inside}", (begin, begin + lasts)


@MANY
@given(
    st.lists(blocks(), max_size=6),
    st.integers(0, 8_000),
    st.none() | st.integers(1, 3_000),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_left_of_any_file(
    made: list[tuple[str, tuple[int, int] | None]], start: int, length: int | None, end: str
) -> None:
    text = "WEBVTT\n\n" + "\n\n".join(block for block, _ in made) + "\n"
    until = None if length is None else start + length
    found = cut_vtt(text.replace("\n", end), start, until)
    since, behind = start * 1000, float("inf") if until is None else until * 1000
    due = [
        (max(first, since) - since, min(last, behind) - since)
        for first, last in (times for _, times in made if times)
        if last > since and first < behind
    ]
    if not due:
        assert found == ""
        return
    got = cues(found)
    assert [(round(cue.begin * 1000), round(cue.end * 1000)) for cue in got] == due
    assert all(0 <= cue.begin < cue.end and (length is None or cue.end <= length) for cue in got)
    for kept in (block for block, times in made if times is None):
        assert kept in found
    # Cut to all of itself, it stays as it is.
    assert cut_vtt(found, 0.0, None) == found


@MANY
@given(st.text(max_size=200), st.floats(0, 1e6), st.none() | st.floats(0, 1e6))
def test_any_text_is_webvtt_or_a_value_error(text: str, start: float, end: float | None) -> None:
    for each in (text, f"WEBVTT\n\n{text}", f"WEBVTT\n\n{text} --> 00:00:12.000\n"):
        try:
            found = cut_vtt(each, start, end)
        except ValueError as error:
            assert str(error) == "not a WebVTT file"
        else:
            assert found == "" or found.startswith("WEBVTT")
