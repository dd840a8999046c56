"""The clips of a data folder, or of an output of shards, as a PyTorch dataset with an index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Unpack

from torch.utils.data import Dataset

from ..catalog import Sample
from ..catalog.coverage import hash_of
from ..core.errors import RunError, UsageError
from ..core.files import is_local
from ..datasets import audioset
from ..exports.chosen import Exported
from . import items
from .frames import Undecodable
from .items import Item
from .options import (
    USUAL_FRAMES,
    DecoderName,
    Folder,
    Ids,
    Keywords,
    Missing,
    Options,
    Size,
    Transform,
    one_of,
)
from .records import Records
from .select import Chosen, Wanted, choose, wanted_ids

# What else may be loaded, where no clip has something.
_OTHERS = {"no_video": ("audio",), "no_audio": ("video",)}


class ClipsDataset(Dataset[Any]):
    """Clips of any download: an item is a dict, as docs/loaders.md describes its keys.

    ``data_dir``: a data folder, or an output of shards, which may be an address that fsspec opens. ``split``: of
    its list; None: all. ``load``: what is loaded, of "video", "audio", "image" and "bytes"; (): nothing, the paths
    are there. ``num_frames``, ``fps``, ``size``, ``sample_rate``, ``mono``, ``seconds``, ``decoder``: see
    docs/loaders.md. ``missing``: what becomes of clips that are not there, or lack what is loaded: "skip" leaves
    them out, "none" has None for what they lack, "error" raises RunError. ``drop_flags``: leave out clips with
    one of these quality flags. ``ids``: only these, or those of a file with an id a line. ``transform(item)``:
    applied last. ``data_path``: the folder that ``data_dir`` lies in, by the dataset's usual name. RunError
    where the folder is none, UsageError where an argument cannot be meant.
    """

    # The dataset that a folder must be of, and what its folder is usually called.
    name: ClassVar[str] = ""
    usual_folder: ClassVar[str] = ""

    def __init__(
        self,
        data_dir: Folder,
        split: str | None = None,
        *,
        load: tuple[str, ...] = ("video", "audio"),
        num_frames: int | None = USUAL_FRAMES,
        fps: float | None = None,
        size: Size | None = None,
        sample_rate: int | None = None,
        mono: bool = True,
        seconds: float | None = None,
        missing: Missing = "skip",
        transform: Transform | None = None,
        decoder: DecoderName = "auto",
        drop_flags: tuple[str, ...] = (),
        ids: Ids = None,
        data_path: Folder | None = None,
    ) -> None:
        one_of("missing", missing, ("skip", "none", "error"))
        self.options = Options(load, num_frames, fps, size, sample_rate, mono, seconds, decoder)
        self.data_dir = self._folder(data_dir, data_path)
        self.split = split
        self.transform = transform
        chosen = choose(self.data_dir, Wanted(split, load, tuple(drop_flags), wanted_ids(ids)))
        self._check(chosen)
        # Of each clip that is not there, why: a reason of docs/folder.md, "untried", "files_gone", "no_video", ...
        self.missing = {clip: reason for clip, (reason, _) in chosen.missing.items()}
        self.dropped = chosen.dropped
        self.classes = classes_of(self.data_dir, chosen)
        self._indices = {label: number for number, label in enumerate(self.classes)}
        if self.missing and missing == "error":
            raise self._incomplete(len(chosen.there))
        lacking = [sample for _, sample in chosen.missing.values()] if missing == "none" else []
        self._clips_there = len(chosen.there)
        self._seconds = sum(float(sample.facts.get("duration") or 0.0) for sample in chosen.there)
        self._take([*chosen.there, *lacking])

    def _folder(self, data_dir: Folder, data_path: Folder | None) -> Folder:
        if data_path is not None:
            if not self.usual_folder or str(data_dir) != f"./data/{self.usual_folder}":
                raise UsageError("data_path is the folder that data_dir lies in", "name one of them")
            return Path(data_path) / self.usual_folder
        if self.usual_folder and is_local(data_dir):
            inner = Path(data_dir) / self.usual_folder / "metadata"
            if inner.is_dir() and not (Path(data_dir) / "metadata").is_dir():
                words = f"{data_dir} is the folder above {self.usual_folder}"
                raise UsageError(words, f'data_path="{data_dir}", or data_dir="{inner.parent}"')
        return data_dir

    def _check(self, chosen: Chosen) -> None:
        """UsageError where it is another dataset's folder, or has nothing of what is loaded."""
        other = next(iter(chosen.datasets - {self.name}), None)
        if self.name and other is not None:
            hint = "ClipsDataset reads any"
            raise UsageError(f"{self.data_dir} is a folder of {other}, not of {self.name}", hint)
        if not chosen.there and chosen.missing:
            lacks = Counter(reason for reason, _ in chosen.missing.values())
            common, count = lacks.most_common(1)[0]
            if common.startswith("no_") and count == len(chosen.missing):
                words = f"none of the {count} clips of {self.data_dir} has {common[3:]}"
                hint = f"load={_OTHERS.get(common, ())!r} takes what there is, load=() paths alone"
                raise UsageError(words, hint)

    def _incomplete(self, there: int) -> RunError:
        reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(self.missing.values()).most_common())
        words = f"{len(self.missing)} of {len(self.missing) + there} clips are not there: {reasons}"
        return RunError(
            f"{self.data_dir}: {words}", 'missing="skip" takes those that are; .missing names the others'
        )

    def _take(self, samples: list[Sample]) -> None:
        """Keep the clips, of which each is an item."""
        self._samples = Records(samples)

    def __len__(self) -> int:
        return len(self._samples)

    def _sample(self, index: int) -> tuple[Sample, Item]:
        """The clip of an item, and what is said of the item besides."""
        return self._samples[index], {}

    def _at(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"{index} is not within {len(self)} items")
        return index % len(self)

    def metadata(self, index: int) -> Item:
        """An item without what is decoded; no file is opened."""
        sample, more = self._sample(self._at(index))
        return {**items.described(sample, self.split, self._indices), **more}

    def __getitem__(self, index: int) -> Any:
        sample, more = self._sample(self._at(index))
        item = {**items.described(sample, self.split, self._indices), **more}
        try:
            item |= items.loaded(sample, self.options)
        except Undecodable as error:
            raise RunError(f"{sample.id}: {error}", error.hint) from error
        return item if self.transform is None else self.transform(item)

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    collate = staticmethod(items.collate)

    def coverage(self) -> Mapping[str, Any]:
        """How much of the list is there, as coverage.json says it: ``clips``, ``done``, ``hours``, ``reasons``.

        And ``hash``, of the clips that this dataset has; ``dropped``: how many were left out for their flags.
        """
        return {
            "dataset": self.name,
            "split": self.split,
            "clips": self._clips_there + len(self.missing) + len(self.dropped),
            "done": self._clips_there,
            "dropped": len(self.dropped),
            "hours": round(self._seconds / 3600, 4),
            "reasons": dict(Counter(self.missing.values()).most_common()),
            "hash": hash_of(sample.id for sample in self._samples if sample.id not in self.missing),
        }

    def to_hf(self, output: Folder) -> Exported:
        """Write the clips that are there as parquet for ``datasets.load_dataset`` (avclips.exports.hf)."""
        from ..exports.hf import to_hf

        return to_hf(self._samples, Path(output), splits=self._splits, questions=self._questions_of_clips())

    def to_lhotse(self, output: Folder) -> Exported:
        """Write recordings, supervisions and cuts of their sound for lhotse (avclips.exports.lhotse)."""
        from ..exports.lhotse import to_lhotse

        return to_lhotse(self._samples, Path(output), splits=self._splits, questions=self._questions_of_clips())

    @property
    def _splits(self) -> tuple[str, ...]:
        return () if self.split is None else (self.split,)

    def _questions_of_clips(self) -> Mapping[str, Sequence[Item]] | None:
        """What an export says of a clip besides."""
        return None


