"""Which clips are chosen: against sklearn's or a brute-force mutual information, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.core.errors import RunError, UsageError
from avclips.curate.assignments import Layer
from avclips.curate.select import reference
from avclips.curate.select.backward import PRIOR
from avclips.curate.select.choose import Selection, choose, how_many, warnings
from avclips.curate.select.method import ACAV, How, Method
from avclips.curate.select.pairs import PAIRINGS, pairs_of
from avclips.curate.select.tables import UNIT, add, empty, increments, mutual_information, pointwise, steps

Rows = np.ndarray[Any, np.dtype[np.uint8]]


def layers_of(heard: int, seen: int, clusters: int) -> list[Layer]:
    return [
        *(Layer(f"classic/audio/{number}", "audio", clusters) for number in range(heard)),
        *(Layer(f"classic/video/{number}", "video", clusters) for number in range(seen)),
    ]


def made_labels(clips: int, layers: int, clusters: int, seed: int) -> Rows:
    """Of half of the clips all layers are mostly alike."""
    rng = np.random.default_rng(seed)
    kind, other = rng.integers(0, clusters, (2, clips))
    other = np.where(rng.random(clips) < 0.5, kind, other)
    labels = np.empty((clips, layers), np.uint8)
    for layer in range(layers):
        own = kind if layer < layers // 2 else other
        labels[:, layer] = np.where(rng.random(clips) < 0.7, own, rng.integers(0, clusters, clips))
    return labels


def mean_information(labels: Rows, pairs: Sequence[tuple[int, int]]) -> float:
    """By its definition, with a dense table: a sum of p ln(p / (q r))."""
    total = 0.0
    for one, other in pairs:
        table = np.zeros((labels[:, one].max() + 1, labels[:, other].max() + 1))
        np.add.at(table, (labels[:, one], labels[:, other]), 1)
        table /= table.sum()
        expected = table.sum(1, keepdims=True) @ table.sum(0, keepdims=True)
        total += float((table[table > 0] * np.log(table[table > 0] / expected[table > 0])).sum())
    return total / len(pairs)


@pytest.mark.parametrize(
    ("pairing", "pairs"),
    [
        ("bipartite", [(0, 2), (0, 3), (1, 2), (1, 3)]),
        ("combination", [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]),
        ("diagonal", [(0, 2), (1, 3)]),
        ("last", [(1, 3)]),
    ],
)
def test_pairs(pairing: Any, pairs: list[tuple[int, int]]) -> None:
    assert list(pairs_of(layers_of(2, 2, 4), pairing)) == pairs


@pytest.mark.parametrize(
    ("pairing", "pairs"), [("combination", 45), ("bipartite", 25), ("diagonal", 5), ("last", 1)]
)
def test_of_ten_layers(pairing: Any, pairs: int) -> None:
    assert len(pairs_of(layers_of(5, 5, 4), pairing)) == pairs


@pytest.mark.parametrize(
    ("heard", "seen", "pairing"), [(0, 3, "bipartite"), (3, 0, "combination"), (2, 3, "diagonal")]
)
def test_layers_that_make_no_pairs(heard: int, seen: int, pairing: Any) -> None:
    with pytest.raises(UsageError, match="layer"):
        pairs_of(layers_of(heard, seen, 4), pairing)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 60), st.integers(2, 6), st.integers(0, 9999))
def test_an_increment_is_the_change_of_the_information(clips: int, clusters: int, seed: int) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    labels = made_labels(clips, 4, clusters, seed)
    pairs = pairs_of(layers_of(2, 2, clusters), "combination")
    tables = empty([clusters] * 4, pairs, clips)
    add(tables, labels[:-1])
    count = clips - 1

    def theirs(rows: Rows) -> float:
        return float(np.mean([sklearn.mutual_info_score(rows[:, one], rows[:, other]) for one, other in pairs]))

    assert mutual_information(tables) == pytest.approx(theirs(labels[:-1]), abs=1e-10)
    before = (mutual_information(tables) - np.log(count)) * len(pairs) * count
    after = (before + increments(tables, labels[-1:])[0] * UNIT) / len(pairs) / clips + np.log(clips)
    assert after == pytest.approx(theirs(labels), abs=1e-9)
    add(tables, labels[-1:])
    assert mutual_information(tables) == pytest.approx(theirs(labels), abs=1e-10)
    assert pointwise(tables, labels).mean() == pytest.approx(theirs(labels), abs=1e-10)


@settings(deadline=None, max_examples=60)
@given(
    clips=st.integers(3, 70),
    clusters=st.integers(2, 8),
    seed=st.integers(0, 9999),
    batch=st.integers(1, 12),
    take=st.integers(1, 6),
    pairing=st.sampled_from(PAIRINGS),
    share=st.floats(0.05, 1.0),
)
def test_compiled_as_in_numpy(
    clips: int, clusters: int, seed: int, batch: int, take: int, pairing: Any, share: float
) -> None:
    labels = made_labels(clips, 4, clusters, seed)
    layers = layers_of(2, 2, clusters)
    keep, pairs = how_many(share, clips), pairs_of(layers, pairing)
    how: How
    for how in ("greedy", "exact"):
        tables = empty([clusters] * 4, pairs, keep)
        if how == "exact":
            rows, gained = reference.exactly(labels, tables, keep, seed)
        else:
            rows, gained = reference.by_batches(labels, tables, keep, max(batch, take), take, seed)
        ours = choose(layers, labels, keep, Method(pairing, how, 1, max(batch, take), take, seed))
        assert ours.rows.tolist() == rows
        assert len(set(rows)) == keep
        total = np.cumsum(np.array(gained) * UNIT)
        numbers = np.arange(1, keep + 1)
        assert np.cumsum(ours.gains) == pytest.approx(total / len(pairs) / numbers + np.log(numbers), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_each_step_takes_what_adds_most(seed: int) -> None:
    """The first of those whose information, counted anew of all that are chosen and one more, is highest."""
    labels, layers = made_labels(40, 4, 3, seed), layers_of(2, 2, 3)
    pairs = pairs_of(layers, "bipartite")
    rows = choose(layers, labels, 25, Method(how="exact", seed=seed)).rows.tolist()
    for step in range(1, 25):
        free = [row for row in range(40) if row not in rows[:step]]
        found = np.array([mean_information(labels[[*rows[:step], row]], pairs) for row in free])
        best = [row for row, each in zip(free, found, strict=True) if each > found.max() - 1e-12]
        assert rows[step] == best[0]


def test_scores_are_the_information_and_gains_sum_to_it() -> None:
    labels, layers = made_labels(3000, 6, 8, 1), layers_of(3, 3, 8)
    made = choose(layers, labels, 700, Method(how="greedy", batch=100))
    right = mean_information(labels[made.rows], pairs_of(layers, "bipartite"))
    assert made.scores.mean() == pytest.approx(right, abs=1e-10)
    assert made.gains.sum() == pytest.approx(right, abs=1e-10)
    assert made.curve[-1].mi == pytest.approx(right, abs=1e-10)
    assert [point.clips for point in made.curve][-1] == 700
    point = made.curve[len(made.curve) // 2]
    assert point.mi == pytest.approx(
        mean_information(labels[made.rows[: point.clips]], pairs_of(layers, "bipartite")), abs=1e-10
    )
    assert made.curve[-1].random < 0.5 * right


def test_more_candidates_find_more_and_all_beat_chance() -> None:
    labels, layers = made_labels(4000, 6, 10, 2), layers_of(3, 3, 10)
    few, many, best = (
        choose(layers, labels, 800, each).curve[-1]
        for each in (Method(how="greedy", batch=20), Method(how="greedy"), Method(how="exact"))
    )
    assert few.random < few.mi < many.mi
    assert best.mi > few.mi


def test_all_of_them_can_be_kept() -> None:
    labels, layers = made_labels(101, 4, 4, 0), layers_of(2, 2, 4)
    for method in (Method(), Method(rounds=3), ACAV, Method(how="exact")):
        made = choose(layers, labels, how_many(1.0, 101), method)
        assert sorted(made.rows.tolist()) == list(range(101))
        assert made.curve[-1].mi == pytest.approx(made.curve[-1].random, abs=1e-12)


def test_the_seed_decides_and_nothing_else_does() -> None:
    labels, layers = made_labels(2000, 4, 8, 3), layers_of(2, 2, 8)
    one, again, other = (
        choose(layers, labels, 300, Method(how="greedy", seed=seed)).rows.tolist() for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other


@pytest.mark.slow  # Compiled once more.
def test_labels_may_be_of_16_bits() -> None:
    labels, layers = made_labels(2000, 4, 8, 3).astype(np.uint16), layers_of(2, 2, 300)
    for method in (Method(), Method(how="greedy"), Method(how="exact")):
        one = choose(layers, labels, 300, method).rows
        assert one.tolist() == choose(layers, labels.astype(np.uint8), 300, method).rows.tolist()
    labels[7] = 299
    assert 7 in choose(layers, labels, 300, Method(how="exact")).rows


def test_clips_that_are_alike_are_taken_by_number() -> None:
    labels = np.repeat(np.array([[0, 0], [1, 1]], np.uint8), 20, axis=0)
    rows = choose(layers_of(1, 1, 2), labels, 40, Method(how="exact", seed=5)).rows.tolist()
    for half in (range(20), range(20, 40)):
        taken = [row for row in rows[1:] if row in half]
        assert taken == sorted(taken)


def test_labels_of_another_clustering_are_refused() -> None:
    labels = made_labels(50, 4, 8, 0)
    with pytest.raises(RunError, match="which has 4"):
        choose(layers_of(2, 2, 4), labels, 10, Method())


@pytest.mark.parametrize(
    ("keep", "clips", "count"), [(0.2, 11, 2), (1.0, 11, 11), (0.001, 11, 1), (5, 11, 5), (11, 11, 11)]
)
def test_how_many(keep: float | int, clips: int, count: int) -> None:
    assert how_many(keep, clips) == count


@pytest.mark.parametrize("keep", [0.0, 1.5, 12, 0])
def test_what_cannot_be_kept(keep: float | int) -> None:
    with pytest.raises(UsageError):
        how_many(keep, 11)


def test_few_clips_in_large_tables_are_warned_of() -> None:
    assert warnings(layers_of(1, 1, 32), 5 * 32**2) == []
    assert "5120" in warnings(layers_of(1, 1, 32), 5 * 32**2 - 1)[0]


def test_a_large_count_loses_nothing() -> None:
    """d(m) as a difference of m ln m has lost four digits at a million, d of ours none."""
    ours = steps(10**6)
    exact = [2 * np.log(2), 3 * np.log(3) - 2 * np.log(2)]
    assert ours[1:3] * UNIT == pytest.approx(exact, abs=2 * UNIT)
    # m ln(1 + 1/m) = 1 - 1/2m + 1/3m^2
    last = 10**6 - 1
    assert ours[last] * UNIT == pytest.approx(
        1 - 1 / (2 * last) + 1 / (3 * last**2) + np.log(last + 1), abs=2 * UNIT
    )


def test_told_of_each_step() -> None:
    heard: list[int] = []
    labels, layers = made_labels(2000, 4, 4, 1), layers_of(2, 2, 4)
    made: Selection = choose(layers, labels, 1000, Method(how="greedy"), heard.append)
    assert sum(heard) == len(made.rows) == 1000
    assert len(heard) > 100


def score_of(labels: Any, pairs: Any, row: int) -> float:
    """What a clip scores, by counting the others one by one."""
    others = np.delete(labels, row, axis=0)
    total = 0.0
    for one, other in pairs:
        left, right = others[:, one] == labels[row, one], others[:, other] == labels[row, other]
        expected = left.sum() * right.sum() / len(others)
        total += np.log(((left & right).sum() + PRIOR) / (expected + PRIOR))
    return total


@pytest.mark.parametrize("rounds", [1, 3])
def test_backward_leaves_out_those_with_the_least_scores(rounds: int) -> None:
    labels, layers = made_labels(60, 4, 3, 5), layers_of(2, 2, 3)
    pairs = pairs_of(layers, "bipartite")
    left = list(range(60))
    for size in {1: (20,), 3: (42, 29, 20)}[rounds]:
        found = {row: round(score_of(labels[left], pairs, place), 9) for place, row in enumerate(left)}
        ordered = sorted(left, key=lambda row: -found[row])
        left = sorted(ordered[:size])
    made = choose(layers, labels, 20, Method(rounds=rounds))
    assert sorted(made.rows.tolist()) == left
    assert made.rows.tolist() == ordered[:20]
    assert made.scores.mean() == pytest.approx(mean_information(labels[left], pairs), abs=1e-10)


def test_backward_finds_more_true_pairs_than_greedy() -> None:
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 8, 4000)
    true = rng.random(4000) < 0.5
    heard = np.where(true, kinds, rng.integers(0, 8, 4000))
    columns = [
        np.where(rng.random(4000) < 0.6, each, rng.integers(0, 8, 4000)) for each in [heard] * 3 + [kinds] * 3
    ]
    labels, layers = np.stack(columns, axis=1).astype(np.uint8), layers_of(3, 3, 8)
    greedy, once, often = (
        choose(layers, labels, 1000, each) for each in (Method(how="greedy"), Method(), Method(rounds=20))
    )
    for made in (once, often):
        assert true[made.rows].mean() > true[greedy.rows].mean() + 0.02
    assert often.curve[-1].mi > once.curve[-1].mi


def test_rounds_keep_kinds_that_are_all_as_sure() -> None:
    """Of four kinds whose sounds are nearly always theirs, a quarter of the clips is not of one or two."""
    rng, kinds = np.random.default_rng(0), np.arange(400) % 4
    columns = [np.where(rng.random(400) < 0.1, rng.integers(0, 4, 400), kinds) for _ in range(2)]
    labels, layers = np.stack(columns, axis=1).astype(np.uint8), layers_of(1, 1, 4)
    once, often = (choose(layers, labels, 100, each) for each in (Method(), Method(rounds=20)))
    assert len(np.unique(kinds[once.rows])) < len(np.unique(kinds[often.rows])) == 4
    assert often.curve[-1].mi > often.curve[-1].random > once.curve[-1].mi


def test_backward_takes_clips_that_are_alike_by_number() -> None:
    labels = np.repeat(np.array([[0, 0], [1, 1]], np.uint8), 20, axis=0)
    assert choose(layers_of(1, 1, 2), labels, 30, Method(rounds=1)).rows.tolist() == list(range(30))
