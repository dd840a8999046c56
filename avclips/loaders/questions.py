"""The questions of General AVQA and MUSIC-AVQA, each with its clip, as PyTorch datasets with an index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import torch

from ..catalog import Sample, questions
from .clips import ClipsDataset
from .items import Item
from .options import Folder, Keywords
from .records import Records

# Of a question, what an item has besides what is known of its clip.
_KEPT = ("question", "choices", "answer", "answer_index", "question_type", "question_relation", "split")


class _Questions(ClipsDataset):
    """An item is a question, with what is loaded of its clip."""

    def _take(self, samples: list[Sample]) -> None:
        super()._take(samples)
        numbers = {sample.id: number for number, sample in enumerate(samples)}
        kept, clips = [], []
        self._asked = self._answerable = 0
        for question in questions(self.data_dir, splits=self.split):
            number = numbers.get(question["clip_id"])
            listed = (
                number is not None or question["clip_id"] in self.missing or question["clip_id"] in self.dropped
            )
            self._asked += listed
            if number is not None:
                self._answerable += question["clip_id"] not in self.missing
                clips.append(number)
                kept.append(_said(question))
        self._questions = Records(kept)
        self._clip_of = torch.tensor(clips, dtype=torch.int64)

    def __len__(self) -> int:
        return len(self._questions)

    def _sample(self, index: int) -> tuple[Sample, Item]:
        return self._samples[int(self._clip_of[index])], self._questions[index]

    def coverage(self) -> Mapping[str, Any]:
        """As of clips, and ``questions`` {"there", "of"}."""
        return {**super().coverage(), "questions": {"there": self._answerable, "of": self._asked}}

    def _questions_of_clips(self) -> Mapping[str, Sequence[Item]]:
        found = defaultdict[str, list[Item]](list)
        for question in questions(self.data_dir, splits=self.split):
            found[question["clip_id"]].append(question)
        return found


def _said(question: Mapping[str, Any]) -> Item:
    said = {key: question[key] for key in _KEPT}
    # What the training code of SAFE reads: an answer is a text, and nobody rated its difficulty.
    return {
        "id": question["id"],
        "sample_id": question["id"],
        **said,
        "answers": said["answer"],
        "difficulty": None,
    }


class AVQADataset(_Questions):
    """General AVQA: a question with its choices an item, and the clip that it is about.

    As ``ClipsDataset``, with ``data_dir`` "./data/avqa"; ``split``: "train" or "val". ``data_path="./data"`` is
    the folder above, as SAFE's class of this name takes it. ``answer`` is the text of the right choice,
    ``answer_index`` its place in ``choices``.
    """

    name = "general_avqa"
    usual_folder = "avqa"

    def __init__(
        self, data_dir: Folder = "./data/avqa", split: str | None = "train", **options: Unpack[Keywords]
    ) -> None:
        super().__init__(data_dir, split, **options)


class MusicAVQADataset(_Questions):
    """MUSIC-AVQA: a question an item, whose answer is one of 42 words, and the video that it is about.

    As ``AVQADataset``; ``split``: "train", "val" or "test". ``choices`` and ``answer_index`` are by ``answers``:
    every answer that the splits in the folder have, in the order of the alphabet.
    """

    name = "music_avqa"
    usual_folder = "music_avqa"

    def __init__(
        self, data_dir: Folder = "./data/music_avqa", split: str | None = "train", **options: Unpack[Keywords]
    ) -> None:
        super().__init__(data_dir, split, **options)

    def _take(self, samples: list[Sample]) -> None:
        super()._take(samples)
        self.answers = sorted({each["answer"] for each in questions(self.data_dir) if each["answer"] is not None})
        self._places = {answer: place for place, answer in enumerate(self.answers)}

    def _sample(self, index: int) -> tuple[Sample, Item]:
        sample, said = super()._sample(index)
        return sample, {**said, "choices": self.answers, "answer_index": self._places.get(said["answer"])}
