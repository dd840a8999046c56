"""``avclips report DIR``: one page of what a download came to."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.signals import Signals
from .parser import Parser


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser(prog="avclips report", description="One HTML page of what a download came to, with pictures.")
    made.add_argument("source", metavar="DIR_OR_SHARDS", help="a data folder, or an output of shards (s3:// too)")
    made.add_argument("--output", type=Path, metavar="FILE", help="the page [DIR/report.html]")
    return made


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Write it, and say where."""
    from ..report.writing import write_report

    print(f"{write_report(options.source, options.output)} is written.")
    return 0
