"""Lists of lines: csv, tsv, txt. Which letter stands between the cells, and what a quote means.

A row is never lost: a quote that is opened and not closed takes no line for its own that is a row by itself, and
each line is counted.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from ..core.errors import RunError, UsageError
from .csv_reader import reader
from .files import Source, text_of
from .plain_lines import plain_lines
from .table import SAMPLE, Looks, Row, Table, is_word

# What may stand between cells, the likeliest first.
_BETWEEN = {"csv": ",\t;|& ", "tsv": "\t,;|& ", "txt": ",\t;|& "}
_USUAL = {"csv": ",", "tsv": "\t", "txt": ""}
_NUMBER = re.compile(r"\s*[-+]?[0-9.,:]+\s*")
_CELL = r'(?:"(?:[^"]|"")*"|[-+0-9.,:eE ]*)'
_QUOTED_LINE = re.compile(rf"{_CELL}(?:\t{_CELL})*")
_NEARLY_ALL = 0.9
# Lines that are looked at together.
_AT_ONCE = 1000


@dataclass(frozen=True)
class _Form:
    """How the lines of a file become cells; ``marks``: whether quotes are marks around a cell, or letters."""

    delimiter: str
    marks: bool


def text_table(source: Source, codec: str, looks: Looks, delimiter: str | None) -> Table:
    """A file of lines; ``delimiter``: None where it is to be found out."""
    form = _form(source, codec, looks, delimiter)
    reading = _Reading(source, codec, looks, form)
    head = [[cell.strip() for cell in cells] for _, cells in itertools.islice(reading.lines(), SAMPLE + 1)]
    if not head:
        raise UsageError(f"{source.name} is empty", "it should have a line for each clip")
    named = looks.is_header(head[0])
    if named and len(head) == 1:
        raise UsageError(f"{source.name} has a header and no row", "it should have a line for each clip")
    numbers = map(str, range(1, max(map(len, head)) + 1))
    columns = tuple(head[0]) if named else tuple(numbers)

    def rows(wanted: Collection[str]) -> Iterator[Row]:
        places = [(name, columns.index(name)) for name in wanted if name in columns]
        for line, cells in itertools.islice(reading.lines(), int(named), None):
            width = len(cells)
            yield f"line {line}", {name: cells[at] for name, at in places if at < width}

    first = [row for _, row in itertools.islice(rows(columns), SAMPLE)]

    def head_of(name: str) -> list[Any]:
        return [row.get(name) for row in first]

    lines = plain_lines(source, codec, form.delimiter, columns, named)
    return Table(source.name, columns, named, rows, head_of, form.delimiter, lines=lines)


# -- which letter stands between the cells -------------------------------------------------------------------


def _form(source: Source, codec: str, looks: Looks, delimiter: str | None) -> _Form:
    with text_of(source, codec) as stream:
        lines = [line.strip("\r\n") for line in itertools.islice(_without_comments(stream), SAMPLE)]
    lines = [line for line in lines if line.strip()]
    if delimiter is None:
        delimiter = _between(lines, source.ending, looks)
    if not delimiter or delimiter == "&":
        return _Form(delimiter, marks=False)
    if delimiter != "\t" or source.ending != "tsv":
        return _Form(delimiter, marks=True)
    # A tsv has no quotes by itself: those of R and of csv writers are around every text of the first line.
    first = lines[0] if lines else ""
    return _Form("\t", marks='"' in first and _QUOTED_LINE.fullmatch(first) is not None)


def _between(lines: Sequence[str], ending: str, looks: Looks) -> str:
    """The letter that makes videos of the lines' pieces, or else the usual one."""
    usual = _USUAL[ending]
    if not lines or (usual == "\t" and "\t" in lines[0]):
        return usual
    found = {letter: _videos(lines, letter, usual, looks) for letter in _BETWEEN[ending] if letter in lines[0]}
    best = max(found, key=lambda letter: found[letter], default=usual)
    if usual and found.get(usual, -1.0) >= found.get(best, 0.0):
        return usual
    if found.get(best, 0.0) > 0:
        return best
    # No video is to be seen: spreadsheets write semicolons where a comma is a decimal one.
    others = [letter for letter in (";", "\t") if found.get(letter, -1.0) >= 0 and "," not in lines[0]]
    return max(others, key=lines[0].count) if usual and others else usual


def _videos(lines: Sequence[str], letter: str, usual: str, looks: Looks) -> float:
    """In what part of the lines a piece is a video, to a tenth; -1 where the letter is a part of the cells."""
    split = [_split(line, letter) for line in lines]
    share = sum(any(looks.is_video(cell.strip()) for cell in cells) for cells in split) / len(split)
    if letter == usual:
        return round(share, 1)
    alike = sum(len(cells) == len(split[0]) for cells in split) / len(split)
    if len(split[0]) < 2 or (letter in " &" and alike < _NEARLY_ALL) or (letter == "&" and "?" in lines[0]):
        return -1.0
    if looks.is_video(lines[0].strip()) and not any(_NUMBER.fullmatch(cell) for cell in split[0][1:]):
        # An address with this letter in it.
        return -1.0
    return round(share, 1)


def _split(line: str, letter: str) -> list[str]:
    if letter in "\t&":
        return line.split(letter)
    return next(reader([line], delimiter=letter, skipinitialspace=True), [])


