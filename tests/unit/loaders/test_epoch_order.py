"""Who reads which sample of an epoch: each once, whatever the number of shards, ranks and workers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from avclips.loaders.epoch_order import Line, Share, drawn, taken

COUNTS = [[11], [4, 4, 4], [7, 0, 1, 3, 0, 5, 2], [], [0, 0], [1000, 1]]


def read(counts: Sequence[int], share: Share, seed: int | None, epoch: int = 0) -> list[tuple[int, int]]:
    """(shard, number) of each sample that a worker reads, in the order of reading."""
    line = Line(counts, seed, epoch)
    assert line.total == sum(counts)
    return [(each.shard, number) for each in line.stretches(share.of(line.total)) for number in each.numbers]


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("seed", [None, 7])
def test_each_sample_once(counts: list[int], workers: int, ranks: int, seed: int | None) -> None:
    shares = [Share(rank, ranks, worker, workers) for rank in range(ranks) for worker in range(workers)]
    found = [read(counts, share, seed) for share in shares]
    every = [(shard, number) for shard, count in enumerate(counts) for number in range(count)]
    assert sorted(itertools.chain(*found)) == every
    for rank in range(ranks):
        # Ranks wait for each other: none has more to do than another.
        of_rank = sum(len(each) for each in found[rank * workers : (rank + 1) * workers])
        assert of_rank == len(Share(rank, ranks).of(len(every))) in (len(every) // ranks, -(-len(every) // ranks))
    if seed is None:
        assert list(itertools.chain(*found)) == every


def test_the_place_of_a_stretch() -> None:
    line = Line([3, 4], None, 0)
    first, second = line.stretches(range(2, 5))
    assert (first.shard, first.numbers, first.origin) == (0, range(2, 3), 0)
    assert (second.shard, second.numbers, second.origin) == (1, range(2), 3)


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {(seed, epoch): tuple(read([1] * 20, Share(), seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}
    assert len(set(orders.values())) == 4
    assert orders[0, 1] == tuple(read([1] * 20, Share(), 0, 1))


@pytest.mark.parametrize("buffer", [0, 1, 5, 30, 100])
def test_what_is_drawn(buffer: int) -> None:
    places = range(10, 40)
    order = list(drawn(places, buffer, "seed"))
    assert sorted(order) == list(places) and order == list(drawn(places, buffer, "seed"))
    # No further ahead than the buffer.
    assert all(place < 10 + number + max(1, buffer) for number, place in enumerate(order))
    assert (order == list(places)) == (buffer < 2)


def loader(counts: Sequence[int], batch_size: int, drop_last: bool) -> list[tuple[int, int]]:
    """Whose batch, and how large, in the order in which a DataLoader takes them."""
    left, found = list(counts), []
    while any(left):
        for worker, count in enumerate(left):
            size = min(count, batch_size)
            left[worker] -= size
            if size == batch_size or (size and not drop_last):
                found.append((worker, size))
    return found


@pytest.mark.parametrize("counts", [[5], [4, 4], [7, 6, 6], [2, 0, 1], [1, 1, 1, 1, 0]])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 10])
@pytest.mark.parametrize("drop_last", [False, True])
def test_how_much_was_taken(counts: list[int], batch_size: int, drop_last: bool) -> None:
    order = loader(counts, batch_size, drop_last)
    for batches in range(len(order) + 1):
        done, turn = taken(counts, batches, batch_size, drop_last)
        due: dict[int, int] = dict.fromkeys(range(len(counts)), 0)
        for worker, size in order[:batches]:
            due[worker] += size
        assert done == list(due.values())
        # The next batch is the next one's that has any.
        if batches < len(order):
            after: Any = next(each % len(counts) for each in range(turn, turn + len(counts))
                              if any(worker == each % len(counts) for worker, _ in order[batches:]))  # fmt: skip
            assert after == order[batches][0]
    with pytest.raises(ValueError, match=f"an epoch has {len(order)} batches"):
        taken(counts, len(order) + 1, batch_size, drop_last)


def test_a_share_is_even() -> None:
    draw = Random(5)
    for _ in range(200):
        total, ranks, workers = draw.randrange(1000), draw.randrange(1, 9), draw.randrange(1, 9)
        sizes = [len(Share(0, ranks, worker, workers).of(total)) for worker in range(workers)]
        assert max(sizes) - min(sizes) <= 1
