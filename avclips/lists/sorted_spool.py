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

# (video, start, end) in seconds.
Row = tuple[str, float, float]
# Rows that are Python's at a time.
_BATCH = 20_000
# What does not go into so much is on the disk meanwhile; a second thread would need as much again. DuckDB before
# 1.4 finds the first too little for some millions of rows, disk or no disk, and says so.
_MEMORY = ("96MB", "192MB", "512MB", "2GB")
_THREADS = 1
_SORT = """
    COPY (
        SELECT video, start, stop
        FROM rows JOIN (SELECT video, min(place) AS first FROM rows GROUP BY video) AS firsts USING (video)
        ORDER BY first, place
    ) TO {path} (FORMAT parquet, ROW_GROUP_SIZE 100000)
"""


def is_here() -> bool:
    """Whether the packages are installed."""
    return find_spec("duckdb") is not None and find_spec("pyarrow") is not None


def write_ordered(path: Path, rows: Iterable[Row]) -> None:
    """The rows with those of a video together, in the order of each one's first. RunError: a full disk, say."""
    duckdb, arrow = extra("duckdb", "long lists are ordered"), extra("pyarrow", "long lists are ordered")
    limits = {"memory_limit": _MEMORY[0], "threads": _THREADS, "temp_directory": f"{path}.tmp"}
    # The rows say their places themselves.
    limits["preserve_insertion_order"] = False
    try:
        with closing(duckdb.connect(":memory:", config=limits)) as base:
            # Of what takes longer than two seconds it tells on standard output otherwise.
            base.execute("SET enable_progress_bar = false")
            base.execute("CREATE TABLE rows (place BIGINT, video VARCHAR, start DOUBLE, stop DOUBLE)")
            for first, batch in _batches(rows):
                _insert(base, arrow, first, batch)
            _sort(base, path, duckdb.OutOfMemoryException)
    except duckdb.Error as error:
        why = str(error).partition("\n")[0][:200]
        raise RunError(f"{path} cannot be written: {why}", "is there room?") from error


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


def _batches(rows: Iterable[Row]) -> Iterator[tuple[int, list[Row]]]:
    coming = iter(rows)
    for first in itertools.count(0, _BATCH):
        if not (batch := list(itertools.islice(coming, _BATCH))):
            return
        yield first, batch


def _insert(base: Any, arrow: Any, first: int, batch: list[Row]) -> None:
    videos, starts, stops = zip(*batch, strict=True)
    columns = {
        "place": _numbers(arrow, "q", range(first, first + len(batch))),
        "video": arrow.array(videos, arrow.string()),
        "start": _numbers(arrow, "d", starts),
        "stop": _numbers(arrow, "d", stops),
    }
    base.register("batch", arrow.table(columns))
    base.execute("INSERT INTO rows SELECT place, video, start, stop FROM batch")
    base.unregister("batch")


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
