"""``avclips curate features``: its options."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

from ..catalog import samples
from ..core.errors import UsageError
from ..core.signals import Signals
from ..curate.features import registry
from ..curate.folders import stage_folder
from ..progress.console import say
from .arguments import whole_number
from .curate_arguments import add_data_dir, add_dry_run, add_engine, add_processes


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data_dir(parser)
    parser.add_argument(
        "--extractor",
        action="append",
        metavar="NAME",
        help="classic (the default), hf:MODEL, torchvision:NAME, vggish, onnx:FILE; several times: each clip is "
        "decoded once for all",
    )
    parser.add_argument("--list-extractors", action=_List, nargs=0, help="what each is, and end")
    parser.add_argument(
        "--weights",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="a file of weights, of the extractor NAME where there are several",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="(%(default)s)")
    parser.add_argument(
        "--batch-size",
        type=whole_number(1),
        default=32,
        metavar="N",
        help="clips a model takes at once (%(default)s)",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "float32"),
        default="auto",
        help="auto: float16 where a GPU's arithmetic is safe in it (autocast)",
    )
    parser.add_argument(
        "--shard-size", type=whole_number(1), default=1000, metavar="N", help="clips a shard (%(default)s)"
    )
    add_processes(parser)
    add_engine(parser)
    add_dry_run(parser)


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Make the features of every clip of a folder."""
    from ..curate.features import stage

    extractors = tuple(dict.fromkeys(options.extractor or ["classic"]))
    weights = _weights(options.weights, extractors)
    loading = registry.Loading(options.device, options.batch_size, options.precision, weights)
    job = stage.Job(
        stage_folder(options.data_dir.absolute(), stage.STAGE), extractors, loading, options.shard_size
    )
    clips = functools.partial(samples, options.data_dir.absolute())
    if options.dry_run:
        record, count = stage.record_of(job, clips)
        say(f"{count:,} clips, {len(record.settings['layers'])} layers -> {job.folder}; nothing is written")
        return 0
    stage.make(job, clips, options.processes, options.spark_master if options.engine == "spark" else None)
    return 0


def _weights(said: list[str], extractors: tuple[str, ...]) -> tuple[tuple[str, Path], ...]:
    """Each file by its extractor's name."""
    found = {}
    for each in said:
        name, sep, path = each.rpartition("=")
        if not sep and len(extractors) > 1:
            raise UsageError(f"--weights {each}: of which extractor?", f"--weights {extractors[0]}={each}")
        name = name or extractors[0]
        if name not in extractors:
            raise UsageError(f"--weights {each}: there is no --extractor {name}")
        if not Path(path).is_file():
            raise UsageError(f"--weights: {path} is not a file")
        found[name] = Path(path).absolute()
    return tuple(found.items())


class _List(argparse.Action):
    """--list-extractors."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        for line in registry.table():
            print(line)
        parser.exit()
