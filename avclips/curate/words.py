"""Titles and descriptions as words, and the keywords that stand among them.

A keyword is one or more whole words in a row. Both sides are stemmed (English, Snowball), so that "tutorials" is
found by "tutorial"; text of a script that does not part its words is one word to us.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.extras import extra

# Each begins with letters of its own: alternatives, and beginnings that may be missing, cost four times as much.
_ADDRESS, _HOST = re.compile(r"https?://\S+"), re.compile(r"www\.\S+")
_TAG = re.compile(r"</?[a-z][^<>]{0,500}>")
_WORD = re.compile(r"[^\W_]+")
# Apostrophes are within a word: "let's", "let’s" and "lets" are one.
_WITHIN = ("'", "’")
# Stems of so many different words are kept at a time.
_MOST_WORDS = 400_000


def plain_text(title: str, description: str) -> str:
    """Both in lower case, without addresses and tags, and with the letters that HTML writes as names."""
    text = f"{title} {description}".lower()
    if "&" in text:
        text = html.unescape(text).lower()
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "://" in text:
        text = _ADDRESS.sub(" ", text)
    return _HOST.sub(" ", text) if "www." in text else text


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, in their order."""
    for letter in _WITHIN:
        text = text.replace(letter, "")
    return _WORD.findall(text)


class Keywords:
    """Lists of keywords by the rule that they are of, to be looked for all at once.

    ``stemmed``: the rules whose keywords are stemmed; ``stemmed_text``: those for which the text is. By default
    all are; the two differ in --compat acav alone. ``algorithm``: a stemmer of Snowball's.
    """

    def __init__(
        self,
        lists: Mapping[str, Sequence[str]],
        stemmed: Iterable[str] | None = None,
        stemmed_text: Iterable[str] | None = None,
        algorithm: str = "english",
    ) -> None:
        stemmer: Any = extra("snowballstemmer", "keywords are stemmed").stemmer(algorithm)
        stems = set(lists) if stemmed is None else set(stemmed)
        texts = set(lists) if stemmed_text is None else set(stemmed_text)
        self._plain, self._stemmed = _Finder(), _Finder(stemmer)
        for rule, keywords in lists.items():
            finder = self._stemmed if rule in texts else self._plain
            for keyword in keywords:
                words = words_of(keyword.lower())
                if words:
                    finder.add(rule, keyword, stemmer.stemWords(words) if rule in stems else words)

    def find(self, text: str) -> dict[str, str]:
        """For each rule with a keyword in ``text`` (from ``plain_text``), the keyword that comes first."""
        words = words_of(text)
        return self._plain.find(words) | self._stemmed.find(words)


class _Finder(dict[str, str]):
    """Word -> the word, or its stem, where some keyword has it in it; else "". Filled as words come."""

    def __init__(self, stemmer: Any = None) -> None:
        super().__init__()
        self._stemmer = stemmer
        self._parts: set[str] = set()
        # By its first word: the rest, the rule, and how it was written.
        self._by_first: dict[str, list[tuple[list[str], str, str]]] = {}

    def add(self, rule: str, keyword: str, words: list[str]) -> None:
        self._parts.update(words)
        self._by_first.setdefault(words[0], []).append((words, rule, keyword))

    def __missing__(self, word: str) -> str:
        if len(self) >= _MOST_WORDS:
            self.clear()
        stem = self._stemmer.stemWord(word) if self._stemmer else word
        found = self[word] = stem if stem in self._parts else ""
        return found

    def find(self, words: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        if not self._parts:
            return found
        stems = list(map(self.__getitem__, words))
        if not any(stems):
            return found
        for place, stem in enumerate(stems):
            for parts, rule, keyword in self._by_first.get(stem, ()) if stem else ():
                if rule not in found and stems[place : place + len(parts)] == parts:
                    found[rule] = keyword
        return found
