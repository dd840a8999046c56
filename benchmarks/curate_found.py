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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from avclips.curate.features.stage import opened
from avclips.curate.retrieve.clips import layers_of, synthetic
from avclips.curate.retrieve.experiment import orders
from avclips.curate.retrieve.pairs import Pairs
from avclips.curate.select.method import Method
from avclips.curate.synthetic import plan

FIFTH = 0.2
SHARES = np.linspace(0.02, 1, 50)
# What is drawn, and what it is called there.
SHOWN = {
    "backward bipartite": "avclips, default",
    "cca": "canonical correlation",
    "mi bipartite": "greedy (--greedy)",
    "mi combination": "greedy, all pairs of layers, as ACAV100M's",
    "contrastive": "contrastive",
    "random": "random",
}


def main(words: Sequence[str] | None = None) -> int:
    """Make, select, print a table."""
    parser = argparse.ArgumentParser(prog="benchmarks.curate_found", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=2000, help="(%(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--clusters", type=int, default=32, help="of each layer (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--folder", type=Path, help="where clips and features are kept (a folder that is removed)")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="an SVG of precision over the share that is kept"
    )
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="avclips-bench-") as scratch:
        found: dict[str, list[tuple[float, float]]] = {}
        courses: dict[str, list[Any]] = {}
        for seed in range(options.first, options.first + options.seeds):
            pairs = made(options.folder or Path(scratch), options.clips, seed, options.workers)
            for name, order in orders(pairs, seed, options.clusters, Method(how="greedy")):
                true, fifth = int(pairs.true.sum()), round(FIFTH * len(pairs.true))
                at = float(pairs.true[order[:true]].mean()), float(pairs.true[order[:fifth]].mean())
                found.setdefault(name, []).append(at)
                courses.setdefault(name, []).append(course(pairs.true[order]))
            print(f"seed {seed}: {true} of {len(pairs.true)} clips have their own sound", flush=True)
    if options.plot:
        plot(options.plot, courses)
    chance = np.array(found["random"])[:, 0]
    print("\n| | precision at K | sd above random | of a fifth |\n|---|---|---|---|")
    for name, each in sorted(found.items(), key=lambda item: -np.mean(item[1], axis=0)[0]):
        mean, spread = np.mean(each, axis=0), np.std(each, axis=0, ddof=1) if len(each) > 1 else np.zeros(2)
        above = (mean[0] - chance.mean()) / max(spread[0], chance.std(), 1e-9)
        said = f"| {name} | {mean[0]:.3f} ± {spread[0]:.3f} | {above:.0f} | {mean[1]:.3f} ± {spread[1]:.3f} |"
        print(said.replace(f"| {above:.0f} |", "| |") if name == "random" else said)
    return 0


def course(hits: Any) -> Any:
    """Precision at each of SHARES of all clips, as far as they were ordered."""
    counts = np.round(SHARES * len(hits)).astype(int)
    return (np.cumsum(hits)[counts - 1] / counts).tolist()


def plot(path: Path, courses: Mapping[str, Sequence[Any]]) -> None:
    """Precision over the share that is kept, the mean over seeds; a line each of SHOWN."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "avclips", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7, 4))
        axes = figure.add_subplot()
        for name, said in SHOWN.items():
            mean = np.mean(courses[name], axis=0)
            axes.plot(100 * SHARES, mean, label=said, linestyle=":" if name == "random" else "-")
        axes.set(xlabel="clips kept, %", ylabel="of these with their own sound", ylim=(0.4, 1.02))
        axes.legend(fontsize="small", loc="lower left")
        figure.savefig(path, format="svg", metadata={"Date": None})


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
