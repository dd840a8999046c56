"""What the explorer takes: its index of made-up clips, what a page asks of it, and the server's memory.

    python -m benchmarks.explore [ROWS ...]        # 57015 and 2000000; two million take minutes and 4 GB of disk

Each row count is a process of its own, so that its memory is its own. The clips are as a run leaves them: a label
of 309, a split, a caption, facts of the manifest with flags; one in ten has failed, one in two has a question.
Queries are those of the page; each is asked 20 times, or for 5 s, and the median of the core's time is told.
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from avclips.catalog.sample import Place, Sample
from avclips.explore import index, query
from avclips.explore.query import Filter

ROWS = (57_015, 2_000_000)
_NOUNS = (
    "dog rain piano engine crowd bell violin river wind train cat drum bird sea saw horn choir fire clock hall"
).split()
LABELS = [f"{a} {b}" for a in _NOUNS for b in _NOUNS][:309]
_ROUNDS = 20


def samples(count: int) -> Iterator[Sample]:
    """So many clips."""
    for number in range(count):
        name, label = f"clip{number:08}", LABELS[number * 7 % len(LABELS)]
        failed = number % 10 == 3
        facts = {
            "duration": 10.0, "fps": 25.0, "width": 640, "height": 360, "bytes": 700_000 + number % 1000,
            "sha256": f"{number:064x}", "title": f"{label}, take {number % 977}",
            "flags": {"still": 0.99 if number % 50 == 0 else 0.1, "loudness": -23.0, "brightness": 0.4},
        }  # fmt: skip
        files = {"video": Place(f"/data/videos/{name}.mp4"), "audio": Place(f"/data/audio/{name}.wav")}
        yield Sample(
            name, "clips", f"v{number // 2:010}", 10.0, 20.0, "failed" if failed else "done",
            "private" if failed else "", "This video is private" if failed else "",
            splits=("val" if number % 8 == 0 else "train",), labels=(label,),
            captions=(f"a {label} in take {number}",),
            files={} if failed else files, facts={} if failed else facts,
        )  # fmt: skip


_LABEL = Filter("", {"label": [LABELS[5]]})
_SPLIT = Filter("", {"split": ["train"]})
_TWO = Filter("dog rain")
QUERIES: dict[str, Callable[[sqlite3.Connection], object]] = {
    "the first page": lambda index: query.clips(index, Filter()),
    "a page in the middle": lambda index: query.clips(index, Filter(), "list", query.count(index, Filter()) // 2),
    "the longest": lambda index: query.clips(index, Filter(), "long"),
    "the shortest": lambda index: query.clips(index, Filter(), "short"),
    "two words": lambda index: query.clips(index, _TWO),
    "a count of two words": lambda index: query.count(index, _TWO),
    "a count of an unfinished word": lambda index: query.count(index, Filter("ra")),
    "a label": lambda index: query.clips(index, _LABEL),
    "a split": lambda index: query.clips(index, _SPLIT),
    "the longest of a split": lambda index: query.clips(index, _SPLIT, "long"),
    "a count of a split": lambda index: query.count(index, _SPLIT),
    "all facets": lambda index: query.facets(index, Filter()),
    "facets of a split": lambda index: query.facets(index, _SPLIT),
    "facets of two words": lambda index: query.facets(index, _TWO),
}


def one(count: int) -> None:
    """Make the index of so many clips, once and once more without a change, and ask it."""
    question: dict[str, Any] = {"question": "What is heard?", "choices": ["rain", "a dog"], "answer": "rain"}
    asked: index.Questions = {f"clip{number:08}": [question] for number in range(0, count, 2)}
    with tempfile.TemporaryDirectory(prefix="avclips-bench-") as folder:
        path = Path(folder) / "index.sqlite"
        for words in ("index", "index again, nothing changed"):
            database = index.open_index(path, write=True)
            began, worked = time.monotonic(), time.process_time()
            index.build(database, samples(count), asked, {})
            took, worked = time.monotonic() - began, time.process_time() - worked
            print(f"{count:>9,}  {words}: {took:.1f} s, {worked:.1f} s of a core", flush=True)
            database.close()
        size = sum(each.stat().st_size for each in Path(folder).iterdir())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{count:>9,}  {size / 1e6:,.0f} MB; at most {peak:,.0f} MB of memory", flush=True)
        database = index.open_index(path)
        for words, ask in QUERIES.items():
            print(f"{count:>9,}  {words}: {_median(ask, database) * 1000:.1f} ms", flush=True)


def _median(ask: Callable[[sqlite3.Connection], object], database: sqlite3.Connection) -> float:
    found = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        ask(database)
        found.append(time.process_time() - began)
        if sum(found) > 5:
            break
    return statistics.median(found)


def main() -> int:
    """Each row count, one after the other."""
    if os.environ.get("AVCLIPS_BENCH_ROWS"):
        one(int(os.environ["AVCLIPS_BENCH_ROWS"]))
        return 0
    parser = argparse.ArgumentParser(prog="benchmarks.explore", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rows", type=int, nargs="*", default=ROWS, metavar="ROWS", help="clips [57015 2000000]")
    for count in parser.parse_args().rows:
        again = {**os.environ, "AVCLIPS_BENCH_ROWS": str(count)}
        subprocess.run([sys.executable, "-m", "benchmarks.explore"], env=again, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
