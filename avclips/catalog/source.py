"""From the name of a data folder, or of an output of shards, to its samples."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..core.errors import UsageError
from ..core.files import is_local, see_that_it_is_a_folder
from ..core.suggest import did_you_mean
from ..state.first_settings import FOLDER
from .folder import DataFolder, look_into
from .of_folder import of_folder
from .sample import Sample

Source = str | os.PathLike[str]


def samples(source: Source, *, splits: Iterable[str] | None = None) -> Iterator[Sample]:
    """Every clip of a download: done, failed or missing; in the order of its list.

    ``source``: a data folder, or an output of shards: a folder, or an address that fsspec opens. ``splits``: only
    clips of one of these; None: all. A folder's list is that of its last run, with every split that it was ever
    asked for; clips of earlier lists come behind it. A clip whose files were there once is "missing" where they
    are gone. Of shards without their data folder, clips whose shard is not finished are not known.
    Clips come one by one: of a list of millions, only ids and places are kept in memory.
    RunError where ``source`` is neither, or cannot be read; UsageError where no clip is in one of ``splits``.
    """
    found = _samples(source)
    return found if splits is None else _in_splits(found, frozenset(_words(splits)))


def is_data_folder(source: Source) -> bool:
    """Whether a source is a data folder of ours."""
    return is_local(source) and (Path(source) / "metadata" / FOLDER).is_file()


def samples_of(folder: DataFolder) -> Iterator[Sample]:
    """The same of a data folder that was looked into: its manifest is not read once more. RunError."""
    if folder.settings.output_format == "files":
        return of_folder(folder)
    # Only such a download has need of what knows tars and tables.
    from .of_shards import of_folder_of_shards

    return of_folder_of_shards(folder)


def _samples(source: Source) -> Iterator[Sample]:
    if is_data_folder(source):
        return samples_of(look_into(Path(source)))
    from .of_shards import of_output, open_shards

    if is_local(source):
        see_that_it_is_a_folder(source)
    return of_output(open_shards(str(source)))


def _words(splits: Iterable[str]) -> Iterable[str]:
    return (splits,) if isinstance(splits, str) else splits


def _in_splits(found: Iterator[Sample], wanted: frozenset[str]) -> Iterator[Sample]:
    unseen, others = set(wanted), set[str]()
    for sample in found:
        unseen.difference_update(sample.splits)
        others.update(sample.splits)
        if not wanted.isdisjoint(sample.splits):
            yield sample
    if unseen:
        name = min(unseen)
        known = ", ".join(sorted(others)) or "none"
        raise UsageError(f"no clip is in the split {name!r}{did_you_mean(name, others)}", f"its splits: {known}")
