"""The selection in numpy, clip by clip: what the compiled loops are held to, and what says how they work."""

from __future__ import annotations

import numpy as np

from .draws import Draws
from .tables import Labels, Tables, add, increments


def by_batches(
    labels: Labels, tables: Tables, count: int, batch: int, take: int, seed: int
) -> tuple[list[int], list[int]]:
    """Choose ``count`` clips: each round, of ``batch`` drawn at random those ``take`` that add most.

    The others go back. The first clip is drawn at random. Of clips that add the same, the one that comes first in
    ``labels`` is taken. Returns the clips in their order, and the increment of each, in ``tables.UNIT``.
    """
    draws, pool, left = Draws(seed), list(range(len(labels))), len(labels)
    chosen: list[int] = []
    gained: list[int] = []
    while len(chosen) < count:
        size, wanted = (min(batch, left), min(take, count - len(chosen), left)) if chosen else (1, 1)
        for place in range(size):
            other = place + draws.below(left - place)
            pool[place], pool[other] = pool[other], pool[place]
        drawn = np.array(pool[:size])
        order = np.lexsort((drawn, -increments(tables, labels[drawn])))[:wanted]
        for place in order:
            gained.append(int(increments(tables, labels[drawn[place]][None])[0]))
            chosen.append(int(drawn[place]))
            add(tables, labels[drawn[place]][None])
        for place in sorted(order, reverse=True):
            left -= 1
            pool[place] = pool[left]
    return chosen, gained


def exactly(labels: Labels, tables: Tables, count: int, seed: int) -> tuple[list[int], list[int]]:
    """Choose ``count`` clips, each the one of all that adds most; the first is drawn at random."""
    chosen = [Draws(seed).below(len(labels))]
    gained = [0]
    free = np.ones(len(labels), bool)
    free[chosen[0]] = False
    add(tables, labels[chosen])
    while len(chosen) < count:
        added = np.where(free, increments(tables, labels), np.iinfo(np.int64).min)
        best = int(np.argmax(added))
        chosen.append(best)
        gained.append(int(added[best]))
        free[best] = False
        add(tables, labels[best][None])
    return chosen, gained
