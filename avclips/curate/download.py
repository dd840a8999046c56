"""The stage ``download``: a list of the videos that are kept, for the downloader.

videos.csv     the address of each video, once
left_out.tsv   kept lines that name no video, and why
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import UsageError
from ..core.files import sha256, whole
from ..core.redact import one_line
from ..core.sites import watch_url
from ..lists.addresses import video_of
from . import record
from .folders import stage_folder
from .metadata import Unreadable, read_line
from .metadata_source import find

VIDEOS, LEFT_OUT = "videos.csv", "left_out.tsv"
_MANY = 10_000


@dataclass(frozen=True)
class Listed:
    """``lines`` = ``videos`` + ``repeated`` + ``left_out``."""

    path: Path
    lines: int
    videos: int
    repeated: int
    left_out: int


def write_list(kept: Path, data_dir: Path) -> Listed:
    """Write the list of the videos that the lines of ``kept`` name. UsageError where they name none."""
    folder = stage_folder(data_dir, "download")
    record.begin(folder, record.Record("download", {}, {"kept": sha256(kept)[:16]}, record.versions_of("yt-dlp")))
    lines = repeated = left_out = 0
    seen: set[str] = set()
    with whole(folder / VIDEOS) as stream, whole(folder / LEFT_OUT) as others:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("url",))
        for chunk in find(str(kept)).chunks(_MANY):
            for raw in chunk:
                lines += 1
                try:
                    video, url = video_of(read_line(raw).video)
                except (Unreadable, ValueError) as error:
                    left_out += 1
                    others.write(f"{lines}\t{one_line(error)}\n")
                    continue
                if video in seen:
                    repeated += 1
                    continue
                seen.add(video)
                writer.writerow((url or watch_url(video),))
    if not seen:
        raise UsageError(f"{kept} names no video", f"{folder / LEFT_OUT} says why, line by line")
    return Listed(folder / VIDEOS, lines, len(seen), repeated, left_out)
