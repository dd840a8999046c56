"""The nearest of the words that are known, for one that is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# How alike two words must be, of 1: "trian" and "train" are 0.8, "Dogs" and "Dog" 0.86.
_ALIKE = 0.6


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was likely meant, whatever its capitals; None where none is near.

    One that ``word`` begins, or that is all but in it, counts before one that only looks like it.
    """
    by_folded = {each.casefold(): each for each in known}
    folded = word.casefold()
    if folded in by_folded:
        return by_folded[folded]
    begun = [each for each in by_folded if each.startswith(folded)] if len(folded) > 2 else []
    near = difflib.get_close_matches(folded, by_folded, n=1, cutoff=_ALIKE)
    # Of several that it begins, the one that is most alike.
    found = difflib.get_close_matches(folded, begun, n=1, cutoff=0.0) or near
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``: did you mean train?``, or nothing."""
    near = nearest(word, known)
    return f": did you mean {near}?" if near else ""
