"""Jobs for a reader's driver, and its answers; a driver that dies costs the job that it died of, and no other."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .clips import PICTURES, SOUNDS, File

Json = dict[str, Any]

PLACES = 8
"""How many pictures are asked for by index, and as many by time."""
PHASES = (0.2, 0.4, 0.6, 0.8)
"""Where between two pictures a time lies that is asked for, in turn."""
PART = (3.0, 1.0)
"""The start and length of the sound that is asked for by time, in seconds."""
LONGEST = 240.0
"""Seconds for one job, after which a driver is ended."""


def places(file: File) -> list[int]:
    """Indexes all over a file, not in their order, the first and the last among them."""
    last = len(file.numbers) - 1
    return [round(last * part) for part in (0.71, 0.03, 1.0, 0.33, 0.0, 0.5, 0.12, 0.86)][:PLACES]


def times(file: File) -> list[float]:
    """A second for each of the places, at which that picture stands."""
    ends = [*file.times[1:], file.seconds]
    found = []
    for number, place in enumerate(places(file)):
        begins, phase = file.times[place], PHASES[number % len(PHASES)]
        found.append(round(begins + phase * (ends[place] - begins), 6))
    return found


def jobs(reads: frozenset[str], files: Sequence[File], into: Path) -> list[tuple[File, Json]]:
    """What a reader is asked of all files; ``into``: the folder for sound."""
    found: list[tuple[File, Json]] = []
    for number, file in enumerate(files):
        path = {"path": str(file.path)}
        if "pictures" in reads and file.kind in PICTURES:
            found.append((file, {"ask": "order", "count": len(file.numbers), **path}))
            found.append((file, {"ask": "index", "indexes": places(file), **path}))
            found.append((file, {"ask": "time", "times": times(file), **path}))
        if "sound" in reads and file.kind in SOUNDS:
            found.append((file, {"ask": "sound", "into": str(into / f"{number}.npy"), **path}))
            span = {"start": PART[0], "seconds": PART[1]}
            found.append((file, {"ask": "part", "into": str(into / f"{number}-part.npy"), **span, **path}))
    return found


def ask(command: Sequence[str], environment: Mapping[str, str], key: str, asked: Sequence[Json]) -> list[Json]:
    """The answers in the jobs' order; of sound, "samples" is the array."""
    answers: list[Json] = []
    while len(answers) < len(asked):
        answers += _until_it_dies(command, environment, [{"reader": key, **job} for job in asked[len(answers) :]])
    for job, answer in zip(asked, answers, strict=True):
        if "into" in job and "got" in answer:
            answer["samples"] = np.load(job["into"])
    return answers


def _until_it_dies(command: Sequence[str], environment: Mapping[str, str], asked: Sequence[Json]) -> list[Json]:
    """Answers to the first of the jobs at least; the last says so where the driver died of it."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=dict(environment), stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as child:
        assert child.stdin
        # Libraries talk on standard error; unread, it would hold the driver up when the pipe is full.
        said: list[str] = []
        listener = threading.Thread(target=_listen, args=(child, said))
        listener.start()
        try:
            answers: list[Json] = []
            for job in asked:
                line = _answer(child, job)
                if not line:
                    break
                answers.append(json.loads(line))
        finally:
            # What it did not read any more cannot be written either.
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()
            listener.join()
            child.wait()
        if len(answers) < len(asked):
            last = next((each.strip() for each in reversed(said) if each.strip()), "")
            answers.append({"refused": f"the program ended with {child.returncode}: {last}"[:200]})
        return answers


def _listen(child: subprocess.Popen[str], said: list[str]) -> None:
    said.extend(child.stderr or ())


def _answer(child: subprocess.Popen[str], job: Json) -> str:
    """The next line that is an answer, as a library may print as well; "" of a driver that ended or hung."""
    assert child.stdin and child.stdout
    timer = threading.Timer(LONGEST, child.kill)
    timer.start()
    try:
        print(json.dumps(job), file=child.stdin, flush=True)
        return next((line for line in child.stdout if line.startswith("{")), "")
    except BrokenPipeError:
        return ""
    finally:
        timer.cancel()
