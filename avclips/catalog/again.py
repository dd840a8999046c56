"""The command that goes on with a data folder, as it is typed."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path

from ..core.errors import RunError
from ..core.settings import Columns, Settings
from ..datasets.known import dataset_of
from ..state.last_settings import remembered

# Datasets whose lists are the user's own.
_OF_LISTS = ("acav100m", "clips")
# How a list is read, and the options that say so.
_READ = {
    "preset": "--preset",
    "delimiter": "--delimiter",
    "time_unit": "--time-unit",
    "cell_format": "--cell-format",
}


def command_of(folder: Path) -> str:
    """Its words, with the list and the columns that the folder was last asked for; "" where it tells none."""
    try:
        name = dataset_of(folder)
        asked = remembered(Settings(folder), ())
    except (ValueError, RunError):
        return ""
    words = [sys.executable, "-m", "avclips", name]
    if name in _OF_LISTS:
        if not asked.clip_list:
            return ""
        listed = asked.clip_list if isinstance(asked.clip_list, tuple) else (asked.clip_list,)
        words += [*map(str, listed), *_of_columns(asked.columns)]
        words += [
            word for key, option in _READ.items() if (value := getattr(asked, key)) for word in (option, value)
        ]
    return shlex.join([*words, "--data-dir", str(folder)])


def _of_columns(columns: Columns) -> list[str]:
    said = asdict(columns)
    keep, in_url = said.pop("keep"), said.pop("in_url")
    # Times in addresses are a preset's.
    del in_url
    words = [word for name, column in said.items() if column for word in (f"--{name}-col", column)]
    return [*words, "--keep-cols", *keep] if keep else words