def classes_of(folder: Folder, chosen: Chosen) -> list[str]:
    """The names of the classes by their indices: AudioSet's in its own order, others in the alphabet's."""
    path = Path(folder) / "metadata" / "class_labels_indices.csv"
    if chosen.datasets == {"audioset"} and path.exists():
        return list(audioset.read_classes(path).values())
    return sorted(chosen.labels)


class VGGSoundDataset(ClipsDataset):
    """VGG-Sound: ``label`` and ``label_index`` of each clip, by ``classes``. ``split``: "train" or "test"."""

    name = "vggsound"
    usual_folder = "vggsound"

    def __init__(
        self, data_dir: Folder = "./data/vggsound", split: str | None = "train", **options: Unpack[Keywords]
    ) -> None:
        super().__init__(data_dir, split, **options)


class AudioSetDataset(ClipsDataset):
    """AudioSet: ``labels`` and ``label_indices`` of each clip, in the order of class_labels_indices.csv.

    ``split``: "balanced_train", "unbalanced_train" or "eval".
    """

    name = "audioset"
    usual_folder = "audioset"

    def __init__(
        self,
        data_dir: Folder = "./data/audioset",
        split: str | None = "balanced_train",
        **options: Unpack[Keywords],
    ) -> None:
        super().__init__(data_dir, split, **options)
