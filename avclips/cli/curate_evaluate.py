"""``avclips curate evaluate``: what features and selections are good for; each way a module of this package."""

from __future__ import annotations

import argparse

from ..core.errors import UsageError
from ..core.signals import Signals
from . import evaluate_pretrain, evaluate_probe

WAYS = {
    "probe": (evaluate_probe, "linear probes: how well features tell labelled classes apart"),
    "pretrain": (
        evaluate_pretrain,
        "train two networks on a selection and on as many clips at random, then probe both",
    ),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The ways, each with options of its own."""
    ways = parser.add_subparsers(dest="what", metavar="WHAT", title="what may be done")
    for name, (module, does) in WAYS.items():
        module.arguments(ways.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}."))


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Do it; returns its exit code."""
    if options.what is None:
        ways = " or ".join(WAYS)
        raise UsageError(f"what is to be evaluated is missing: {ways}", "see avclips curate evaluate --help")
    return int(WAYS[options.what][0].run(options, signals))
