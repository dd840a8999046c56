"""annotations.csv: what is read of it, and what is refused with a line that says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from avclips.core.errors import RunError
from avclips.explore.marks import Marks


def test_marks_go_on_where_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "annotations.csv"
    path.write_text("id,mark,time\na,good,2026-01-01T00:00:00Z\nb,bad,2026-01-01T00:00:00Z\n")
    marks = Marks(path)
    marks.set("a", "")
    marks.set("c", "good")
    assert [Marks(path).of(name) for name in "abcd"] == ["", "bad", "good", ""]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"id,mark,time\na,b\n", "line 2: not id,mark,time"),
        (b"id,mark,time\na,good,now\nb,best,now\n", "line 3"),
        (b"\xff\xfe", "no text in UTF-8"),
    ],
)
def test_what_is_no_file_of_marks_is_left_as_it_is(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "annotations.csv"
    path.write_bytes(content)
    with pytest.raises(RunError, match=why) as caught:
        Marks(path)
    assert caught.value.hint and path.read_bytes() == content
