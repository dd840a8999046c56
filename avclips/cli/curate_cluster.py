"""``avclips curate cluster``: its options."""

from __future__ import annotations

import argparse

from ..core.signals import Signals
from ..curate.cluster.backend import BACKENDS
from ..curate.folders import stage_folder
from ..progress.console import say
from .arguments import whole_number
from .curate_arguments import add_data_dir, add_dry_run, add_engine


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data_dir(parser)
    parser.add_argument(
        "--clusters", type=whole_number(1), default=32, metavar="K", help="clusters of each layer (%(default)s)"
    )
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="(%(default)s)")
    parser.add_argument(
        "--whiten",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="divide each number by its standard deviation (the default)",
    )
    parser.add_argument(
        "--sample",
        type=whole_number(0),
        default=0,
        metavar="N",
        help="clips, drawn at random, that the centres are found with (384 a cluster)",
    )
    parser.add_argument(
        "--backend",
        choices=("auto", *BACKENDS),
        default="auto",
        help="what finds the centres: torch on a GPU, else faiss, else scikit-learn (auto)",
    )
    parser.add_argument(
        "--layers", nargs="+", default=[], metavar="NAME", help="only these layers, as run.json names them"
    )
    add_engine(parser)
    add_dry_run(parser)


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Cluster the features of a folder."""
    from ..curate.cluster import stage
    from ..curate.features.stage import STAGE as FEATURES
    from ..curate.features.stage import opened

    data_dir = options.data_dir.absolute()
    job = stage.Job(
        stage_folder(data_dir, FEATURES),
        stage_folder(data_dir, stage.STAGE),
        options.clusters,
        options.seed,
        options.whiten,
        options.sample,
        options.backend,
        tuple(options.layers),
    )
    if options.dry_run:
        features, _ = opened(job.features)
        say(f"{features.total:,} clips, {job.clusters} clusters a layer -> {job.folder}; nothing is written")
        return 0
    stage.make(job, options.spark_master if options.engine == "spark" else None)
    return 0
