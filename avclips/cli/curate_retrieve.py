"""``avclips curate retrieve``: does a selection find clips whose sound is their own? The paper's experiment."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError
from ..core.redact import plain
from ..core.signals import Signals
from ..curate.folders import see_that_it_can_be_made, stage_folder
from ..curate.retrieve.settings import CLUSTERS, DIGITS, SEEDS
from ..curate.select.method import Method
from ..progress.bar import Progress
from .arguments import whole_number
from .curate_arguments import add_processes

if TYPE_CHECKING:
    from ..curate.retrieve.pairs import TwoSided

_SYNTHETIC = "synthetic"
_BATCH, _TAKE = Method().batch, Method().take


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--data", choices=[*DIGITS, _SYNTHETIC], help="digits with turned or spoken digits, or made-up clips"
    )
    source.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="clips with labels, whose features are in DIR/curation/features",
    )
    parser.add_argument("--features", type=Path, metavar="DIR", help="other features of that folder")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where tables and the plot go")
    parser.add_argument("--seeds", type=whole_number(1), default=SEEDS, metavar="N", help="runs (%(default)s)")
    parser.add_argument(
        "--clusters", type=whole_number(2), default=CLUSTERS, metavar="N", help="of each layer (%(default)s)"
    )
    parser.add_argument(
        "--batch", type=whole_number(1), default=_BATCH, metavar="N", help="as of select --greedy (%(default)s)"
    )
    parser.add_argument(
        "--take", type=whole_number(1), default=_TAKE, metavar="N", help="as of select --greedy (%(default)s)"
    )
    parser.add_argument("--classes", type=whole_number(4), default=10, metavar="N", help="labels (%(default)s)")
    parser.add_argument(
        "--per-class",
        type=whole_number(10),
        default=200,
        metavar="N",
        help="clips of a label, at most (%(default)s)",
    )
    parser.add_argument(
        "--clips", type=whole_number(100), default=1000, metavar="N", help="made-up clips (%(default)s)"
    )
    add_processes(parser)


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Run it, write what was found, and print the table; returns 0."""
    from ..curate.retrieve.experiment import OBJECTIVES
    from ..curate.retrieve.experiment import run as run_experiment
    from ..curate.retrieve.report import table_of, write

    if options.features and not options.data_dir:
        raise UsageError("--features are those of clips", "name their --data-dir")
    see_that_it_can_be_made(options.output)
    method = Method(how="greedy", batch=options.batch, take=options.take)
    make = _data(options)
    title = make(0).name
    with Progress("retrieve", options.seeds * len(OBJECTIVES), "objective") as bar:
        found = run_experiment(make, range(options.seeds), options.clusters, method, bar.step)
    settings: dict[str, Any] = {"clusters": options.clusters, "batch": options.batch, "take": options.take}
    made = write(options.output, title, found, settings)
    for line in table_of(title, found):
        print(plain(line))
    print()
    print(plain(f"{', '.join(path.name for path in made)} are in {options.output}"))
    return 0


def _data(options: argparse.Namespace) -> Callable[[int], TwoSided]:
    from ..curate.retrieve import clips, digits
    from ..curate.synthetic import plan

    if options.data in digits.DATA:
        return digits.DATA[options.data]
    if options.data == _SYNTHETIC:
        with Progress("made", options.clips, "clip") as bar:
            made = plan.clips(options.clips, 0, foreign=0.0)
            folder = clips.synthetic(options.output, made, options.processes, bar.step)
        return clips.of_features(folder, "synthetic clips", options.classes, options.per_class)
    folder = options.features or stage_folder(options.data_dir, "features")
    return clips.of_features(folder, str(options.data_dir), options.classes, options.per_class)
