"""A long list in the order of its videos, by DuckDB: its rows go in as they come, and out into a parquet.

DuckDB and pyarrow are in the ``scale`` extra; where they are missing, ``spooled`` has a slower way to the same.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from ..core.errors import RunError
from ..core.extras import extra
from .plain_lines import PlainLines

# (video, start, end) in seconds.
Row = tuple[str, float, float]
# Rows that are Python's at a time.
_BATCH = 20_000
# What does not go into so much is on the disk meanwhile; a second thread would need as much again. DuckDB before
# 1.4 finds the first too little for some millions of rows, disk or no disk, and says so.
_MEMORY = ("80MB", "192MB", "512MB", "2GB")
_THREADS = 1
_SORT = """
    COPY (
        SELECT video, start, stop
        FROM rows LEFT JOIN (
            SELECT video, min(place) AS first FROM rows GROUP BY video HAVING count(*) > 1
        ) AS several USING (video)
        ORDER BY coalesce(first, place), place
    ) TO {path} (FORMAT parquet, ROW_GROUP_SIZE 100000)
"""


def is_here() -> bool:
    """Whether the packages are installed."""
    return find_spec("duckdb") is not None and find_spec("pyarrow") is not None


def write_ordered(path: Path, rows: Iterable[Row]) -> None:
    """The rows with those of a video together, in the order of each one's first. RunError: a full disk, say."""
    arrow = extra("pyarrow", "long lists are ordered")
    _write(path, (_columns(arrow, batch) for batch in _batches(rows)), "start, stop")


def write_plain(path: Path, lines: PlainLines, video: str, length: float) -> int:
    """The same of plain lines; returns how many there are.

    ``video``: the column of ids; ``length``: of each clip, with at most six decimals, as a plain start has.
    NotPlain where one of the lines is something else.
    """
    arrow = extra("pyarrow.csv", "long lists are read")
    tables = (_table(arrow, lines, video, block) for block in lines.blocks(video))
    # As decimal numbers, what is written is added up; its double is what round() makes of two doubles' sum.
    stop = f"CAST(CAST(start AS DECIMAL(18, 6)) + CAST({length!r} AS DECIMAL(18, 6)) AS DOUBLE)"
    return _write(path, tables, f"CAST(start AS DOUBLE), {stop}")


def _write(path: Path, tables: Iterable[Any], times: str) -> int:
    """``tables``: Arrow's, of some rows each; ``times``: how their starts and stops are made of their columns."""
    duckdb, arrow = extra("duckdb", "long lists are ordered"), extra("pyarrow", "long lists are ordered")
    limits = {"memory_limit": _MEMORY[0], "threads": _THREADS, "temp_directory": f"{path}.tmp"}
    # The rows say their places themselves.
    limits["preserve_insertion_order"] = False
    count = 0
    try:
        with closing(duckdb.connect(":memory:", config=limits)) as base:
            # Of what takes longer than two seconds it tells on standard output otherwise.
            base.execute("SET enable_progress_bar = false")
            base.execute("CREATE TABLE rows (place BIGINT, video VARCHAR, start DOUBLE, stop DOUBLE)")
            for table in tables:
                places = _numbers(arrow, "q", range(count, count + table.num_rows))
                base.register("batch", table.append_column("place", places))
                base.execute(f"INSERT INTO rows SELECT place, video, {times} FROM batch")
                base.unregister("batch")
                count += table.num_rows
            _sort(base, path, duckdb.OutOfMemoryException)
    except duckdb.Error as error:
        why = str(error).partition("\n")[0][:200]
        raise RunError(f"{path} cannot be written: {why}", "is there room?") from error
    return count


def _sort(base: Any, path: Path, too_little: type[Exception]) -> None:
    """Write the rows in order, in as little memory as will do; ``too_little``: what is raised for want of it."""
    for limit in _MEMORY:
        base.execute(f"SET memory_limit = '{limit}'")
        try:
            base.execute(_SORT.format(path="'" + str(path).replace("'", "''") + "'"))
            return
        except too_little:
            if limit == _MEMORY[-1]:
                raise


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    coming = iter(rows)
    while batch := list(itertools.islice(coming, _BATCH)):
        yield batch


def _columns(arrow: Any, batch: list[Row]) -> Any:
    videos, starts, stops = zip(*batch, strict=True)
    times = {"start": _numbers(arrow, "d", starts), "stop": _numbers(arrow, "d", stops)}
    return arrow.table({"video": arrow.array(videos, arrow.string()), **times})


def _table(arrow: Any, lines: PlainLines, video: str, block: bytes) -> Any:
    names = ["video", "start"] if lines.columns[0] == video else ["start", "video"]
    return arrow.csv.read_csv(
        arrow.BufferReader(block),
        arrow.csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
        arrow.csv.ParseOptions(delimiter=lines.delimiter, quote_char=False),
        # As they are written.
        arrow.csv.ConvertOptions(column_types=dict.fromkeys(names, arrow.string())),
    )


def _numbers(arrow: Any, kind: Literal["q", "d"], values: Iterable[float]) -> Any:
    """Numbers of eight bytes as Arrow has them; Python's own arrays take half of the time of Arrow's reading."""
    found = array(kind, values)
    return arrow.Array.from_buffers(
        arrow.int64() if kind == "q" else arrow.float64(), len(found), [None, arrow.py_buffer(found)]
    )


def read_ordered(path: Path) -> Iterator[Row]:
    """The rows of such a parquet; RunError where it cannot be read."""
    arrow = extra("pyarrow.parquet", "long lists are read")
    try:
        with arrow.parquet.ParquetFile(path) as file:
            # Of several groups at once, pyarrow keeps what it has read of all of them to the end.
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(_BATCH, row_groups=[group]):
                    yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    except (OSError, arrow.ArrowException) as error:
        raise RunError(f"{path} cannot be read: {error}", "delete it, and run again") from error
