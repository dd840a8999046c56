"""The experiment of true and false pairs: what is dealt, what the peers see, and what is reported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avclips.core.errors import UsageError
from avclips.curate.retrieve import digits, experiment, peers, report, speech
from avclips.curate.retrieve.pairs import Pairs, TwoSided, balanced, pairs_of
from avclips.curate.select.method import Method


def made(seed: int, noise: float = 0.6, things: int = 400) -> TwoSided:
    """Ten kinds, each with a place of its own in every layer."""
    rng = np.random.default_rng(seed)
    kinds = np.arange(things) % 10
    layers = [rng.standard_normal((10, 12))[kinds] + noise * rng.standard_normal((things, 12)) for _ in range(4)]
    return TwoSided("made", kinds, tuple(layers[:2]), tuple(layers[2:]))


def test_half_of_the_kinds_are_true() -> None:
    data = made(0)
    pairs = pairs_of(data, 3)
    for kind in range(10):
        here = pairs.true[data.kinds == kind]
        assert here.all() or not here.any()
    assert pairs.true.sum() == 200
    assert np.array_equal(pairs.heard[0][pairs.true], data.heard[0][pairs.true])
    assert not np.array_equal(pairs.heard[0], data.heard[0])
    assert not np.array_equal(pairs.true, pairs_of(data, 4).true)


@pytest.mark.parametrize(
    ("peer", "least"), [("cca", 0.8), pytest.param("contrastive", 0.65, marks=pytest.mark.slow)]
)
def test_a_peer_that_learns_finds_them(peer: str, least: float) -> None:
    pairs = pairs_of(made(1), 1)
    scores = peers.PEERS[peer](pairs, 0)
    assert pairs.true[np.argsort(-scores)[:200]].mean() > least
    assert np.array_equal(scores, peers.PEERS[peer](pairs, 0))


def test_the_slopes_of_infonce_are_its_slopes() -> None:
    rng = np.random.default_rng(0)
    sides, maps = [rng.standard_normal((7, 5)) for _ in range(2)], [rng.standard_normal((5, 3)) for _ in range(2)]

    def loss() -> float:
        unit = [
            side @ each / np.linalg.norm(side @ each, axis=1, keepdims=True)
            for side, each in zip(sides, maps, strict=True)
        ]
        logits = unit[0] @ unit[1].T / 0.1
        both = [np.log(np.exp(each).sum(1)) - np.diag(each) for each in (logits, logits.T)]
        return float((both[0] + both[1]).mean() / 2)

    slopes = peers._slopes(sides, maps)
    for side in range(2):
        for place in np.ndindex(5, 3):
            before = maps[side][place]
            maps[side][place] = before + 1e-6
            above = loss()
            maps[side][place] = before - 1e-6
            below = loss()
            maps[side][place] = before
            assert slopes[side][place] == pytest.approx((above - below) / 2e-6, abs=1e-5)


@pytest.mark.slow
def test_every_objective_is_measured_and_information_finds_them(tmp_path: Path) -> None:
    heard: list[int] = []
    found = experiment.run(made, [0, 1], method=Method(how="greedy", batch=200), told=lambda: heard.append(1))
    assert len(found) == len(heard) == 2 * len(experiment.OBJECTIVES)
    for each in found:
        if each.objective.startswith(("mi", "backward")):
            assert each.at_k > 0.65
        at = each.ks.index(200)
        assert each.precision[at] == each.recall[at] == pytest.approx(each.at_k) == pytest.approx(each.f1[at])
        assert each.recall[-1] == 1.0
    random = [each.at_k for each in found if each.objective == "random"]
    assert all(0.4 < each < 0.6 for each in random)
    paths = report.write(tmp_path, "made", found, {"clusters": 10})
    said = json.loads((tmp_path / "retrieval.json").read_text())
    precision = np.mean([each.at_k for each in found if each.objective == "cca"])
    assert said["objectives"]["cca"]["precision"] == pytest.approx(precision)
    assert f"| cca | {precision:.3f} |" in (tmp_path / "retrieval.md").read_text()
    again = {path.name: path.read_bytes() for path in paths}
    report.write(tmp_path, "made", found, {"clusters": 10})
    assert {path.name: path.read_bytes() for path in paths} == again


def test_sides_without_a_diagonal_have_none() -> None:
    data = made(0)
    odd = Pairs(np.ones(400, bool), data.seen[:1], data.heard)
    names = [name for name, _ in experiment.orders(odd, 0, 5, Method(how="greedy"))]
    assert "mi diagonal" not in names
    assert "mi bipartite" in names


def test_as_many_of_each_label() -> None:
    kinds = np.repeat(np.arange(6), [5, 50, 60, 70, 80, 3])
    rows = balanced(kinds, 4, 55, 0)
    assert np.unique(kinds[rows], return_counts=True)[1].tolist() == [50] * 4
    assert set(kinds[rows]) == {1, 2, 3, 4}


@pytest.mark.parametrize("name", digits.DATA)
def test_digits_have_five_layers_a_side_and_the_digits_are_in_them(name: str) -> None:
    data = digits.DATA[name](0)
    assert len(data.seen) == len(data.heard) == 5
    for layer in (*data.seen, *data.heard):
        assert len(layer) == len(data.kinds) == 1797
        assert np.isfinite(layer).all()
        # Neighbours are of one digit far more often than one time in ten.
        near = ((layer[:300, None] - layer[None, 300:1500]) ** 2).sum(2).argmin(1)
        assert (data.kinds[300:1500][near] == data.kinds[:300]).mean() > 0.35
    assert not np.array_equal(data.seen[3], data.heard[3])


def test_a_word_is_heard_and_no_two_are_alike() -> None:
    one, other = (speech.speak(6, np.random.default_rng(seed)) for seed in (1, 2))
    assert 0.2 < len(one) / speech.RATE < 1.5
    assert np.abs(one).max() < 1.5
    assert len(one) != len(other)
    assert speech.spectrum(one).shape == (speech.FRAMES, speech.BANDS)


def test_too_few_labels_are_one_line(tmp_path: Path) -> None:
    from avclips.curate.retrieve.clips import of_features
    from tests.unit.curate.test_retrieve_clips import features_of

    features_of(tmp_path, ["dog", "cat", ""] * 12)
    with pytest.raises(UsageError, match="2 labels with 10 clips each, of 36 clips"):
        of_features(tmp_path, "mine", 4, 100)
