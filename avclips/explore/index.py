"""The index of a download: an SQLite file with a row a clip, its facets, and its words for full-text search.

Made of Samples; made anew row by row: a clip that is as it was is not written again. Clips with the same facets
are a group; millions of clips are thousands of groups, so that facets are counted in no time.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..catalog.sample import Place, Sample
from ..core.errors import RunError
from ..quality.thresholds import raised

# Another number: what lies there was made by another version, and is made anew.
VERSION = 2
# What a facet is made of; "reason" of failed clips only.
FACETS = ("status", "split", "label", "reason", "flag", "length")
# What is sorted and counted is in narrow rows; what a card and a page show of a clip is in ``samples``.
_SCHEMA = """
create table clips (
    n integer primary key, id text not null unique, g integer not null, seconds real, score real,
    digest blob not null
);
create index by_group on clips (g);
create index by_score on clips (score desc, n);
create index by_seconds on clips (seconds, n);
create index by_seconds_down on clips (seconds desc, n);
create table samples (n integer primary key, sample text not null);
create table groups (g integer primary key, facets text not null unique, clips integer not null);
create table facets (kind text not null, value text not null, g integer not null,
    primary key (kind, value, g)) without rowid;
create index facets_of on facets (g, kind, value);
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
    writer = _Writer(database, questions, scores)
    for sample in samples:
        writer.take(sample)
        if not writer.seen % _BATCH:
            seen(writer.seen)
    written = writer.end()
    seen(writer.seen)
    return written


class _Writer:
    """What a build has seen so far. Its memory does not grow with the clips, but for a bit each."""

    def __init__(self, database: sqlite3.Connection, questions: Questions, scores: Mapping[str, float]) -> None:
        self._database = database
        self._questions = questions
        self._scores = scores
        self.seen = self._written = 0
        # By n, whether the clip was seen.
        self._there = bytearray()
        self._next = 1 + (database.execute("select max(n) from clips").fetchone()[0] or 0)
        self._groups = dict(database.execute("select facets, g from groups"))
        self._batch: dict[str, tuple[Sample, int | None, str, bytes]] = {}

    def take(self, sample: Sample) -> None:
        """Write a clip, if it is not as it was. Of several of one id the first counts."""
        known = self._database.execute("select n, digest from clips where id = ?", (sample.id,)).fetchone()
        if sample.id in self._batch or (known is not None and self._is_there(known[0])):
            return
        self.seen += 1
        text = as_text(sample, self._questions.get(sample.id, ()))
        digest = hashlib.blake2b(f"{text}{self._scores.get(sample.id)}".encode(), digest_size=12).digest()
        if known is not None:
            self._mark(known[0])
            if known[1] == digest:
                return
        self._batch[sample.id] = (sample, None if known is None else known[0], text, digest)
        if len(self._batch) >= _BATCH:
            self._flush()

    def end(self) -> int:
        """Write what is left, and take away what was not seen; returns how many rows were written in all."""
        self._flush()
        gone = [(n,) for (n,) in self._database.execute("select n from clips") if not self._is_there(n)]
        if gone:
            self._database.execute("begin")
            self._count(self._forget(gone))
            self._database.execute("commit")
        return self._written + len(gone)

    def _is_there(self, n: int) -> bool:
        return n >> 3 < len(self._there) and bool(self._there[n >> 3] >> (n & 7) & 1)

    def _mark(self, n: int) -> None:
        if n >> 3 >= len(self._there):
            self._there.extend(bytes((n >> 3) + 1 - len(self._there) + _BATCH))
        self._there[n >> 3] |= 1 << (n & 7)

    def _flush(self) -> None:
        self._database.execute("begin")
        changed = self._forget([(n,) for _, n, _, _ in self._batch.values() if n is not None])
        clips, texts, words = [], [], []
        for sample, known, text, digest in self._batch.values():
            n = self._next if known is None else known
            self._next += known is None
            self._mark(n)
            group = self._group(sample)
            changed[group] += 1
            clips.append((n, sample.id, group, seconds_of(sample), self._scores.get(sample.id), digest))
            texts.append((n, text))
            said = _said(self._questions.get(sample.id, ()))
            words.append((n, sample.id, title_of(sample), *map("\n".join, (sample.labels, sample.captions, said))))
        self._database.executemany("insert into clips values (?, ?, ?, ?, ?, ?)", clips)
        self._database.executemany("insert into samples values (?, ?)", texts)
        into = "insert into words (rowid, id, title, labels, captions, questions) values (?, ?, ?, ?, ?, ?)"
        self._database.executemany(into, words)
        self._count(changed)
        self._database.execute("commit")
        self._written += len(self._batch)
        self._batch.clear()

    def _forget(self, numbers: list[tuple[int]]) -> Counter[int]:
        """Delete clips by their n; how many fewer that makes of each group."""
        changed: Counter[int] = Counter()
        for number in numbers:
            changed[self._database.execute("select g from clips where n = ?", number).fetchone()[0]] -= 1
        for table, column in (("clips", "n"), ("samples", "n"), ("words", "rowid")):
            self._database.executemany(f"delete from {table} where {column} = ?", numbers)
        return changed

    def _group(self, sample: Sample) -> int:
        facets = sorted(set(facets_of(sample)))
        name = json.dumps(facets, ensure_ascii=False)
        if (found := self._groups.get(name)) is None:
            row = self._database.execute("insert into groups (facets, clips) values (?, 0)", (name,)).lastrowid
            assert row is not None
            found = self._groups[name] = row
            rows = [(kind, value, found) for kind, value in facets]
            self._database.executemany("insert into facets values (?, ?, ?)", rows)
        return found

    def _count(self, changed: Counter[int]) -> None:
        rows = [(by, group) for group, by in changed.items() if by]
        self._database.executemany("update groups set clips = clips + ? where g = ?", rows)


_FIELDS, _PLACE = (tuple(each.name for each in fields(kind)) for kind in (Sample, Place))


def as_text(sample: Sample, questions: Iterable[Mapping[str, Any]]) -> str:
    """A sample and its questions as JSON: what a clip's page is made of."""
    # What asdict() gives: it copies all that is in it, and takes longer than the rest of a build.
    said = {name: getattr(sample, name) for name in _FIELDS}
    said["files"] = {kind: {name: getattr(place, name) for name in _PLACE} for kind, place in sample.files.items()}
    return json.dumps(said | {"questions": list(questions)}, ensure_ascii=False, default=str)


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
