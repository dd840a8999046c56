"""A data folder that is looked at: as it stands, without holding it, and the clips that it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..core.clock import Clock
from ..core.errors import RunError
from ..core.files import read_json, see_that_it_is_a_folder
from ..core.settings import Settings
from ..datasets.base import Dataset
from ..datasets.known import dataset_named, dataset_of
from ..fetch.plan import Share
from ..state.first_settings import FOLDER
from ..state.last_settings import remembered, splits_so_far
from ..state.shape import SHAPE, SHAPE_ALSO, check_folder
from ..state.store import Store

_FIELDS = frozenset(each.name for each in fields(Settings))


@dataclass(frozen=True)
class DataFolder:
    """A data folder as it stands; ``settings``: what it was last asked for."""

    dataset: Dataset
    settings: Settings
    store: Store

    def listed(self) -> Share:
        """The clips of its list, of all splits that it was ever asked for. RunError where that cannot be read."""
        asked = {*self.settings.splits, *splits_so_far(self.settings.data_dir)}
        splits = tuple(each for each in self.dataset.splits if each in asked) or self.settings.splits
        return listed(self.dataset, replace(self.settings, splits=splits), self.store)


def look_into(folder: Path, clock: Clock | None = None) -> DataFolder:
    """A data folder of whichever dataset: it says itself which, and what it was asked for. RunError."""
    see_that_it_is_a_folder(folder)
    try:
        dataset: Dataset = dataset_named(dataset_of(folder))
    except ValueError as error:
        raise RunError(str(error), "name a folder that a download made, or an output of shards") from None
    settings = settings_of(folder, dataset)
    return DataFolder(dataset, settings, read_only(dataset, settings, clock or Clock()))


def settings_of(folder: Path, dataset: Dataset) -> Settings:
    """What a folder was last asked for, without anybody saying it. RunError."""
    usual: dict[str, Any] = {name: value for name, value in dataset.defaults.items() if name in _FIELDS}
    if "annotations" in dataset.options:
        usual["annotations"] = "updated"
    # The folder of an old version says nothing but its shape.
    noted = _noted(folder / "metadata" / FOLDER)
    shape = noted.get("settings")
    if isinstance(shape, dict):
        usual |= {name: shape[name] for name in (*SHAPE, *SHAPE_ALSO) if name in shape}
    if noted.get("output_format") in ("webdataset", "parquet"):
        usual["output_format"] = noted["output_format"]
    elif noted:
        usual["output_format"] = "files"
    return remembered(replace(Settings(folder, splits=dataset.usual_splits), **usual), ())


def _noted(path: Path) -> Mapping[str, Any]:
    noted = read_json(path, "restore it from a backup, or delete it if you know what this folder holds")
    return noted if isinstance(noted, dict) else {}


def read_only(dataset: Dataset, settings: Settings, clock: Clock) -> Store:
    """The folder as it stands, without holding it. RunError where there is none of this dataset."""
    store = Store(settings, dataset.name, clock, audio=dataset.sounds_in(settings.data_dir))
    if not store.metadata.is_dir():
        raise RunError(
            f"{settings.data_dir} holds no download of {dataset.title}", "name the folder with --data-dir"
        )
    check_folder(settings, dataset.name, shape_too=False)
    store.read()
    return store


def listed(dataset: Dataset, settings: Settings, store: Store) -> Share:
    """All clips that are asked for, of every part. RunError."""
    if "list" in dataset.options and not settings.clip_list:
        raise RunError("no list is named, and the folder knows of none")
    settings = with_what_is_there(dataset, settings, store.metadata)
    return Share(dataset.read_clips(store.metadata, settings).clips, None)


def with_what_is_there(dataset: Dataset, settings: Settings, metadata: Path) -> Settings:
    """The settings for a look: the splits of which the folder has the annotation files."""
    files = {each.split: each.name for each in dataset.annotations(settings) if each.split}
    there = tuple(split for split in settings.splits if split not in files or (metadata / files[split]).exists())
    return replace(settings, splits=there) if there else settings
