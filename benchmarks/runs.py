"""What is ours alone: engine and store at a hundred thousand clips, starts on large folders, a rate limit."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from . import child
from .rounds import Bench, Setting
from .trees import program
from .ways import WAYS, Clip, Place, complete

RATE = 50 * 1024
WORKERS = 4

Say = Callable[[str], None]


@dataclass(frozen=True)
class Scaling:
    """Engine and store alone: how many clips at most, and the seconds a clip with few and with so many."""

    clips: int
    few: float
    many: float


@dataclass(frozen=True)
class Limited:
    """A run at a rate limit: its seconds, the bytes of media, and how long these take at the limit."""

    took: float
    bytes: int
    due: float


@dataclass(frozen=True)
class Sharing:
    """What one video was asked for when two clips of it were wanted."""

    way: str
    extractions: int


def scaling(bench: Bench, most: int, say: Say) -> Scaling:
    """Run engine and store over a thousand clips, a few times, and once over ``most``."""
    few = statistics.median(_alone(bench, 1000) for _ in range(5)) / 1000
    many = _alone(bench, most) / most
    say(f"engine and store alone: {1 / few:.0f} clips a second, {1 / many:.0f} with {most} clips")
    return Scaling(most, few, many)


def _alone(bench: Bench, count: int) -> float:
    place = bench.place()
    child.run(program(place.tree, "engine_alone.py", str(count)), bench.environment, place.folder)
    took = float((place.folder / "said.txt").read_text())
    shutil.rmtree(place.folder)
    return took


@dataclass(frozen=True)
class Start:
    """Seconds from the script's start to its first extraction, of some starts; the MB of the largest process."""

    seconds: Sequence[float]
    peak: float


def start(bench: Bench, count: int, say: Say) -> Start:
    """With ``count`` clips done; three times."""
    bench.standin.be(0.0, None, 0)
    wanted = bench.clips(1, Setting("", "", {}, 0))[0]
    place = bench.place()
    make = program(place.tree, "finished.py", str(count), wanted.id)
    child.run(make, bench.environment, place.folder, patience=1800.0)
    script = our_command([wanted], place, "--workers", str(WORKERS), "--rate-limit", "0")
    found, peak = [], 0.0
    for _ in range(3):
        bench.standin.forget()
        began = time.time()
        peak = max(peak, child.run(script, bench.environment, place.folder).peak)
        found.append(float(bench.standin.count()["first"]) - began)
        for path in (place.folder / "data").glob(f"*/{wanted.id}.*"):
            path.unlink()
    shutil.rmtree(place.folder)
    say(f"start with {count} clips done: {statistics.median(found):.2f} s, {peak:.0f} MB")
    return Start(found, peak)


def limited(bench: Bench, clips: int, say: Say) -> Limited:
    """So many clips at the default rate limit by four workers, without rests."""
    bench.standin.be(0.0, None, 0)
    batch = bench.clips(clips, Setting("", "", {}, 0))
    # Each as large as the next: what is measured is not who gets the last one.
    batch = [replace(clip, start=303) for clip in batch]
    place = bench.place()
    script = our_command(batch, place, "--workers", str(WORKERS), "--rate-limit", str(RATE))
    bench.standin.forget()
    child.run(script, bench.environment, place.folder, patience=600.0)
    ended = time.time()
    counted = bench.standin.count()
    assert all(complete(clip, place.folder) for clip in batch)
    shutil.rmtree(place.folder)
    found = Limited(ended - counted["first"], counted["media_bytes"], counted["media_bytes"] / WORKERS / RATE)
    say(f"{clips} clips at 50K by {WORKERS} workers: {found.took:.1f} s, {found.due:.1f} s by the limit")
    return found


def sharing(bench: Bench, say: Say) -> list[Sharing]:
    """Two clips of one video, by each way."""
    bench.standin.be(0.0, None, 0)
    found = []
    for way in WAYS:
        first = bench.clips(1, Setting("", "", {}, 0))[0]
        batch = [replace(first, start=20), replace(first, start=320)]
        place = bench.place()
        bench.standin.forget()
        child.run_all(way.commands(batch, place), bench.environment, place.folder)
        found.append(Sharing(way.name, bench.standin.count()["extractions"]))
        shutil.rmtree(place.folder)
    say("extractions for two clips of one video: " + ", ".join(f"{each.way} {each.extractions}" for each in found))
    return found


def our_command(clips: Sequence[Clip], place: Place, *options: str) -> list[str]:
    """Our script with --cut copy; of the same option twice, the last one counts."""
    way = next(way for way in WAYS if way.name == "copy")
    (command,) = way.commands(clips, place)
    return [*command, *options]
