"""``avclips curate run METADATA``: filter, download, segment, features, cluster, select and export, in order."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..core.errors import MORE_MAY_COME, UsageError
from ..core.signals import Signals
from ..progress.console import say
from .curate import read_stage, run_stage
from .curate_arguments import add_data_dir, add_dry_run

# What is done, in this order.
ORDER = ("filter", "download", "segment", "features", "cluster", "select", "export")


@dataclass(frozen=True)
class Step:
    """One stage, and the words of its command line."""

    stage: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join(["avclips", "curate", self.stage, *self.words])


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options; those of a stage are told by --with."""
    parser.add_argument("metadata", metavar="METADATA", help="as `avclips curate filter` takes it")
    add_data_dir(parser)
    parser.add_argument("--keep", metavar="R", help="the share of the clips that is selected (that of `select`)")
    parser.add_argument("--seed", metavar="N", help="of everything that is drawn (that of `cluster` and `select`)")
    parser.add_argument("--fast", action="store_true", help="shots by ffmpeg on small pictures (`segment --fast`)")
    parser.add_argument(
        "--propose",
        metavar="S",
        help="fetch no whole video: clips of S seconds by the videos' lengths (`segment --propose --fixed S`)",
    )
    parser.add_argument(
        "--with",
        dest="extra",
        action="append",
        default=[],
        metavar="'STAGE OPTIONS'",
        help="more options of a stage, all in one word: --with 'filter --languages en --min-seconds 60'; of "
        "download, those of download_clips.py",
    )
    parser.add_argument(
        "--until",
        choices=ORDER,
        default=ORDER[-1],
        metavar="STAGE",
        help="the last stage done (%(default)s)",
    )
    parser.add_argument(
        "--take-what-came",
        action="store_true",
        help="go on where some videos or clips may still come: those that are here are curated",
    )
    add_dry_run(parser)


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Do each stage; what is finished says so and takes no time. Returns the last stage's exit code."""
    steps = list(steps_of(options))
    for step in steps:
        # A word that a stage does not know is better said now than in three days.
        read_stage(step.stage, step.words)
    for number, step in enumerate(steps, 1):
        say(f"{number} of {len(steps)}: {step}")
        if options.dry_run:
            continue
        code = run_stage(step.stage, step.words, signals)
        if code == MORE_MAY_COME and step.stage in ("download", "segment"):
            if not options.take_what_came:
                say("Some may still come: the same command tries them again.", matters=True)
                say("With --take-what-came it goes on with those that are here.", matters=True)
                return code
        elif code:
            return code
    return 0


def steps_of(options: argparse.Namespace) -> Iterator[Step]:
    """The stages with the words of each. UsageError for words of a stage that is not done."""
    more = _more(options.extra)
    stages = ORDER[: ORDER.index(options.until) + 1]
    for stage in stages:
        if stage == "download" and options.propose:
            continue
        words = [*([options.metadata] if stage == "filter" else []), "--data-dir", str(options.data_dir)]
        words += _usual(options, stage) + (more.get(stage, []) if stage != "download" else [])
        if stage == ("segment" if options.propose else "download") and "download" in more:
            # Whoever fetches is told how.
            words += ["--", *more["download"]]
        yield Step(stage, tuple(words))
    if unknown := [stage for stage in more if stage not in stages]:
        raise UsageError(f"--with {unknown[0]}: that stage is not done here", f"one of {', '.join(stages)}")


def _usual(options: argparse.Namespace, stage: str) -> list[str]:
    """The options of ``run`` itself that a stage has."""
    if stage == "segment":
        return (["--fast"] if options.fast else []) + (
            ["--propose", "--fixed", options.propose] if options.propose else []
        )
    words = ["--keep", options.keep] if stage == "select" and options.keep else []
    return words + (["--seed", options.seed] if stage in ("cluster", "select") and options.seed else [])


def _more(extra: Sequence[str]) -> dict[str, list[str]]:
    """By stage, the words that --with has for it."""
    found: dict[str, list[str]] = {}
    for text in extra:
        try:
            stage, *words = shlex.split(text) or [""]
        except ValueError as error:
            raise UsageError(f"--with {text!r}: {error}", "quote it as a shell would") from error
        if stage not in ORDER:
            raise UsageError(f"--with {text!r}: it begins with no stage", f"one of {', '.join(ORDER)}")
        found.setdefault(stage, []).extend(words)
    return found
