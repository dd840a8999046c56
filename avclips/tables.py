"""The rows of a user's file: csv, tsv, txt, jsonl, json or parquet, streamed wherever the format lets it be.

Knows formats, not meanings: whoever asks says what a header is, and the cells of text stay text. Whatever is wrong
with a file is said once, in a UsageError that names it, and the line where there is one.
"""

from __future__ import annotations

import codecs
import csv
import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .errors import UsageError
from .extras import extra

# Where a row stands ("line 37", "record 5", "row 5"), and its cells by column.
Row = tuple[str, Mapping[str, Any]]
Rows = Callable[[Collection[str]], Iterator[Row]]
IsHeader = Callable[[Sequence[str]], bool]
# A text file's rows, each with the number of its first line.
_Lines = Callable[[], Iterator[tuple[int, list[str]]]]

SAMPLE = 100
# Rows of a parquet file that are Python's at a time.
_BATCH = 4096
# Told to the csv reader behind the last line: one that is within quotes then takes it for a part of a cell.
_END = "\x1cthe end of the list"
_SHAPE = 'it should be a list of objects such as {"url": ..., "start": 10, "end": 20}'


@dataclass(frozen=True)
class Table:
    """A file of rows.

    ``columns``: their names, or "1", "2", ... where the file gives none (``named`` False). ``sample``: the first
    rows. ``rows(wanted)``: every row with its cells of the wanted columns, read anew at each call; a cell that a
    row does not have is not in its mapping.
    """

    path: Path
    columns: tuple[str, ...]
    named: bool
    sample: tuple[Mapping[str, Any], ...]
    rows: Rows


