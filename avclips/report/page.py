"""The report as one HTML file: numbers, pictures within it, and what to do next. It needs no network."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..catalog.coverage import LOST, UNTRIED
from ..core.errors import REASONS
from ..core.wording import in_units
from .numbers import Numbers
from .pace import PaceUsed
from .pace_words import pace_rows

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
td, th { text-align: left; padding: .25rem .75rem; border-bottom: 1px solid #8886; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.5rem 0; }
img { max-width: 100%; background: #fff; border-radius: 6px; }
code { overflow-wrap: anywhere; }
"""
_NUMBER = re.compile(r"[\d,.]+( %)?")
_WORDS = {UNTRIED: "no run has tried it yet", LOST: "its files were taken away"}


def page(numbers: Numbers, title: str, pictures: Iterable[tuple[str, str, bytes]], again: str, made: str) -> str:
    """The HTML. ``again``: the command that goes on, "" where none is known; ``made``: when, and by what."""
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{html.escape(numbers.source)}, {html.escape(made)}</p>",
        *_coverage(numbers.coverage),
        *_next(numbers, again),
        *_reasons(numbers.coverage),
        *_pace(numbers.pace),
    ]
    for _, name, png in pictures:
        shown = base64.b64encode(png).decode()
        name = html.escape(name)
        picture = f'<img src="data:image/png;base64,{shown}" alt="{name}">'
        parts.append(f"<figure><figcaption>{name}</figcaption>{picture}</figure>")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _coverage(said: Mapping[str, Any]) -> Iterator[str]:
    rows = [[name, *_counts(part)] for name, part in said["splits"].items()]
    if len(rows) > 1:
        rows.append(["all", *_counts(said["total"])])
    yield "<h2>Coverage</h2>"
    yield _table(["split", "clips", "here", "", "hours", "hash of the set"], rows)


def _counts(part: Mapping[str, Any]) -> list[str]:
    share = 100 * part["done"] / part["clips"] if part["clips"] else 0.0
    return [f"{part['clips']:,}", f"{part['done']:,}", f"{share:.1f} %", f"{part['hours']:.2f}", part["hash"][:16]]


def _next(numbers: Numbers, again: str) -> Iterator[str]:
    """What is worth doing now."""
    reasons = numbers.coverage["total"]["reasons"]
    advice = []
    if again and (left := reasons.get(UNTRIED, 0) + reasons.get(LOST, 0)):
        advice.append(f"{left:,} clips were not tried, or their files are gone: <code>{html.escape(again)}</code>")
    passing = [each for each in ("network", "slow", "http", "challenge", "client", "bot_check") if each in reasons]
    if again and passing:
        count = sum(reasons[each] for each in passing)
        advice.append(
            f"{count:,} failed for what may pass ({', '.join(passing)}): the same command tries them again."
        )
    if signed := sum(reasons.get(each, 0) for each in ("age", "members", "login")):
        advice.append(
            f"{signed:,} are for signed-in viewers: <code>--cookies</code> may get them (docs/running.md)."
        )
    if refusals := numbers.pace.refusals:
        hours = sum((each.end - each.begin).total_seconds() for each in refusals) / 3600
        advice.append(
            f"The site refused {len(refusals)} times, for {hours:.1f} hours in all: fewer "
            "<code>--videos-per-hour</code>, or another <code>--proxy</code>, are refused less."
        )
    if numbers.flags:
        named = " ".join(name for name, _ in numbers.flags.most_common())
        advice.append(f"Some clips are flagged: loaders leave them out with <code>drop_flags</code> ({named}).")
    if not advice:
        advice.append("Nothing: what can be had is here.")
    yield "<h2>What to do next</h2>"
    yield "<ul>" + "".join(f"<li>{each}</li>" for each in advice) + "</ul>"
    if numbers.bytes:
        yield f"<p>The clips' main files, the pictures where they have any, are {in_units(numbers.bytes)}.</p>"


def _reasons(said: Mapping[str, Any]) -> Iterator[str]:
    reasons = said["total"]["reasons"]
    if reasons:
        yield "<h2>Why clips are missing</h2>"
        rows = [[name, _WORDS.get(name, REASONS.get(name, "")), f"{count:,}"] for name, count in reasons.items()]
        yield _table(["reason", "", "clips"], rows)


def _pace(pace: PaceUsed) -> Iterator[str]:
    rows = list(pace_rows(pace))
    if rows:
        yield "<h2>The pace</h2>"
        yield _table(["", ""], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def cell(text: str, tag: str) -> str:
        numeric = ' class="number"' if tag == "td" and _NUMBER.fullmatch(text) else ""
        return f"<{tag}{numeric}>{html.escape(text)}</{tag}>"

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(cell(each, tag) for each in cells) + "</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"
