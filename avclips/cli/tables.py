"""``avclips tables DIR``: clips.csv, clips.parquet, the questions and coverage.json of a folder, made anew."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..catalog.clip_table import CSV, PARQUET
from ..catalog.coverage import line_of
from ..catalog.folder import look_into
from ..catalog.tables import write_tables
from ..core.signals import Signals
from .parser import Parser


def parser() -> Parser:
    """The words behind ``avclips tables``."""
    made = Parser(prog="avclips tables", description=__doc__, allow_abbrev=False)
    made.add_argument("folder", type=Path, metavar="DIR", help="a data folder of single files")
    return made


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Write the tables. RunError where the folder is none, or one of shards."""
    folder = look_into(options.folder)
    said = write_tables(folder)
    written = [CSV] + ([PARQUET] if (options.folder / PARQUET).exists() else [])
    print(f"{said['total']['clips']} clips are in {' and '.join(written)}.")
    if PARQUET not in written:
        print(f"{PARQUET} is written where pyarrow is installed.")
    for split, counts in (said.get("questions") or {}).items():
        print(f"{split}: {counts['with_clip']} of {counts['questions']} questions have their clip, and a line.")
    print(line_of(said))
    return 0
