"""The documents as they stand: their pages, fenced blocks, code spans, links and headings.

Knows Markdown as far as these pages use it. What a command or a program means is in ``documented``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.script import ROOT

_FENCE = re.compile(r"^( *)(```+)(\w*)[^\n]*\n(.*?)^\1\2 *$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
# [text](target), ![alt](target); a title behind the target is not used here.
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#* *$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, its first line there, its language and what is in it."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page that a reader is meant to read, but for the change log."""
    named = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    others = [ROOT / "findings" / "README.md", *sorted(ROOT.glob("examples/*.md"))]
    return [*named, *sorted(ROOT.glob("docs/*.md")), *others]


def blocks(page: Path, text: str | None = None) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    said = page.read_text(encoding="utf-8") if text is None else text
    for match in _FENCE.finditer(said):
        indent = len(match[1])
        body = "".join(line[indent:] for line in match[4].splitlines(keepends=True))
        yield Block(page, said.count("\n", 0, match.start()) + 2, match[3], body)


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text)


def spans(text: str) -> Iterator[str]:
    """The code spans outside of fenced blocks."""
    for match in _SPAN.finditer(prose(text)):
        yield " ".join(match[1].split())


def links(text: str) -> Iterator[str]:
    """Where the links and pictures of a page lead, but for those in code."""
    for match in _LINK.finditer(_SPAN.sub("", prose(text))):
        yield match[1]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for match in _HEADING.finditer(prose(text)):
        slug = base = _slug(match[1])
        number = 0
        while slug in found:
            number += 1
            slug = f"{base}-{number}"
        found.add(slug)
    return found


def _slug(heading: str) -> str:
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    kept = (c for c in plain if c in " -_" or unicodedata.category(c)[0] in "LN")
    return "".join(kept).replace(" ", "-")
