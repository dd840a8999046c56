"""A folder as Hugging Face's VideoFolder and AudioFolder read it: files by split, and a line of metadata for each.

Source: https://huggingface.co/docs/datasets/main/en/video_dataset#videofolder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Literal

from ..catalog.sample import Sample
from ..core.errors import RunError
from ..core.files import whole
from .card import Span, card
from .chosen import Chosen, Exported, Step, see_names, split_name
from .columns import Columns, Question, Row, questions_of, row_of
from .content import file_name, put
from .target import exclusive

Files = Literal["video", "audio"]
METADATA = "metadata.jsonl"
_HOW = {
    "video": 'A file is a clip: `datasets.load_dataset("videofolder", data_dir=FOLDER)` reads them.',
    "audio": 'A file is the sound of a clip: `datasets.load_dataset("audiofolder", data_dir=FOLDER)` reads them.',
}


def to_folder(
    samples: Iterable[Sample],
    output: Path | str,
    *,
    files: Files = "video",
    copy: bool = False,
    splits: Sequence[str] = (),
    ids: Iterable[str] | None = None,
    questions: Mapping[str, Sequence[Question]] | None = None,
    step: Step | None = None,
) -> Exported:
    """Put each clip at ``SPLIT/ID.mp4``, and what is said of it into ``SPLIT/metadata.jsonl``; with a README.md.

    ``files``: its picture (with its sound) or its sound alone. ``copy``: else files are hard links where they can
    be, and one that is changed is changed in the download, too. Questions are JSON as text, since the reader takes
    types from the first lines. Clips without such a file are left out. ``splits``, ``ids``, ``questions``,
    ``step``: as of ``to_hf``; ``samples`` is gone through twice. RunError, UsageError.
    """
    asked, exported, of_clips = Chosen(samples, splits, ids), Exported(Path(output)), questions or {}
    columns, span, dataset = Columns(), Span(), ""
    with exclusive(exported.output, "videofolder", files=files) as folder:
        for split, sample in asked.count(exported):
            if files not in sample.files:
                exported.left_out[sample.id] = f"it has no file of {'sound' if files == 'audio' else 'pictures'}"
                continue
            exported.clips[split] += 1
            columns.add(_row(split, sample, of_clips))
            span.add(sample.facts)
            dataset = dataset or sample.dataset
        if not exported.clips:
            raise RunError(f"no clip with a file of {files} is here", "download some first: avclips status DIR")
        see_names(exported.clips)
        before = _listed(folder)
        _remove(folder, before, _write(asked, folder, files, copy, columns, of_clips, exported, step))
        patterns = {split: f"{split_name(split)}/**" for split in exported.clips}
        with whole(folder / "README.md") as stream:
            stream.write(card(dataset, exported, patterns, _HOW[files], span))
    return exported


def _row(split: str, sample: Sample, of_clips: Mapping[str, Sequence[Question]]) -> Row:
    row = row_of(sample)
    asked = questions_of(of_clips, sample, split)
    row["questions"] = json.dumps(asked, ensure_ascii=False) if asked else None
    # A column of texts that is called so is taken for one of files.
    return {name.replace("file_name", "filename"): value for name, value in row.items()}


def _write(
    asked: Chosen,
    folder: Path,
    files: Files,
    copy: bool,
    columns: Columns,
    of_clips: Mapping[str, Sequence[Question]],
    exported: Exported,
    step: Step | None,
) -> dict[str, set[str]]:
    """All files, and the metadata of each split last; returns the names in each split's folder."""
    names: dict[str, set[str]] = {}
    with ExitStack() as stack:
        streams: dict[str, IO[str]] = {}
        for split, sample in asked.done():
            if split not in exported.clips or files not in sample.files:
                continue
            into = folder / split_name(split)
            if split not in streams:
                into.mkdir(exist_ok=True)
                streams[split] = stack.enter_context(whole(into / METADATA))
            name = file_name(sample.id, files, sample.files[files])
            if put(sample.files[files], into / name, copy):
                exported.written += 1
            else:
                exported.kept += 1
            names.setdefault(into.name, set()).add(name)
            line = {"file_name": name} | columns.plain_row(_row(split, sample, of_clips))
            streams[split].write(json.dumps(line, ensure_ascii=False) + "\n")
            if step is not None:
                step(sample)
    return names


def _listed(folder: Path) -> dict[str, set[str]]:
    """The files that an earlier export put into each split's folder."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.glob(f"*/{METADATA}")):
        with open(path, encoding="utf-8") as stream, suppress(ValueError, KeyError):
            found[path.parent.name] = {Path(json.loads(line)["file_name"]).name for line in stream}
    return found


def _remove(folder: Path, before: Mapping[str, set[str]], names: Mapping[str, set[str]]) -> None:
    """Take away what an earlier export put here of clips that are not in this one: it would be read as well."""
    for split, each in before.items():
        for name in each - names.get(split, set()):
            (folder / split / name).unlink(missing_ok=True)
        if split not in names:
            (folder / split / METADATA).unlink(missing_ok=True)
