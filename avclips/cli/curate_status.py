"""``avclips curate status``: how far each stage is, by what its folder says."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from ..core.errors import UsageError
from ..core.redact import plain
from ..core.signals import Signals
from ..curate.folders import CURATION, stage_folder
from ..curate.record import OTHER, Record, finished, read
from .curate_arguments import add_data_dir

# The stages that leave a folder, in their order.
_LEAVING = ("filter", "download", "segment", "features", "cluster", "select", "export")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    add_data_dir(parser)


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Print a line a stage."""
    if not (options.data_dir / CURATION).is_dir():
        raise UsageError(f"nothing was curated in {options.data_dir}", "avclips curate run --help says how")
    for line in lines(options.data_dir):
        print(plain(line))
    return 0


def lines(data_dir: Path) -> Iterator[str]:
    """What is said of each stage of a folder."""
    for stage in _LEAVING:
        folder = stage_folder(data_dir, stage)
        made, counts = read(folder), finished(folder)
        if made is None:
            yield f"{stage:<9} not begun"
            continue
        said = "begun, not finished"
        if counts is not None:
            plain_counts = {name: value for name, value in counts.items() if not isinstance(value, dict)}
            told = (f"{name.replace('_', ' ')} {_number(value)}" for name, value in plain_counts.items())
            said = f"finished: {', '.join(told)}"
        yield f"{stage:<9} {said}{_of_another(data_dir, made)}"


def _of_another(data_dir: Path, made: Record) -> str:
    """What is said of a stage that was not made from what the stage before it has now."""
    said = ""
    for name, fingerprint in made.inputs.items():
        before = read(stage_folder(data_dir, name)) if name in _LEAVING else None
        if before is not None and before.fingerprint() != fingerprint:
            said += f"; of {OTHER[name]} than {stage_folder(data_dir, name)} has"
    return said


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
