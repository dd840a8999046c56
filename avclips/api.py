"""For programs that have a Spark session already: the same run, from Python.

``from avclips.api import download`` in a notebook or a job of one's own.
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
    """Download ``dataset`` on Spark's machines; returns the exit code that the script would have.

    ``dataset``: such as ``avclips.datasets.clip_list.CLIPS``; ``settings``: its ``output_format`` is webdataset or
    parquet; ``session``: a SparkSession, which is left open; None: one of our own, at ``settings.spark_master``.
    Raises RunError (UsageError where the settings cannot be meant).
    """
    if settings.output_format == "files":
        raise UsageError("Spark writes shards", 'Settings(output_format="webdataset") or "parquet"')
    if settings.part or settings.archives or settings.max_clips:
        raise UsageError("part, archives and max_clips are for threads", "leave them as they are by default")
    clock = Clock()
    return Run(dataset, replace(settings, engine="spark"), clock, log_level, session).run(Signals(take=False))
