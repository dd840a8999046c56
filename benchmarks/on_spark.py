"""Clips a second with Spark on so many cores of this machine: ``on_spark TREE CORES PROXY LIST FEW``.

In the current folder. FEW is a short list that comes first: what is measured is no start of Java or of Python.
Prints the seconds that LIST took.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from avclips import download
from avclips.cli.options import read_settings
from avclips.datasets.clip_list import CLIPS
from avclips.spark.driver import open_session

PER_SHARD = 6


def seconds(cores: int, proxy: str, first: Path, then: Path) -> float:
    """How long the second list takes."""
    if hasattr(os, "sched_setaffinity"):
        # Whoever measures one core's work has put us on it.
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    session = open_session(f"local[{cores}]")
    took = 0.0
    for path in (first, then):
        words = [str(path), "--data-dir", f"data-{path.stem}", "--proxy", proxy, "--state-dir", "state"]
        words += ["--videos-per-hour", "0", "--rate-limit", "0", "--sleep", "0", "--min-free", "0"]
        words += ["--cut", "copy", "--check", "packets", "--engine", "spark", "--output-format", "webdataset"]
        settings, _ = read_settings(CLIPS, [*words, "--samples-per-shard", str(PER_SHARD)])
        started = time.perf_counter()
        assert download(CLIPS, settings, session).exit_code == 0
        took = time.perf_counter() - started
    session.stop()
    return took


if __name__ == "__main__":
    found = seconds(int(sys.argv[2]), sys.argv[3], Path(sys.argv[5]), Path(sys.argv[4]))
    # What was said before is the run's.
    print(f"\n{found}")
