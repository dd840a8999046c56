"""Lists in parquet: only the columns that are asked for, some bytes at a time, cell by cell where one is bad."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from ..core.errors import UsageError
from ..core.extras import extra
from .files import Source
from .table import SAMPLE, Looks, Row, Table

# Rows, and about as many bytes of them, that are Python's at a time.
_MOST_ROWS = 4096
_MOST_BYTES = 16 << 20


class Unreadable:
    """A cell that Python cannot hold, and why."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __repr__(self) -> str:
        return f"a cell that cannot be read ({self.why})"


def parquet_table(source: Source, _: str, __: Looks, ___: str | None) -> Table:
    """A parquet; what Arrow cannot read of it is a UsageError, a single bad cell is Unreadable."""
    arrow = extra("pyarrow.parquet", "parquet files are read")
    if source.path.is_file() and source.is_compressed:
        raise UsageError(f"{source.name} is a packed parquet", "unpack it: parquet is packed by itself")

    @contextmanager
    def opened() -> Iterator[Any]:
        try:
            with arrow.parquet.ParquetFile(source.path) as file:
                yield file
        except (OSError, ValueError, OverflowError, arrow.ArrowException) as error:
            why = str(error).partition("\n")[0][:200]
            raise UsageError(
                f"{source.name} cannot be read as parquet: {why}", "is it whole, and is it one?"
            ) from error

    def rows(wanted: Collection[str], most: int = _MOST_ROWS) -> Iterator[Row]:
        with opened() as file:
            there = [name for name in wanted if name in file.schema_arrow.names]
            if not there:
                # Rows without a cell are rows.
                yield from ((f"row {number}", {}) for number in range(1, file.metadata.num_rows + 1))
                return
            numbers = itertools.count(1)
            size = min(most, _batch(file, there))
            # Of several groups at once, pyarrow keeps what it has read of all of them to the end.
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(size, row_groups=[group], columns=there):
                    columns = [_values(column, arrow) for column in batch.columns]
                    for values in zip(*columns, strict=True):
                        yield f"row {next(numbers)}", dict(zip(batch.schema.names, values, strict=True))

    with opened() as file:
        columns, count = tuple(file.schema_arrow.names), file.metadata.num_rows
        blobs = {field.name for field in file.schema_arrow if _is_blob(field.type, arrow)}
    if not count:
        raise UsageError(f"{source.name} has no row", "it should have one for each clip")
    found: dict[str, list[Any]] = {}

    def head(name: str) -> list[Any]:
        if name in blobs:
            # Pictures and sounds: who wants a column of texts that is called bytes names it.
            return [None] * min(count, SAMPLE)
        if name not in found:
            found[name] = [row.get(name) for _, row in itertools.islice(rows((name,), SAMPLE), SAMPLE)]
        return found[name]

    return Table(source.name, columns, True, rows, head, count=lambda: count)


def _is_blob(kind: Any, arrow: Any) -> bool:
    types = arrow.types
    return any(test(kind) for test in (types.is_binary, types.is_large_binary, types.is_fixed_size_binary))


def _batch(file: Any, names: Collection[str]) -> int:
    """Rows of these columns that make about as many bytes as may be."""
    rows = total = 0
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        rows += group.num_rows
        for at in range(group.num_columns):
            column = group.column(at)
            if column.path_in_schema.partition(".")[0] in names:
                total += column.total_uncompressed_size
    return max(1, min(_MOST_ROWS, _MOST_BYTES * max(rows, 1) // max(total, 1)))


def _values(column: Any, arrow: Any) -> list[Any]:
    """A column's cells as Python's; where one cannot be, each by itself."""
    errors: tuple[type[Exception], ...] = (ValueError, OverflowError, arrow.ArrowException)
    try:
        if arrow.types.is_float16(column.type):
            # Older pyarrow have it as numbers of numpy.
            column = column.cast(arrow.float32())
        values: list[Any] = column.to_pylist()
    except errors:
        return [_value(column[at], arrow, errors) for at in range(len(column))]
    return values


def _value(cell: Any, arrow: Any, errors: tuple[type[Exception], ...]) -> Any:
    try:
        return cell.as_py()
    except errors as error:
        if arrow.types.is_string(cell.type) or arrow.types.is_large_string(cell.type):
            # Latin-1, as a program wrote it under UTF-8's name.
            return cell.as_buffer().to_pybytes().decode("utf-8", "backslashreplace")
        # A year that Python does not have, nanoseconds.
        text = _tried(lambda: cell.cast(arrow.string()).as_py(), errors)
        return Unreadable(str(error).partition("\n")[0][:100]) if text is None else text


def _tried(said: Callable[[], Any], errors: tuple[type[Exception], ...]) -> Any:
    try:
        return said()
    except errors:
        return None
