"""A user's list as a Table, whatever the words behind the script's name mean: files of any format, or one of many.

Whatever is wrong with a file is said once, in a UsageError that names it, and the line where there is one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from .files import Source, codec_of, find_sources, no_such_file, words_of
from .objects import json_table, jsonl_table
from .parquet import parquet_table
from .table import SAMPLE, Looks, Row, Table
from .text import text_table

FORMATS: dict[str, Callable[[Source, str, Looks, str | None], Table]] = {
    "csv": text_table,
    "tsv": text_table,
    "txt": text_table,
    "json": json_table,
    "jsonl": jsonl_table,
    "ndjson": jsonl_table,
    "parquet": parquet_table,
}


def open_table(
    lists: str | Path | Sequence[str | Path], encoding: str, looks: Looks, delimiter: str | None = None
) -> Table:
    """The rows of everything that ``lists`` names, one behind the other; UsageError where they do not fit."""
    codec = codec_of(encoding)
    tables: list[Table] = []
    videos: list[str] = []
    for word in words_of(lists):
        sources = find_sources(word)
        if sources:
            tables += [FORMATS[source.ending](source, codec, looks, delimiter) for source in sources]
        elif looks.is_video(word) and no_list(word):
            videos.append(word)
        else:
            raise no_such_file(word)
    if videos:
        tables.append(_of_words(videos))
    return tables[0] if len(tables) == 1 else _together(tables)


def no_list(word: str) -> bool:
    """Whether an address is a page's, not a list's."""
    return word.partition("?")[0].rpartition(".")[2].lower() not in FORMATS


def _of_words(videos: Sequence[str]) -> Table:
    def rows(wanted: Collection[str]) -> Iterator[Row]:
        for number, video in enumerate(videos, 1):
            yield f"word {number}", {"1": video} if "1" in wanted else {}

    # An address would be cut at its last "/".
    name = videos[0] if len(videos) == 1 and "/" not in videos[0] else "the command line"
    return Table(name, ("1",), False, rows, lambda _: list(videos[:SAMPLE]), count=lambda: len(videos))


def _together(tables: Sequence[Table]) -> Table:
    """One of many; what a file has not is missing in its rows."""
    name = f"{tables[0].name} and {len(tables) - 1} more"
    if len({table.named for table in tables}) > 1:
        bare = next(table for table in tables if not table.named)
        raise UsageError(f"{bare.name} has no header, others have", "give all of them one, or fetch it by itself")
    columns = tuple(dict.fromkeys(itertools.chain(*(table.columns for table in tables))))
    _see_that_they_are_alike(tables)

    def rows(wanted: Collection[str]) -> Iterator[Row]:
        for table in tables:
            here = [each for each in wanted if each in table.columns]
            for where, cells in table.rows(here):
                yield table.place(where), cells

    def head(column: str) -> list[Any]:
        # Of each some: the first may have nothing where a later one has.
        share = max(1, SAMPLE // len(tables))
        some = (table.head(column)[:share] for table in tables[:SAMPLE] if column in table.columns)
        return list(itertools.chain(*some))

    def count() -> int | None:
        counts = [table.count() for table in tables]
        return None if None in counts else sum(each or 0 for each in counts)

    return Table(name, columns, tables[0].named, rows, head, tables[0].delimiter, count, many=True)


def _see_that_they_are_alike(tables: Sequence[Table]) -> None:
    """Parts of one list have columns in common: another list among them would be left out row by row."""
    first = tables[0]
    for table in tables[1:]:
        if table.named and not set(first.columns) & set(table.columns):
            raise UsageError(
                f"{table.name} has no column of {first.name}: {', '.join(map(repr, table.columns[:10]))}",
                "fetch it by itself",
            )
