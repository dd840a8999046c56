"""The command that goes on with a data folder, as it is typed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from ..core.errors import RunError
from ..core.settings import Settings
from ..datasets.known import dataset_named, dataset_of
from ..state.last_settings import remembered

# The options that say how a list is read, by their settings.
_READ = {
    "preset": "--preset",
    "encoding": "--encoding",
    "delimiter": "--delimiter",
    "time_unit": "--time-unit",
    "cell_format": "--cell-format",
    "clip_length": "--clip-length",
}
# The columns that an option names each.
_COLUMNS = ("url", "start", "end", "duration", "clip", "id", "caption", "fps")


def command_of(folder: Path) -> str:
    """Its words, with the list and the columns that the folder was last asked for; "" where it tells none."""
    try:
        name = dataset_of(folder)
        asked = remembered(Settings(folder), ())
    except (ValueError, RunError):
        return ""
    words = [sys.executable, "-m", "avclips", name]
    known = dataset_named(name).options
    if "list" in known:
        if not asked.clip_list:
            return ""
        listed = asked.clip_list if isinstance(asked.clip_list, tuple) else (asked.clip_list,)
        words += [*map(str, listed), *_of_list(asked, known)]
    return shlex.join([*words, "--data-dir", str(folder)])


def _of_list(asked: Settings, known: Collection[str]) -> Iterator[str]:
    """How the list is read, where that is not as it would be anyway; ``known``: the dataset's options."""
    for name in _COLUMNS:
        if column := getattr(asked.columns, name):
            yield from (f"--{name}-col", column)
    if asked.columns.keep:
        yield from ("--keep-cols", *asked.columns.keep)
    usual = Settings(asked.data_dir)
    for name, option in _READ.items():
        if option[2:] in known and (value := getattr(asked, name)) != getattr(usual, name):
            yield from (option, f"{value:g}" if isinstance(value, float) else str(value))
