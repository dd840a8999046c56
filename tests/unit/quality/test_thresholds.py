"""Which flags are raised: each on both sides of its threshold."""

from __future__ import annotations

from typing import Any

import pytest

from avclips.quality.thresholds import NAMES, raised

USUAL = {
    "still": 0.1, "black": 0.0, "brightness": 0.4, "letterbox": 0.0, "pillarbox": 0.0,
    "level": -20.0, "loudness": -18.0, "clipped": 0.0, "dual_mono": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("measured", "names"),
    [
        ({}, set()),
        ({"still": 0.94}, set()),
        ({"still": 0.95}, {"still"}),
        ({"still": 1}, {"still"}),
        ({"black": 0.49}, set()),
        ({"black": 0.5}, {"black"}),
        ({"level": -60.0}, set()),
        ({"level": -60.1}, {"silent"}),
        ({"level": -120.0, "loudness": None}, {"silent"}),
        ({"clipped": 0.0009}, set()),
        ({"clipped": 0.001}, {"clipped"}),
        ({"dual_mono": True}, {"dual_mono"}),
        ({"letterbox": 0.09, "pillarbox": 0.09}, set()),
        ({"letterbox": 0.1}, {"letterbox"}),
        ({"pillarbox": 0.25}, {"letterbox"}),
        ({"still": 1.0, "black": 1.0, "level": -120.0}, {"still", "black", "silent"}),
        # A manifest may have been written by anybody.
        ({"still": "1.0", "black": True, "level": None, "clipped": [1], "dual_mono": 1}, set()),
        ({"still": float("nan"), "level": float("-inf")}, set()),
    ],
)
def test_what_is_raised(measured: dict[str, Any], names: set[str]) -> None:
    assert raised({**USUAL, **measured}) == names
    assert names <= set(NAMES)


def test_nothing_is_raised_of_what_was_not_measured() -> None:
    assert raised({}) == frozenset()
