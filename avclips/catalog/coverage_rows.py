"""Coverage in words, and as rows of a paper's table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import REASONS
from .coverage import LOST, UNTRIED, hours_of, percent_of, share_of

# Of a hash, as many digits as a table has room for.
SHORT = 12
_WORDS = {UNTRIED: "not tried yet", LOST: "its files are gone"}
_LATEX = re.compile(r"[#$%&_{}]")


def lines_of(said: Mapping[str, Any]) -> Iterator[str]:
    """A coverage in words, a split after the other."""
    for split, part in _parts(said):
        yield f"{split}: {share_of(part)}, {hours_of(part)} hours, set {part['hash'][:SHORT]}"
        for reason, count in part["reasons"].items():
            yield f"  {count:6d}  {reason}: {_WORDS.get(reason) or REASONS.get(reason, reason)}"
        if (asked := (said.get("questions") or {}).get(split)) is not None:
            yield f"  {asked['with_clip']} of {asked['questions']} questions have their clip"
    if unknown := said.get("clips_of_unfinished_shards"):
        yield f"{unknown} clips more are in shards that are not finished."


def markdown_of(said: Mapping[str, Any]) -> Iterator[str]:
    """A table of Markdown: a row for each split, and one for all."""
    yield "| dataset | split | clips | of the list | hours | set (SHA-256) |"
    yield "|---|---|---|---|---|---|"
    for cells in _cells(said):
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def latex_of(said: Mapping[str, Any]) -> Iterator[str]:
    """Rows of a LaTeX table: dataset, split, clips, share, hours, set."""
    for *cells, digits in _cells(said):
        yield " & ".join([*map(_escaped, cells), rf"\texttt{{{digits}}}"]) + r" \\"


def _escaped(text: str) -> str:
    return _LATEX.sub(lambda letter: "\\" + letter[0], text.replace("\\", r"\textbackslash "))


def _cells(said: Mapping[str, Any]) -> Iterator[list[str]]:
    for split, part in _parts(said):
        clips = f"{part['done']:,} / {part['clips']:,}"
        yield [str(said["title"]), split, clips, percent_of(part), hours_of(part), part["hash"][:SHORT]]


def _parts(said: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    splits = said["splits"]
    yield from splits.items()
    if len(splits) != 1:
        yield "total", said["total"]
