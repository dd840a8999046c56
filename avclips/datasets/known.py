"""All datasets by name; imports a dataset's module when it is asked for. Old Pythons can read it too."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

# What a dataset is called on a command line: its module beside this one, and its name there.
DATASETS = {
    "general": ("general_avqa", "GENERAL_AVQA"),
    "music": ("music_avqa", "MUSIC_AVQA"),
    "audioset": ("audioset", "AUDIOSET"),
    "vggsound": ("vggsound", "VGGSOUND"),
    "acav100m": ("acav100m", "ACAV100M"),
    "clips": ("clip_list", "CLIPS"),
}


def dataset_named(command: str) -> Any:
    """The Dataset that a command line calls so."""
    module, name = DATASETS[command]
    return getattr(import_module("avclips.datasets." + module), name)


def dataset_of(folder: Path) -> str:
    """The dataset of a data folder, as DATASETS names it; ValueError, with what to say, where it tells none."""
    path = folder / "metadata" / "folder.json"
    try:
        said = json.loads(path.read_bytes())["dataset"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        raise ValueError(f"{folder} holds no download: there is no {path} that names its dataset") from None
    for name in DATASETS:
        if dataset_named(name).name == said:
            return name
    raise ValueError(f"{path} names a dataset that this version does not know: {said!r}")
