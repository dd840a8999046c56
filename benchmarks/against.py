"""What we cost now, and what we cost at another commit: the rows of ``make bench AGAINST=COMMIT``.

Scripts run as they are; what needs a tree's modules is a program of that tree's own benchmarks. The stand-in, and
whoever measures, are this tree's for both.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from . import child
from .figures import MEASURES
from .many import clip_list
from .pairs import CLOCK, Found, Unit
from .rounds import Bench, Setting
from .runs import our_command
from .trees import program
from .ways import WAYS, Place, Way

OURS = {way.name: way for way in WAYS if way.ours}
LINE = {"bytes": "MB received a clip", "requests": "requests a clip", "extractions": "extractions a clip"}
ALL = {**LINE, "media requests": "media requests a clip", "cpu": "CPU s a clip", "peak": "peak MB"}
NEAR = Setting("near", "localhost, 10 minutes", {"copy": 24, "decode": 18, "exact": 12, "exact decode": 12}, 1)
FAR = Setting("far", "50 ms away", {"copy": 6}, 1, latency=0.05, rate=2e6)
HOURS = Setting("hours", "videos of 3 hours", {"copy": 12}, 1, video="h")
Measure = Callable[[Bench], Found]


def units(benches: Sequence[Bench], quick: bool) -> list[Unit]:
    """All that is compared. ``benches``: this tree's, and the other's."""
    pairs = 3 if quick else 7
    done, alone, rows = (4000, 5000, 100_000) if quick else (57_015, 50_000, 1_000_000)

    def unit(title: str, measure: Measure, pairs: int = pairs) -> Unit:
        return Unit(title, lambda side: {f"{title}: {row}": n for row, n in measure(benches[side]).items()}, pairs)

    found = [
        unit("copy", partial(_batch, OURS["copy"], NEAR, {**ALL, "start cpu": "CPU s of the start"})),
        unit("copy, every picture decoded", partial(_batch, OURS["decode"], NEAR, {"cpu": ALL["cpu"]})),
        unit("exact", partial(_batch, OURS["exact"], NEAR, ALL | {"film bytes": "MB of an mp4"})),
        unit("exact, every picture decoded", partial(_batch, OURS["exact decode"], NEAR, {"cpu": ALL["cpu"]})),
        unit(f"copy, {FAR.title}", partial(_batch, OURS["copy"], FAR, {**LINE, "wall": f"a clip, {CLOCK}"}), 2),
        unit(f"copy, {HOURS.title}", partial(_batch, OURS["copy"], HOURS, ALL)),
        unit("two clips of one video", _sharing, 1),
        unit("24 clips in one shard", partial(_shard, 24)),
        unit(f"engine and store alone, {alone:,} clips", partial(_alone, alone)),
        unit(f"start on {done:,} done clips", partial(_start, done), 2),
        unit(f"a list of {rows:,} rows handed out", partial(_long_list, rows)),
    ]
    return found if quick else [*found, unit("24 clips by Spark, local[1]", partial(_spark, 24))]


def _batch(way: Way, setting: Setting, wanted: dict[str, str], bench: Bench) -> Found:
    """Clips of videos of their own."""
    sample = bench.sample(way, setting, 0)
    return {row: MEASURES[measure](sample) for measure, row in wanted.items()}


def _sharing(bench: Bench) -> Found:
    """Two clips of one video."""
    first = bench.clips(1, NEAR)[0]
    bench.standin.be(0.0, None, 0)
    place = bench.place()
    batch = [replace(first, start=20), replace(first, start=320)]
    _run(bench, place, our_command(batch, place))
    return _line(bench, 1)


def _shard(count: int, bench: Bench) -> Found:
    """So many clips into a tar, the start in it."""
    bench.standin.be(0.0, None, 0)
    place = bench.place()
    command = our_command(bench.clips(count, NEAR), place, "--output-format", "webdataset")
    cost = _run(bench, place, command)
    return {**_line(bench, count), "CPU s": cost.cpu}


def _alone(count: int, bench: Bench) -> Found:
    """The CPU and memory of a program that does nothing else."""
    place = bench.place()
    cost = _run(bench, place, program(place.tree, "engine_alone.py", str(count)))
    return {"CPU s": cost.cpu, "peak MB": cost.peak}


def _start(count: int, bench: Bench) -> Found:
    """One clip where so many are there."""
    bench.standin.be(0.0, None, 0)
    wanted = bench.clips(1, NEAR)[0]
    place = bench.place()
    child.run(program(place.tree, "finished.py", str(count), wanted.id), bench.environment, place.folder)
    cost = _run(bench, place, our_command([wanted], place))
    return {"CPU s": cost.cpu, "peak MB": cost.peak}


def _long_list(count: int, bench: Bench) -> Found:
    place = bench.place()
    cost = _run(bench, place, program(place.tree, "long_list.py", str(count)))
    return {"CPU s": cost.cpu, "peak MB": cost.peak}


def _spark(count: int, bench: Bench) -> Found:
    """Java and all."""
    bench.standin.be(0.05, None, 0)
    place = bench.place()
    lists = [str(clip_list(bench, place, name, each)) for name, each in (("clips", count), ("few", 6))]
    cost = _run(bench, place, program(place.tree, "on_spark.py", "1", place.proxy, *lists))
    return {**_line(bench, count + 6), "CPU s": cost.cpu}


def _run(bench: Bench, place: Place, command: list[str]) -> child.Cost:
    """Run a command in its place, which goes; what was asked for from its start on is counted."""
    bench.standin.forget()
    cost = child.run(command, bench.environment, place.folder, patience=1800.0)
    shutil.rmtree(place.folder)
    return cost


def _line(bench: Bench, clips: int) -> dict[str, float]:
    counted = bench.standin.count()
    each = "" if clips == 1 else " a clip"
    return {
        f"MB received{each}": counted["bytes"] / clips / 1e6,
        f"requests{each}": counted["requests"] / clips,
        f"extractions{each}": counted["extractions"] / clips,
    }
