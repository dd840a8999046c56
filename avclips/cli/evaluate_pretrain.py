"""``avclips curate evaluate pretrain``: its options."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from ..core.errors import UsageError
from ..core.redact import plain
from ..core.signals import Signals
from ..curate.evaluate.pretrain.job import ALL, ARMS, FOLDS, Job
from ..curate.evaluate.pretrain.settings import FEWEST_IN_BATCH, Form, Training
from ..curate.folders import stage_folder
from .arguments import whole_number
from .curate_arguments import add_data_dir, add_dry_run, add_processes

_FORM, _TRAINING, _JOB = Form(), Training(), Job(Path(), None)


def number(lowest: float, highest: float, above: bool = False) -> Callable[[str], float]:
    """A type for argparse: a number such as 0.001 or 1e-3 from ``lowest`` (``above``: above it) to ``highest``."""

    def read(text: str) -> float:
        if re.fullmatch(r"[0-9]{0,12}(\.[0-9]{0,12})?(e-?[0-9]{1,2})?", text) and re.match(r"\.?[0-9]", text):
            value = float(text)
            if lowest <= value <= highest and not (above and value == lowest):
                return value
        begins = "above" if above else "from"
        raise argparse.ArgumentTypeError(f"{text!r} is not a number {begins} {lowest:g} up to {highest:g}")

    return read


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data_dir(parser)
    _of_clips(parser)
    _of_training(parser)
    parser.add_argument(
        "--tensors", type=Path, metavar="DIR", help="where decoded clips are kept (DIR/curation/tensors)"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="where it goes (DIR/curation/pretrain)")
    add_processes(parser)
    add_dry_run(parser)


def _of_clips(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--selection",
        type=Path,
        metavar="PATH",
        help="what select left (DIR/curation/select), a file with an id a line, or the word all",
    )
    parser.add_argument(
        "--only", choices=ARMS, help="train on the selection alone, or on as many clips at random alone"
    )
    parser.add_argument(
        "--held-out",
        type=number(0, 0.9, above=True),
        metavar="SHARE",
        help=f"of the videos: trained on by none, measured on by all ({_JOB.held_out:g})",
    )
    parser.add_argument(
        "--probe-data-dir",
        type=Path,
        metavar="DIR",
        help="measure on all clips of this data folder instead; none of its videos is trained on",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="of the clips that are measured on: a CSV file as of probe; without it, the first label of each clip "
        "in the folder's own list",
    )
    parser.add_argument(
        "--folds",
        type=whole_number(2),
        metavar="N",
        help=f"of the probes, where the labels name none ({FOLDS})",
    )


def _of_training(parser: argparse.ArgumentParser) -> None:
    count = whole_number(1)
    for name, kind, default, says in (
        ("--epochs", count, _TRAINING.epochs, "how often each clip is seen"),
        ("--batch-size", whole_number(FEWEST_IN_BATCH), _TRAINING.batch_size, "clips told from one another"),
        ("--learning-rate", number(0, 10, above=True), _TRAINING.learning_rate, "the highest, after a warm-up"),
        ("--weight-decay", number(0, 10), _TRAINING.weight_decay, "of AdamW"),
        ("--temperature", number(0.01, 10), _TRAINING.temperature, "of the loss, at first; it is learned"),
        ("--embedding-dim", whole_number(1, 4096), _TRAINING.embedding_dim, "numbers of an embedding"),
        ("--frames", whole_number(1, 256), _FORM.frames, "pictures of a clip"),
        ("--size", whole_number(16, 512), _FORM.size, "their width and height, pixels"),
        ("--seeds", count, len(_JOB.seeds), "runs of each kind"),
        ("--seed", whole_number(0), _JOB.seeds[0], "the first one's"),
        ("--workers", whole_number(0, 64), _JOB.workers, "processes that load batches; 0: the one that trains"),
    ):
        parser.add_argument(name, type=kind, default=default, metavar="N", help=f"{says} (%(default)s)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="(%(default)s)")


def job_of(options: argparse.Namespace) -> Job:
    """What is to be done. UsageError where options contradict each other."""
    if options.probe_data_dir and options.held_out:
        raise UsageError("with --probe-data-dir, nothing else is held out", "leave out --held-out")
    data_dir = options.data_dir.absolute()
    if options.selection is None:
        selection = stage_folder(data_dir, "select")
        if not selection.is_dir():
            raise UsageError(
                f"{options.data_dir} has no selection",
                "avclips curate select makes it; or --selection FILE, or all",
            )
    else:
        selection = options.selection
        if str(selection) != ALL and not selection.exists():
            raise UsageError(f"--selection: {selection} is not there", "a folder of select, or a file of ids")
    training = {name: getattr(options, name) for name in vars(_TRAINING)}
    return Job(
        data_dir,
        None if str(selection) == ALL else selection,
        ARMS if options.only is None else (options.only,),
        options.output,
        options.tensors,
        options.probe_data_dir.absolute() if options.probe_data_dir else None,
        options.labels,
        options.folds,
        options.held_out or _JOB.held_out,
        tuple(range(options.seed, options.seed + options.seeds)),
        Form(options.frames, options.size),
        Training(**training),
        options.device,
        options.workers,
        options.processes,
    )


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Train, measure, write, and print the table; returns 0."""
    from ..curate.evaluate.pretrain import stage

    job = job_of(options)
    for line in stage.foreseen(job) if options.dry_run else stage.pretrain(job):
        print(plain(line))
    return 0
