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

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from ..core.files import read_json
from ..core.model import Clip
from . import vggsound
from .base import Annotation, Dataset, Listing, id_files, together

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
    found: dict[str, list[str]] = {}
    skipped: list[str] = []
    for split in splits:
        path = metadata / f"{split}_qa.json"
        for name in _names(read_questions(path), path.name, skipped):
            splits_of_clip = found.setdefault(name, [])
            if split not in splits_of_clip:
                splits_of_clip.append(split)
    if not found:
        raise RunError(
            f"no record in {metadata} names a clip; the first: {skipped[0]}", "see README.md for the files"
        )
    labels, labels_path = {}, metadata / vggsound.FILE
    if labels_path.exists():
        labels = vggsound.read_labels(labels_path)
    clips = together(_clip(name, in_splits, labels) for name, in_splits in found.items())
    return Listing(clips, skipped, files=id_files(clips))


def _names(records: list[Any], file: str, skipped: list[str]) -> Iterator[str]:
    for number, record in enumerate(records, 1):
        name = record.get("video_name") if isinstance(record, dict) else None
        if not isinstance(name, str):
            skipped.append(f"{file}, record {number}: no video_name")
        elif not _NAME.fullmatch(name):
            skipped.append(f"{file}, record {number}: {name[:60]!r} is not a YouTube id, '_' and six digits")
        else:
            yield name


def _clip(name: str, splits: list[str], labels: dict[str, tuple[str, str]]) -> Clip:
    start = float(name[12:])
    meta: dict[str, Any] = {"splits": splits}
    if name in labels:
        meta["label"], meta["vggsound_split"] = labels[name]
    return Clip(name, name[:11], start, start + CLIP_SECONDS, meta)


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
