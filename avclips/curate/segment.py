"""The stage ``segment``: whole videos become clips of ten seconds, each within one shot.

First every video is looked at once, and its windows are noted (``proposals``); then they are cut (``cutting``), or
fetched by the downloader where the videos are not here. Both go on where they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ..catalog import samples
from ..core.clock import Clock
from ..core.errors import RunError
from ..core.files import read_json
from ..core.sites import watch_url
from ..lists.addresses import video_of
from ..progress.bar import Progress
from ..state.first_settings import FOLDER
from . import record
from .cutting import Cut, cut_all, settings_of
from .folders import ROWS, stage_folder
from .processes import in_order
from .proposals import CLIPS, NOTES, Notes, SegmentSettings, by_length, propose, write_list
from .stage_tables import reading
from .whole_videos import WholeVideo

# Of a folder of videos that says nothing of its own: as large as they come.
_ANY_QUALITY = 4320


def begin(data_dir: Path, settings: SegmentSettings, proposes: bool) -> tuple[Path, Notes]:
    """The stage's folder and its notes; UsageError where it was begun with other settings.

    Videos that come later are looked at by the next run: which there are is no input that could differ.
    """
    folder = stage_folder(data_dir, "segment")
    packages = ("av", "numpy", "scenedetect-headless") if settings.way == "content" else ("av", "numpy")
    said = asdict(settings) | {"propose": proposes}
    record.begin(folder, record.Record("segment", said, {}, record.versions_of(*packages)))
    return folder, Notes(folder / NOTES)


def look_at(
    videos: list[WholeVideo], settings: SegmentSettings, data_dir: Path, ffmpeg: Path, processes: int
) -> Path:
    """Look at each video that has no note yet; the list of all clips."""
    folder, notes = begin(data_dir, settings, proposes=False)
    known = notes.known
    left = [video for video in videos if video.id not in known]
    with Progress("looked at", len(left), "video") as progress:
        work = propose(settings, ffmpeg)
        for _ in notes.add(in_order(work, left, processes)):
            progress.step()
    return _listed(notes, folder)


def propose_from_metadata(data_dir: Path, settings: SegmentSettings) -> Path:
    """Windows for every kept row of the filter, by its length alone; the list of all clips."""
    folder, notes = begin(data_dir, settings, proposes=True)
    known = notes.known
    for _ in notes.add(note for note in _of_rows(data_dir, settings) if note["id"] not in known):
        pass
    return _listed(notes, folder)


def count_from_metadata(data_dir: Path, settings: SegmentSettings) -> int:
    """How many clips that would be."""
    return sum(len(note["windows"]) for note in _of_rows(data_dir, settings))


def fetched(data_dir: Path) -> tuple[int, int]:
    """How many clips the folder's list has, and how many of them are done."""
    states = [sample.status for sample in samples(data_dir)]
    return len(states), states.count("done")


def _batches(path: Path, columns: list[str]) -> Iterator[Any]:
    with (
        reading(path, f"delete {path.parent}, and start avclips curate filter again"),
        pq.ParquetFile(path) as table,
    ):
        yield from table.iter_batches(columns=columns)


def _of_rows(data_dir: Path, settings: SegmentSettings) -> Iterator[dict[str, Any]]:
    path = stage_folder(data_dir, "filter") / ROWS
    if not path.exists():
        raise RunError(f"{path} is not there", "avclips curate filter writes it")
    columns = ["video", "kept", "seconds", "title", "categories"]
    seen: set[str] = set()
    for batch in _batches(path, columns):
        for row in batch.to_pylist():
            if not row["kept"]:
                continue
            about = {"title": row["title"], "categories": ", ".join(row["categories"]), "seconds": row["seconds"]}
            try:
                video, url = video_of(row["video"])
            except ValueError as error:
                video, url = row["video"], ""
                note = {"id": video, "url": url, **about, "cuts": [], "windows": []}
                note |= {"reason": "no_address", "evidence": str(error)[:300]}
            else:
                note = by_length({"id": video, "url": url or watch_url(video), **about}, settings)
            if video not in seen:
                seen.add(video)
                yield note


def _listed(notes: Notes, folder: Path) -> Path:
    if not write_list(notes.lines, folder):
        reasons = ", ".join(f"{name} {count}" for name, count in sorted(_reasons(notes).items()))
        raise RunError(f"no video gives a clip: {reasons}", f"{folder / NOTES} says why, video by video")
    return folder / CLIPS


def _reasons(notes: Notes) -> Counter[str]:
    return Counter(line["reason"] for line in notes.lines if line["reason"])


def cut(videos: list[WholeVideo], folder: Path, data_dir: Path, ffmpeg: Path, clock: Clock, processes: int) -> Cut:
    """Cut the list of clips from these videos, which lie in ``folder``, into ``data_dir``."""
    listed = stage_folder(data_dir, "segment") / CLIPS
    settings = settings_of(data_dir, listed, _quality_of(folder))
    return cut_all(settings, {video.id: video.path for video in videos}, ffmpeg, clock, processes)


def _quality_of(folder: Path) -> int:
    path = folder / "metadata" / FOLDER
    if not path.exists():
        return _ANY_QUALITY
    said = read_json(path, "restore it from a backup")
    quality = said.get("settings", {}).get("quality") if isinstance(said, dict) else None
    return quality if isinstance(quality, int) else _ANY_QUALITY


def finish(data_dir: Path, clips: int, done: int) -> dict[str, Any]:
    """Note what the stage counts, and return it."""
    folder = stage_folder(data_dir, "segment")
    notes = Notes(folder / NOTES)
    reasons = _reasons(notes)
    counts = {
        "videos": len(notes.lines),
        "without_a_clip": reasons.total(),
        "clips": clips,
        "done": done,
        "reasons": dict(sorted(reasons.items())),
    }
    record.finish(folder, counts)
    return counts
