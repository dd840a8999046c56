"""Lists that are nothing but lines of an id and a start, as ACAV100M's are, a block of lines at a time.

One search sees that each line of a block is so, in a thirtieth of the time in which each is read by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .files import Source

# An id, and a start that can be nothing but seconds.
PLAIN_ID = r"[A-Za-z0-9_-]{11}"
PLAIN_SECONDS = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
# Of such a line: the id, what is between, a digit, the line's end.
LEAST_BYTES = 14
# What may stand between them, and is in neither.
_BETWEEN = ",\t;|& "
# In these, what is ASCII stands as it is.
_CODECS = frozenset(("utf-8-sig", "ascii", "iso8859-1", "cp1252"))
_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 20


class NotPlain(Exception):
    """A line is something else: the list has to be read row by row."""


@dataclass(frozen=True)
class PlainLines:
    """Two columns in a file of lines; ``header``: whether the first line has their names."""

    source: Source
    delimiter: str
    columns: tuple[str, str]
    header: bool

    def blocks(self, video: str) -> Iterator[bytes]:
        """All lines but the header, many at a time; ``video``: the column of ids. NotPlain."""
        parts = [PLAIN_ID, PLAIN_SECONDS] if self.columns[0] == video else [PLAIN_SECONDS, PLAIN_ID]
        plain = re.compile(rf"(?:{parts[0]}{re.escape(self.delimiter)}{parts[1]}\r?\n)++".encode()).fullmatch
        with self.source.open() as stream:
            begun = stream.read(_BLOCK).removeprefix(_BOM)
            if self.header:
                head, _, begun = begun.partition(b"\n")
                if b'"' in head:
                    raise NotPlain
            while more := stream.read(_BLOCK):
                lines, end, begun = (begun + more).rpartition(b"\n")
                yield _seen(lines + end, plain)
            if begun:
                # The last line may lack its end.
                yield _seen(begun if begun.endswith(b"\n") else begun + b"\n", plain)


def plain_lines(
    source: Source, codec: str, delimiter: str, columns: tuple[str, ...], header: bool
) -> PlainLines | None:
    """The lines of a file, where they may be plain ones."""
    if len(columns) != 2 or codec not in _CODECS or not delimiter or delimiter not in _BETWEEN:
        return None
    return PlainLines(source, delimiter, (columns[0], columns[1]), header)


def _seen(lines: bytes, plain: Callable[[bytes], object]) -> bytes:
    if not plain(lines):
        raise NotPlain
    return lines
