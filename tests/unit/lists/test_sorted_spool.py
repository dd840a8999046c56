"""A long list in the order of its videos: DuckDB's way and SQLite's give the same, row by row."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avclips.core.errors import RunError
from avclips.datasets.acav100m import make_clip
from avclips.lists import sorted_spool, spooled
from avclips.lists.sorted_spool import Row
from avclips.lists.spooled import OnDisk

pytest.importorskip("duckdb")
MANY = settings(
    deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def both(folder: Path, rows: list[Row], monkeypatch: pytest.MonkeyPatch, long: int = 1) -> list[list[object]]:
    """The clips by each way."""
    found = []
    for way in (True, False):
        monkeypatch.setattr(spooled, "is_here", lambda way=way: way)
        monkeypatch.setattr(spooled, "LONG", long)
        clips = OnDisk(folder / f"{way}" / "list.sqlite", make_clip)
        clips.fill(iter(rows))
        found.append(list(clips))
        names = sorted(path.name for path in (folder / f"{way}").iterdir())
        assert names == ["list.parquet" if way and len(rows) >= long else "list.sqlite"]
    return found


@pytest.mark.slow
def test_the_same_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(5)
    rows = [
        (f"v{rng.randrange(40_000):010d}", float(rng.randrange(600)), rng.random() * 1000 + 600)
        for _ in range(120_000)
    ]
    monkeypatch.setattr(sorted_spool, "_BATCH", 7001)
    fast, slow = both(tmp_path, rows, monkeypatch)
    assert fast == slow and len(fast) > 100_000
    firsts = list(dict.fromkeys(video for video, _, _ in rows))
    assert list(dict.fromkeys(clip.video for clip in fast)) == firsts  # type: ignore[attr-defined]


TIME = st.floats(0, 1e6, allow_subnormal=False)


@MANY
@given(rows=st.lists(st.tuples(st.sampled_from(["a", "b", "é", "A", "-_"]), TIME, TIME), max_size=30))
def test_any_rows(tmp_path: Path, rows: list[Row]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        fast, slow = both(tmp_path, rows, monkeypatch)
    assert fast == slow


def test_a_list_that_became_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooled, "LONG", 3)
    clips = OnDisk(tmp_path / "list.sqlite", make_clip)
    for rows in ([("a", 1.0, 2.0)] * 2 + [("b", 1.0, 2.0)], [("a", 1.0, 2.0)], [("c", 0.0, 1.0)] * 3):
        clips.fill(rows)
        assert [clip.video for clip in clips] == list(dict.fromkeys(video for video, _, _ in rows))
    clips.remove()
    assert not tmp_path.exists()


class Narrow:
    """A database that sorts in no less than so much memory."""

    def __init__(self, least: str | None) -> None:
        self.least = least
        self.limits: list[str] = []
        self.sorted = 0

    def execute(self, words: str) -> None:
        if words.startswith("SET memory_limit = "):
            self.limits.append(words.split("'")[1])
        elif self.limits[-1] != self.least:
            raise MemoryError(self.limits[-1])
        else:
            self.sorted += 1


@pytest.mark.parametrize("tries", [1, 2, 4])
def test_too_little_memory_is_no_end(tmp_path: Path, tries: int) -> None:
    base = Narrow(sorted_spool._MEMORY[tries - 1])
    sorted_spool._sort(base, tmp_path / "x", MemoryError)
    assert base.limits == list(sorted_spool._MEMORY[:tries]) and base.sorted == 1


def test_where_no_memory_is_enough(tmp_path: Path) -> None:
    with pytest.raises(MemoryError, match=f"^{sorted_spool._MEMORY[-1]}$"):
        sorted_spool._sort(Narrow(None), tmp_path / "x", MemoryError)


def test_no_room(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written"):
        sorted_spool.write_ordered(tmp_path / "none" / "list.parquet", [("a", 1.0, 2.0)])
    (tmp_path / "bad.parquet").write_bytes(b"x")
    with pytest.raises(RunError, match="cannot be read"):
        list(sorted_spool.read_ordered(tmp_path / "bad.parquet"))
