"""Parquet as databases write it: decimals, durations, NaN, odd dates, bytes; only what is asked for is read."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from avclips.core.settings import Columns, Settings
from avclips.lists.columns import looks_of
from avclips.lists.reader import open_table
from avclips.lists.sorted_spool import read_ordered
from tests.support.list_of import ID, complaint, listing, metas, times, written

IDS = [f"abcdefghij{n}" for n in range(4)]
NAN = float("nan")


def column(folder: Path, name: str, values: Any, **chosen: Any) -> Any:
    """The listing of four videos with one more column."""
    base = {"youtube_id": IDS, "start": [0.5, 1.0, 2.0, 3.0], "end": [4.25] * 4}
    return listing(folder, pa.table(base | {name: values}), "list.parquet", **chosen)


@pytest.mark.parametrize(
    ("values", "starts"),
    [
        (pa.array(list(map(Decimal, ("0.5", "1.25", "2", "3.0"))), pa.decimal128(4, 2)), [0.5, 1.25, 2, 3]),
        (pa.array([datetime.timedelta(seconds=s) for s in (0, 1, 2, 3)], pa.duration("ms")), [0, 1, 2, 3]),
        (pa.array([datetime.time(0, 0, s) for s in (0, 1, 2, 3)], pa.time32("ms")), [0, 1, 2, 3]),
        (pa.array([datetime.time(0, 0, 1, 500_000)] * 4, pa.time64("us")), [1.5] * 4),
        (pa.array(["0", "1", "2", "3"]).dictionary_encode(), [0, 1, 2, 3]),
        (pa.array([0, 1, 2, 3], pa.uint8()), [0, 1, 2, 3]),
        (pa.array([0.5, 1, 2, 3], pa.float32()), [0.5, 1, 2, 3]),
        (pa.array([0.5, 1, 2, 3]).cast(pa.float16()), [0.5, 1, 2, 3]),
    ],
)  # fmt: skip
def test_times_of_any_type(tmp_path: Path, values: pa.Array, starts: list[float]) -> None:
    assert [clip.start for clip in column(tmp_path, "start", values).clips] == starts


@pytest.mark.parametrize("missing", [NAN, None])
@pytest.mark.parametrize("name", ["list.parquet", "list.json", "list.csv"])
def test_what_is_missing(tmp_path: Path, missing: Any, name: str) -> None:
    rows: Any = [{"youtube_id": ID, "start": 1.0, "end": 4.0}, {"youtube_id": ID, "start": 2.0, "end": missing}]
    if name == "list.csv":
        rows = f"youtube_id,start,end\n{ID},1,4\n{ID},2,{'nan' if missing else ''}\n"
    found = listing(tmp_path, rows, name, clip_length=10.0)
    assert times(found) == [(f"{ID}_1_4", ID, 1.0, 4.0), (f"{ID}_2_12", ID, 2.0, 12.0)]


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (pa.array([Decimal("0.87")] * 4, pa.decimal128(3, 2)), 0.87),
        (pa.array([Decimal("7")] * 4, pa.decimal128(20, 0)), 7),
        (pa.array([b"a title"] * 4, pa.binary()), "a title"),
        (pa.array([b"caf\xe9"] * 4, pa.binary()), "caf\\xe9"),
        (pa.array([datetime.timedelta(seconds=3)] * 4, pa.duration("ms")), 3.0),
        (pa.array([datetime.datetime(2020, 9, 13)] * 4, pa.timestamp("us")), "2020-09-13 00:00:00"),
        (pa.array([NAN] * 4), None),
    ],
)
def test_values_of_any_type_are_kept(tmp_path: Path, values: pa.Array, kept: Any) -> None:
    assert metas(column(tmp_path, "extra", values, columns=Columns(keep=("extra",)))) == [{"extra": kept}] * 4


def odd(kind: str) -> pa.Array:
    """Four cells, of which the third is none of Python's."""
    if kind == "year":
        cells = [1_600_000_000_000_000] * 2 + [317_000_000_000_000_000, 0]
        return pa.array(cells, pa.int64()).cast(pa.timestamp("us"))
    if kind == "nanoseconds":
        return pa.array([0, 0, 1, 0], pa.int64()).cast(pa.timestamp("ns"))
    text = pa.array([b"a", b"b", b"caf\xe9", b"d"], pa.binary())
    return pa.Array.from_buffers(pa.string(), 4, text.buffers())


