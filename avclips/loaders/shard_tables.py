"""The samples of a parquet table with media, by their numbers among its rows that are done."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from ..catalog.places import content_of, opened_table
from ..core.errors import RunError
from ..core.redact import without_password
from ..core.reserved_names import is_file
from .shard_tars import Raw

_STATUS = "status"


def count_rows(address: str) -> int:
    """How many rows of a table are done; all, where no column says so. RunError where it cannot be read."""
    with opened_table(address) as table:
        return sum(len(_done(table, group)) for group in range(table.num_row_groups))


def table_samples(
    address: str, numbers: range, skip: Container[int], wanted: Callable[[str], bool]
) -> Iterator[tuple[int, Raw]]:
    """The samples with these numbers but for those in ``skip``, in their order: its files by their columns' names
    and the other columns as ``json`` has them, under "" as a dict; of each file's column only the ``wanted``."""
    with opened_table(address) as table:
        names = table.schema_arrow.names
        if not any(is_file(name) for name in names):
            words = f"{without_password(address)} has no media: a table that lies beside a tar"
            raise RunError(words, "name the tars, or the folder")
        columns = [name for name in names if not is_file(name) or wanted(name)]
        number = 0
        for group in range(table.num_row_groups):
            rows = _done(table, group)
            here = range(max(number, numbers.start), min(number + len(rows), numbers.stop))
            if any(each not in skip for each in here):
                # Without Arrow's threads: a worker that ends while they end may abort.
                found = table.read_row_group(group, columns=columns, use_threads=False)
                for each in here:
                    if each not in skip:
                        yield each, _raw(found, rows[each - number], columns)
            number += len(rows)
            if number >= numbers.stop:
                return
    words = f"{without_password(address)} has {number} samples, and should have {numbers.stop} at least"
    raise RunError(words, "avclips verify says what is wrong with it")


def _raw(found: Any, row: int, columns: list[str]) -> Raw:
    # A row is made into Python's objects when it is handed out; until then its group is kept.
    return Raw("", lambda: _members(found.slice(row, 1).to_pylist()[0], columns))


def _members(row: Mapping[str, Any], columns: list[str]) -> Mapping[str, Any]:
    files = {name: content_of(row[name]) for name in columns if is_file(name)}
    facts = {name: value for name, value in row.items() if not is_file(name) and value is not None}
    return {name: content for name, content in files.items() if content is not None} | {"": facts}


def _done(table: Any, group: int) -> list[int]:
    """Which rows of a group are done."""
    if _STATUS not in table.schema_arrow.names:
        return list(range(table.metadata.row_group(group).num_rows))
    cells = table.read_row_group(group, columns=[_STATUS], use_threads=False).column(_STATUS).to_pylist()
    return [row for row, status in enumerate(cells) if status == "done"]
