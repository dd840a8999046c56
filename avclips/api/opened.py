"""A download that is looked at from Python: its clips, how much of it is here, its questions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from ..catalog import Sample, questions, samples
from ..catalog.clip_sets import coverage_of
from ..catalog.qa import Question
from ..catalog.source import is_data_folder
from ..core.errors import RunError
from ..core.files import is_local, see_that_it_is_a_folder
from ..datasets.known import dataset_of


class OpenedDataset(Sequence[Sample]):
    """The clips of a download, in the order of its list: done, failed and missing ones.

    Going through it reads the download anew, clip by clip, and keeps nothing. ``len``, an index and an id need all
    of them: they are read once, and kept (some 3 KB a clip). ``done()`` has those that can be used.
    """

    def __init__(self, source: str | os.PathLike[str]) -> None:
        self.source = os.fspath(source)
        self._all: list[Sample] | None = None
        self._by_id: dict[str, Sample] = {}

    def __repr__(self) -> str:
        return f"open_dataset({self.source!r})"

    def __iter__(self) -> Iterator[Sample]:
        return samples(self.source) if self._all is None else iter(self._all)

    def __len__(self) -> int:
        return len(self._kept())

    @overload
    def __getitem__(self, index: int | str) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...

    def __getitem__(self, index: int | str | slice) -> Sample | list[Sample]:
        """The clip at a place of the list, or of an id (KeyError where there is none); several, by a slice."""
        kept = self._kept()
        return self._by_id[index] if isinstance(index, str) else kept[index]

    def __contains__(self, item: object) -> bool:
        """Whether there is a clip of this id; or this Sample."""
        if isinstance(item, str):
            self._kept()
            return item in self._by_id
        return any(each == item for each in self)

    def get(self, clip_id: str) -> Sample | None:
        """The clip of an id; None where the list has none."""
        self._kept()
        return self._by_id.get(clip_id)

    def done(self, split: str | None = None) -> Iterator[Sample]:
        """The clips whose files are here; ``split``: those of one split."""
        for sample in self:
            if sample.status == "done" and (split is None or split in sample.splits):
                yield sample

    def coverage(self) -> dict[str, Any]:
        """How much of the list is here, as coverage.json says it (docs/coverage.md): splits, reasons, hashes."""
        return coverage_of(self.source).as_json()

    def questions(self, split: str | None = None) -> Iterator[Question]:
        """The questions of General AVQA and MUSIC-AVQA, as ``avclips.questions`` has them. RunError: no others."""
        return questions(self.source, splits=None if split is None else [split])

    def refresh(self) -> None:
        """Forget what was kept: a run may have brought more meanwhile."""
        self._all, self._by_id = None, {}

    def _kept(self) -> list[Sample]:
        if self._all is None:
            self._all = list(samples(self.source))
            self._by_id = {sample.id: sample for sample in self._all}
        return self._all


def open_dataset(source: str | os.PathLike[str]) -> OpenedDataset:
    """Open a data folder, or an output of shards (a folder, or an address that fsspec opens), to look at.

    RunError where ``source`` is neither. What another run adds later is seen by going through it again.
    """
    # What holds no download is said now, and not when it is gone through.
    if is_data_folder(source):
        try:
            dataset_of(Path(source))
        except ValueError as error:
            raise RunError(str(error), "go on with the version that made it") from None
    else:
        from ..catalog.of_shards import open_shards

        if is_local(source):
            see_that_it_is_a_folder(source)
        open_shards(os.fspath(source))
    return OpenedDataset(source)
