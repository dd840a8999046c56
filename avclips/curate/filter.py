"""The stage ``filter``: which videos of a table of metadata are kept, and why the others are not.

rows.parquet   a row a line: line, video, kept, reason, evidence, fails (every rule that it fails), seconds,
               language, categories, title
kept.tsv       the lines that are kept, byte for byte
summary.json   what each rule drops, in order and alone
parts/         chunks of the table that are done, until all are
"""

from __future__ import annotations

import functools
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..core.errors import RunError
from ..core.files import as_utf8, unfinished, write_json
from ..progress.bar import Progress
from . import record
from .folders import KEPT, ROWS
from .metadata import Unreadable, read_line
from .metadata_source import Source
from .processes import in_order
from .rules import FilterSettings, Rules

SUMMARY = "summary.json"
# Lines of a chunk, and rows of a row group of rows.parquet.
CHUNK, _GROUP = 10_000, 100_000
_FIELDS = [
    ("line", pa.int64()),
    ("video", pa.string()),
    ("kept", pa.bool_()),
    ("reason", pa.string()),
    ("evidence", pa.string()),
    ("fails", pa.list_(pa.string())),
    ("seconds", pa.float64()),
    ("language", pa.string()),
    ("categories", pa.list_(pa.string())),
    ("title", pa.string()),
]
SCHEMA = pa.schema(_FIELDS)
# A part has the kept lines besides.
_PART = pa.schema([*_FIELDS, ("raw", pa.binary())])


@dataclass(frozen=True)
class Counts:
    """``rows`` = ``kept`` + the sum of ``first``; ``first``: by reason, what is dropped for it in order.

    ``alone``: by rule, what it would drop if it were the only one.
    """

    rows: int
    kept: int
    first: dict[str, int]
    alone: dict[str, int]


@dataclass(frozen=True)
class _Chunk:
    number: int
    # Of its first line, from 1.
    line: int
    lines: list[bytes]
    settings: FilterSettings


def run(source: Source, settings: FilterSettings, folder: Path, processes: int) -> Counts:
    """Filter all lines into ``folder``; what of it is there already, from the same table and settings, stays.

    UsageError where it was made from others; RunError where a line is neither kept nor dropped.
    """
    made = record.Record(
        "filter",
        asdict(settings) | {"chunk": CHUNK},
        {"metadata": source.fingerprint()},
        record.versions_of("py3langid", "snowballstemmer", "pyarrow"),
    )
    record.begin(folder, made)
    if record.finished(folder) is None:
        _filter(source, settings, folder, processes)
    shutil.rmtree(folder / record.PARTS, ignore_errors=True)
    return read_counts(folder)


def try_out(source: Source, settings: FilterSettings) -> Counts:
    """What the rules do to the first chunk; nothing is written."""
    lines = next(source.chunks(CHUNK), [])
    return _count(_judged(_Chunk(0, 1, lines, settings)))


def read_counts(folder: Path) -> Counts:
    """What a finished stage counts."""
    said = record.finished(folder)
    if said is None:
        raise RunError(f"the filter in {folder} is not finished", "avclips curate filter, with the same options")
    return Counts(said["rows"], said["kept"], said["first"], said["alone"])


def _filter(source: Source, settings: FilterSettings, folder: Path, processes: int) -> None:
    parts = folder / record.PARTS
    parts.mkdir(exist_ok=True)
    chunks = 0
    with Progress("filtered", None, "row") as progress:
        lines = (
            _Chunk(number, number * CHUNK + 1, lines, settings)
            for number, lines in enumerate(source.chunks(CHUNK))
        )
        for number, rows in in_order(functools.partial(_do, parts), lines, processes):
            progress.step(rows)
            chunks = number + 1
    counts = _join(folder, [_part(parts, number) for number in range(chunks)])
    write_json(folder / SUMMARY, table(settings, counts))
    record.finish(folder, asdict(counts))


def _part(parts: Path, number: int) -> Path:
    return parts / f"{number:06d}.parquet"


def _do(parts: Path, chunk: _Chunk) -> tuple[int, int]:
    """Judge a chunk, where that is not done yet; its number, and how many lines it has."""
    path = _part(parts, chunk.number)
    if not path.exists():
        with unfinished(path) as part:
            pq.write_table(_judged(chunk), part)
    return chunk.number, len(chunk.lines)


def _judged(chunk: _Chunk) -> pa.Table:
    """A chunk's lines as rows of a part."""
    rules = _rules(chunk.settings)
    columns: list[list[Any]] = [[] for _ in _PART]
    for line, raw in enumerate(chunk.lines, chunk.line):
        for column, value in zip(columns, _row(rules, line, raw), strict=True):
            column.append(value)
    return pa.table(columns, schema=_PART)


@functools.lru_cache(maxsize=1)
def _rules(settings: FilterSettings) -> Rules:
    return Rules(settings)


def _row(rules: Rules, line: int, raw: bytes) -> tuple[Any, ...]:
    try:
        row = read_line(raw)
        verdict = rules.judge(row)
    except Unreadable as error:
        return (line, "", False, error.reason, str(error), [], None, "", [], "", None)
    reason, evidence = verdict.fails[0] if verdict.fails else ("", "")
    fails = [rule for rule, _ in verdict.fails]
    told = (row.seconds, verdict.language, list(row.categories), as_utf8(row.title))
    return (line, as_utf8(row.video), not fails, reason, evidence, fails, *told, None if fails else raw)


def _count(rows: pa.Table) -> Counts:
    kept = sum(rows["kept"].to_pylist())
    first = Counter(reason for reason in rows["reason"].to_pylist() if reason)
    alone = Counter(rule for fails in rows["fails"].to_pylist() for rule in fails)
    return Counts(rows.num_rows, kept, dict(first), dict(alone))


def _join(folder: Path, parts: list[Path]) -> Counts:
    """Make the two files of all parts; RunError where a row is lost."""
    rows = kept = 0
    first: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    with unfinished(folder / ROWS) as new_rows, unfinished(folder / KEPT) as new_kept:
        with pq.ParquetWriter(new_rows, SCHEMA, compression="zstd") as writer, open(new_kept, "wb") as stream:
            for tables in _groups(parts):
                table = pa.concat_tables(tables)
                counts = _count(table)
                rows, kept = rows + counts.rows, kept + counts.kept
                first.update(counts.first)
                alone.update(counts.alone)
                writer.write_table(table.select(SCHEMA.names), row_group_size=_GROUP)
                for raw in table["raw"].drop_null().to_pylist():
                    stream.write(raw if raw.endswith(b"\n") else raw + b"\n")
        if rows != kept + first.total():
            raise RunError(
                f"of {rows} rows {kept} are kept and {first.total()} dropped",
                "this is a fault of the program: please report it",
            )
    return Counts(rows, kept, dict(sorted(first.items())), dict(sorted(alone.items())))


def _groups(parts: list[Path]) -> Iterator[list[pa.Table]]:
    """The parts, as many together as make a row group."""
    many = _GROUP // CHUNK
    for begin in range(0, len(parts), many):
        yield [pq.read_table(path) for path in parts[begin : begin + many]]


def table(settings: FilterSettings, counts: Counts) -> list[dict[str, Any]]:
    """A row a reason, those of lines that nothing could be read of first, then the rules in their order."""
    lines = [reason for reason in counts.first if reason not in settings.rules]
    return [
        {"reason": reason, "in_order": counts.first.get(reason, 0), "alone": counts.alone.get(reason)}
        for reason in (*sorted(lines), *settings.rules)
    ]