@pytest.mark.parametrize(
    ("kind", "kept"),
    [("year", "12015-05-01 11:33:20"), ("nanoseconds", "1970-01-01 00:00:00.000000001"), ("letters", "caf\\xe9")],
)
def test_an_odd_cell(tmp_path: Path, kind: str, kept: str) -> None:
    assert len(list(column(tmp_path, "uploaded", odd(kind)).clips)) == 4
    found = metas(column(tmp_path, "uploaded", odd(kind), columns=Columns(keep=("uploaded",))))
    assert str(found[2]["uploaded"]).startswith(kept) and len(found) == 4


def test_an_odd_cell_that_is_needed_costs_its_row(tmp_path: Path) -> None:
    ids = pa.array([*(each.encode() for each in IDS[:3]), b"caf\xe9"], pa.binary())
    ids = pa.Array.from_buffers(pa.string(), 4, ids.buffers())
    found = column(tmp_path, "youtube_id", ids)
    assert [clip.video for clip in found.clips] == IDS[:3] and found.rows == 4
    assert found.skipped == [r"list.parquet, row 4: 'caf\\xe9' is neither a YouTube id nor the address of a video"]


def test_ids_that_are_bytes(tmp_path: Path) -> None:
    table = pa.table({"youtube_id": pa.array([each.encode() for each in IDS], pa.binary()), "start": [1.0] * 4})
    found = listing(tmp_path, table, "list.parquet", columns=Columns(url="youtube_id"), clip_length=2.0)
    assert [clip.video for clip in found.clips] == IDS


def test_only_what_is_asked_for_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[list[str]] = []
    file = pyarrow.parquet.ParquetFile
    read = file.iter_batches
    monkeypatch.setattr(
        file,
        "iter_batches",
        lambda self, size, columns, **more: wanted.append(columns) or read(self, size, columns=columns, **more),
    )
    found = column(tmp_path, "thumbnail", pa.array([b"x" * 1000] * 4, pa.binary()))
    assert found.rows == 4 and wanted[-1] == ["youtube_id", "start", "end"]
    assert not any("thumbnail" in names for names in wanted)


@pytest.mark.parametrize(("length", "most"), [(1, 4096), (100_000, 200)])
def test_pieces_are_bounded_by_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int, most: int
) -> None:
    sizes: list[int] = []
    file = pyarrow.parquet.ParquetFile
    read = file.iter_batches

    def reading(self: Any, size: int, **more: Any) -> Any:
        sizes.append(size)
        return read(self, size, **more)

    monkeypatch.setattr(file, "iter_batches", reading)
    words = [f"{number:06d}" + "x" * length for number in range(500)]
    path = tmp_path / "list.parquet"
    pyarrow.parquet.write_table(pa.table({"video": words}), path, use_dictionary=False)
    table = open_table(path, "utf-8", looks_of(Settings(tmp_path)))
    assert [cells["video"] for _, cells in table.rows(["video"])] == words
    assert sizes[-1] <= most and table.count() == 500


def test_a_column_that_a_part_has_not(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, [{"video": ID}], "list.parquet"), "utf-8", looks_of(Settings(tmp_path)))
    assert list(table.rows(["none"])) == [("row 1", {})]


def test_half_a_file(tmp_path: Path) -> None:
    whole = written(tmp_path, [{"youtube_id": ID}] * 1000, "list.parquet").read_bytes()
    message, hint = complaint(tmp_path, whole[:-20], "list.parquet")
    assert message.startswith("list.parquet cannot be read as parquet: ") and hint == "is it whole, and is it one?"


def test_of_a_long_parquet_little_is_held(tmp_path: Path) -> None:
    """By both readers, a list's and that of a list in order."""
    count, path = 100_000, tmp_path / "list.parquet"
    table = pa.table(
        {
            "video": [f"abcdef{number:05d}" for number in range(count)],
            "start": [float(number) for number in range(count)],
            "stop": [number + 10.0 for number in range(count)],
        }
    )
    pyarrow.parquet.write_table(table, path, row_group_size=1000)
    size = table.nbytes
    del table
    for rows in (
        read_ordered(path),
        open_table(path, "utf-8", looks_of(Settings(tmp_path))).rows(("video", "start", "stop")),
    ):
        before = pa.total_allocated_bytes()
        held = [pa.total_allocated_bytes() - before for number, _ in enumerate(rows, 1) if number % 500 == 0]
        assert len(held) == count // 500
        assert max(held) < size / 10
