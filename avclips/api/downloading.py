"""A run of a script, from Python: what it takes, and what it returns."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..catalog import Sample, samples
from ..core.clock import Clock
from ..core.errors import UsageError
from ..core.settings import Settings
from ..core.signals import Signals
from ..core.suggest import did_you_mean
from ..datasets.base import Dataset
from ..datasets.known import DATASETS, dataset_named
from ..progress.update import Watch
from ..run.context import Ended, log_file
from ..run.steps import Run
from .opened import OpenedDataset
from .settings import checked, settings_for
from .stopping import a_guest, stoppable


@dataclass(frozen=True)
class Result:
    """How a run ended.

    ``exit_code``: what the script would have ended with: 0 where all that can be had is here, 3 where more may
    come with another run. ``done``, ``failed``, ``missing``: clips of the list (of its share, with ``part``) that
    are here, that failed, that were not tried; together they are all. ``reasons``: how many failed by each reason
    (docs/folder.md). ``paths``: "data", "log", and "videos", "audio", "manifest", "coverage" and "shards", as far
    as they are there.
    """

    dataset: str
    exit_code: int
    done: int
    failed: int
    missing: int
    reasons: Mapping[str, int]
    paths: Mapping[str, Path | str]

    @property
    def complete(self) -> bool:
        """Whether all that can be had is here."""
        return self.exit_code == 0

    def samples(self) -> Iterator[Sample]:
        """Every clip of the list, read from what was written: done, failed or missing."""
        return samples(self.paths["data"])

    def open(self) -> OpenedDataset:
        """The same, to look clips up."""
        return OpenedDataset(self.paths["data"])


def download(
    dataset: Dataset | str,
    settings: Settings | None = None,
    session: Any = None,
    log_level: str = "INFO",
    *,
    data_dir: Path | str | None = None,
    progress: Watch | None = None,
    stop: threading.Event | None = None,
    **given: Any,
) -> Result:
    """Download a dataset as its script does; the same call goes on where it stopped.

    ``dataset``: "general", "music", "audioset", "vggsound", "acav100m" or "clips" (a list of your own:
    ``clip_list="my_list.csv"``), or a ``Dataset``. ``data_dir``: the folder; None: the dataset's usual one. Any
    field of ``Settings`` may be given by its name; or all at once as ``settings``, and then no other.
    ``progress`` is called with a ``Progress`` after each clip and about once a second (with Spark, once a minute).
    ``stop``: an event that ends the run when it is set. ``session``: a SparkSession, which is left open; with one,
    Spark's machines do the work. With ``engine="spark"`` and none, one is opened at ``spark_master``.
    ``log_level``: of the log file.

    Raises UsageError where what was asked for cannot be meant, RunError where the run cannot go on (GaveUp: it was
    refused for too long), Stopped where ``stop`` was set, KeyboardInterrupt after Ctrl-C. In all of them what was
    done is kept. In a notebook the progress bar is the notebook's.
    """
    found = _dataset(dataset)
    if settings is None:
        settings = settings_for(found, data_dir, given)
    elif given or data_dir is not None:
        names = ", ".join([*given, *(["data_dir"] if data_dir is not None else [])])
        raise UsageError(f"{names} and settings= are both given", "say it in one place")
    if session is not None:
        settings = replace(settings, engine="spark")
    settings = checked(settings)
    clock, signals = Clock(), Signals(take=False)
    with a_guest(settings.quiet):
        run = Run(found, settings, clock, log_level, session, progress)
        with stoppable(clock, signals, stop):
            code = run.run(signals)
    return _result(found, settings, code, run.ended)


def _dataset(dataset: Dataset | str) -> Dataset:
    if isinstance(dataset, Dataset):
        return dataset
    if dataset not in DATASETS:
        hint = f"it has {', '.join(DATASETS)}"
        raise UsageError(f"there is no dataset {dataset!r}{did_you_mean(str(dataset), DATASETS)}", hint)
    found: Dataset = dataset_named(dataset)
    return found


def _result(dataset: Dataset, settings: Settings, code: int, ended: Ended) -> Result:
    folder = settings.data_dir
    there = {"videos": folder / "videos", "audio": folder / dataset.sounds_in(folder)}
    there |= {"manifest": folder / "manifest.jsonl", "coverage": folder / "coverage.json"}
    paths: dict[str, Path | str] = {"data": folder, "log": log_file(dataset, settings)}
    paths |= {name: path for name, path in there.items() if path.exists()}
    if settings.output_format != "files":
        paths["shards"] = settings.output or folder / "shards"
    failed = sum(ended.failed.values())
    return Result(dataset.name, code, ended.done, failed, ended.untried, dict(ended.failed), paths)
