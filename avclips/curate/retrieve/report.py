"""What the experiment found, as JSON, as a table and as a plot."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...core.files import unfinished, whole, write_json
from .experiment import OBJECTIVES, Found

RESULTS, TABLE, PLOT = "retrieval.json", "retrieval.md", "retrieval.svg"


def rows_of(found: Sequence[Found]) -> list[tuple[str, float, float, float]]:
    """Of each objective, best first: the mean precision at K, its standard deviation, the mean of the best F1."""
    rows = []
    for objective in OBJECTIVES:
        here = [each for each in found if each.objective == objective]
        if here:
            precision = np.array([each.at_k for each in here])
            deviation = float(precision.std(ddof=1)) if len(here) > 1 else 0.0
            rows.append(
                (objective, float(precision.mean()), deviation, float(np.mean([max(each.f1) for each in here])))
            )
    return sorted(rows, key=lambda row: -row[1])


def table_of(title: str, found: Sequence[Found]) -> list[str]:
    """The table as Markdown."""
    seeds = len({each.seed for each in found})
    return [
        f"{title}: precision at K, the number of true pairs; {seeds} seeds",
        "",
        "| objective | precision | sd | best F1 |",
        "|---|---|---|---|",
        *(f"| {name} | {mean:.3f} | {deviation:.3f} | {f1:.3f} |" for name, mean, deviation, f1 in rows_of(found)),
    ]


def write(folder: Path, title: str, found: Sequence[Found], settings: dict[str, Any]) -> list[Path]:
    """Write all; the plot only where matplotlib is. Returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {
        name: {"precision": mean, "sd": deviation, "best_f1": f1} for name, mean, deviation, f1 in rows_of(found)
    }
    write_json(
        folder / RESULTS, {**settings, "data": title, "objectives": said, "runs": [asdict(each) for each in found]}
    )
    with whole(folder / TABLE) as stream:
        stream.write("\n".join(table_of(title, found)) + "\n")
    made = [folder / RESULTS, folder / TABLE]
    if importlib.util.find_spec("matplotlib") is not None:
        _plot(folder / PLOT, title, found)
        made.append(folder / PLOT)
    return made


def _plot(path: Path, title: str, found: Sequence[Found]) -> None:
    """Precision over K, a line an objective, with a band of one standard deviation."""
    matplotlib = importlib.import_module("matplotlib")
    # The same bytes for the same figures.
    with matplotlib.rc_context({"svg.hashsalt": "avclips", "svg.fonttype": "none"}):
        figure = importlib.import_module("matplotlib.figure").Figure(figsize=(7, 4.5))
        axes = figure.add_subplot()
        for objective, *_ in rows_of(found):
            here = [each for each in found if each.objective == objective]
            count = min(len(each.ks) for each in here)
            values = np.array([each.precision[:count] for each in here])
            ks, mean, deviation = here[0].ks[:count], values.mean(0), values.std(0)
            axes.plot(ks, mean, label=objective, linestyle=":" if objective == "random" else "-")
            axes.fill_between(ks, mean - deviation, mean + deviation, alpha=0.15)
        axes.set(xlabel="pairs taken", ylabel="precision", title=title, ylim=(0, 1.02))
        axes.legend(fontsize="small", ncols=2)
        with unfinished(path) as part:
            figure.savefig(part, format="svg", metadata={"Date": None})
