"""``avclips subset``: the ids of the clips that are here, or that several downloads have in common, one a line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..catalog.clip_sets import clip_set
from ..catalog.coverage import hash_of
from ..core.errors import UsageError
from ..core.files import whole
from ..core.signals import Signals
from .parser import Parser, Several


def parser() -> Parser:
    """The words behind ``avclips subset``."""
    made = Parser(prog="avclips subset", description=__doc__, allow_abbrev=False)
    made.add_argument("source", nargs="?", metavar="DIR", help="a data folder, or an output of shards")
    made.add_argument(
        "--common", nargs="+", default=[], metavar="FILE", help="coverage.json files, or folders: what all have"
    )
    made.add_argument(
        "--splits",
        nargs="+",
        action=Several,
        default=[],
        metavar="SPLIT",
        help="only clips of these (default: all)",
    )
    made.add_argument("--output", type=Path, metavar="FILE", help="where the ids go (default: the screen)")
    return made


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Write the ids, sorted. RunError where a set cannot be read; UsageError where none is named."""
    sources = ([options.source] if options.source else []) + options.common
    if not sources:
        raise UsageError("no clips are named", "avclips subset DIR, or avclips subset --common a.json b.json")
    sets = [clip_set(source) for source in sources]
    if len(datasets := {each.dataset for each in sets}) > 1:
        sys.stderr.write(f"warning: these are of several datasets: {', '.join(sorted(datasets))}\n")
    first, *others = (each.of(options.splits) for each in sets)
    ids = sorted(first.intersection(*others))
    text = "".join(f"{clip_id}\n" for clip_id in ids)
    if options.output is None:
        sys.stdout.write(text)
    else:
        with whole(options.output) as stream:
            stream.write(text)
    # Beside the ids, which may go through a pipe.
    sys.stderr.write(f"{len(ids)} clips, set {hash_of(ids)}\n")
    return 0
