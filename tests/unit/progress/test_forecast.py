"""What a run is expected to take, and to need: by how long its clips are."""

from __future__ import annotations

from pathlib import Path

import pytest

from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.fetch.plan import Plan
from avclips.progress.forecast import CLIP_BYTES, clip_bytes, expectation, ways

SETTINGS = Settings(Path(), rate_limit=50_000, sleep=0.0)


@pytest.mark.parametrize(
    ("seconds", "least"),
    # What is read reaches over both ends, so half the seconds are not half the bytes.
    [(10.0, 1.0), (0.5, 5.5 / 15), (25.0, 2.0), (3595.0, 240.0)],
)
def test_a_long_clip_takes_long(seconds: float, least: float) -> None:
    found = ways(1, 100, [], 4, SETTINGS, seconds)["--rate-limit"]
    assert found == pytest.approx(100 * least * CLIP_BYTES["both"] / 50_000 / 4)
    assert clip_bytes(SETTINGS, seconds) == pytest.approx(seconds / 10 * clip_bytes(SETTINGS, 10.0), abs=1)


def test_what_is_said_of_whole_videos() -> None:
    assert (
        expectation(2000, 2000, [], 4, SETTINGS, 10.0)
        == "2000 clips of 2000 videos: at least 2.8 hours, by --rate-limit."
    )
    assert (
        expectation(2000, 2000, [], 4, SETTINGS, 3600.0)
        == "2000 clips of 2000 videos: at least 27.8 days, by --rate-limit."
    )


def test_the_length_of_a_clip() -> None:
    assert Plan().length(10.0) == 10.0
    assert Plan(seconds=90.0, timed=4).length(10.0) == 22.5
    assert Clip("a", "v", 1.0, None).end is None
