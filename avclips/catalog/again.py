"""The command that goes on with a data folder, as it is typed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.errors import RunError
from ..core.settings import Settings
from ..datasets.base import Dataset
from ..datasets.known import dataset_named, dataset_of
from ..state.last_settings import remembered, splits_so_far, withheld

# The settings that options of some datasets decide: how a list is read, and which clips of it are asked for.
_OF_DATASETS = (
    *("preset", "encoding", "delimiter", "time_unit", "cell_format", "clip_length"),
    *("annotations", "id_map", "labels", "strong", "flat", "info", "subtitles"),
)
# Those that options of all datasets decide: what the files are, which a folder has of one kind, and where they go.
# How frames are encoded is as the folder was begun.
_OF_ALL = (
    *("media", "quality", "cut", "fps", "size", "fit", "frame", "video_format"),
    *("audio_format", "audio_rate", "audio_channels", "allow_silent"),
    *("output_format", "output", "samples_per_shard"),
)
# What becomes of settings that nobody says.
_MADE_OF = {"annotations": "updated", "fit": "crop"}
# The columns that an option names each.
_COLUMNS = ("url", "start", "end", "duration", "clip", "id", "caption", "fps")


def command_of(folder: Path) -> str:
    """Its words: the list and its columns, the splits, the files' kind, as the folder was last asked for them.

    "" where the folder does not tell all of it: a list or an output with a password in its address is not written
    down. Nor is as whom it was asked for: --proxy, --cookies and the like are a user's own.
    """
    try:
        name = dataset_of(folder)
        asked = remembered(Settings(folder), ())
        splits = tuple(dict.fromkeys((*splits_so_far(folder), *asked.splits)))
        unknown = withheld(folder)
    except (ValueError, RunError):
        return ""
    dataset: Dataset = dataset_named(name)
    words = [sys.executable, "-m", "avclips", name]
    if "list" in dataset.options:
        if not asked.clip_list:
            return ""
        listed = asked.clip_list if isinstance(asked.clip_list, tuple) else (asked.clip_list,)
        words += map(str, listed)
    if asked.output_format != "files" and "output" in unknown:
        return ""
    words += _options(dataset, replace(asked, splits=splits))
    return shlex.join([*words, "--data-dir", str(folder)])


def _options(dataset: Dataset, asked: Settings) -> Iterator[str]:
    """What is to be said because it is not as it would be anyway."""
    for name in _COLUMNS:
        if column := getattr(asked.columns, name):
            yield from (f"--{name}-col", column)
    if asked.columns.keep:
        yield from ("--keep-cols", *asked.columns.keep)
    all_of_it = dataset.splits if asked.strong else dataset.usual_splits
    if asked.splits and set(asked.splits) != set(all_of_it):
        yield from ("--splits", *asked.splits)
    usual = Settings(asked.data_dir)
    for name in (*_OF_DATASETS, *_OF_ALL):
        option, value = f"--{name.replace('_', '-')}", getattr(asked, name)
        by_itself: tuple[Any, ...] = (getattr(usual, name), _MADE_OF.get(name))
        if name in dataset.defaults:
            by_itself = (dataset.defaults[name],)
        if value not in by_itself and (name in _OF_ALL or option[2:] in dataset.options):
            yield from _said(option, value)


def _said(option: str, value: Any) -> Iterator[str]:
    yield option
    if isinstance(value, tuple):
        yield from map(str, value)
    elif value is not True:
        yield f"{value:g}" if isinstance(value, float) else str(value)
