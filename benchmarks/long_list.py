"""The memory of whoever hands out a long list: ``long_list TREE ROWS``, in the current folder.

A made-up list of ACAV100M's kind is read, planned and handed out shard by shard, as it is for Spark; nobody takes
anything. Prints the seconds it took.
"""

from __future__ import annotations

import random
import string
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from avclips.core.settings import Settings
from avclips.datasets.acav100m import read_clips
from avclips.fetch.plan import Share
from avclips.fetch.shard_output import open_output, plan_shards
from avclips.fetch.shard_todo import Todo

LETTERS = string.ascii_letters + string.digits + "-_"


def seconds(rows: int) -> float:
    """How long it takes to hand out so many."""
    path = Path("list.csv")
    dice = random.Random(rows)
    with open(path, "w") as stream:
        for _ in range(rows):
            stream.write(f"{''.join(dice.choices(LETTERS, k=11))},{dice.randrange(3000) / 10}\n")
    settings = replace(Settings(Path("data")), clip_list=path, output_format="webdataset")
    started = time.perf_counter()
    clips = Share(read_clips(Path("data/metadata"), settings).clips, None)
    output = open_output(settings)
    assert plan_shards(output, clips, "acav100m", settings) == rows
    assert sum(len(shard.clips) for shard in Todo(output, clips, settings, output.finished())) == rows
    return time.perf_counter() - started


if __name__ == "__main__":
    print(seconds(int(sys.argv[2])))
