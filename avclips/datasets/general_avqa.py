"""General AVQA: questions on ten-second clips of VGG-Sound.

Paper: Yang et al., "AVQA: A Dataset for Audio-Visual Question Answering on Videos", ACM Multimedia 2022.
Files: train_qa.json and val_qa.json of https://github.com/AlyssaYoung/AVQA (under data/annotation/); no licence
is stated there. vggsound.csv of https://github.com/hche11/VGGSound (CC BY 4.0) adds a label and a split.
Counts: 40,425 + 16,910 questions on 57,015 clips; up to four clips share a video.
Surprises: the clip is ``video_name``, a YouTube id, ``_`` and the start second in six digits; ``video_id`` is
only a running number. A clip has several questions. Choices can be null. Copies with CRLF exist. In
vggsound.csv, labels with commas are quoted, and there is no header.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..core.errors import RunError
from ..core.files import read_json
from ..core.json_array import values_in
from . import vggsound
from .base import Annotation, Dataset, Listing
from .clip_columns import ClipColumns, Row

_QA_URL = "https://raw.githubusercontent.com/AlyssaYoung/AVQA/main/data/annotation/{name}"

CLIP_SECONDS = 10.0
_NAME = re.compile(r"([A-Za-z0-9_-]{11})_([0-9]{6})")


def read_questions(path: Path) -> list[Any]:
    """The records of one QA file; RunError when it is not a JSON list."""
    name = path.name.strip(".").removesuffix(".part")
    hint = f"delete it and run again, or get it from {_QA_URL.format(name=name)}"
    records = read_json(path, hint)
    if not isinstance(records, list):
        raise RunError(f"{path} holds a {type(records).__name__}, not a list of questions", hint)
    if not records:
        raise RunError(f"{path} is an empty list", hint)
    return records


def read_clips(metadata: Path, splits: Sequence[str]) -> Listing:
    """The clips of the QA files of ``splits``, each once, in the order of the files."""
    found: dict[str, _Said] = {}
    skipped: list[str] = []
    for split in splits:
        for name in _names(metadata / f"{split}_qa.json", skipped):
            said = found.get(name, _NOTHING)
            if split not in said.splits:
                found[name] = _said((*said.splits, split))
    if not found:
        raise RunError(
            f"no record in {metadata} names a clip; the first: {skipped[0]}", "see README.md for the files"
        )
    if (labels := metadata / vggsound.FILE).exists():
        for name, label, split in vggsound.label_rows(labels):
            if name in found:
                found[name] = _said(found[name].splits, label, split)
    clips = ClipColumns(_row(name, said) for name, said in found.items())
    return Listing(clips, skipped, names=clips.names)


class _Said(NamedTuple):
    """What the files say of a clip: the splits with questions on it, and VGG-Sound's label and split."""

    splits: tuple[str, ...]
    label: str | None = None
    vggsound_split: str | None = None


# Millions of clips share some hundreds.
_said = functools.cache(_Said)
_NOTHING = _Said(())


def _names(path: Path, skipped: list[str]) -> Iterator[str]:
    found = values_in(path, "video_name", lambda: read_questions(path))
    for number, name in enumerate(itertools.chain.from_iterable(found), 1):
        if not isinstance(name, str):
            skipped.append(f"{path.name}, record {number}: no video_name")
        elif not _NAME.fullmatch(name):
            why = f"{name[:60]!r} is not a YouTube id, '_' and six digits"
            skipped.append(f"{path.name}, record {number}: {why}")
        else:
            yield name


def _row(name: str, said: _Said) -> Row:
    start = float(name[12:])
    return name, name[:11], start, start + CLIP_SECONDS, _meta(said)


@functools.cache
def _meta(said: _Said) -> Mapping[str, Any]:
    labels = {} if said.label is None else {"label": said.label, "vggsound_split": said.vggsound_split}
    return {"splits": list(said.splits), **labels}


_ANNOTATIONS = (
    Annotation("train_qa.json", _QA_URL.format(name="train_qa.json"), read_questions, split="train"),
    Annotation("val_qa.json", _QA_URL.format(name="val_qa.json"), read_questions, split="val"),
    Annotation(vggsound.FILE, vggsound.URL, vggsound.read_labels, needed=False),
)

GENERAL_AVQA = Dataset(
    name="general_avqa",
    title="General AVQA",
    default_dir="./data/avqa",
    log_name="avqa_general_download.log",
    annotations=lambda settings: _ANNOTATIONS,
    read_clips=lambda metadata, settings: read_clips(metadata, settings.splits),
    clip_seconds=CLIP_SECONDS,
    splits=("train", "val"),
    usual_splits=("train", "val"),
)
