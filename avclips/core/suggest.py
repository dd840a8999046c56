"""The nearest of the words that are known, for one that is not."""

from __future__ import annotations

import difflib
import itertools
import os
from collections.abc import Iterable
from pathlib import Path

# How alike two words must be, of 1: "trian" and "train" are 0.8, "Dogs" and "Dog" 0.86.
_ALIKE = 0.6
# So many files of a folder are looked at.
_MOST_FILES = 10_000


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was likely meant, whatever its capitals; None where none is near.

    One that ``word`` begins counts before one that looks like it, and that before one that has it in it.
    """
    by_folded = {each.casefold(): each for each in known}
    folded = word.casefold()
    if folded in by_folded:
        return by_folded[folded]
    long = len(folded) > 2
    begun = [each for each in by_folded if long and each.startswith(folded)]
    held = [each for each in by_folded if long and folded in each]
    # Of several, the one that is most alike.
    for among, alike in ((begun, 0.0), (list(by_folded), _ALIKE), (held, 0.0)):
        if found := difflib.get_close_matches(folded, among, n=1, cutoff=alike):
            return by_folded[found[0]]
    return None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``: did you mean train?``, or nothing."""
    near = nearest(word, known)
    return f": did you mean {near}?" if near else ""


def near_path(path: Path) -> Path | None:
    """What stands beside where ``path`` should be, and was likely meant; None where nothing is near."""
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in itertools.islice(entries, _MOST_FILES)]
    except OSError:
        return None
    near = nearest(path.name, (name for name in names if not name.startswith(".")))
    return None if near is None else path.with_name(near)
