"""All that is written beside the clips for whoever uses them: clips.csv, the questions, coverage.json."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from ..core.files import whole
from ..core.model import Clip
from ..state.partition import siblings
from ..state.progress_files import MANIFEST
from .clip_table import clip_table, flags_in
from .coverage import FILE, Coverage
from .folder import DataFolder
from .of_folder import of_folder
from .qa import KnownClip, has_questions, known_clip, questions_of, splits_there

# What the files of questions are called, before _SPLIT.jsonl: as the loader of AVQA's authors looks for them.
_PREFIX = {"general_avqa": "avqa", "music_avqa": "music_avqa"}


def write_tables(folder: DataFolder, clips: Iterable[Clip] | None = None) -> dict[str, Any]:
    """Write the tables of a folder of single files, each whole; returns what coverage.json says.

    ``clips``: its list, where it was read before. RunError where the folder is one of shards, which have tables of
    their own; OSError where a table cannot be written.
    """
    if folder.settings.output_format != "files":
        message = f"{folder.store.folder} holds shards: each has a table of its own beside it"
        raise RunError(message, "read them as docs/scale.md says; avclips coverage counts their clips")
    root, coverage = folder.store.folder, Coverage(folder.dataset.name, folder.dataset.title)
    asked = has_questions(folder.dataset.name)
    known: dict[str, KnownClip] = {}
    with clip_table(root, flags_in(siblings(root / MANIFEST).values())) as table:
        for sample in of_folder(folder, clips):
            table.add(sample)
            coverage.add(sample)
            if asked:
                known[sample.id] = known_clip(sample, root)
    if asked:
        coverage.questions = _write_questions(folder, known)
    said = coverage.as_json()
    write_coverage(root / FILE, said)
    return said


def write_coverage(path: Path, said: Mapping[str, Any]) -> None:
    """Write coverage.json whole, an id a line."""
    with whole(path) as stream:
        json.dump(said, stream, indent=1, ensure_ascii=False)
        stream.write("\n")


def _write_questions(folder: DataFolder, known: Mapping[str, KnownClip]) -> dict[str, tuple[int, int]]:
    """A file of each split: a line for each question whose clip is here; how many there are, and how many here."""
    counts = {}
    for split in splits_there(folder):
        count = here = 0
        with whole(_questions_file(folder, split)) as stream:
            for question in questions_of(folder, known, [split]):
                count += 1
                if question.pop("status") == "done":
                    here += 1
                    stream.write(json.dumps(question, ensure_ascii=False) + "\n")
        counts[split] = count, here
    return counts


def _questions_file(folder: DataFolder, split: str) -> Path:
    return folder.store.folder / f"{_PREFIX[folder.dataset.name]}_{split}.jsonl"
