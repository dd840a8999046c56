"""``avclips coverage DIR``: of each split how much is here, why the rest is not, and which set it is."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..catalog.clip_sets import TOTAL, ClipSet, clip_set, common, coverage_of, set_of
from ..catalog.coverage import FILE, hash_of
from ..catalog.coverage_rows import latex_of, lines_of, markdown_of
from ..catalog.source import is_data_folder
from ..catalog.tables import write_coverage
from ..core.errors import UsageError
from ..core.redact import plain
from ..core.signals import Signals
from .parser import Parser


def parser() -> Parser:
    """The words behind ``avclips coverage``."""
    made = Parser(prog="avclips coverage", description=__doc__, allow_abbrev=False)
    made.add_argument(
        "source", metavar="DIR", help="a data folder, or an output of shards: a folder or an address"
    )
    made.add_argument(
        "--against", metavar="FILE", help="another coverage.json, or folder: what both have in common"
    )
    made.add_argument("--latex", action="store_true", help="as rows of a LaTeX table")
    made.add_argument("--markdown", action="store_true", help="as a table of Markdown")
    made.add_argument(
        "--output", type=Path, metavar="FILE", help=f"where the json goes (default: {FILE} in a data folder)"
    )
    return made


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Count, write coverage.json, and say it. RunError where there is no download."""
    if options.latex and options.markdown:
        raise UsageError("--latex and --markdown are two tables", "ask for one at a time")
    target = options.output
    if target is None and is_data_folder(options.source):
        target = Path(options.source) / FILE
    coverage = coverage_of(options.source)
    said = coverage.as_json()
    if target is not None:
        write_coverage(target, said)
    lines = latex_of if options.latex else markdown_of if options.markdown else lines_of
    for line in lines(said):
        print(plain(line))
    if options.against:
        _compare(set_of(options.source, coverage), clip_set(options.against))
    return 0


def _compare(*sets: ClipSet) -> None:
    found = common(sets)
    datasets = {each.dataset for each in sets}
    if len(datasets) > 1:
        print(plain(f"These are of two datasets: {' and '.join(sorted(datasets))}."))
    for split, ids in found.items():
        here, there = (len(each.ids if split == TOTAL else each.splits[split]) for each in sets)
        print(f"{split}: {len(ids)} of {here} here and {there} there are in both, set {hash_of(ids)}")
    alone = sorted(set(sets[0].splits) ^ set(sets[1].splits))
    if alone:
        print(plain(f"Splits that only one of them has: {', '.join(alone)}."))
