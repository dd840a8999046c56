"""docs/troubleshooting.md: what to do about each reason of a failure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from avclips.core.errors import REASONS
from avclips.sources.messages import _TABLE

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROW = re.compile(r"^\| `(\w+)` \| (yes|no)\b[^|]*\| ([^|]+) \|$", re.MULTILINE)
ROWS = {
    reason: (final, advice) for reason, final, advice in ROW.findall((DOCS / "troubleshooting.md").read_text())
}
# Said of the packets, the list or this machine, and not only in words of the site.
ALSO_OTHERWISE = {"unavailable"}


def test_each_reason_has_a_line() -> None:
    # "trouble" is of a run, and of no clip.
    assert [*ROWS] == sorted(ROWS, key=lambda reason: ROWS[reason][0] == "no")
    assert ROWS.keys() == REASONS.keys() - {"trouble"}


@pytest.mark.parametrize("reason", sorted({reason for _, _, reason in _TABLE} - ALSO_OTHERWISE))
def test_what_is_final_is_called_so(reason: str) -> None:
    assert ROWS[reason][0] == (
        "yes" if any(kind.permanent for _, kind, each in _TABLE if each == reason) else "no"
    )


def test_folder_md_names_each_reason_too() -> None:
    _, _, text = (DOCS / "folder.md").read_text().partition("## Reasons")
    assert REASONS.keys() - {"trouble"} == {each for each in re.findall(r"`(\w+)`", text) if each in REASONS}
