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
    "list": "clips.n",
    "score": "clips.score desc nulls last, clips.n",
    "short": "clips.seconds nulls last, clips.n",
    "long": "clips.seconds desc nulls last, clips.n",
    "id": "clips.id",
}
MOST_AT_ONCE = 500
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


def _where(wanted: Filter) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    if match := match_of(wanted.words).strip():
        parts.append("clips.n in (select rowid from words where words match ?)")
        values.append(match)
    elif wanted.words.strip():
        # Only signs: nothing has them.
        parts.append("0")
    for kind, chosen in wanted.facets.items():
        if kind in FACETS and chosen:
            marks = ", ".join("?" * len(chosen))
            parts.append(f"clips.n in (select n from facets where kind = ? and value in ({marks}))")
            values += [kind, *chosen]
    if wanted.least is not None:
        parts.append("clips.score >= ?")
        values.append(wanted.least)
    return (" where " + " and ".join(parts) if parts else ""), values


def count(database: sqlite3.Connection, wanted: Filter) -> int:
    """How many clips there are of these."""
    where, values = _where(wanted)
    return int(database.execute(f"select count(*) from clips{where}", values).fetchone()[0])


def clips(
    database: sqlite3.Connection, wanted: Filter, order: str = "list", offset: int = 0, limit: int = 60
) -> list[dict[str, Any]]:
    """A page of clips, each as the grid shows it."""
    where, values = _where(wanted)
    words = (
        f"select n, score, sample from clips{where} order by {ORDERS.get(order, ORDERS['list'])} limit ? offset ?"
    )
    limit = max(0, min(limit, MOST_AT_ONCE))
    return [_card(*row) for row in database.execute(words, [*values, limit, max(0, offset)])]


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
    where, values = _where(wanted)
    yield from (
        row[0]
        for row in database.execute(
            f"select id from clips{where} order by {ORDERS.get(order, ORDERS['list'])}", values
        )
    )


def facets(database: sqlite3.Connection, wanted: Filter, most: int = 400) -> dict[str, list[tuple[str, int]]]:
    """By kind, the values that clips have and how many: of each kind as if it were not filtered by itself."""
    found: dict[str, list[tuple[str, int]]] = {}
    for kind in FACETS:
        others = {name: chosen for name, chosen in wanted.facets.items() if name != kind}
        rest = Filter(wanted.words, others, wanted.least)
        where, values = _where(rest)
        inside = "" if rest.all else f" and n in (select n from clips{where})"
        words = (
            f"select value, count(*) from facets where kind = ?{inside} "
            "group by value order by count(*) desc, value limit ?"
        )
        found[kind] = [(value, many) for value, many in database.execute(words, [kind, *values, most])]
    return found


def clip(database: sqlite3.Connection, number: int) -> dict[str, Any] | None:
    """All that is known of a clip; None where there is none of this number."""
    row = database.execute("select sample, score from clips where n = ?", (number,)).fetchone()
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
    where, values = _where(wanted)
    label = "(select min(value) from facets where facets.n = clips.n and kind = 'label')"
    words = f"select id, {label}, score from clips{where} order by clips.n limit ?"
    return [tuple(row) for row in database.execute(words, [*values, most])]
