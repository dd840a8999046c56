"""A data folder that is looked at: as it stands, without holding it, and the clips that it was asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..core.clock import Clock
from ..core.errors import RunError
from ..core.settings import Settings
from ..datasets.base import Dataset
from ..fetch.plan import Share
from ..state.shape import check_folder
from ..state.store import Store


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
