"""The same run, from Python: ``from avclips import Settings, download``.

Every name that a caller needs is in ``avclips``; a dataset is in its module of ``avclips.datasets``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .core.clock import Clock
from .core.errors import UsageError
from .core.settings import Settings
from .core.signals import Signals
from .datasets.base import Dataset
from .run.steps import Run


def download(dataset: Dataset, settings: Settings, session: Any = None, log_level: str = "INFO") -> int:
    """Download ``dataset`` as its script does; returns the exit code that the script would have.

    ``dataset``: such as ``avclips.datasets.clip_list.CLIPS``; ``settings``: its ``engine`` says who does the work.
    ``session``: a SparkSession, which is left open; with one, Spark's machines do it. With ``engine="spark"`` and
    none, one of our own is opened at ``settings.spark_master``.
    Raises RunError (UsageError where the settings cannot be meant). Takes no signals: Ctrl-C is the caller's.
    """
    if session is not None:
        settings = replace(settings, engine="spark")
    if settings.engine == "spark":
        _check_for_spark(settings)
    return Run(dataset, settings, Clock(), log_level, session).run(Signals(take=False))


def _check_for_spark(settings: Settings) -> None:
    """UsageError where Spark cannot do what the settings ask for."""
    if settings.output_format == "files":
        raise UsageError("Spark writes shards", 'Settings(output_format="webdataset") or "parquet"')
    if settings.part or settings.archives or settings.max_clips:
        raise UsageError("part, archives and max_clips are for threads", "leave them as they are by default")
