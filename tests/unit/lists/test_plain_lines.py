"""Lists of an id and a start a line: taken what a block at a time gives is what row by row gives."""

from __future__ import annotations

import gzip
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.datasets.acav100m import read_clips
from avclips.lists import plain_lines, spooled
from avclips.lists.files import Source
from avclips.lists.plain_lines import NotPlain, PlainLines

pytest.importorskip("duckdb")
MANY = settings(
    deadline=None, derandomize=True, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ID = ("dQw4w9WgXcQ", "abcdefghij-", "_AB0123456C")
FEW = [f"{ID[0]},12", f"{ID[1]},0.5", f"{ID[0]},007.250000", f"{ID[2]},999999.999999", f"{ID[0]},12"]


def by(way: bool, path: Path, folder: Path) -> tuple[list[Clip], list[str], int | None, bool]:
    """The clips, the rows left out, how many rows there are; and whether they were taken at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spooled, "is_here", lambda: way)
        patch.setattr(spooled, "LONG", 1)
        taken = []
        write = spooled.write_plain
        patch.setattr(spooled, "write_plain", lambda *args: taken.append(write(*args)) or taken[-1])
        listing = read_clips(folder / f"{way}", replace(Settings(folder), clip_list=path))
        return list(listing.clips), list(listing.skipped), listing.rows, bool(taken)


def lines(*rows: str, end: str = "\n") -> bytes:
    return "".join(row + end for row in rows).encode()


@pytest.mark.parametrize(
    ("name", "data", "at_once"),
    [
        ("l.csv", lines(*FEW), True),
        ("l.csv", lines(*FEW, end="\r\n"), True),
        ("l.csv", lines(*FEW)[:-1], True),
        ("l.csv", b"\xef\xbb\xbf" + lines(*FEW), True),
        ("l.csv", lines("youtube_id,start", *FEW), True),
        ("l.csv", b"\xef\xbb\xbf" + lines("youtube_id,start", *FEW, end="\r\n"), True),
        ("l.csv", lines("start,youtube_id", *(",".join(reversed(row.split(","))) for row in FEW)), True),
        ("l.tsv", lines(*(row.replace(",", "\t") for row in FEW)), True),
        ("l.txt", lines(*(row.replace(",", " ") for row in FEW)), True),
        ("l.csv", lines(*(row.replace(",", ";") for row in FEW)), False),  # 1,5 would be one and a half
        ("l.csv.gz", gzip.compress(lines(*FEW), mtime=0), True),
        # What is anything else in one of its lines is read row by row.
        ("l.csv", lines(*FEW, ""), False),
        ("l.csv", lines(*FEW, "no video at all,3"), False),
        ("l.csv", lines(*FEW, f"{ID[0]},"), False),
        ("l.csv", lines(*FEW, f"{ID[0]},-3"), False),
        ("l.csv", lines(*FEW, f"{ID[0]},1:02"), False),
        ("l.csv", lines(*FEW, f"{ID[0]},0.1234567"), False),
        ("l.csv", lines(*FEW, f"{ID[0]}, 5"), False),
        ("l.csv", lines(*FEW, f"{ID[0]},5,7"), False),
        ("l.csv", lines(*FEW, f'"{ID[0]}",5'), False),
        ("l.csv", lines(*FEW, f"https://youtu.be/{ID[0]},5"), False),
        ("l.csv", lines("# a comment", *FEW), False),
        ("l.csv", lines("", "youtube_id,start", *FEW), False),
        ("l.csv", lines('youtube_id,"start', '"', *FEW), False),
        ("l.csv", lines(*FEW, end="\r"), False),
    ],
)
def test_the_same_as_row_by_row(tmp_path: Path, name: str, data: bytes, at_once: bool) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    fast, slow = (by(way, path, tmp_path) for way in (True, False))
    assert fast[:3] == slow[:3]
    assert len(fast[0]) >= 4 and fast[3] is at_once and not slow[3]


@pytest.mark.slow
@MANY
@given(
    starts=st.lists(
        st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,6})?", fullmatch=True), min_size=100, max_size=100, unique=True
    )
)
def test_starts_and_ends_to_the_last_bit(tmp_path: Path, starts: list[str]) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(lines(*(f"{ID[0]},{start}" for start in starts)))
    fast, slow = (by(way, path, tmp_path) for way in (True, False))
    assert fast[0] == slow[0] and fast[3]
    assert {clip.end for clip in fast[0]} == {round(clip.start + 10, 6) for clip in fast[0]}


def test_blocks_end_with_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice, path = random.Random(1), tmp_path / "list.csv"
    data = lines(*(f"v{dice.randrange(10**10):010d},{dice.randrange(9999)}" for _ in range(2000)))
    path.write_bytes(data)
    for size in (30, 31, 4096, len(data) - 1, len(data), len(data) + 1):
        monkeypatch.setattr(plain_lines, "_BLOCK", size)
        blocks = list(PlainLines(Source("l", path, "csv"), ",", ("1", "2"), False).blocks("1"))
        assert b"".join(blocks) == data and all(block.endswith(b"\n") for block in blocks)


def test_a_line_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(lines(*FEW) + b"0" * 1000 + b"\n")
    monkeypatch.setattr(plain_lines, "_BLOCK", 64)
    with pytest.raises(NotPlain):
        list(PlainLines(Source("l", path, "csv"), ",", ("1", "2"), False).blocks("1"))
