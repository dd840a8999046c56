"""What takes long to measure: a table on the terminal, and long.md.

    make bench-long [QUICK=1]

About half an hour, quick: a few minutes, with smaller lists. The machine should have nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from . import child, many, runs
from .__main__ import cores, header
from .figures import Figures
from .rounds import Bench, Setting
from .runs import Say
from .standin import ROOT, Standin
from .tables import table
from .trees import program, scratch
from .ways import WAYS, can_check

# What users of yt-dlp's sections report, in bytes a second.
THROTTLED = 32 * 1024
# Extractions an hour: a guest's, those with cookies, no limit.
PACES = {270: "a guest's 270 videos an hour", 1000: "1,000 an hour, with cookies", 0: "50K a worker alone"}

Rows = list[list[str]]


def main() -> int:
    """Measure, and write it down."""
    options = _options()
    client, server = cores()
    if client >= 0:
        os.sched_setaffinity(0, {client})
    media, began = ROOT / ".cache" / "bench", time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {text}", file=sys.stderr, flush=True)

    try:
        with scratch(media) as base, Standin(media, server) as standin:
            ffmpeg = Path(imageio_ffmpeg.get_ffmpeg_exe())
            bench = Bench(standin, base, ROOT, ffmpeg, can_check(ROOT))
            parts = [each(bench, options.quick, say) for each in (_throttled, _starts, _whole_avqa, _list)]
    except child.Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    words = "make bench-long QUICK=1" if options.quick else "make bench-long"
    text = "\n".join(["# What takes long to measure", "", *header(ROOT, words), *_written(parts)])
    (options.out / "long.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def _written(parts: Sequence[tuple[str, Rows]]) -> list[str]:
    return [line for title, rows in parts for line in ("", f"## {title}", "", table(rows))] + [""]


def _throttled(bench: Bench, quick: bool, say: Say) -> tuple[str, Rows]:
    """Clips of 20 minutes, from a server that is slow to who does not say where its request ends."""
    batches = {"copy": 6, "exact": 6, "sections": 1 if quick else 2}
    title = "20 minutes; 32 KiB/s where a request does not say its end"
    setting = Setting("throttled", title, batches, 1, video="t", open_rate=THROTTLED)
    figures = Figures(list(bench.rounds(WAYS, setting, say)))
    rows = [["", "MB of media", "s a clip, by the clock"]]
    for way in WAYS:
        found = [figures.of("throttled", way.name, measure) for measure in ("media bytes", "wall")]
        if all(found):
            rows.append([way.title, *(each.written() for each in found if each)])
    return f"A clip of a video of {title}", rows


def _starts(bench: Bench, quick: bool, say: Say) -> tuple[str, Rows]:
    """From a start to the first extraction."""
    rows = [["clips that are done", "s", "MB of the whole run, with its tables", "target"]]
    for count, target in ((20_000, ""),) if quick else ((100_000, "1.5 s"), (1_000_000, "15 s, 400 MB")):
        found = runs.start(bench, count, say)
        rows.append([f"{count:,}", f"{statistics.median(found.seconds):.1f}", f"{found.peak:.0f}", target])
    return "A start on a folder of General AVQA's kind", rows


def _whole_avqa(bench: Bench, quick: bool, say: Say) -> tuple[str, Rows]:
    """All of AVQA, in simulated time."""
    rows = [["limit", "days", "of them blocked", "extractions", "GB", "done", "gone", "lost", "MB", "CPU s"]]
    for pace, words in PACES.items():
        place = bench.place()
        clips = ["2000"] if quick else []
        command = program(place.tree, "whole_avqa.py", str(pace), *clips)
        cost = child.run(command, bench.environment, place.folder, patience=3600.0)
        found = json.loads((place.folder / "said.txt").read_text().splitlines()[-1])
        shutil.rmtree(place.folder)
        rows.append([words, *_cells(found), f"{cost.cpu:.0f}"])
        say(f"all of AVQA, {words}: {found['seconds'] / 86400:.1f} days, {found['lost']} lost")
    what = "2,000 clips as AVQA's" if quick else "All of AVQA: 57,015 clips of 45,000 videos"
    return f"{what}, in simulated time, by 4 workers at 50K, with 3 restarts", rows


def _cells(found: dict[str, Any]) -> list[str]:
    days = (f"{found[name] / 86400:.1f}" for name in ("seconds", "blocked"))
    counts = (f"{found[name]:,}" for name in ("done", "gone", "lost"))
    return [*days, f"{found['extractions']:,}", f"{found['bytes'] / 1e9:.1f}", *counts, f"{found['peak']:.0f}"]


def _list(bench: Bench, quick: bool, say: Say) -> tuple[str, Rows]:
    """A list that nobody could keep in memory."""
    found = many.long_list(bench, 200_000 if quick else 10_000_000, say)
    row = [f"{found.rows:,}", f"{found.seconds:.0f}", f"{found.peak:.0f}", "" if quick else "40 s, 250 MB"]
    return "A list of ACAV100M's kind, read, planned and handed out", [["rows", "s", "MB", "target"], row]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-long", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--quick", action="store_true", help="a few minutes: smaller lists")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="where long.md goes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
