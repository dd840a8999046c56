"""The values of a histogram, of which as many are kept as a picture needs."""

from __future__ import annotations

from typing import Any

# Values that are kept: of more, every so many-th, so that a report of millions is small.
MOST_VALUES = 100_000


class Values:
    """Values of a histogram, thinned evenly where there are too many."""

    def __init__(self) -> None:
        self.kept: list[float] = []
        self.count = 0
        self.total = 0.0
        self._every = 1

    def add(self, value: Any) -> None:
        """Take a number; anything else is none."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return
        if self.count % self._every == 0:
            self.kept.append(float(value))
            if len(self.kept) >= MOST_VALUES:
                self.kept = self.kept[::2]
                self._every *= 2
        self.count += 1
        self.total += float(value)

    def quantile(self, share: float) -> float:
        """The value that this share of them does not exceed; 0 where there are none."""
        ordered = sorted(self.kept)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
