"""The bytes that hold a clip by an index, as the product chooses the fragments."""

from __future__ import annotations

from fractions import Fraction

from avclips.containers.fragments import FragmentRange, Index, covering


def plan(index: Index, start: Fraction, end: Fraction | None) -> FragmentRange | None:
    """The fragments that hold seconds ``start``..``end`` (None: to the end); None when all is over before."""
    if start >= index.duration or (end is not None and end <= start):
        return None
    first, last = covering([Fraction(time, index.timescale) for time in index.times], start, end)
    return FragmentRange(
        index.offsets[first], index.offsets[last + 1] - 1, Fraction(index.times[first], index.timescale)
    )
