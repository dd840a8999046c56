"""How clips are chosen, as the options say it. Needs nothing that has to be installed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ...core.errors import UsageError
from .pairs import Pairing

How = Literal["backward", "greedy", "exact"]


@dataclass(frozen=True)
class Method:
    """How clips are chosen.

    ``backward``: all clips are scored, and those with the least scores are left out, in so many ``rounds``.
    ``greedy``: each round draws ``batch`` clips at random and takes the ``take`` that add most to the mutual
    information of the selection. ``exact``: each step takes the one of all that adds most.
    """

    pairs: Pairing = "bipartite"
    how: How = "backward"
    rounds: int = 1
    batch: int = 1000
    take: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise UsageError(f"{self.rounds} rounds leave nothing out", "one or more")
        if not 1 <= self.take <= self.batch:
            raise UsageError(
                f"{self.take} clips cannot be taken of {self.batch} drawn", "take at most as many as are drawn"
            )

    def settings(self) -> dict[str, Any]:
        """What decides which clips are chosen."""
        of_others = {"rounds": self.how != "backward", "batch": self.how != "greedy", "take": self.how != "greedy"}
        return {name: value for name, value in asdict(self).items() if not of_others.get(name)}


# What the original does: 20 are drawn, four are taken, of all pairs of layers.
ACAV = Method("combination", "greedy", batch=20, take=4)
