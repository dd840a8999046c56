"""``avclips curate STAGE``: choosing clips, stage by stage, each a module of this package.

A stage's module has ``arguments(parser)``, which adds its options to an ArgumentParser, and
``run(options, signals) -> int``, which does it; it is imported when it is asked for. What a stage leaves lies in
``curate.folders.stage_folder(data_dir, stage)``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from ..core.errors import UsageError
from ..core.extras import extras
from ..core.signals import Signals
from ..core.suggest import did_you_mean
from .parser import Parser

# The stage, its module here, and what it does. The first eight in the order in which `run` does them.
STAGES: dict[str, tuple[str, str]] = {
    "filter": ("curate_filter", "drop videos by what their metadata say: length, language, category, words"),
    "download": ("curate_download", "fetch the videos that the filter kept"),
    "segment": ("curate_segment", "cut videos into clips of ten seconds, within shots"),
    "features": ("curate_features", "numbers of each clip's picture and sound, layer by layer"),
    "cluster": ("curate_cluster", "k-means of each layer: which cluster each clip is in"),
    "select": ("curate_select", "choose the clips whose sound says most about their picture"),
    "export": ("curate_export", "output.csv, and a table of the selected clips"),
    "run": ("curate_run", "all of these in order"),
    "retrieve": ("curate_retrieve", "does selection find true pairs? The paper's experiment"),
    "evaluate": ("curate_evaluate", "what features and selections are good for: probe, pretrain"),
    "status": ("curate_status", "how far each stage is"),
}
# What every stage needs that does something; help, and a look at what there is, need none of it.
_NEEDS = {
    "numpy": "clips are chosen",
    "av": "clips are chosen",
    "pyarrow": "clips are chosen",
}


def parser() -> argparse.ArgumentParser:
    """The parser of the stage's name; what follows it is the stage's own."""
    made = argparse.ArgumentParser(
        prog="avclips curate",
        usage="avclips curate STAGE [OPTIONS]\n       avclips curate STAGE --help",
        description="Choose clips: from metadata to the clips in which one hears what one sees.",
        epilog="stages:\n" + "".join(f"  {name:<10} {does}\n" for name, (_, does) in STAGES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("stage", nargs="?", metavar="STAGE", help="one of those below")
    made.add_argument("words", nargs=argparse.REMAINDER, metavar="OPTIONS", help="the stage's own")
    return made


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Run one stage; returns its exit code."""
    help_is = "see avclips curate --help"
    if options.stage is None:
        raise UsageError(f"no stage is named: one of {' '.join(STAGES)}", help_is)
    if options.stage not in STAGES:
        raise UsageError(f"there is no stage {options.stage!r}{did_you_mean(options.stage, [*STAGES])}", help_is)
    return run_stage(options.stage, options.words, signals)


def run_stage(stage: str, words: Sequence[str], signals: Signals) -> int:
    """Run a stage with the words of its command line; returns its exit code. RunError, Stopped."""
    module, chosen = read_stage(stage, words)
    if stage != "status":
        extras(_NEEDS)
    return int(module.run(chosen, signals))


def read_stage(stage: str, words: Sequence[str]) -> tuple[ModuleType, argparse.Namespace]:
    """A stage's module, and its options as these words say them."""
    name, does = STAGES[stage]
    module = import_module(f".{name}", __package__)
    made = Parser(prog=f"avclips curate {stage}", description=f"{does[0].upper()}{does[1:]}.")
    module.arguments(made)
    return module, made.parse_args(list(words))
