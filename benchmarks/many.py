"""What shards and Spark cost: many cores, one shard, a long list."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import child
from .rounds import Bench, Setting
from .runs import Say, our_command
from .trees import program
from .ways import Place

LATENCY = 0.05


@dataclass(frozen=True)
class Spark:
    """Clips a second with one core and with two, in pairs of runs."""

    clips: int
    one: Sequence[float]
    two: Sequence[float]


@dataclass(frozen=True)
class LongList:
    """The seconds and MB of whoever hands out a list of so many rows."""

    rows: int
    seconds: float
    peak: float


def spark(bench: Bench, clips: int, rounds: int, say: Say) -> Spark:
    """The same number of clips by local[1] and by local[2], 50 ms away."""
    found: dict[int, list[float]] = {1: [], 2: []}
    for number in range(rounds):
        for cores in (1, 2) if number % 2 == 0 else (2, 1):
            bench.standin.be(LATENCY, None, 0)
            place = bench.place()
            lists = [clip_list(bench, place, name, count) for name, count in (("clips", clips), ("few", 12))]
            command = program(place.tree, "on_spark.py", str(cores), place.proxy, *map(str, lists))
            child.run(command, bench.environment, place.folder, patience=600.0)
            took = float((place.folder / "said.txt").read_text().splitlines()[-1])
            found[cores].append(clips / took)
            shutil.rmtree(place.folder)
            say(f"Spark local[{cores}], 50 ms away: {clips / took:.2f} clips a second")
    return Spark(clips, found[1], found[2])


def clip_list(bench: Bench, place: Place, name: str, count: int) -> Path:
    """So many clips as a csv."""
    path = place.folder / f"{name}.csv"
    rows = (
        f"{clip.video},{clip.start},{clip.start + 10}\n" for clip in bench.clips(count, Setting("", "", {}, 0))
    )
    path.write_text("url,start,end\n" + "".join(rows))
    return path


def shards(bench: Bench, clips: int, rounds: int, say: Say) -> list[float]:
    """The time of clips in one shard over that of single files, by pairs."""
    ratios = []
    for number in range(rounds):
        took = {}
        for kind in ("files", "webdataset") if number % 2 == 0 else ("webdataset", "files"):
            bench.standin.be(0.0, None, 0)
            place = bench.place()
            script = our_command(bench.clips(clips, Setting("", "", {}, 0)), place, "--output-format", kind)
            took[kind] = child.run(script, bench.environment, place.folder).wall
            shutil.rmtree(place.folder)
        ratios.append(took["webdataset"] / took["files"])
    say(f"{clips} clips in a shard / in files: {statistics.median(ratios):.2f} of the time")
    return ratios


def long_list(bench: Bench, rows: int, say: Say) -> LongList:
    """What a list costs that nobody could keep in memory."""
    place = bench.place()
    cost = child.run(
        program(place.tree, "long_list.py", str(rows)), bench.environment, place.folder, patience=1800.0
    )
    took = float((place.folder / "said.txt").read_text())
    shutil.rmtree(place.folder)
    say(f"a list of {rows:,} rows: {cost.peak:.0f} MB, {took:.0f} s")
    return LongList(rows, took, cost.peak)
