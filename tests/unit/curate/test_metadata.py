"""What a line of metadata says, and why some say nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from avclips.curate.metadata import LONGEST_LINE, Row, Unreadable, read_line

ID = "dQw4w9WgXcQ"


def bing(length: Any = "31", duration: Any = None, **more: Any) -> bytes:
    features = {"Title": "A title", "Description": "Of it", "YouTubeCategory": "Music", "VideoLength": length}
    said = {"LatestDAFeature": features | more, "MediaVersionList": [{"Duration": duration}]}
    return f"{ID}\t{json.dumps(said)}\n".encode()


def of(**said: Any) -> bytes:
    return f"{ID}\t{json.dumps(said)}\r\n".encode()


FULL = Row(ID, "A title", "Of it", 30.0, ("music",))


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (bing(), FULL),
        (bing(length=31), FULL),
        (bing(length="31.5"), Row(ID, "A title", "Of it", 30.5, ("music",))),
        # VideoLength is a second more; Duration is not.
        (bing(length="", duration="30"), FULL),
        (bing(length="½", duration=30), FULL),
        (bing(length=None, duration="PT30S"), Row(ID, "A title", "Of it", None, ("music",))),
        (bing(length="9" * 400), Row(ID, "A title", "Of it", None, ("music",))),
        (bing(Title=None, Description=["x"]), Row(ID, "", "", 30.0, ("music",))),
        (bing(YouTubeCategory=None), Row(ID, "A title", "Of it", 30.0, ())),
        (
            of(title="T", description=None, duration=12.5, categories=["Pets & Animals"], language="en-US"),
            Row(ID, "T", "", 12.5, ("pets & animals",), "en"),
        ),
        (of(title="T", duration=float("nan")), Row(ID, "T", "", None, (), has_category=False)),
        (of(title="T", duration=True, categories=[3]), Row(ID, "T", "", None, ())),
        (
            b'{"id": "x", "webpage_url": "https://v.example/1", "title": "T", "duration": 5, "categories": null}',
            Row("https://v.example/1", "T", "", 5.0, ()),
        ),
    ],
)
def test_a_row(line: bytes, row: Row) -> None:
    assert read_line(line) == row


@pytest.mark.parametrize(
    ("line", "reason", "evidence"),
    [
        (b"\n", "fields", "an empty line"),
        (b"dQw4w9WgXcQ\n", "fields", "1 fields"),
        (b"a\tb\tc\td\te\n", "fields", "5 fields"),
        (b"dQw4w9WgXcQ\t{broken\n", "json", "Expecting property name"),
        (b"dQw4w9WgXcQ\t" + b"[" * 100_000, "json", "recursion"),
        (b"dQw4w9WgXcQ\t[1]\n", "json", "list where an object should be"),
        (b'dQw4w9WgXcQ\t{"title": "\xff"}\n', "json", "utf-8"),
        (b"dQw4w9WgXcQ\t{}\n", "no_features", "only nothing"),
        (b'dQw4w9WgXcQ\t{"LatestDAFeature": 3}\n', "no_features", "no object"),
        (b' \t{"title": "T"}\n', "no_video", "empty"),
        (b'{"title": "T"}\n', "no_video", "empty"),
        (b"x" * (LONGEST_LINE + 1), "too_long", "bytes"),
    ],
)
def test_a_line_that_says_nothing(line: bytes, reason: str, evidence: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_line(line)
    assert caught.value.reason == reason
    assert evidence in str(caught.value)
