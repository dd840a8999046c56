"""The truth matrix: small media in every layout, through the real script, against PyAV's decoding of the whole.

    python -m tests.matrix                          every two values once
    python -m tests.matrix --seconds 600 --seed 7   cells at random
    python -m tests.matrix --only layout=plain,rate=8 --keep DIR
                                                    one cell, as a fault names it; what it left is in DIR

A cell is exact, refused for a reason that is true, or a fault (judge says what these are). A fault is made
as simple as it can be while it is one of the same kind, and printed in one line. Ends with 1 where there was one.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.matrix import cells as matrix_cells
from tests.matrix.cells import Cell, written
from tests.matrix.media import tidy
from tests.matrix.play import Judged, play
from tests.matrix.rules import FACTORS

# Cells at random that share their runs.
TOGETHER = 60
PAIRS_SEED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Play what the command line asks for; 1 where there was a fault."""
    options = _options(arguments)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    if options.only:
        found = play([matrix_cells.read(text) for text in options.only], options.keep)
        print("\n".join(map(str, found)))
        return int(any(each.verdict == "fault" for each in found))
    found = _for_seconds(options) if options.seconds else _pairs(options)
    _tables(found)
    faults = [each for each in found if each.verdict == "fault"]
    if options.simplify:
        _simplify(faults, options.keep)
    counts = Counter(each.verdict for each in found)
    print(f"{len(found)} cells: {counts['exact']} exact, {counts['refused']} refused, {counts['fault']} faults")
    return int(bool(faults))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, help="cells at random for so long, in place of every pair")
    parser.add_argument("--seed", type=int, help="of the cells at random, or of the pairs")
    parser.add_argument("--only", nargs="+", metavar="CELL", help="these cells")
    parser.add_argument(
        "--where", metavar="CELL", help="of all cells those with these values: layout=plain,rate=8"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave lists, results and logs here")
    parser.add_argument("--no-simplify", dest="simplify", action="store_false", help="leave faults as they are")
    return parser.parse_args(arguments)


def _pairs(options: argparse.Namespace) -> list[Judged]:
    cells = matrix_cells.covering(PAIRS_SEED if options.seed is None else options.seed)
    wanted = _given(options.where).items()
    return play([cell for cell in cells if wanted <= cell.items()], options.keep, _tell)


def _for_seconds(options: argparse.Namespace) -> list[Judged]:
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    print(f"--seed {seed}", flush=True)
    chance, until, given = random.Random(seed), time.monotonic() + options.seconds, _given(options.where)
    found: list[Judged] = []
    while time.monotonic() < until:
        found += play([matrix_cells.at_random(chance, given) for _ in range(TOGETHER)], options.keep, _tell)
        print(f"{len(found)} cells so far", flush=True)
        tidy()
    return found


def _given(where: str | None) -> Cell:
    return dict(part.split("=", 1) for part in where.split(",")) if where else {}


def _tell(judged: Judged) -> None:
    if judged.verdict != "exact":
        print(judged, flush=True)


def _simplify(faults: Sequence[Judged], keep: Path | None) -> None:
    """Print the simplest cells that show the same kinds of faults, each once.

    First all cells of none, one or two of a fault's values, which faults have in common; then, of each layout and
    kind, what is left is made simpler value by value.
    """
    known: dict[str, Judged] = {}
    left = {(written(each.cell), kind): each for each in faults for kind in each.kinds}
    for size in range(3):
        parts = {key: matrix_cells.parts(each.cell, size) for key, each in left.items()}
        _play_more([cell for cells in parts.values() for cell in cells], known, keep)
        shown: dict[str, list[str]] = {}
        for (name, kind), cells in parts.items():
            if cause := next((c for c in map(written, cells) if c in known and kind in known[c].kinds), None):
                shown.setdefault(cause, []).append(name)
                del left[name, kind]
        for cause, names in shown.items():
            print(f"SIMPLEST of {len(set(names))} {known[cause]}", flush=True)
    first = {(each.cell["layout"], kind): (each, kind) for (_, kind), each in left.items()}
    for each, kind in first.values():
        print(f"SIMPLEST {_reduced(each, kind, known, keep)}", flush=True)


def _reduced(fault: Judged, kind: str, known: dict[str, Judged], keep: Path | None) -> Judged:
    """A fault of the same kind of which no value can be made simpler without its going."""
    while True:
        cells = list(matrix_cells.simpler(fault.cell))
        _play_more(cells, known, keep)
        wrong = [known[written(cell)] for cell in cells if written(cell) in known]
        wrong = [each for each in wrong if kind in each.kinds]
        if not wrong:
            return fault
        fault = min(wrong, key=lambda each: matrix_cells.weight(each.cell))


def _play_more(cells: Sequence[Cell], known: dict[str, Judged], keep: Path | None) -> None:
    fresh = {written(cell): cell for cell in cells}
    played = play([cell for name, cell in fresh.items() if name not in known], keep)
    known.update((written(each.cell), each) for each in played)


def _tables(found: Sequence[Judged]) -> None:
    """How many cells of each value were at fault, and in what."""
    for name in FACTORS:
        told = []
        for value in FACTORS[name]:
            cells = [each for each in found if each.cell[name] == value]
            kinds = Counter(kind for each in cells for kind in dict.fromkeys(each.kinds))
            wrong = sum(each.verdict == "fault" for each in cells)
            words = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
            told.append(f"    {value:15} {wrong:3} of {len(cells):3}  {words}")
        print("\n".join([f"faults by {name}", *told]))


if __name__ == "__main__":
    sys.exit(main())
