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