def open_table(path: Path, encoding: str, is_header: IsHeader) -> Table:
    """A file by the ending of its name; ``is_header`` is asked about the first row of csv, tsv and txt."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder, not a list", "name one file in it")
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        known = ", ".join(f".{each}" for each in FORMATS)
        raise UsageError(
            f"{path}: no list that can be read ends in {path.suffix or 'nothing'!r}", f"known: {known}"
        )
    return FORMATS[ending](path, _codec(encoding), is_header)


def _codec(encoding: str) -> str:
    try:
        # Python knows some that do not make text of bytes.
        b"x".decode(encoding, "ignore")
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        hint = "say one such as utf-8, utf-16, latin-1 or cp1252"
        raise UsageError(f"--encoding {encoding!r} is none that Python knows", hint) from error
    return "utf-8-sig" if name == "utf-8" else name


# -- rows of cells: csv, tsv, txt ------------------------------------------------------------------------------


def _csv_table(path: Path, codec: str, is_header: IsHeader) -> Table:
    delimiter = _delimiter(path, codec)
    return _of_cells(path, lambda: _csv_lines(path, codec, delimiter), is_header)


def _delimiter(path: Path, codec: str) -> str:
    """What stands between the cells: where a comma is a decimal one, spreadsheets write semicolons."""
    with _text(path, codec) as stream:
        first = next((line for line in stream if line.strip() and not line.startswith("#")), "")
    return "," if "," in first else max(";", "\t", key=first.count) if set(first) & {";", "\t"} else ","


def _tsv_table(path: Path, codec: str, is_header: IsHeader) -> Table:
    return _of_cells(path, lambda: _csv_lines(path, codec, "\t"), is_header)


def _txt_table(path: Path, codec: str, is_header: IsHeader) -> Table:
    return _of_cells(path, lambda: _txt_lines(path, codec), is_header)


def _of_cells(path: Path, lines: _Lines, is_header: IsHeader) -> Table:
    head = [[cell.strip() for cell in cells] for _, cells in itertools.islice(lines(), SAMPLE + 1)]
    if not head:
        raise UsageError(f"{path} is empty", "it should have a line for each clip")
    named = is_header(head[0])
    if named and len(head) == 1:
        raise UsageError(f"{path} has a header and no row", "it should have a line for each clip")
    numbers = map(str, range(1, max(map(len, head)) + 1))
    columns = tuple(head[0]) if named else tuple(numbers)

    def rows(wanted: Collection[str]) -> Iterator[Row]:
        places = [(name, columns.index(name)) for name in wanted if name in columns]
        for line, cells in itertools.islice(lines(), int(named), None):
            width = len(cells)
            yield f"line {line}", {name: cells[at] for name, at in places if at < width}

    return _with_sample(path, columns, named, rows)


def _with_sample(path: Path, columns: tuple[str, ...], named: bool, rows: Rows) -> Table:
    sample = tuple(row for _, row in itertools.islice(rows(columns), SAMPLE))
    return Table(path, columns, named, sample, rows)


def _csv_lines(path: Path, codec: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    with _text(path, codec) as stream:
        reader = csv.reader(_without_comments(stream), delimiter=delimiter, skipinitialspace=True)
        begin = 1
        try:
            for cells in reader:
                if cells and cells[-1].endswith(_END):
                    break
                if any(cells):
                    yield begin, cells
                begin = reader.line_num + 1
        except csv.Error as error:
            hint = "a quote before it may never be closed"
            raise UsageError(f"{path}, line {begin}: not to be read: {error}", hint) from error
        if cells != [_END]:
            hint = 'close it, or double it where a quote is meant: ""'
            raise UsageError(f"{path}, line {begin}: a quote is opened and never closed", hint)


def _without_comments(stream: IO[str]) -> Iterator[str]:
    """The lines, and an empty one for each comment above the first row: the numbers stay those of the file.

    Further down, a "#" may begin a title.
    """
    for line in stream:
        comment = line.startswith("#")
        yield "\n" if comment else line
        if line.strip() and not comment:
            break
    yield from stream
    yield _END


def _txt_lines(path: Path, codec: str) -> Iterator[tuple[int, list[str]]]:
    with _text(path, codec) as stream:
        for number, line in enumerate(stream, 1):
            cell = line.strip()
            if cell and not cell.startswith("#"):
                yield number, [cell]


# -- rows of objects: jsonl, json, parquet ---------------------------------------------------------------------


def _jsonl_table(path: Path, codec: str, _: IsHeader) -> Table:
    def rows(_: Collection[str]) -> Iterator[Row]:
        with _text(path, codec) as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    where = f"line {number}"
                    yield where, _object(_parsed(line, f"{path}, {where}"), f"{path}, {where}")

    return _of_objects(path, rows)


def _json_table(path: Path, codec: str, _: IsHeader) -> Table:
    with _text(path, codec) as stream:
        text = stream.read()
    if not text.strip():
        raise UsageError(f"{path} is empty", _SHAPE)
    value = _parsed(text, f"{path}")
    if not isinstance(value, list):
        raise UsageError(f"{path} holds {_kind(value)}, not a list", _SHAPE)

    def rows(_: Collection[str]) -> Iterator[Row]:
        for number, record in enumerate(value, 1):
            yield f"record {number}", _object(record, f"{path}, record {number}")

    return _of_objects(path, rows)


def _of_objects(path: Path, rows: Rows) -> Table:
    head = [row for _, row in itertools.islice(rows(()), SAMPLE)]
    if not head:
        raise UsageError(f"{path} holds no record", _SHAPE)
    return Table(path, tuple(dict.fromkeys(itertools.chain(*head))), True, tuple(head), rows)


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        hint = "write it anew"
        if error.msg == "Extra data":
            hint = "a file with an object on each line is called .jsonl"
        place = f"line {error.lineno}, column {error.colno}" if "\n" in text.rstrip() else f"column {error.colno}"
        raise UsageError(f"{where} is not whole JSON: {error.msg} at {place}", hint) from error
    except (RecursionError, ValueError) as error:
        raise UsageError(f"{where} cannot be read: {error}", "write it anew") from error


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{where} holds {_kind(value)}, not an object", _SHAPE)
    return value


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(value), "a number")


def _parquet_table(path: Path, _: str, __: IsHeader) -> Table:
    arrow = extra("pyarrow.parquet", "parquet files are read")

    def rows(wanted: Collection[str]) -> Iterator[Row]:
        with _whole_parquet(path, arrow), arrow.parquet.ParquetFile(path) as file:
            numbers = itertools.count(1)
            for batch in file.iter_batches(_BATCH, columns=list(wanted)):
                names = batch.schema.names
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    yield f"row {next(numbers)}", dict(zip(names, values, strict=True))

    with _whole_parquet(path, arrow), arrow.parquet.ParquetFile(path) as file:
        columns = tuple(file.schema_arrow.names)
        if not file.metadata.num_rows:
            raise UsageError(f"{path} has no row", "it should have one for each clip")
    return _with_sample(path, columns, True, rows)


# -- what can be wrong with a file -----------------------------------------------------------------------------


@contextmanager
def _whole_parquet(path: Path, arrow: Any) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, OverflowError, arrow.ArrowException) as error:
        why = str(error).partition("\n")[0][:200]
        raise UsageError(f"{path} cannot be read as parquet: {why}", "is it whole, and is it one?") from error


@contextmanager
def _text(path: Path, codec: str) -> Iterator[IO[str]]:
    try:
        with open(path, encoding=codec, newline="") as stream:
            yield stream
    except UnicodeError as error:
        name = codec.removesuffix("-sig")
        hint = f"save it as UTF-8, or say what it is: --encoding {_likely(path)}"
        raise UsageError(f"{path}, line {_broken_line(path, codec)}: not {name} text", hint) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "is it there, and yours to read?") from error


def _likely(path: Path) -> str:
    """What it may be that is not UTF-8: a mark in front tells one, the rest is a guess."""
    with open(path, "rb") as stream:
        return "utf-16" if stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "latin-1"


def _broken_line(path: Path, codec: str) -> int:
    """The line with the bytes that are no text: the stream had read ahead of it."""
    decoder = codecs.getincrementaldecoder(codec)()
    number = 0
    with open(path, "rb") as stream, suppress(UnicodeError):
        for line in stream:
            number += 1
            decoder.decode(line)
    return number


FORMATS: dict[str, Callable[[Path, str, IsHeader], Table]] = {
    "csv": _csv_table,
    "tsv": _tsv_table,
    "txt": _txt_table,
    "json": _json_table,
    "jsonl": _jsonl_table,
    "ndjson": _jsonl_table,
    "parquet": _parquet_table,
}
