"""What training came to: metrics.json, a table, sentences, and a plot of losses and measures."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ....core.files import unfinished, whole, write_json
from .measures import Measures

METRICS, TABLE, PLOT = "metrics.json", "pretrain.md", "pretrain.svg"
# The columns, and what they are called. A column that nothing was measured of is left out.
COLUMNS = {
    "recall_at_1": "recall@1",
    "recall_at_5": "recall@5",
    "audio_top1": "audio top-1",
    "audio_top5": "audio top-5",
    "video_top1": "video top-1",
    "video_top5": "video top-5",
    "both_top1": "both top-1",
    "both_top5": "both top-5",
}
# By how many standard errors a mean of 2, 3, ... runs has to differ from 0: 95% of Student's t.
SURE = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
# Of which the difference is said in words.
_SAID = ("recall_at_5", "audio_top1", "video_top1", "both_top1")


@dataclass(frozen=True)
class Result:
    """Of one run. ``losses``: of each epoch; ``clips``: it was trained on so many, in batches of ``batch``."""

    arm: str
    seed: int
    clips: int
    batch: int
    steps: int
    device: str
    losses: tuple[float, ...]
    measures: Measures


def read_result(said: Any) -> Result | None:
    """A result as JSON has it; None where it is none."""
    try:
        found = Result(**said)
        counts = (found.seed, found.clips, found.batch, found.steps)
        numbers = (*found.losses, *found.measures.values())
    except (TypeError, AttributeError):
        return None
    whole_numbers = all(type(each) is int for each in counts)
    return found if whole_numbers and all(isinstance(each, (int, float)) for each in numbers) else None


@dataclass(frozen=True)
class Tested:
    """What was measured on. ``chance``: the measures of guessing, where they are known."""

    clips: int
    labelled: int
    classes: int
    chance: Measures


def summaries(results: Sequence[Result]) -> dict[str, dict[str, dict[str, float]]]:
    """Of each arm, of each measure: mean and standard deviation over its runs, and how many they are."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for arm in dict.fromkeys(each.arm for each in results):
        here = [each.measures for each in results if each.arm == arm]
        found[arm] = {name: _spread([each[name] for each in here]) for name in here[0]}
    return found


def differences(results: Sequence[Result]) -> dict[str, dict[str, float]]:
    """Of each measure: the selection's less the random subset's of the same seed, and in how many it is above."""
    selected, drawn = (
        {each.seed: each.measures for each in results if each.arm == arm} for arm in ("selection", "random")
    )
    seeds = sorted(selected.keys() & drawn.keys())
    if not seeds:
        return {}
    found = {}
    for name in selected[seeds[0]]:
        apart = [selected[seed][name] - drawn[seed][name] for seed in seeds]
        found[name] = _spread(apart) | {"above": sum(each > 0 for each in apart)}
    return found


def _spread(values: Sequence[float]) -> dict[str, float]:
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return {"mean": float(np.mean(values)), "sd": deviation, "runs": len(values)}


def table_of(results: Sequence[Result], tested: Tested) -> list[str]:
    """The table as Markdown: mean and standard deviation over the seeds, and what guessing gives."""
    made = summaries(results)
    columns = [name for name in COLUMNS if name in results[0].measures]
    lines = [
        f"| trained on | clips | {' | '.join(COLUMNS[name] for name in columns)} |",
        "|" + "---|" * (len(columns) + 2),
    ]
    for arm, measures in made.items():
        clips = next(each.clips for each in results if each.arm == arm)
        cells = (f"{measures[name]['mean']:.3f} ± {measures[name]['sd']:.3f}" for name in columns)
        lines.append(f"| {'nothing' if arm == 'untrained' else arm} | {clips:,} | {' | '.join(cells)} |")
    chance = (f"{tested.chance[name]:.3f}" if name in tested.chance else "" for name in columns)
    return [*lines, f"| (guessing) | | {' | '.join(chance)} |"]


def sentences(results: Sequence[Result]) -> Iterator[str]:
    """What the difference between the selection and a random subset is, measure by measure."""
    for name, apart in differences(results).items():
        if name not in _SAID:
            continue
        runs, words = int(apart["runs"]), COLUMNS[name]
        which = "above" if apart["mean"] > 0 else "below"
        off = f"{abs(apart['mean']):.3f}"
        said = f"{words}: the selection is {off} {which} as many at random"
        if off == "0.000":
            said = f"{words}: the selection is worth as much as as many at random"
        if runs < 2:
            yield f"{said} (one seed: nothing is known of the spread)"
            continue
        # Of the mean of paired differences.
        error = apart["sd"] / np.sqrt(runs)
        sure = SURE[runs - 2] if runs - 2 < len(SURE) else 2.0
        clear = "" if abs(apart["mean"]) > sure * error else ", which may be chance"
        yield f"{said}, standard error {error:.3f}, above with {int(apart['above'])} of {runs} seeds{clear}"


def write(folder: Path, results: Sequence[Result], tested: Tested, said: Mapping[str, Any]) -> list[Path]:
    """Write all; the plot only where matplotlib is. Returns what was written."""
    everything = {
        **said,
        "tested": asdict(tested),
        "arms": summaries(results),
        "selection_less_random": differences(results),
        "runs": [asdict(each) for each in results],
    }
    write_json(folder / METRICS, everything)
    with whole(folder / TABLE) as stream:
        stream.write("\n".join([*table_of(results, tested), "", *sentences(results)]) + "\n")
    made = [folder / METRICS, folder / TABLE]
    if importlib.util.find_spec("matplotlib") is not None:
        _plot(folder / PLOT, results, tested)
        made.append(folder / PLOT)
    return made


def _plot(path: Path, results: Sequence[Result], tested: Tested) -> None:
    """The losses, a line an arm with a band of one standard deviation; beside them the measures as bars."""
    matplotlib = importlib.import_module("matplotlib")
    made = summaries(results)
    names = [name for name in COLUMNS if name in results[0].measures and not name.endswith("top5")]
    # The same bytes for the same figures.
    with matplotlib.rc_context({"svg.hashsalt": "avclips", "svg.fonttype": "none"}):
        figure = importlib.import_module("matplotlib.figure").Figure(figsize=(10, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for at, (arm, measures) in enumerate(made.items()):
            colour = f"C{at}"
            losses = np.array([each.losses for each in results if each.arm == arm])
            if losses.size:
                mean, deviation = losses.mean(0), losses.std(0)
                epochs = np.arange(1, len(mean) + 1)
                left.plot(epochs, mean, label=arm, color=colour)
                left.fill_between(epochs, mean - deviation, mean + deviation, alpha=0.15, color=colour)
            places = np.arange(len(names)) + 0.8 * (at + 0.5) / len(made)
            heights = [measures[name]["mean"] for name in names]
            spread = [measures[name]["sd"] for name in names]
            right.bar(places, heights, 0.8 / len(made), yerr=spread, label=arm, color=colour)
        for at, name in enumerate(names):
            if name in tested.chance:
                right.plot([at, at + 0.8], [tested.chance[name]] * 2, color="black", linestyle=":")
        left.set(xlabel="epoch", ylabel="loss (InfoNCE)")
        right.set(ylim=(0, 1.02), xticks=np.arange(len(names)) + 0.4)
        right.set_xticklabels([COLUMNS[name] for name in names], fontsize="small")
        right.legend(fontsize="small")
        with unfinished(path) as part:
            figure.savefig(part, format="svg", metadata={"Date": None})
