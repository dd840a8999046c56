"""The selection of clips against a plain implementation of the original's, side by side: a table on the terminal.

    python -m benchmarks.curate_select [--quick]

``plain`` scores each candidate as the original does: a copy of every contingency table with one more clip, and
the mutual information of each. Ours and plain choose from the same assignments, 20 candidates and four of them a
round, all pairs of layers. Where plain would take hours, it is timed for its first rounds, and those are scaled;
the rounds all cost the same. One thread; CPU seconds.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from avclips.curate.assignments import Layer
from avclips.curate.select.choose import choose
from avclips.curate.select.method import ACAV, Method

SHARE = 0.2
_LAYERS = 5
_GREEDY = Method(how="greedy")
# Those of docs/curation-select.md.
_METHODS = {
    "default": Method(),
    "--rounds 10": Method(rounds=10),
    "--greedy": _GREEDY,
    "--compat acav": ACAV,
    "--exact": Method(how="exact"),
}
# Clips up to which --exact, whose time grows with their square, is measured.
_MOST_EXACT = 100_000


def assignments(clips: int, clusters: int, seed: int = 0) -> tuple[list[Layer], Any]:
    """Ten layers; of half of the clips, sound and picture are of one kind, which three layers of five see."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, clusters, clips, dtype=np.uint8)
    other = np.where(
        rng.random(clips, dtype=np.float32) < 0.5, kind, rng.integers(0, clusters, clips, dtype=np.uint8)
    )
    labels = np.empty((clips, 2 * _LAYERS), np.uint8)
    for layer in range(2 * _LAYERS):
        own = kind if layer < _LAYERS else other
        chance = rng.integers(0, clusters, clips, dtype=np.uint8)
        labels[:, layer] = np.where(rng.random(clips, dtype=np.float32) < 0.6, own, chance)
    layers = [
        Layer(f"a/{each}/{number}", each, clusters) for each in ("audio", "video") for number in range(_LAYERS)
    ]
    return layers, labels


def plain(labels: Any, clusters: int, count: int, rounds: int, seed: int = 0) -> tuple[float, list[int]]:
    """The seconds of ``rounds`` rounds, and the clips that they chose: torch where it is, else numpy."""
    try:
        import torch as library
    except ImportError:
        library = np  # type: ignore[assignment]
    else:
        library.set_num_threads(1)
    as_array = library.from_numpy if library is not np else (lambda array: array)
    rng = np.random.default_rng(seed)
    first, second = (np.array(each) for each in zip(*combinations(range(labels.shape[1]), 2), strict=True))
    tables = np.zeros((len(first), clusters, clusters), np.float32)
    which = np.arange(len(first))
    pool = list(rng.permutation(len(labels)))
    start = pool.pop()
    tables[which, labels[start, first], labels[start, second]] += 1
    tables = as_array(tables)
    chosen: list[int] = []
    begun = time.process_time()
    for _ in range(rounds):
        drawn = [pool.pop(int(rng.integers(len(pool)))) for _ in range(20)]
        scores = []
        for clip in drawn:
            one = tables.clone() if library is not np else tables.copy()
            one[which, labels[clip, first], labels[clip, second]] += 1
            scores.append(_information(one, library))
        order = np.argsort(-np.array(scores), kind="stable")
        for place in order[:4]:
            clip = drawn[place]
            tables[which, labels[clip, first], labels[clip, second]] += 1
            chosen.append(int(clip))
        pool += [drawn[place] for place in order[4:]]
        if len(chosen) >= count:
            break
    return time.process_time() - begun, chosen


def _information(tables: Any, library: Any) -> float:
    """The mean mutual information of (pairs, clusters, clusters) tables."""
    total = tables.sum((1, 2))[:, None, None]
    joint = tables / total
    product = joint.sum(2)[:, :, None] * joint.sum(1)[:, None, :]
    safe = library.where(joint > 0, joint, library.ones_like(joint))
    against = library.where(joint > 0, product, library.ones_like(joint))
    return float((safe * library.log(safe / against) * (joint > 0)).sum((1, 2)).mean())


def ours(layers: Sequence[Layer], labels: Any, method: Method) -> tuple[float, float]:
    """CPU seconds, and the mutual information of what is chosen."""
    begun = time.process_time()
    made = choose(layers, labels, round(SHARE * len(labels)), method)
    return time.process_time() - begun, made.curve[-1].mi


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print the tables; returns 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curate_select", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds of plain, a million clips for five")
    options = parser.parse_args(words)
    # Compiled before anything is timed.
    layers, labels = assignments(500, 32)
    for method in _METHODS.values():
        ours(layers, labels, method)
    print("| clips, clusters | ours | plain | times |\n|---|---|---|---|")
    for clips, clusters in ((20_000, 32), (20_000, 100)):
        layers, labels = assignments(clips, clusters)
        rounds, wanted = (20 if options.quick else 200), round(SHARE * clips)
        seconds, _ = plain(labels, clusters, wanted, rounds)
        whole = seconds * -(-wanted // 4) / rounds
        mine = min(ours(layers, labels, replace(ACAV, seed=seed))[0] for seed in range(3))
        scaled = f"{whole:.1f} s ({rounds} rounds scaled)"
        print(f"| {clips:,}, {clusters} | {mine:.4f} s | {scaled} | {whole / mine:,.0f} |")
    print("\n| clips, 32 clusters | method | seconds | microseconds a clip | MI |\n|---|---|---|---|---|")
    for clips in (20_000, 1_000_000 if options.quick else 5_000_000):
        layers, labels = assignments(clips, 32)
        for name, method in _METHODS.items():
            if method.how == "exact" and clips > _MOST_EXACT:
                continue
            seconds, information = ours(layers, labels, method)
            print(f"| {clips:,} | {name} | {seconds:.3f} | {1e6 * seconds / clips:.2f} | {information:.3f} |")
    print(f"\npeak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
