"""In which order an epoch goes through its shards, and which part of it one worker of one rank takes.

An epoch is a line of samples: shard by shard, in an order drawn from the seed and the epoch. Each rank takes a
stretch of that line, and each of its workers a stretch of the rank's, so that no sample is taken twice or left
out whatever the number of shards; two stretches differ by one sample at most. Within its stretch a worker draws
from a buffer that runs ahead. All of this follows from counts: to go on in the middle of an epoch, one number is
enough. Reads nothing.
"""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """Which of the ranks', and which of their workers', part of an epoch."""

    rank: int = 0
    ranks: int = 1
    worker: int = 0
    workers: int = 1

    def of(self, total: int) -> range:
        """The places on the line that this worker takes."""
        first, behind = (total * each // self.ranks for each in (self.rank, self.rank + 1))
        count = behind - first
        return range(*(first + count * each // self.workers for each in (self.worker, self.worker + 1)))


@dataclass(frozen=True)
class Stretch:
    """Some samples of one shard: their numbers in it, and the place on the line of its first sample."""

    shard: int
    numbers: range
    origin: int


class Line:
    """The samples of all shards in the order of an epoch. ``counts``: how many each shard has."""

    def __init__(self, counts: Sequence[int], seed: int | None, epoch: int) -> None:
        """``seed`` None: the shards stay in their order."""
        self._counts = counts
        self._order = list(range(len(counts)))
        if seed is not None:
            random.Random(f"{seed} {epoch}").shuffle(self._order)
        self._ends = list(itertools.accumulate(counts[shard] for shard in self._order))

    @property
    def total(self) -> int:
        """How many samples an epoch has."""
        return self._ends[-1] if self._ends else 0

    def stretches(self, places: range) -> Iterator[Stretch]:
        """The shards that these places lie in, in their order."""
        for at in range(bisect.bisect_right(self._ends, places.start), len(self._ends)):
            shard = self._order[at]
            origin = self._ends[at] - self._counts[shard]
            if origin >= places.stop:
                return
            numbers = range(max(0, places.start - origin), min(self._counts[shard], places.stop - origin))
            if numbers:
                yield Stretch(shard, numbers, origin)


def drawn(places: range, buffer: int, seed: str) -> Iterator[int]:
    """The places in the order in which they are handed out; ``buffer``: how far that may run ahead."""
    if not buffer:
        yield from places
        return
    draw, ahead = random.Random(seed), list[int]()
    for place in places:
        if len(ahead) < buffer:
            ahead.append(place)
        else:
            which = draw.randrange(buffer)
            yield ahead[which]
            ahead[which] = place
    draw.shuffle(ahead)
    yield from ahead


def taken(counts: Sequence[int], batches: int, batch_size: int, drop_last: bool) -> tuple[list[int], int]:
    """How many samples each worker has handed out after so many batches of a DataLoader, and whose batch is next.

    ``counts``: how many each worker has. A DataLoader takes a batch of each worker in turn, and passes by those
    that have no more.
    """
    most = [count // batch_size if drop_last else -(-count // batch_size) for count in counts]
    found, turn = [0] * len(counts), 0
    for _ in range(batches):
        turn = next((each % len(counts) for each in range(turn, turn + len(counts))
                     if found[each % len(counts)] < most[each % len(counts)]), -1)  # fmt: skip
        if turn < 0:
            raise ValueError(f"an epoch has {sum(most)} batches, not {batches}")
        found[turn] += 1
        turn += 1
    return [min(each * batch_size, count) for each, count in zip(found, counts, strict=True)], turn % len(counts)
