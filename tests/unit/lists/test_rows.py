"""Rows of an id and a start alone, read the short way: what they mean is what they mean otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avclips.core.settings import Columns
from avclips.lists.meaning import Meaning
from avclips.lists.rows import named_of, plain_reader

ID = "dQw4w9WgXcQ"
MEANING = Meaning(Columns(url="1", start="2"), 10.0)


@pytest.mark.parametrize(
    ("video", "start", "row"),
    [
        (ID, "0", (ID, 0.0, 10.0)),
        (ID, "69.5", (ID, 69.5, 79.5)),
        ("-_0000000_-", "999999.999999", ("-_0000000_-", 999999.999999, 1000009.999999)),
        # Whatever else a cell may be is read the long way.
        (f" {ID}", "69", None),
        (f"https://youtu.be/{ID}", "69", None),
        (ID, "1:09", None),
        (ID, "69,5", None),
        (ID, "69.1234567", None),
        (ID, "1000000", None),
        (ID, "\u0666\u0669", None),
        (ID, "", None),
        (ID, None, None),
        (ID, 69.5, None),
        ("dQw4w9WgXc", "69", None),
        (f"{ID}\n", "69", None),
    ],
)
def test_rows(video: str, start: Any, row: tuple[str, float, float] | None) -> None:
    assert plain_reader(MEANING)({"1": video, "2": start}) == row


@pytest.mark.parametrize(
    "meaning",
    [
        Meaning(Columns(url="1", start="2", end="3"), 10.0),
        Meaning(Columns(url="1", start="2", duration="3"), 10.0),
        Meaning(Columns(url="1", clip="2"), 10.0),
        Meaning(Columns(url="1", start="2"), None),
        Meaning(Columns(url="1", start="2"), 10.0, units={"2": "ms"}),
        Meaning(Columns(url="1", start="2"), 10.0, comma=True),
        Meaning(Columns(url="1", start="2"), 10.0, full="3"),
    ],
)
def test_lists_that_say_more_are_read_the_long_way(meaning: Meaning) -> None:
    assert plain_reader(meaning)({"1": ID, "2": "69", "3": "75"}) is None


@given(
    video=st.from_regex(r"[A-Za-z0-9_-]{11}", fullmatch=True),
    start=st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,6})?", fullmatch=True),
)
def test_both_ways_mean_the_same(video: str, start: str) -> None:
    cells = {"1": video, "2": start}
    name, named, url, found = named_of(cells, MEANING)
    assert (name, url, plain_reader(MEANING)(cells)) == (None, None, (named, *found[0]))
