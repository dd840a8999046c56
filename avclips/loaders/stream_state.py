"""Where a stream of samples is: what its processes share, and the state that it goes on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ..core.errors import UsageError

_MOST_WORKERS = 1024
_EPOCH, _READ = 0, 1
_FIRST = 2


class Shared:
    """Numbers that a dataset and its copies in a DataLoader's workers have in common."""

    def __init__(self) -> None:
        self._numbers = torch.zeros(_FIRST + _MOST_WORKERS, dtype=torch.int64).share_memory_()

    @property
    def epoch(self) -> int:
        """That of the next pass, for workers that outlive one, too."""
        return int(self._numbers[_EPOCH])

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._numbers[_EPOCH] = epoch

    @property
    def workers_read(self) -> bool:
        """Whether workers have begun to read."""
        return bool(self._numbers[_READ])

    def begin(self, worker: int | None) -> bool:
        """A pass begins in a worker, or in no worker (None); whether it is the first after a state came."""
        if worker is None:
            return True
        if worker >= _MOST_WORKERS:
            raise UsageError(f"more than {_MOST_WORKERS} workers read", "give the DataLoader fewer")
        self._numbers[_READ] = 1
        first = not self._numbers[_FIRST + worker]
        self._numbers[_FIRST + worker] = 1
        return first

    def forget(self, worker: int | None) -> None:
        """A state came: to a worker, or to all of them (None)."""
        if worker is None:
            self._numbers[_READ:] = 0
        else:
            self._numbers[_FIRST + worker] = 0


@dataclass(frozen=True)
class StreamState:
    """``done``: how many samples each worker has handed out; ``turn``: which one a DataLoader asks next."""

    epoch: int
    rank: list[int]
    done: list[int]
    turn: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "rank": self.rank, "done": self.done, "turn": self.turn}


def read_state(state: Mapping[str, Any], known: Mapping[str, Any], rank: list[int]) -> StreamState:
    """What ``as_dict`` said, with ``known`` beside it. UsageError where it is of another stream."""
    try:
        found = StreamState(
            int(state["epoch"]), [int(each) for each in state["rank"]], [int(each) for each in state["done"]],
            int(state["turn"]),
        )  # fmt: skip
        other = next((name for name in known if state[name] != known[name]), None)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError("this is no state of a ShardDataset", "give it what state_dict() returned") from error
    if other is not None:
        words = f"the state is of {other} {state[other]}, not {known[other]}"
        raise UsageError(words, "resume with the shards, shuffle and seed that it was saved with")
    if found.rank != rank:
        words = f"the state is of rank {found.rank[0]} of {found.rank[1]}, not {rank[0]} of {rank[1]}"
        raise UsageError(words, "each rank resumes from a state of its own")
    return found
