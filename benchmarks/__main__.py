"""Measure what a clip costs by each way: a table on the terminal, results.md and results.svg.

    make bench [QUICK=1] [AGAINST=COMMIT]

About ten minutes, quick: two. The machine should have nothing else to do. With AGAINST: this tree and another
commit of ours, in turn, on the terminal alone.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import imageio_ffmpeg

from . import many, runs
from .against import units
from .chart import svg
from .child import Failed
from .figures import Figures
from .loaders import loading
from .pairs import conclusion, table_rows, take
from .rounds import Bench, Sample, Setting
from .standin import ROOT, Standin
from .tables import markdown, table, terminal
from .targets import Alone, rows
from .trees import Missing, compile_all, full_name, scratch, unpack
from .ways import WAYS, can_check

WHOLE = frozenset(way.name for way in WAYS if way.whole)
FAR = "50 ms away, 2 MB/s a connection, videos of 10 minutes"


def settings(quick: bool) -> list[Setting]:
    """What is measured under which conditions."""
    near = {"copy": 30, "decode": 18, "exact": 12, "exact decode": 12, "exact all": 12, "sections": 3}
    near |= {"sections exact": 3, "library": 9, "per stream": 3, "twice": 2}
    few = {"copy": 9, "sections": 3, "library": 3} | ({} if quick else dict.fromkeys(WHOLE, 1))
    rounds = 1 if quick else 3
    once = WHOLE if quick else frozenset[str]()
    if quick:
        near = {"copy": 12, "decode": 9, "exact": 6, "exact decode": 6, "exact all": 6, "sections": 3}
        near |= {"sections exact": 2, "library": 6, "per stream": 1, "twice": 1}
    return [
        Setting("near", "localhost, videos of 10 minutes", near, 2 if quick else 5, once=once),
        Setting("far", FAR, few, rounds, latency=0.05, rate=2e6, once=WHOLE),
        Setting("hours", "localhost, videos of 3 hours", few, rounds, video="h", once=WHOLE),
        Setting(
            "page", "localhost, 10 minutes, a watch page of 1 MB", few, rounds, page_bytes=1_000_000, once=WHOLE
        ),
    ]


def main() -> int:
    """Measure, and write it down."""
    options = _options()
    client, server = cores()
    if client >= 0:
        os.sched_setaffinity(0, {client})
    media = ROOT / ".cache" / "bench"
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {text}", file=sys.stderr, flush=True)

    try:
        with scratch(media) as base, Standin(media, server) as standin:
            if options.against:
                return _compare(standin, base, options, say)
            return _measure(_bench(standin, base, options.tree), options, say)
    except (Missing, Failed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _bench(standin: Standin, base: Path, tree: Path) -> Bench:
    return Bench(standin, base, tree, Path(imageio_ffmpeg.get_ffmpeg_exe()), can_check(tree))


def _measure(bench: Bench, options: argparse.Namespace, say: runs.Say) -> int:
    """Ours and the usual ways: results.md, results.svg."""
    conditions = settings(options.quick)
    samples = _samples(bench, conditions, say)
    figures, alone = Figures(samples), _alone(bench, options.quick, say)
    text = markdown(_header(options), figures, conditions, rows(figures, alone))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.md").write_text(text, encoding="utf-8")
    (options.out / "results.svg").write_text(svg(figures), encoding="utf-8")
    print(terminal(text))
    return 0


def _compare(standin: Standin, base: Path, options: argparse.Namespace, say: runs.Say) -> int:
    """This tree and another commit, row by row, on the terminal; 1 where a row is worse."""
    commit = full_name(options.tree, options.against)[:9]
    other = unpack(options.tree, commit, base / "other")
    trees = {"this": options.tree, "that": other}
    for tree in trees.values():
        compile_all(tree)
    benches = [_bench(standin, base / name, tree) for name, tree in trees.items()]
    found = take(units(benches, options.quick), say)
    print(*_header(options), "", table(table_rows(found, commit)), "", sep="\n")
    print(conclusion(found, commit))
    return int(any(row.is_worse for row in found))


def _samples(bench: Bench, conditions: Sequence[Setting], say: runs.Say) -> list[Sample]:
    return [sample for setting in conditions for sample in bench.rounds(WAYS, setting, say)]


def _alone(bench: Bench, quick: bool, say: runs.Say) -> Alone:
    sharing = runs.sharing(bench, say)
    limited = runs.limited(bench, 4 if quick else 12, say)
    scaling = runs.scaling(bench, 20_000 if quick else 100_000, say)
    counts = () if quick else (57_015, 100_000)
    starts = [(count, runs.start(bench, count, say).seconds) for count in counts]
    shards = many.shards(bench, 12 if quick else 30, 1 if quick else 5, say)
    spark = many.spark(bench, 36 if quick else 96, 1 if quick else 3, say)
    rows = many.long_list(bench, 1_000_000, say)
    return Alone(scaling, starts, limited, sharing, shards, spark, rows, loading(say))


def cores() -> tuple[int, int]:
    """A core for the clients and another for the stand-in; -1 where they cannot be told apart."""
    if not hasattr(os, "sched_getaffinity"):
        return -1, -1
    mine = sorted(os.sched_getaffinity(0))
    return (mine[0], mine[-1]) if len(mine) > 1 else (-1, -1)


def _header(options: argparse.Namespace) -> list[str]:
    words = [*(["QUICK=1"] if options.quick else []), *([f"AGAINST={options.against}"] if options.against else [])]
    return header(options.tree, " ".join(["make bench", *words]))


def header(tree: Path, words: str) -> list[str]:
    """What was measured, when, and on which machine; ``words``: the command."""
    ffmpeg = imageio_ffmpeg.get_ffmpeg_version()
    commit = subprocess.run(
        ["git", "-C", str(tree), "describe", "--always", "--dirty"], capture_output=True, text=True
    ).stdout.strip()
    load = " ".join(f"{number:.1f}" for number in os.getloadavg())
    said = "Against a stand-in on localhost (`tests/standin/fake_youtube.py`), not against YouTube."
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    what = f"Measured {when} with `{words}`"
    versions = f"yt-dlp {version('yt-dlp')}, ffmpeg {ffmpeg}, Python {platform.python_version()}"
    machine = f"{_processor()}, {os.cpu_count()} cores, {platform.system()}"
    at = f" at {commit}" if commit else ""
    return [f"{said} {what}{at}: {versions}; {machine}; load at the end {load}."]


def _processor() -> str:
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="two minutes: fewer rounds, no large folders")
    parser.add_argument("--tree", type=Path, default=ROOT, help="where the script lies that is measured")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="where results go")
    parser.add_argument("--against", metavar="COMMIT", help="compare with this commit, row by row")
    options = parser.parse_args()
    options.tree = options.tree.resolve()
    return options


if __name__ == "__main__":
    sys.exit(main())
