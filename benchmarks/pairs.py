"""Two trees side by side: each row measured on the one and on the other, in turn, and the ratios of the pairs.

Whatever else the machine does meanwhile strikes both of a pair; the median of the ratios is what counts. Knows
nothing of what is measured.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .child import Failed
from .trees import Missing

WORSE = 1.05
"""Beyond this ratio a row is marked."""
BY = f"by more than {100 * (WORSE - 1):.0f} %"
CLOCK = "s by the clock"
"""How the names of rows end that are as much the machine's as ours."""
Found = Mapping[str, float]


@dataclass(frozen=True)
class Unit:
    """What is measured in one go: of a side (0: this tree, 1: the other) the figures by their rows' names."""

    title: str
    measure: Callable[[int], Found]
    pairs: int


@dataclass
class Row:
    """A row: of each pair, what this tree took and what the other; less is better."""

    title: str
    mine: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    # Why there is nothing to compare with.
    lacks: str = ""

    @property
    def ratios(self) -> list[float]:
        """This tree's by the other's, pair by pair; both nothing are alike."""
        return [_ratio(mine, theirs) for mine, theirs in zip(self.mine, self.theirs, strict=True)]

    @property
    def ratio(self) -> float | None:
        """Their median; None where there is nothing to compare with."""
        return None if self.lacks or not self.mine else statistics.median(self.ratios)

    @property
    def is_worse(self) -> bool:
        """Whether this tree is worse by more than is let pass; the clock is told, and not judged."""
        return self.ratio is not None and self.ratio > WORSE and not self.title.endswith(CLOCK)


def take(units: Iterable[Unit], say: Callable[[str], None]) -> list[Row]:
    """Measure all units in pairs; a unit of which a row looks worse is measured once more, as often again."""
    found: list[Row] = []
    for unit in units:
        rows = _pairs(unit, unit.pairs, 0)
        if any(row.is_worse for row in rows):
            say(f"{unit.title}: looks worse, so as many pairs again")
            for row, more in zip(rows, _pairs(unit, unit.pairs, unit.pairs), strict=True):
                row.mine += more.mine
                row.theirs += more.theirs
        say(_words(rows) or f"{unit.title}: not there")
        found += rows
    return found


def _pairs(unit: Unit, count: int, first: int) -> list[Row]:
    """So many pairs; every other one begins with the other tree. Failed where this tree's fails."""
    rows: dict[str, Row] = {}
    for number in range(first, first + count):
        sides: dict[int, Found] = {}
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            try:
                sides[side] = unit.measure(side)
            except (Failed, Missing) as error:
                if side == 0:
                    raise
                words = str(error).strip().splitlines()[-1]
                return [Row(title, lacks=words) for title in sides.get(0) or unit.measure(0)]
        for title, mine in sides[0].items():
            row = rows.setdefault(title, Row(title))
            if title in sides[1]:
                row.mine.append(mine)
                row.theirs.append(sides[1][title])
            else:
                row.lacks = "it was not counted there"
    return list(rows.values())


def _ratio(mine: float, theirs: float) -> float:
    if theirs:
        return mine / theirs
    return 1.0 if not mine else float("inf")


def _words(rows: Sequence[Row]) -> str:
    return ", ".join(f"{row.title} {row.ratio:.2f}" for row in rows if row.ratio is not None)


def table_rows(rows: Sequence[Row], commit: str) -> list[list[str]]:
    """The cells of all rows, with their head."""
    cells = [["", "this tree", commit, "ratio of the pairs", ""]]
    for row in rows:
        if row.ratio is None:
            cells.append([row.title, "", "", "", f"not in {commit}: {row.lacks}"])
            continue
        low, high = min(row.ratios), max(row.ratios)
        spread = "" if f"{low:.2f}" == f"{high:.2f}" else f" ({low:.2f}-{high:.2f})"
        mark = f"✗ worse {BY}" if row.is_worse else ""
        sides = [f"{statistics.median(side):.3g}" for side in (row.mine, row.theirs)]
        cells.append([row.title, *sides, f"{row.ratio:.2f}{spread}", mark])
    return cells


def conclusion(rows: Sequence[Row], commit: str) -> str:
    """The last line: which rows are worse."""
    worse = [row.title for row in rows if row.is_worse]
    compared = sum(row.ratio is not None for row in rows)
    if worse:
        return f"✗ {len(worse)} of {compared} rows worse than at {commit} {BY}: {'; '.join(worse)}"
    return f"None of {compared} rows is worse than at {commit} {BY}."
