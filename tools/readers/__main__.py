"""What the readers of the field make of our files: docs/readers.md.

    python -m tools.readers                       # make readers
    python -m tools.readers --only PyAV OpenCV    # those alone, printed and not written

It goes online to install, and only then. About thirteen minutes on two cores, 3 GB in .cache/readers.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ..requirements import ROOT
from . import page, verdicts
from .asking import ask, jobs
from .clips import PICTURES, SOUNDS, File, make_files
from .installed import CACHE, READERS, Missing, Reader, command, version
from .verdicts import Json, Verdict

PAGE = ROOT / "docs" / "readers.md"
# Not asked, and why.
NOT_ASKED = ("torchaudio: its wheels on PyPI need CUDA; since 2.9 its `load` hands the file to torchcodec.",)
Answers = dict[tuple[str, str], dict[str, Json]]
"""By clip and kind of file: the answer to each question."""


def main(argv: Sequence[str]) -> int:
    """Make the files, ask every reader, write the page."""
    parser = argparse.ArgumentParser(prog="python -m tools.readers", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="READER", help="these readers, printed and not written")
    asked = parser.parse_args(argv)
    folder = CACHE / "files"
    shutil.rmtree(folder, ignore_errors=True)
    files = make_files(folder)
    pictures: dict[str, dict[str, dict[str, Verdict]]] = {"steady": {}, "varying": {}}
    sound: dict[str, dict[str, Verdict]] = {}
    left_out = list(NOT_ASKED)
    for reader in READERS:
        if asked.only and reader.name not in asked.only:
            continue
        try:
            words, environment = command(reader)
            name = f"{reader.name} {version(reader)}"
        except Missing as error:
            left_out.append(f"{reader.name}: {error}.")
            print(f"{reader.name} is left out: {error}.", flush=True)
            continue
        answers = _answers(reader, words, environment, files, folder)
        if "pictures" in reader.reads:
            pictures["steady"][name] = _judged(verdicts.pictures, PICTURES, page.STEADY, files, answers)
            pictures["varying"][name] = _judged(verdicts.pictures, PICTURES, page.VARYING, files, answers)
        if "sound" in reader.reads:
            sound[name] = _judged(
                partial(verdicts.sound, mixed=reader.mixes), SOUNDS, [*page.STEADY, *page.VARYING], files, answers
            )
        print(f"{name}: asked", flush=True)
    text = page.written(pictures, sound, left_out)
    if asked.only:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
    return 0


def _answers(
    reader: Reader, words: list[str], environment: dict[str, str], files: Sequence[File], folder: Path
) -> Answers:
    todo = jobs(reader.reads, files, folder)
    found: Answers = {}
    for (file, job), answer in zip(
        todo, ask(words, environment, reader.key, [job for _, job in todo]), strict=True
    ):
        found.setdefault((file.clip, file.kind), {})[job["ask"]] = answer
    return found


def _judged(
    judge: Callable[[Sequence[File], Sequence[dict[str, Json]]], Verdict],
    kinds: Sequence[str],
    clips: Sequence[str],
    files: Sequence[File],
    answers: Answers,
) -> dict[str, Verdict]:
    """The verdict on each kind of file, over the files of these clips."""
    found = {}
    for kind in kinds:
        these = [file for file in files if file.kind == kind and file.clip in clips]
        found[kind] = judge(these, [answers[file.clip, kind] for file in these])
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
