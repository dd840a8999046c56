"""The questions of General AVQA and MUSIC-AVQA, each with its clip's files: one form for both.

MUSIC-AVQA fills ``<Object>``, ``<LR>``, ``<FL>`` and the like, in their order, from ``templ_values``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..core.errors import RunError, UsageError
from ..datasets import general_avqa, music_avqa
from .folder import DataFolder, look_into
from .sample import Sample
from .source import samples_of

Question = dict[str, Any]
_BLANK = re.compile(r"<[A-Za-z]+>")


class KnownClip(NamedTuple):
    """What the questions on a clip say of it; ``files``: paths by kind, of those that lie in the folder."""

    status: str
    label: str | None
    files: Mapping[str, str]


class _Form(NamedTuple):
    """How a dataset keeps its questions: which file has a split's, and what a record is made into."""

    file: Callable[[str, str], str]
    read: Callable[[Path], list[Any]]
    splits: tuple[str, ...]
    said: Callable[[Mapping[str, Any]], Question]


def questions(source: str | os.PathLike[str], *, splits: Iterable[str] | None = None) -> Iterator[Question]:
    """The questions of a data folder of General AVQA or MUSIC-AVQA, in the order of their files.

    Each is a dict: ``id`` ("val/183", unique), ``question``, ``choices`` (texts, some may be None; None where
    answers are free), ``answer`` (a text), ``answer_index`` (its place among the choices), ``question_type``,
    ``question_relation``, ``clip_id``, ``split``, ``label`` (of VGG-Sound, or None), ``status`` of the clip; and
    ``audio``, ``video``, ``image``: paths that begin with the folder's own name, None where there is no such file.
    ``splits``: only these; None: those whose files are there. RunError where the folder is of another dataset, or
    a file cannot be read; UsageError where a split is none.
    """
    folder = look_into(Path(source))
    # A folder of another dataset is told apart before all of its clips are gone through.
    _form_of(folder)
    known = {sample.id: known_clip(sample, folder.store.folder) for sample in samples_of(folder)}
    return questions_of(folder, known, splits)


def has_questions(dataset: str) -> bool:
    """Whether a dataset is one of questions."""
    return dataset in _FORMS


def _form_of(folder: DataFolder) -> _Form:
    """How the questions of a folder are kept. RunError where its dataset has none."""
    form = _FORMS.get(folder.dataset.name)
    if form is None:
        raise RunError(f"{folder.dataset.title} has no questions", "General AVQA and MUSIC-AVQA have")
    return form


def known_clip(sample: Sample, folder: Path) -> KnownClip:
    """What is kept of a clip; of one in a shard, no file lies in the folder."""
    # A link is called as it is here.
    name = Path(os.path.abspath(folder)).name  # noqa: PTH100
    inside = {}
    if sample.status == "done":
        for kind in _MEDIA.values():
            place = sample.files.get(kind)
            if place is not None and place.path.startswith(f"{folder}/"):
                inside[kind] = f"{name}/{place.path[len(str(folder)) + 1 :]}"
    return KnownClip(sample.status, sample.labels[0] if sample.labels else None, inside)


def splits_there(folder: DataFolder) -> tuple[str, ...]:
    """The splits whose files of questions are in the folder."""
    form = _FORMS[folder.dataset.name]
    edition, metadata = folder.settings.annotations, folder.store.metadata
    return tuple(each for each in form.splits if (metadata / form.file(edition, each)).exists())


def questions_of(
    folder: DataFolder, clips: Mapping[str, KnownClip], splits: Iterable[str] | None = None
) -> Iterator[Question]:
    """The same; ``clips``: by id, of all that is listed."""
    form = _form_of(folder)
    wanted = splits_there(folder) if splits is None else ((splits,) if isinstance(splits, str) else tuple(splits))
    for split in wanted:
        if split not in form.splits:
            raise UsageError(f"there are no questions of the split {split!r}", f"it has {', '.join(form.splits)}")
    return _questions(folder, form, clips, wanted)


def count_questions(folder: DataFolder, clips: Mapping[str, KnownClip]) -> dict[str, tuple[int, int]]:
    """By split, how many questions there are, and how many have their clip."""
    counts: dict[str, tuple[int, int]] = {}
    for each in questions_of(folder, clips):
        count, here = counts.get(each["split"], (0, 0))
        counts[each["split"]] = count + 1, here + (each["status"] == "done")
    return counts


def _questions(
    folder: DataFolder, form: _Form, clips: Mapping[str, KnownClip], splits: Iterable[str]
) -> Iterator[Question]:
    nothing = KnownClip("missing", None, {})
    for split in splits:
        path = folder.store.metadata / form.file(folder.settings.annotations, split)
        seen: dict[str, int] = {}
        for record in form.read(path):
            if not isinstance(record, dict):
                # Said to be left out when the list was read.
                continue
            said = form.said(record)
            # An id that stands twice would be two questions under one name.
            number = seen[said["id"]] = seen.get(said["id"], 0) + 1
            said["id"] = f"{split}/{said['id']}" + (f"/{number}" if number > 1 else "")
            clip = clips.get(said["clip_id"], nothing)
            files = {name: clip.files.get(kind) for name, kind in _MEDIA.items()}
            yield {**said, **files, "split": split, "label": clip.label, "status": clip.status}


_MEDIA = {"audio": "audio", "video": "video", "image": "frame"}


def _of_avqa(record: Mapping[str, Any]) -> Question:
    choices, index = record.get("multi_choice"), record.get("answer")
    choices = [None if each is None else str(each) for each in choices] if isinstance(choices, list) else None
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(choices or ()):
        index = None
    return {
        "id": str(record.get("id")),
        "question": str(record.get("question_text") or ""),
        "choices": choices,
        "answer": choices[index] if choices and index is not None else None,
        "answer_index": index,
        "question_type": record.get("question_type"),
        "question_relation": record.get("question_relation"),
        "clip_id": str(record.get("video_name")),
    }


def _of_music(record: Mapping[str, Any]) -> Question:
    relation, kind, *_ = [*_texts(record.get("type")), None, None]
    words = iter(_texts(record.get("templ_values")))
    answer = record.get("anser")
    return {
        "id": str(record.get("question_id")),
        # A blank for which no word is left stays as it is.
        "question": _BLANK.sub(lambda blank: next(words, blank[0]), str(record.get("question_content") or "")),
        "choices": None,
        "answer": None if answer is None else str(answer),
        "answer_index": None,
        "question_type": kind,
        "question_relation": relation,
        "clip_id": str(record.get("video_id")),
    }


def _texts(value: Any) -> list[str]:
    """A list of texts, which MUSIC-AVQA keeps as JSON within a text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return [str(each) for each in value] if isinstance(value, list) else []


_FORMS = {
    "general_avqa": _Form(
        lambda edition, split: f"{split}_qa.json", general_avqa.read_questions, ("train", "val"), _of_avqa
    ),
    "music_avqa": _Form(music_avqa.file_of_split, music_avqa.read_questions, music_avqa.SPLITS, _of_music),
}
