"""What probes found, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...core.files import whole, write_json
from .labelled import Labelled
from .probe import Tested

RESULTS, TABLE = "probe.json", "probe.md"


def rows_of(found: Sequence[Tested]) -> list[dict[str, Any]]:
    """Of each set of features: the means over its folds, and the standard deviation of top-1."""
    rows = []
    for name in dict.fromkeys(each.features for each in found):
        here = [each for each in found if each.features == name]
        top1 = np.array([each.top1 for each in here])
        top5 = [each.top5 for each in here if each.top5 is not None]
        deviation = float(top1.std(ddof=1)) if len(here) > 1 else 0.0
        row = {"features": name, "top1": float(top1.mean()), "sd": deviation}
        rows.append(row | {"top5": float(np.mean(top5)) if top5 else None, "folds": len(here)})
    return rows


def table_of(title: str, data: Labelled, found: Sequence[Tested]) -> list[str]:
    """The table as Markdown."""
    largest = np.bincount(data.classes).max() / len(data)
    lines = [
        f"{title}: linear probes, {len(data):,} clips of {len(set(data.videos)):,} videos, "
        f"{len(data.names)} classes, the largest {largest:.1%} of all",
        "",
        "| features | top-1 | sd | top-5 | folds |",
        "|---|---|---|---|---|",
    ]
    for row in rows_of(found):
        top5 = "-" if row["top5"] is None else f"{row['top5']:.3f}"
        lines.append(f"| {row['features']} | {row['top1']:.3f} | {row['sd']:.3f} | {top5} | {row['folds']} |")
    return lines


def write(
    folder: Path, title: str, data: Labelled, found: Sequence[Tested], settings: Mapping[str, Any]
) -> list[Path]:
    """Write both; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = np.bincount(data.classes, minlength=len(data.names))
    said = {
        **settings,
        "data": title,
        "clips": len(data),
        "classes": dict(zip(data.names, counts.tolist(), strict=True)),
        "means": rows_of(found),
        "folds": [asdict(each) for each in found],
    }
    write_json(folder / RESULTS, said)
    with whole(folder / TABLE) as stream:
        stream.write("\n".join(table_of(title, data, found)) + "\n")
    return [folder / RESULTS, folder / TABLE]
