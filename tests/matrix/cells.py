"""The cells of the truth matrix: how they are chosen, written down, and made simpler.

A cell gives each factor one value. It is written down by what is not the simplest of it.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tests.matrix.rules import FACTORS, RULES, RUN, Rule

Cell = dict[str, str]


def is_possible(cell: Mapping[str, str]) -> bool:
    """Whether no rule forbids what the cell says so far."""
    return all(_allows(rule, cell) for rule in RULES)


def _allows(rule: Rule, cell: Mapping[str, str]) -> bool:
    values = tuple(cell.get(name) for name in rule.factors)
    return None in values or _holds(rule, values)


@functools.cache
def _holds(rule: Rule, values: tuple[str, ...]) -> bool:
    return rule.holds(*values)


_RULES_OF = {name: [rule for rule in RULES if name in rule.factors] for name in FACTORS}

Order = Callable[[Cell, str], Sequence[str]]


def complete(given: Mapping[str, str], order: Order) -> Cell | None:
    """A cell with these values and the first of ``order`` that are possible; None where there is none."""
    if not is_possible(given):
        return None
    left = {name: list(values) for name, values in FACTORS.items() if name not in given}
    for name in given:
        left = _narrowed(dict(given), name, left)
    return _completed(dict(given), left, order)


def _narrowed(cell: Cell, added: str, left: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """What the other factors can be once ``added`` has its value."""
    near = {name: [rule for rule in _RULES_OF[added] if name in rule.factors] for name in left}
    return {
        name: [v for v in values if all(_allows(rule, {**cell, name: v}) for rule in near[name])]
        for name, values in left.items()
    }


def _completed(cell: Cell, left: Mapping[str, list[str]], order: Order) -> Cell | None:
    if not left:
        return {name: cell[name] for name in FACTORS}
    # The one with the least choice first: what is impossible shows at once.
    name = min(left, key=lambda name: len(left[name]))
    others = {other: values for other, values in left.items() if other != name}
    for value in order(cell, name):
        if value in left[name]:
            longer = {**cell, name: value}
            if found := _completed(longer, _narrowed(longer, name, others), order):
                return found
    return None


Pair = frozenset[tuple[str, str]]


def pairs_of(cell: Mapping[str, str]) -> set[Pair]:
    """Every two values of a cell, with their factors."""
    return {frozenset(pair) for pair in itertools.combinations(cell.items(), 2)}


def covering(seed: int) -> list[Cell]:
    """Each layout at its simplest, and cells in which any two values that can be together are so once at least.

    Greedy, and the same for a seed. Runs cost more than cells: their options are paired first, and then no others
    are used.
    """
    chance = random.Random(seed)
    plain = {name: FACTORS[name][0] for name in RUN}
    runs = [plain, *_cover({name: FACTORS[name] for name in RUN}, chance, [plain], [])]
    simplest = [simplest_with({"layout": layout}) for layout in FACTORS["layout"]]
    return _cover(FACTORS, chance, runs, [cell for cell in simplest if cell is not None])


def _cover(
    factors: Mapping[str, tuple[str, ...]], chance: random.Random, runs: list[Cell], cells: list[Cell]
) -> list[Cell]:
    """``cells`` and those that it takes besides, with the options of ``runs`` as far as they will do."""
    values = [(name, value) for name in factors for value in factors[name]]
    left = {frozenset(pair): None for pair in itertools.combinations(values, 2) if pair[0][0] != pair[1][0]}
    for pair in set().union(*map(pairs_of, cells)):
        left.pop(pair, None)
    more: list[Cell] = []
    while left:
        given = dict(next(iter(left)))

        def order(so_far: Cell, name: str, given: Cell = given) -> list[str]:
            def gained(value: str) -> int:
                return sum(frozenset(((name, value), each)) in left for each in so_far.items())

            known = {**given, **so_far}
            usual = [run for run in runs if all(run[each] == known.get(each, run[each]) for each in RUN)]
            possible = {run[name] for run in usual} if name in RUN and usual else set(FACTORS[name])
            shuffled = chance.sample(FACTORS[name], len(FACTORS[name]))
            return sorted((value for value in shuffled if value in possible), key=gained, reverse=True)

        found = complete(given, order)
        for pair in [frozenset(given.items())] if found is None else pairs_of(found):
            left.pop(pair, None)
        more += [found] if found else []
    return cells + _needed(more, cells)


def _needed(cells: list[Cell], kept: list[Cell]) -> list[Cell]:
    """The cells without those whose pairs are all in others or in ``kept``; the heaviest of them go first."""
    counts = Counter(pair for cell in [*cells, *kept] for pair in pairs_of(cell))
    needed = list(cells)
    for cell in sorted(cells, key=weight, reverse=True):
        if all(counts[pair] > 1 for pair in pairs_of(cell)):
            counts.subtract(pairs_of(cell))
            needed.remove(cell)
    return needed


def at_random(chance: random.Random, given: Mapping[str, str] | None = None) -> Cell:
    """A cell with ``given``, of values as likely as each other where the rules let them; ValueError for none."""
    layouts = list(FACTORS["layout"])
    chance.shuffle(layouts)

    def order(so_far: Cell, name: str) -> list[str]:
        return chance.sample(FACTORS[name], len(FACTORS[name]))

    for layout in layouts:
        if found := complete({"layout": layout, **(given or {})}, order):
            return found
    raise ValueError(f"there is no cell with {given}")


def simplest_with(given: Mapping[str, str]) -> Cell | None:
    """The simplest cell with these values; None where there is none."""
    return complete(given, lambda _, name: FACTORS[name])


def parts(cell: Cell, size: int) -> list[Cell]:
    """The simplest cells with ``size`` of the values that make a cell other than the simplest."""
    said = [(name, value) for name, value in cell.items() if value != FACTORS[name][0]]
    found = (simplest_with(dict(some)) for some in itertools.combinations(said, size))
    return [each for each in found if each is not None]


def simpler(cell: Cell) -> Iterator[Cell]:
    """Cells that differ from this in one factor, which has its simplest value."""
    for name, values in FACTORS.items():
        changed = {**cell, name: values[0]}
        if changed != cell and is_possible(changed):
            yield changed


def weight(cell: Cell) -> int:
    """How far a cell is from the simplest."""
    return sum(1 for name, values in FACTORS.items() if cell[name] != values[0])


def written(cell: Cell) -> str:
    """What of a cell is not the simplest: "rate=8,at=zero"; "simplest" where all of it is."""
    said = ",".join(f"{name}={cell[name]}" for name, values in FACTORS.items() if cell[name] != values[0])
    return said or "simplest"


def read(text: str) -> Cell:
    """The cell that is written so; ValueError where it cannot be."""
    told = {} if text == "simplest" else dict(part.split("=", 1) for part in text.split(","))
    cell = {name: told.pop(name, values[0]) for name, values in FACTORS.items()}
    if told:
        raise ValueError(f"no factors of the matrix: {', '.join(told)}")
    for name, value in cell.items():
        if value not in FACTORS[name]:
            raise ValueError(f"{name} is one of {', '.join(FACTORS[name])}")
    if broken := [r.why for r in RULES if not r.holds(*(cell[name] for name in r.factors))]:
        raise ValueError(f"it cannot be: {'; '.join(broken)}")
    return cell


def grouped(cells: Iterable[Cell]) -> dict[tuple[str, ...], list[Cell]]:
    """The cells by the options of their runs."""
    found: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        found.setdefault(tuple(cell[name] for name in RUN), []).append(cell)
    return found
