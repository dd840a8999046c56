"""``avclips duplicates DIR``: clips that show and play the same, recoded, scaled or shifted as they may be."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..catalog.source import samples
from ..core.errors import RunError
from ..core.files import write_json
from ..core.redact import plain
from ..core.signals import Signals
from ..quality.duplicates import Group, Prints, duplicates, prints_of
from .parser import Parser


def parser() -> Parser:
    """The words behind ``avclips duplicates``."""
    made = Parser(prog="avclips duplicates", description=__doc__, allow_abbrev=False)
    made.add_argument(
        "source", metavar="DIR", help="a data folder, or an output of shards: a folder or an address"
    )
    made.add_argument(
        "--by",
        choices=("both", "picture", "sound"),
        default="both",
        help="what has to be the same; both: whatever of the two the clips have (default: %(default)s)",
    )
    made.add_argument("--output", type=Path, metavar="FILE", help="the groups with their distances, as JSON")
    return made


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Find them, and say which. RunError where no clip has fingerprints."""
    clips, without = [], 0
    for found in _prints(options.source, options.by):
        if found is None:
            without += 1
        else:
            clips.append(found)
    if not clips:
        message = f"no clip of {options.source} has fingerprints"
        raise RunError(message, "avclips flags DIR measures them")
    groups = duplicates(clips)
    if options.output is not None:
        said = {"by": options.by, "compared": len(clips), "without_fingerprints": without}
        write_json(options.output, said | {"groups": [_as_json(group) for group in groups]})
    else:
        for group in groups:
            print(plain(" ".join(group.ids)))
    more = sum(len(group.ids) - 1 for group in groups)
    print(f"{len(clips)} clips compared: {len(groups)} groups of the same, {more} clips more than one of each.")
    if without:
        print(f"{without} clips have no fingerprints by which they could be: see docs/flags.md.")
    return 0


def _prints(source: str, by: str) -> Iterator[Prints | None]:
    for sample in samples(source):
        if sample.status != "done":
            continue
        flags = sample.facts.get("flags")
        found = prints_of(sample.id, flags) if isinstance(flags, dict) else None
        if found is not None and by == "picture":
            found = replace(found, sound=())
        elif found is not None and by == "sound":
            found = replace(found, pictures=())
        yield found if found is not None and (found.seen or found.sound) else None


def _as_json(group: Group) -> dict[str, Any]:
    pairs = [
        {"ids": [pair.first, pair.second], "picture": pair.picture, "sound": pair.sound} for pair in group.pairs
    ]
    return {"ids": group.ids, "pairs": pairs}
