"""The rules by which a video is dropped for what its metadata say, in their order; each can be left out.

After Lee et al., "ACAV100M", ICCV 2021: videos in which one is likely not to hear what one sees. The keywords are
our own (curate/keywords).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from ..core.extras import extra
from ..core.suggest import did_you_mean
from .metadata import Row, Unreadable
from .words import Keywords, plain_text

# Those with a file of keywords.
WORDED = ("artist", "gaming", "animation", "official_video", "tutorial")
RULES = ("duration", "language", "category", *WORDED)
LANGUAGES = ("en", "es", "pt", "ru", "ja", "fr", "de", "ko")
# Of a text, so many letters tell its language.
_LETTERS = 500
# The category whose videos the keywords of "artist" are looked for in.
_MUSIC = "music"
# How the original calls its files.
_ORIGINAL = {"officialvideo": "official_video"}


@dataclass(frozen=True)
class FilterSettings:
    """What is dropped. ``rules``: in the order in which they are asked; ``keywords``: of each rule that has some.

    ``seconds``: the least and the most a video may have; ``compat``: the original's faults are repeated.
    """

    rules: tuple[str, ...] = RULES
    seconds: tuple[float, float] = (30.0, 597.0)
    languages: tuple[str, ...] = LANGUAGES
    categories: tuple[str, ...] = ("gaming",)
    keywords: tuple[tuple[str, tuple[str, ...]], ...] = ()
    compat: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """``fails``: each rule that a row fails, in their order, and what shows it; ``language``: as it was told."""

    fails: tuple[tuple[str, str], ...]
    language: str = ""


def shipped_keywords() -> dict[str, tuple[str, ...]]:
    """Our own keywords of each rule."""
    folder = files("avclips.curate") / "keywords"
    return {rule: _lines((folder / f"{rule}.txt").read_text(encoding="utf-8")) for rule in WORDED}


def read_keywords(path: Path, rule: str = "") -> tuple[str, tuple[str, ...]]:
    """A user's keywords: which rule they are of (by the file's name where it is not said), and each of them.

    A keyword a line; behind # a remark. A .csv is read as the original's are: a header, then words parted by
    commas. UsageError where it cannot be read, or holds none.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"--keywords {path}: {why}", "name a file with a keyword a line") from error
    if path.suffix == ".csv":
        text = "\n".join(line.replace(",", " ") for line in text.splitlines()[1:])
    rule = rule or path.stem.removesuffix("_keywords")
    rule, found = _ORIGINAL.get(rule, rule), _lines(text)
    if not found:
        raise UsageError(f"--keywords {path}: there is no keyword in it", "a keyword a line")
    if rule in RULES and rule not in WORDED:
        raise UsageError(f"--keywords {path}: the rule {rule!r} has no keywords", "say RULE=FILE")
    return rule, found


def _lines(text: str) -> tuple[str, ...]:
    lines = (" ".join(line.partition("#")[0].split()).lower() for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


def see_rules(rules: tuple[str, ...], worded: Mapping[str, object]) -> None:
    """UsageError for a rule that there is not."""
    known = [*dict.fromkeys((*RULES, *worded))]
    for rule in rules:
        if rule not in known:
            hint = f"there are: {', '.join(known)}; --keywords FILE adds one of the file's name"
            raise UsageError(f"there is no rule {rule!r}{did_you_mean(rule, known)}", hint)


class Rules:
    """The rules of some settings, with what they look words up in."""

    def __init__(self, settings: FilterSettings) -> None:
        self._settings = settings
        lists = {rule: words for rule, words in settings.keywords if rule in settings.rules}
        if settings.compat:
            # There, only the text is stemmed, of tutorials alone, and most keywords match no stem.
            self._keywords = Keywords(lists, (), ("tutorial",), "porter")
        else:
            self._keywords = Keywords(lists)
        self._told = "language" in settings.rules
        self._categories = frozenset(settings.categories)
        self._languages = frozenset(settings.languages)

    def judge(self, row: Row) -> Verdict:
        """Which rules a row fails. Unreadable where --compat acav ends at it."""
        settings = self._settings
        if settings.compat and not row.has_category:
            raise Unreadable("no_category", "the original ends here")
        text = plain_text(row.title, row.description)
        language = (row.language or _language(text)) if self._told else row.language
        found: dict[str, str] = self._keywords.find(text)
        if _MUSIC not in row.categories:
            found.pop("artist", None)
        least, most = settings.seconds
        # What has no length, the original takes for none.
        if row.seconds is None:
            found["duration"] = "no length is told"
        elif not least <= row.seconds <= most:
            found["duration"] = f"{row.seconds:g} s"
        if self._told and language not in self._languages:
            found["language"] = language or "no words"
        if dropped := self._categories.intersection(row.categories):
            found["category"] = ", ".join(sorted(dropped))
        return Verdict(tuple((rule, found[rule]) for rule in settings.rules if rule in found), language)


def _language(text: str) -> str:
    """The language of a text, as ISO 639-1 has it; "" for one without letters."""
    text = text[:_LETTERS]
    if not any(map(str.isalpha, text)):
        return ""
    return str(_identifier().classify(text)[0])


@functools.cache
def _identifier() -> Any:
    return extra("py3langid", "a text's language is told")
