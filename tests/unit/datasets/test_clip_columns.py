"""Clips as one text and numbers: what goes in comes out, those of one video together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.core.model import Clip
from avclips.datasets import clip_columns
from avclips.datasets.base import together
from avclips.datasets.clip_columns import ClipColumns, Row

TIME = st.floats(0, 1e7)
VIDEO = st.sampled_from(["a", "ab", "é", "\ud800", "-_", "x" * 300, "日本"])
ROW = st.tuples(VIDEO, st.booleans(), TIME, st.none() | TIME, st.sampled_from([{}, {"label": ["a"]}]))


def rows_of(drawn: list[tuple[str, bool, float, float | None, dict[str, Any]]]) -> list[Row]:
    """Half of the ids begin with their video."""
    return [
        (f"{video}_{number}" if begins else f"{number}_{video}", video, *rest)
        for number, (video, begins, *rest) in enumerate(drawn)
    ]


@settings(deadline=None, derandomize=True, max_examples=200)
@given(drawn=st.lists(ROW, max_size=40), sparse=st.sampled_from([0, 1, 8]))
def test_any_clips(drawn: list[Any], sparse: int) -> None:
    rows = rows_of(drawn)
    with pytest.MonkeyPatch.context() as patch:
        # So few hashes that different videos have the same.
        patch.setattr(clip_columns, "_SPARSE", sparse)
        clips = ClipColumns(iter(rows))
    wanted = together(Clip(*row) for row in rows)
    assert list(clips) == wanted == list(clips) and len(clips) == len(wanted)
    assert list(clips.names()) == [(clip.id, clip.video) for clip in wanted]
    assert all(type(clip.start) is float for clip in clips)


def test_what_several_share_is_one_object() -> None:
    meta = {"label": "a"}
    first, second = ClipColumns([("a_1", "a", 1.0, 2.0, meta), ("b_1", "b", 1.0, None, meta)])
    assert first.meta is second.meta is meta and second.end is None
