"""The index of a download: an SQLite file with a row a clip, its facets, and its words for full-text search.

Made of Samples; made anew row by row: a clip that is as it was is not written again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..catalog.sample import Sample
from ..core.errors import RunError
from ..quality.thresholds import raised

# Another number: what lies there was made by another version, and is made anew.
VERSION = 1
# What a facet is made of; "reason" of failed clips only.
FACETS = ("status", "split", "label", "reason", "flag", "length")
_SCHEMA = """
create table clips (
    n integer primary key, id text not null unique, digest blob not null, status text not null,
    start real, seconds real, score real, sample text not null
);
create table facets (kind text not null, value text not null, n integer not null,
    primary key (kind, value, n)) without rowid;
create index facets_of on facets (n);
create index by_score on clips (score);
create index by_seconds on clips (seconds);
create virtual table words using fts5(id, title, labels, captions, questions,
    tokenize = 'unicode61');
"""
_LENGTHS = ((1, "under 1 s"), (5, "1 to 5 s"), (9.5, "5 to 9.5 s"), (10.5, "about 10 s"), (60, "up to a minute"))
_BATCH = 2000

Questions = Mapping[str, list[Mapping[str, Any]]]


def open_index(path: Path, write: bool = False) -> sqlite3.Connection:
    """The index as it is; ``write``: for a build, made where there is none. RunError where it cannot be opened."""
    if write and not _is_ours(path):
        path.unlink(missing_ok=True)
    try:
        database = sqlite3.connect(path, check_same_thread=False, timeout=30, isolation_level=None)
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = normal")
        if write and not database.execute("pragma user_version").fetchone()[0]:
            database.executescript(_SCHEMA)
            database.execute(f"pragma user_version = {VERSION}")
    except sqlite3.Error as error:
        raise RunError(f"{path} cannot be opened: {error}", "name another --cache") from error
    return database


def _is_ours(path: Path) -> bool:
    if not path.exists():
        return True
    try:
        database = sqlite3.connect(path)
        try:
            return database.execute("pragma user_version").fetchone()[0] in (0, VERSION)
        finally:
            database.close()
    except sqlite3.Error:
        return False


def questions_by_clip(questions: Iterable[Mapping[str, Any]]) -> Questions:
    """The questions of each clip."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for question in questions:
        found[str(question["clip_id"])].append(question)
    return found


def build(
    database: sqlite3.Connection,
    samples: Iterable[Sample],
    questions: Questions,
    scores: Mapping[str, float],
    seen: Callable[[int], None] = lambda count: None,
) -> int:
    """Make the index say what ``samples`` say; returns how many rows were written.

    ``scores``: of a selection, by id. ``seen`` is told now and then how many clips were looked at.
    """
    before = {row[0]: (row[1], row[2]) for row in database.execute("select id, n, digest from clips")}
    there: set[str] = set()
    written = 0
    batch: list[tuple[Sample, str, bytes]] = []

    def flush() -> None:
        nonlocal written
        database.execute("begin")
        for sample, text, digest in batch:
            old = before.get(sample.id)
            _write(database, old[0] if old else None, sample, text, digest, questions.get(sample.id, ()), scores)
        database.execute("commit")
        written += len(batch)
        batch.clear()

    for sample in _first_of_each(samples, there):
        text = as_text(sample, questions.get(sample.id, ()))
        digest = hashlib.blake2b(f"{text}{scores.get(sample.id)}".encode(), digest_size=12).digest()
        if before.get(sample.id, (0, b""))[1] != digest:
            batch.append((sample, text, digest))
        if len(batch) >= _BATCH:
            flush()
        if not len(there) % _BATCH:
            seen(len(there))
    flush()
    gone = [(before[name][0],) for name in before.keys() - there]
    database.execute("begin")
    for table, column in (("clips", "n"), ("facets", "n"), ("words", "rowid")):
        database.executemany(f"delete from {table} where {column} = ?", gone)
    database.execute("commit")
    seen(len(there))
    return written + len(gone)


def _first_of_each(samples: Iterable[Sample], there: set[str]) -> Iterator[Sample]:
    for sample in samples:
        if sample.id not in there:
            there.add(sample.id)
            yield sample


def as_text(sample: Sample, questions: Iterable[Mapping[str, Any]]) -> str:
    """A sample and its questions as JSON: what a clip's page is made of."""
    return json.dumps(asdict(sample) | {"questions": list(questions)}, ensure_ascii=False, default=str)


def _write(
    database: sqlite3.Connection,
    number: int | None,
    sample: Sample,
    text: str,
    digest: bytes,
    questions: Iterable[Mapping[str, Any]],
    scores: Mapping[str, float],
) -> None:
    if number is not None:
        database.execute("delete from facets where n = ?", (number,))
        database.execute("delete from words where rowid = ?", (number,))
    row = (number, sample.id, digest, sample.status, sample.start, seconds_of(sample), scores.get(sample.id), text)
    number = database.execute("insert or replace into clips values (?, ?, ?, ?, ?, ?, ?, ?)", row).lastrowid
    database.executemany(
        "insert or ignore into facets values (?, ?, ?)",
        [(kind, value, number) for kind, value in facets_of(sample)],
    )
    database.execute(
        "insert into words (rowid, id, title, labels, captions, questions) values (?, ?, ?, ?, ?, ?)",
        (number, sample.id, title_of(sample), *map("\n".join, (sample.labels, sample.captions, _said(questions)))),
    )


def _said(questions: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        " ".join(map(str, (each.get("question", ""), *(each.get("choices") or ()), each.get("answer", ""))))
        for each in questions
    ]


def seconds_of(sample: Sample) -> float | None:
    """How long a clip is: really, where it is there, else as it was asked for."""
    real = sample.facts.get("duration")
    if isinstance(real, int | float):
        return float(real)
    return None if sample.end is None else sample.end - sample.start


def title_of(sample: Sample) -> str:
    """What a site, or the list, calls the clip's video; "" where neither says."""
    found = sample.facts.get("title") or sample.meta.get("title") or ""
    return found if isinstance(found, str) else ""


def facets_of(sample: Sample) -> Iterator[tuple[str, str]]:
    """By what a clip can be filtered: pairs of FACETS and a value."""
    yield "status", sample.status
    yield from (("split", each) for each in sample.splits)
    yield from (("label", each) for each in sample.labels)
    if sample.status == "failed":
        yield "reason", sample.reason or "unknown"
    flags = sample.facts.get("flags")
    if isinstance(flags, Mapping):
        yield from (("flag", each) for each in sorted(raised(flags)))
    if (seconds := seconds_of(sample)) is not None:
        yield "length", next((name for most, name in _LENGTHS if seconds < most), "over a minute")
