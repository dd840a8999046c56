"""What every driver in Python does: it is told of jobs, asks its reader, and answers with a line of JSON each.

It runs in the reader's environment, and needs numpy alone. A job is {"reader", "ask", "path", ...}:

    order  "count"          every picture, in the order in which one gets them      -> [number, ...]
    index  "indexes"        the pictures at these indexes, in this order            -> [number, ...]
    time   "times"          the pictures that stand at these seconds, in this order -> [number, ...]
    sound  "into"           all of the sound                                        -> its rate; samples in "into"
    part   "into", "start", "seconds"    these seconds of the sound                 -> the same

The answer is {"got": ...}, {"refused": what the reader raised}, or {"none": true}: it has no such way to read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

import numpy as np

BLOCK = 32


class Reader:
    """One way to read a file; a way that a reader has not is left as it is here.

    A picture is (height, width) or (height, width, 3) of 8 bits, or None where none came; sound is the first
    channel's samples as floats.
    """

    def order(self, path):
        raise NotImplementedError

    def index(self, path, indexes):
        raise NotImplementedError

    def time(self, path, times):
        raise NotImplementedError

    def sound(self, path):
        """(rate, samples)"""
        raise NotImplementedError

    def part(self, path, start, seconds):
        """(rate, samples) of these seconds"""
        raise NotImplementedError


def number_of(picture) -> int:
    """The number that a picture carries, as tests/matrix/media draws it; -1 where none came."""
    if picture is None:
        return -1
    grey = np.asarray(picture)
    if grey.ndim == 3:
        grey = grey[:, :, 1]
    centres = grey[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK].astype(int)
    return sum(int(value > 130) << bit for bit, value in enumerate(centres.reshape(-1)[:12]))


def answer(readers: Mapping[str, Reader]) -> None:
    """Do the jobs that come on standard input, a line each, and say what came of each at once."""
    for line in sys.stdin:
        job = json.loads(line)
        try:
            said = {"got": _ask(readers[job["reader"]], job)}
        except NotImplementedError:
            said = {"none": True}
        except Exception as error:  # What a reader raises is what is asked here, whatever it is.
            said = {"refused": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        print(json.dumps(said), flush=True)


def _ask(reader: Reader, job):
    path = job["path"]
    if job["ask"] == "order":
        return [number_of(picture) for picture in reader.order(path)]
    if job["ask"] == "index":
        return [number_of(picture) for picture in reader.index(path, job["indexes"])]
    if job["ask"] == "time":
        return [number_of(picture) for picture in reader.time(path, job["times"])]
    rate, samples = (
        reader.sound(path) if job["ask"] == "sound" else reader.part(path, job["start"], job["seconds"])
    )
    np.save(job["into"], np.asarray(samples, np.float32))
    return int(rate)
