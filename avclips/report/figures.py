"""The report's pictures, by matplotlib, each as a PNG in memory. Its colours differ for whoever sees no red."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from typing import Any

from .numbers import Numbers
from .values import Values

_DONE, _FAILED, _MISSING, _LINE = "#0072b2", "#d55e00", "#bbbbbb", "#009e73"
_MOST_LABELS, _MOST_SIZES = 30, 12


def figures(numbers: Numbers) -> Iterator[tuple[str, str, bytes]]:
    """Each picture of what there is: its name, its title, its PNG."""
    matplotlib = import_module("matplotlib")
    # Without a screen.
    matplotlib.use("agg")
    for name, title, wanted, draw in _ALL:
        if wanted(numbers):
            yield name, title, _png(partial(draw, numbers=numbers))
    for title, values in numbers.histograms.items():
        if values.count:
            name = title.split(" (")[0].lower().replace(" ", "_")
            yield name, title, _png(partial(_histogram, values=values, title=title))


def _png(draw: Callable[[Any], None]) -> bytes:
    pyplot = import_module("matplotlib.pyplot")
    figure, axes = pyplot.subplots(figsize=(7.2, 3.6), layout="constrained")
    try:
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        content = io.BytesIO()
        # No version, no time: the same numbers give the same bytes.
        figure.savefig(content, format="png", dpi=110, metadata={"Software": None})
        return content.getvalue()
    finally:
        pyplot.close(figure)


def _splits(axes: Any, numbers: Numbers) -> None:
    splits: Mapping[str, Any] = numbers.coverage["splits"]
    names = list(splits)
    done = [splits[name]["done"] for name in names]
    untried = [sum(splits[name]["reasons"].get(each, 0) for each in ("untried", "files_gone")) for name in names]
    failed = [splits[name]["clips"] - had - left for name, had, left in zip(names, done, untried, strict=True)]
    _stacked(axes, names, [("done", done, _DONE), ("failed", failed, _FAILED), ("not tried", untried, _MISSING)])


def _labels(axes: Any, numbers: Numbers) -> None:
    rare = sorted(numbers.labels.items(), key=lambda each: (each[1][1] / each[1][0], -each[1][0], each[0]))
    shown = rare[:_MOST_LABELS]
    names = [name if len(name) < 40 else name[:39] + "…" for name, _ in shown]
    axes.barh(names[::-1], [100 * done / count for _, (count, done) in shown[::-1]], color=_DONE)
    axes.set_xlabel("% of the label's clips that are done")
    axes.set_xlim(0, 100)
    axes.tick_params(axis="y", labelsize=6)


def _reasons(axes: Any, numbers: Numbers) -> None:
    reasons: Mapping[str, int] = numbers.coverage["total"]["reasons"]
    names = list(reasons)[::-1]
    axes.barh(names, [reasons[name] for name in names], color=_FAILED)
    axes.set_xlabel("clips")


def _rate(axes: Any, numbers: Numbers) -> None:
    hours = sorted(numbers.hours)
    times = [datetime.fromtimestamp(hour, UTC) for hour in hours]
    width = 1 / 24
    done, failed = ([numbers.hours[hour][at] for hour in hours] for at in (0, 1))
    axes.bar(times, done, width, align="edge", color=_DONE, label="done")
    axes.bar(times, failed, width, align="edge", bottom=done, color=_FAILED, label="failed")
    _over_time(axes, numbers, "clips an hour")


def _pace(axes: Any, numbers: Numbers) -> None:
    pace = numbers.pace
    hours = sorted(pace.videos)
    times = [datetime.fromtimestamp(hour, UTC) for hour in hours]
    axes.bar(times, [pace.videos[hour] for hour in hours], 1 / 24, align="edge", color=_DONE, label="reached")
    label: str | None = "asked for"
    for hour, begin in zip(hours, times, strict=True):
        if (asked := pace.asked(hour)) is not None:
            axes.hlines(asked, begin, begin + timedelta(hours=1), color=_FAILED, label=label)
            label = None
    _over_time(axes, numbers, "videos an hour")


def _over_time(axes: Any, numbers: Numbers, what: str) -> None:
    for number, refusal in enumerate(numbers.pace.refusals):
        label = "refused" if number == 0 else None
        axes.axvspan(refusal.begin, refusal.end, color="#999999", alpha=0.35, lw=0, label=label)
    dates = import_module("matplotlib.dates")
    locator = dates.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    axes.set_ylabel(what)
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def _gaps(axes: Any, numbers: Numbers) -> None:
    gaps = numbers.pace.gaps
    # The longest are few: beside them nothing else would be seen.
    most = max(1.0, 1.5 * gaps.quantile(0.95))
    axes.hist([gap for gap in gaps.kept if gap <= most], bins=min(40, int(most)), color=_DONE)
    axes.set_xlabel("seconds from one video's first clip to the next one's")
    axes.set_ylabel("videos")


def _sizes(axes: Any, numbers: Numbers) -> None:
    found = numbers.sizes.most_common(_MOST_SIZES)[::-1]
    axes.barh([name for name, _ in found], [count for _, count in found], color=_DONE)
    axes.set_xlabel("clips")


def _flags(axes: Any, numbers: Numbers) -> None:
    found = numbers.flags.most_common()[::-1]
    axes.barh([name for name, _ in found], [100 * count / numbers.flagged for _, count in found], color=_FAILED)
    axes.set_xlabel("% of the clips that were measured")


def _curve(axes: Any, numbers: Numbers) -> None:
    assert numbers.curve is not None
    sizes = numbers.curve["clips"]
    axes.plot(sizes, numbers.curve["mi"], color=_LINE, label="selected")
    axes.plot(sizes, numbers.curve["random"], color=_MISSING, label="at random")
    axes.set_xlabel("clips")
    axes.set_ylabel("mutual information (nats)")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def _histogram(axes: Any, values: Values, title: str) -> None:
    axes.hist(values.kept, bins=40, color=_DONE)
    axes.set_xlabel(title)
    axes.set_ylabel("clips" if values.count == len(values.kept) else "clips (a sample)")


def _stacked(axes: Any, names: list[str], parts: list[tuple[str, list[int], str]]) -> None:
    below = [0] * len(names)
    for label, counts, color in parts:
        axes.barh(names, counts, left=below, color=color, label=label)
        below = [left + count for left, count in zip(below, counts, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("clips")
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


_ALL: tuple[tuple[str, str, Callable[[Numbers], object], Callable[..., None]], ...] = (
    ("splits", "Coverage by split", lambda numbers: numbers.coverage["splits"], _splits),
    ("reasons", "Why clips are missing", lambda numbers: numbers.coverage["total"]["reasons"], _reasons),
    ("labels", "The labels of which least is here", lambda numbers: len(numbers.labels) > 1, _labels),
    ("rate", "Clips an hour", lambda numbers: numbers.hours, _rate),
    ("pace", "Videos an hour", lambda numbers: numbers.pace.videos, _pace),
    ("waits", "Time between videos", lambda numbers: numbers.pace.gaps.count, _gaps),
    ("sizes", "Sizes of pictures", lambda numbers: numbers.sizes, _sizes),
    ("flags", "Quality flags", lambda numbers: numbers.flags, _flags),
    ("curve", "Curation: what the selection gained", lambda numbers: numbers.curve, _curve),
)