def _without_comments(stream: IO[str]) -> Iterator[str]:
    """The lines, and an empty one for each comment above the first row: the numbers stay those of the file.

    Further down, a "#" may begin a title; ``#NAME?`` is what a spreadsheet makes of an id.
    """
    for line in stream:
        comment = line.startswith("#") and not line.startswith("#NAME?")
        yield "\n" if comment else line
        if line.strip() and not comment:
            break
    yield from stream


# -- lines as rows -------------------------------------------------------------------------------------------


class _RowWithin(Exception):
    """A line within quotes that is a row by itself."""


class _NeverClosed(Exception):
    """The file ends within quotes."""


class _Feed:
    """Lines for a csv reader: it asks for a further one in the middle of a row only where quotes are open.

    ``width``: how many cells a row has, None as long as that is not known.
    """

    def __init__(self, lines: Iterable[str], form: _Form, looks: Looks) -> None:
        self._lines = iter(lines)
        self._form = form
        self._looks = looks
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.width: int | None = None
        # How many lines became part of a row, or are empty.
        self.used = 0
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next()
        if line is None:
            if self.taken:
                raise _NeverClosed
            raise StopIteration
        if self.taken and self._is_row(line):
            self._back.appendleft(line)
            raise _RowWithin
        self.taken.append(line)
        return line

    def _next(self) -> str | None:
        if self._back:
            return self._back.popleft()
        line = next(self._lines, None)
        self.read += line is not None
        return line

    def block(self) -> list[str]:
        """The next lines, where no quote is among them, so that each is a row by itself; else none."""
        if self._back:
            return []
        lines = list(itertools.islice(self._lines, _AT_ONCE))
        self.read += len(lines)
        if '"' in "".join(lines):
            self._back.extend(lines)
            return []
        return lines

    def _is_row(self, line: str) -> bool:
        cells = line.rstrip("\r\n").split(self._form.delimiter)
        return len(cells) == self.width and any(
            self._looks.is_video(cell.strip()) and not is_word(cell) for cell in cells
        )

    def begins_with_a_row(self) -> bool:
        """Whether the first line of what was taken is a row by itself."""
        return self.width is not None and self._is_row(self.taken[0])

    def done(self) -> None:
        """What was taken is a row."""
        self.used += len(self.taken)
        self.taken.clear()

    def only_the_first(self) -> str:
        """The first line of what was taken; the others come again."""
        first, *others = self.taken
        self._back.extendleft(reversed(others))
        self.taken = [first]
        return first


class _Reading:
    """The rows of a file of lines, each with the number of its first line; to be gone through again and again."""

    def __init__(self, source: Source, codec: str, looks: Looks, form: _Form) -> None:
        self._source, self._codec, self._looks, self._form = source, codec, looks, form

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """Every row but the empty ones."""
        return self._quoted() if self._form.marks else self._plain()

    def _plain(self) -> Iterator[tuple[int, list[str]]]:
        delimiter = self._form.delimiter
        with text_of(self._source, self._codec) as stream:
            for number, line in enumerate(_without_comments(stream), 1):
                text = line.rstrip("\r\n")
                if delimiter:
                    cells = [cell.lstrip(" ") for cell in text.split(delimiter)]
                    if any(cells):
                        yield number, cells
                elif (cell := text.strip()) and not _is_comment(cell):
                    yield number, [cell]

    def _quoted(self) -> Iterator[tuple[int, list[str]]]:
        with text_of(self._source, self._codec) as stream:
            feed = _Feed(_without_comments(stream), self._form, self._looks)
            rows = self._reader(feed)
            while True:
                yield from self._at_once(feed)
                begin = feed.used + 1
                try:
                    cells = next(rows)
                except StopIteration:
                    break
                except (_RowWithin, _NeverClosed, csv.Error) as error:
                    self._complain(error, feed, begin)
                    cells, rows = self._as_letters(feed.only_the_first()), self._reader(feed)
                feed.done()
                if any(cells):
                    feed.width = feed.width or len(cells)
                    yield begin, cells
            if feed.used != feed.read:
                raise RunError(
                    f"{self._source.name} has {feed.read} lines, of which {feed.used} were read",
                    "this is a fault of the program: please report it",
                )

    def _at_once(self, feed: _Feed) -> Iterator[tuple[int, list[str]]]:
        """The rows up to the next quote, a block of lines at a time: there may be millions."""
        while lines := feed.block():
            begin = feed.used + 1
            feed.used += len(lines)
            for line, cells in enumerate(self._reader(lines), begin):
                if any(cells):
                    feed.width = feed.width or len(cells)
                    yield line, cells

    def _complain(self, error: Exception, feed: _Feed, begin: int) -> None:
        """UsageError, but where the first line of what was taken is a row, and its quote a letter."""
        where = f"{self._source.name}, line {begin}"
        if isinstance(error, csv.Error):
            raise UsageError(
                f"{where}: not to be read: {error}", "is it a list, and its --encoding right?"
            ) from error
        if isinstance(error, _NeverClosed) and not feed.begins_with_a_row():
            hint = 'close it, or double it where a quote is meant: ""'
            raise UsageError(f"{where}: a quote is opened and never closed", hint) from error

    def _reader(self, feed: Iterable[str]) -> Iterator[list[str]]:
        return reader(feed, delimiter=self._form.delimiter, skipinitialspace=True)

    def _as_letters(self, line: str) -> list[str]:
        """The cells of a line in which one quote at least is a letter."""
        pieces = line.rstrip("\r\n").split(self._form.delimiter)
        return [cell.lstrip(" ") for cell in pieces]


def _is_comment(cell: str) -> bool:
    return cell.startswith("#") and not cell.startswith("#NAME?")
