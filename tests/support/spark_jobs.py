"""A list, settings, a job and stats for shards on machines."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.spark.task import Job
from tests.support.spark_stage import ROWS

# As tasks call the machine that they are on.
HOST = socket.gethostname()


def clips_of(rows: Iterable[Mapping[str, Any]] = ROWS) -> list[Clip]:
    return [
        Clip(
            row["id"], row["url"], row["start"], row["end"], {"youtube_id": row["url"], "caption": row["caption"]}
        )
        for row in rows
    ]


def url_of(video: str) -> str:
    return f"https://www.youtube.com/watch?v={video}"


def settings_of(base: Path, **more: Any) -> Settings:
    own: dict[str, Any] = {"workers": 1, "rate_limit": None, "sleep": 0.0, "cut": "copy", "videos_per_hour": 0}
    own |= {"min_free": 0, "output_format": "webdataset", "samples_per_shard": 5, "engine": "spark"}
    return Settings(base / "data", **{**own, **more})


def job_of(base: Path, count: int, **more: Any) -> Job:
    return Job(settings_of(base, **more), "clips", "audio", str(base / "shards"), count)


def write_stats(folder: Path, number: int, done: int, failed: Mapping[str, int] | None = None) -> None:
    gone = dict(failed or {})
    about = {"clips": done + sum(gone.values()), "done": done, "failed": gone, "may_come": 0, "seconds": 1.0}
    about |= {"bytes": 10, "bytes_fetched": 1_000_000 * done}
    (folder / f"{number:05d}_stats.json").write_text(json.dumps(about))
