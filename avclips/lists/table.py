"""What a list is once it is read: columns, and rows of cells, whatever the file was.

Holds no format: the modules that read one make a Table, and ``reader`` finds the module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .plain_lines import PlainLines

# Where a row stands ("line 37", "record 5", "row 5"), and its cells by column.
Row = tuple[str, Mapping[str, Any]]
Rows = Callable[[Collection[str]], Iterator[Row]]

# So many rows are looked at before anything is decided.
SAMPLE = 100
SHAPE = 'it should be a list of objects such as {"url": ..., "start": 10, "end": 20}'


def is_word(text: str) -> bool:
    """Whether a text of eleven letters is more likely a word than a video: information, event_label."""
    return re.fullmatch(r"[a-z]+(?:[_-][a-z]+)*", text.strip()) is not None


@dataclass(frozen=True)
class Looks:
    """What a reader of formats has to ask whoever knows meanings.

    ``is_header(cells)``: whether a first row names its columns. ``is_video(text)``: whether a text is an id, an
    address or a clip's name.
    """

    is_header: Callable[[Sequence[str]], bool]
    is_video: Callable[[str], bool]


@dataclass(frozen=True)
class Table:
    """A list of rows.

    ``name``: as the user called it; ``columns``: their names, or "1", "2", ... where the file gives none
    (``named`` False). ``rows(wanted)``: every row with its cells of the wanted columns, read anew at each call; a
    cell that a row does not have is not in its mapping. ``head(name)``: the cells of a column in the first rows,
    None for one that is not there. ``delimiter``: what stands between the cells of a text, "" where nothing does.
    ``count()``: how many rows the file has by another way of counting than going through ``rows``, None where
    there is none.
    """

    name: str
    columns: tuple[str, ...]
    named: bool
    rows: Rows
    head: Callable[[str], list[Any]]
    delimiter: str = ""
    count: Callable[[], int | None] = lambda: None
    # Whether it is several files, whose rows say which of them they are in.
    many: bool = False
    # Of a file of lines with two columns: the same rows, many at a time.
    lines: PlainLines | None = None

    def place(self, where: str) -> str:
        """Where a row stands, with the file."""
        return where if self.many else f"{self.short}, {where}"

    @property
    def short(self) -> str:
        """Its name without the folders."""
        return self.name.rstrip("/").rpartition("/")[2] or self.name
