"""What a report takes from the folder itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avclips.report.writing import _curve

POINT = {"clips": 2, "mi": 0.5, "random": 0.25}


@pytest.mark.parametrize(
    ("points", "found"),
    [
        ([POINT], {"clips": [2.0], "mi": [0.5], "random": [0.25]}),
        ([POINT | {"clips": 10**400}], None),
        ([POINT | {"mi": 1e308}], None),
        ([POINT | {"random": float("inf")}], None),
        ([POINT | {"mi": float("nan")}], None),
        ([{"clips": 2}], None),
        (5, None),
    ],
)
def test_a_curve_that_can_be_drawn(tmp_path: Path, points: Any, found: Any) -> None:
    folder = tmp_path / "curation" / "select"
    folder.mkdir(parents=True)
    (folder / "curve.json").write_text(json.dumps({"curve": points}))
    assert _curve(tmp_path) == found
