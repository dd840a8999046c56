"""results.md, and the same on the terminal: what a clip costs, and what was to be reached."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .figures import Figures
from .rounds import Setting
from .targets import Row
from .ways import WAYS

COLUMNS = (
    ("MB received", "bytes", ".2f"),
    ("requests", "requests", ".1f"),
    ("extractions", "extractions", ".0f"),
    ("CPU, s", "cpu", ".2f"),
    ("time, s", "wall", ".2f"),
    ("peak, MB", "peak", ".0f"),
    ("mp4, MB", "film bytes", ".2f"),
)

NOTES = """\
A clip is ten seconds of a video of its own, as mp4 and as WAV; a third of them lie at the start of a video, a
third in the middle, a third at the end. Figures are medians of the rounds, with the smallest and the largest; the
ways take turns, one runs at a time, on one core, the stand-in on another. *CPU* counts all child processes. Where
one program does all clips, its start is not in *CPU* and *time*; it stands at the end. *MB received* and
*requests* are the stand-in's count, pages and media together; how many an extraction takes is up to the version of
yt-dlp, the same for all ways. *peak* is the largest process. What the other ways may leave out, they do:
certificates are not verified, sections are cut without encoding (but where it is said), and nothing is checked.
*mp4* is the size of the file with the pictures.
"""


def markdown(header: Sequence[str], figures: Figures, settings: Sequence[Setting], rows: Sequence[Row]) -> str:
    """The whole report."""
    parts = ["# What a clip costs", *header, "![What a clip costs](results.svg)", "## To reach", targets(rows)]
    parts += ["## Side by side", NOTES.strip()]
    for setting in settings:
        if figures.ways(setting.name):
            parts += [f"### {setting.title}", side_by_side(figures, setting.name)]
    parts += ["### Start of a program", starts(figures)]
    return "\n\n".join(parts) + "\n"


def targets(rows: Sequence[Row]) -> str:
    """The table of targets."""
    found = [
        [row.title, row.found.written(row.form) + row.unit, row.target, "✓" if row.reached else "✗"]
        for row in rows
    ]
    return table([["", "measured", "target", ""], *found])


def side_by_side(figures: Figures, setting: str) -> str:
    """What a clip costs by each way under one setting."""
    found = [["", *(title for title, _, _ in COLUMNS)]]
    for way in WAYS:
        cells = [figures.of(setting, way.name, measure) for _, measure, _ in COLUMNS]
        texts = [cell.written(form) if cell else "" for cell, (_, _, form) in zip(cells, COLUMNS, strict=True)]
        if any(texts):
            found.append([f"**{way.title}**" if way.ours else way.title, *texts])
    return table(found)


def starts(figures: Figures) -> str:
    """What the start of each program costs, once a run; the others start anew for each clip."""
    found = [["", "CPU, s", "time, s"]]
    for way in WAYS:
        cells = [figures.of("near", way.name, measure) for measure in ("start cpu", "start wall")]
        if way.start and all(cells):
            found.append([way.title, *(cell.written() for cell in cells if cell)])
    return table(found)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table that is also legible as it is; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def terminal(text: str) -> str:
    """The report without what only Markdown needs."""
    without_chart = re.sub(r"!\[.*\n\n", "", text)
    return re.sub(r"\*\*(.*?)\*\*", r"\1    ", without_chart)
