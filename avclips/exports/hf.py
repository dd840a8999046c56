"""Parquet for Hugging Face's ``datasets``: sound, picture and still typed, their bytes in the table, and a card.

Source: https://huggingface.co/docs/datasets/main/en/video_load and .../audio_load.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..catalog.sample import Sample
from ..core.errors import RunError
from ..core.extras import extra
from ..core.files import whole
from .card import card
from .chosen import Chosen, Exported, Step, see_names, split_name
from .columns import Question
from .hf_files import remove_others, write
from .hf_plan import Plan, add_to, looked_at, names_of
from .target import exclusive

# Bytes of media in a file, unless somebody says otherwise.
SHARD_BYTES = 500 << 20
_HOW = """\
A row is a clip, with its sound and picture in it: `datasets.load_dataset(FOLDER)` decodes them by torchcodec.
`video` and `audio` are the same seconds of one video; `start` and `end` count from its beginning."""
_WORDS = {
    "video": "the clip's picture (`Video`)",
    "audio": "the clip's sound (`Audio`)",
    "image": "a still of it (`Image`)",
    "questions": "a list of its questions, as the dataset's files have them",
    "id": "the clip's name",
    "youtube_id": "the video that it is cut from",
    "start": "second of the video at which it begins",
    "end": "second of the video at which it ends",
    "duration": "its real length, s",
    "labels": "its classes",
    "captions": "what its list says of it",
    "flags": "what was measured of its quality",
    "sha256": "of the picture's file",
    "audio_sha256": "of the sound's file",
}


def to_hf(
    samples: Iterable[Sample],
    output: Path | str,
    *,
    splits: Sequence[str] = (),
    ids: Iterable[str] | None = None,
    questions: Mapping[str, Sequence[Question]] | None = None,
    shard_bytes: int = SHARD_BYTES,
    step: Step | None = None,
) -> Exported:
    """Write the clips that are done as ``data/SPLIT-NNNNN-of-NNNNN.parquet`` and README.md in a folder.

    ``samples`` is gone through twice. ``splits``, ``ids``: of which clips; None: of all. ``questions``: of clips,
    by id. ``shard_bytes``: media bytes of a file, which has at least one clip. ``step`` is told of each clip.
    Files that are there and the same are left alone; the same clips give the same bytes. RunError, UsageError.
    """
    extra("pyarrow.parquet", "tables are written")
    asked, exported, of_clips = Chosen(samples, splits, ids), Exported(Path(output)), questions or {}
    with exclusive(exported.output, "hf") as folder:
        plan = Plan()
        for split, sample in asked.count(exported):
            if item := looked_at(split, sample, of_clips, exported):
                add_to(plan, split, item, shard_bytes)
        if not plan.files:
            raise RunError(
                "no clip of those that were asked for is here", "download some first: avclips status DIR"
            )
        see_names(plan.files)
        write(plan, asked, of_clips, folder, exported, step)
        remove_others(plan, folder)
        patterns = {split: f"data/{split_name(split)}-*.parquet" for split in plan.files}
        columns = [(name, _WORDS[name]) for name in names_of(plan) if name in _WORDS]
        with whole(folder / "README.md") as stream:
            stream.write(card(plan.dataset, exported, patterns, _HOW, plan.span, columns))
    return exported
