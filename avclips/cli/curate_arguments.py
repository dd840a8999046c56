"""Options that several stages of ``avclips curate`` have."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .arguments import whole_number


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """--data-dir: the folder of the clips; what the stages leave lies in its folder ``curation``."""
    parser.add_argument(
        "--data-dir",
        type=Path,
        required=True,
        metavar="DIR",
        help="the data folder of the clips; each stage leaves its files in DIR/curation/STAGE",
    )


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """--dry-run: say what would be done, and write nothing."""
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; nothing is written")


def add_processes(parser: argparse.ArgumentParser) -> None:
    """--processes: how many do the work at once."""
    parser.add_argument(
        "--processes",
        type=whole_number(1),
        default=cores(),
        metavar="N",
        help="processes that work at once (%(default)s, a core each)",
    )


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def add_engine(parser: argparse.ArgumentParser) -> None:
    """--engine, --spark-master: on this machine, or a shard a task on Spark's."""
    parser.add_argument(
        "--engine",
        choices=("processes", "spark"),
        default="processes",
        help="of this machine (the default), or a shard a task on Spark's machines, which share its disk",
    )
    parser.add_argument(
        "--spark-master",
        default="local[*]",
        metavar="URL",
        help="with --engine spark: of its cluster (%(default)s)",
    )
