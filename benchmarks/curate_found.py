"""How many of the selected clips have their own sound, on made-up clips, beside other ways to select.

    python -m benchmarks.curate_found [--clips 2000] [--seeds 5] [--first 0] [--clusters 32] [--folder DIR]

Each seed makes clips of its own (avclips/curate/synthetic), a random half of them with the sound of another, as
MP4 files; `classic` gives their features; every way selects from the same features, or from the same clusters of
these. Printed: precision where as many are taken as have their own sound, and where a fifth of all is.
A quarter of a second of CPU a clip; with --folder what was made is kept, and the next run begins there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from avclips.curate.features.stage import opened
from avclips.curate.retrieve.clips import layers_of, synthetic
from avclips.curate.retrieve.experiment import orders
from avclips.curate.retrieve.pairs import Pairs
from avclips.curate.select.choose import Method
from avclips.curate.synthetic import plan

FIFTH = 0.2


def main(words: Sequence[str] | None = None) -> int:
    """Make, select, print a table."""
    parser = argparse.ArgumentParser(prog="benchmarks.curate_found", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=2000, help="(%(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--clusters", type=int, default=32, help="of each layer (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--folder", type=Path, help="where clips and features are kept (a folder that is removed)")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="avclips-bench-") as scratch:
        found: dict[str, list[tuple[float, float]]] = {}
        for seed in range(options.first, options.first + options.seeds):
            pairs = made(options.folder or Path(scratch), options.clips, seed, options.workers)
            for name, order in orders(pairs, seed, options.clusters, Method(how="greedy")):
                true, fifth = int(pairs.true.sum()), round(FIFTH * len(pairs.true))
                at = float(pairs.true[order[:true]].mean()), float(pairs.true[order[:fifth]].mean())
                found.setdefault(name, []).append(at)
            print(f"seed {seed}: {true} of {len(pairs.true)} clips have their own sound", flush=True)
    chance = np.array(found["random"])[:, 0]
    print("\n| | precision at K | sd above random | of a fifth |\n|---|---|---|---|")
    for name, each in sorted(found.items(), key=lambda item: -np.mean(item[1], axis=0)[0]):
        mean, spread = np.mean(each, axis=0), np.std(each, axis=0, ddof=1) if len(each) > 1 else np.zeros(2)
        above = (mean[0] - chance.mean()) / max(spread[0], chance.std(), 1e-9)
        said = f"| {name} | {mean[0]:.3f} ± {spread[0]:.3f} | {above:.0f} | {mean[1]:.3f} ± {spread[1]:.3f} |"
        print(said.replace(f"| {above:.0f} |", "| |") if name == "random" else said)
    return 0


def made(folder: Path, count: int, seed: int, workers: int) -> Pairs:
    """The features of a seed's clips, and which of them have their own sound."""
    clips = plan.clips(count, seed)
    features, _ = opened(synthetic(folder / f"seed{seed}", clips, workers))
    if features.total != count:
        raise SystemExit(f"{features.total} of {count} clips have features")
    seen, heard = (tuple(layers_of(features, each)) for each in ("video", "audio"))
    return Pairs(np.array([clip.matched for clip in clips]), seen, heard)


if __name__ == "__main__":
    sys.exit(main())
