"""What the page asks of an index: clips by words and facets, in an order; counts; one clip."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .index import FACETS

ORDERS = {
    "list": "n",
    # Going down, SQLite puts nulls last.
    "score": "score desc, n",
    "short": "seconds nulls last, n",
    "long": "seconds desc, n",
    "id": "id",
}
MOST_AT_ONCE = 500
# What so many of the clips pass is looked at clip by clip; those that pass a rarer filter are taken together.
_COMMON = 1 / 50
_WORD = re.compile(r"[^\W_]+", re.UNICODE)


@dataclass(frozen=True)
class Filter:
    """Which clips: ``words`` that all of them have (the last may be unfinished), ``facets`` by kind.

    Of the values of one kind any will do, and each kind must agree. ``least``: the lowest score.
    """

    words: str = ""
    facets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    least: float | None = None

    @property
    def all(self) -> bool:
        return not (self.words.strip() or self.facets or self.least is not None)


def match_of(words: str) -> str:
    """Full-text search's own language for words that a person typed: each in quotes, the last as a beginning."""
    found = _WORD.findall(words)
    return " ".join(f'"{each}"' for each in found[:-1]) + (f' "{found[-1]}"*' if found else "")


def _groups(facets: Mapping[str, Sequence[str]]) -> tuple[str, list[Any]]:
    """The condition on a group ``g`` that each kind agrees; "" where there is none."""
    parts: list[str] = []
    values: list[Any] = []
    for kind, chosen in facets.items():
        if kind in FACETS and chosen:
            marks = ", ".join("?" * len(chosen))
            parts.append(f"g in (select g from facets where kind = ? and value in ({marks}))")
            values += [kind, *chosen]
    return " and ".join(parts), values


def _words(wanted: Filter) -> str | None:
    """What full-text search is asked for; None for everything, "" where nothing has these words."""
    return match_of(wanted.words).strip() if wanted.words.strip() else None


def _where(database: sqlite3.Connection, wanted: Filter) -> tuple[str, list[Any]]:
    """The condition on a clip."""
    parts: list[str] = []
    values: list[Any] = []
    if match := _words(wanted):
        parts.append("n in (select rowid from words where words match ?)")
        values.append(match)
    elif match is not None:
        # Only signs.
        parts.append("0")
    groups, chosen = _groups(wanted.facets)
    if groups:
        many = count(database, Filter(facets=wanted.facets)) >= _COMMON * count(database, Filter())
        # A plus keeps SQLite from the index.
        parts.append(groups.replace("g in", "+g in") if many else f"n in (select n from clips where {groups})")
        values += chosen
    if wanted.least is not None:
        parts.append("score >= ?")
        values.append(wanted.least)
    return (" where " + " and ".join(parts) if parts else ""), values


def _counted(wanted: Filter) -> tuple[str, list[Any]]:
    """A query for how many clips of each group there are of these: columns g and clips."""
    match = _words(wanted)
    groups, values = _groups(wanted.facets)
    parts = [groups] if groups else []
    if match is None and wanted.least is None:
        return "select g, clips from groups" + (f" where {groups}" if groups else ""), values
    if match == "":
        return "select 0 as g, 0 as clips", []
    if wanted.least is not None:
        parts.append("score >= ?")
        values = [*values, wanted.least]
    if match is not None:
        parts.append("words match ?")
        values = [*values, match]
    source = "clips" if match is None else "words cross join clips on clips.n = words.rowid"
    return f"select g, count(*) as clips from {source} where {' and '.join(parts)} group by g", values


def count(database: sqlite3.Connection, wanted: Filter) -> int:
    """How many clips there are of these."""
    counted, values = _counted(wanted)
    return int(database.execute(f"select coalesce(sum(clips), 0) from ({counted})", values).fetchone()[0])


def clips(
    database: sqlite3.Connection, wanted: Filter, order: str = "list", offset: int = 0, limit: int = 60
) -> list[dict[str, Any]]:
    """A page of clips, each as the grid shows it."""
    where, values = _where(database, wanted)
    order = ORDERS.get(order, ORDERS["list"])
    words = f"select n, score from clips{where} order by {order} limit ? offset ?"
    rows = database.execute(words, [*values, max(0, min(limit, MOST_AT_ONCE)), max(0, offset)]).fetchall()
    found = []
    for number, score in rows:
        text = database.execute("select sample from samples where n = ?", (number,)).fetchone()
        # A build may have taken it away meanwhile.
        if text is not None:
            found.append(_card(number, score, text[0]))
    return found


def _card(number: int, score: float | None, text: str) -> dict[str, Any]:
    said = json.loads(text)
    return {
        "n": number,
        "id": said["id"],
        "status": said["status"],
        "reason": said["reason"],
        "labels": said["labels"],
        "captions": said["captions"][:1],
        "files": sorted(said["files"]),
        "score": score,
    }


def ids(database: sqlite3.Connection, wanted: Filter, order: str = "list") -> Iterator[str]:
    """The ids of all of these, one after the other."""
    where, values = _where(database, wanted)
    words = f"select id from clips{where} order by {ORDERS.get(order, ORDERS['list'])}"
    yield from (row[0] for row in database.execute(words, values))


def facets(database: sqlite3.Connection, wanted: Filter, most: int = 400) -> dict[str, list[tuple[str, int]]]:
    """By kind, the values that clips have and how many: of each kind as if it were not filtered by itself."""
    chosen = [kind for kind in FACETS if wanted.facets.get(kind)]
    found: dict[str, list[tuple[str, int]]] = {kind: [] for kind in FACETS}
    for kinds in ([kind for kind in FACETS if kind not in chosen], *([kind] for kind in chosen)):
        others = {name: values for name, values in wanted.facets.items() if name not in kinds}
        counted, values = _counted(Filter(wanted.words, others, wanted.least))
        marks = ", ".join("?" * len(kinds))
        words = (
            f"select kind, value, sum(clips) as many from ({counted}) cross join facets using (g) "
            f"where kind in ({marks}) group by kind, value having many > 0 order by many desc, value"
        )
        for kind, value, many in database.execute(words, [*values, *kinds]):
            if len(found[kind]) < most:
                found[kind].append((value, many))
    return found


def clip(database: sqlite3.Connection, number: int) -> dict[str, Any] | None:
    """All that is known of a clip; None where there is none of this number."""
    if not 0 < number < 1 << 63:
        # SQLite counts no further.
        return None
    words = "select sample, score from samples join clips using (n) where n = ?"
    row = database.execute(words, (number,)).fetchone()
    if row is None:
        return None
    said: dict[str, Any] = json.loads(row[0])
    return said | {"n": number, "score": row[1]}


def number_of(database: sqlite3.Connection, clip_id: str) -> int | None:
    """The number of the clip that has this id."""
    row = database.execute("select n from clips where id = ?", (clip_id,)).fetchone()
    return None if row is None else int(row[0])


def points(database: sqlite3.Connection, wanted: Filter, most: int) -> list[tuple[str, str | None, float | None]]:
    """Of each clip its id, first label and score, as far as ``most``."""
    where, values = _where(database, wanted)
    labels = dict(database.execute("select g, min(value) from facets where kind = 'label' group by g"))
    words = f"select id, g, score from clips{where} order by n limit ?"
    return [(name, labels.get(group), score) for name, group, score in database.execute(words, [*values, most])]
