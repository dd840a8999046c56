"""Which seconds of each video become clips, noted as they are found, so that a killed run goes on.

videos.jsonl     a line a video: its reason, where it gives no clip; length, cuts, windows
clips.csv        the windows of all, as a list that download_clips.py takes as well
videos.parquet   videos.jsonl as a table
"""

from __future__ import annotations

import csv
import functools
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..core.errors import Transient
from ..core.files import as_utf8, is_full, unfinished, whole
from ..media.ffmpeg import Ffmpeg
from .one_file import OneFile, ffmpeg_of, open_video
from .shots import look, look_fast
from .whole_videos import WholeVideo
from .windows import Window, fixed, in_shots, most_diverse, shots_of

NOTES, CLIPS, VIDEOS = "videos.jsonl", "clips.csv", "videos.parquet"
# Why a video gives no clip, in words.
REASONS = {
    "short": "it is shorter than a clip",
    "no_sound": "it has no sound, or none for as long as a clip",
    "no_picture": "it has no picture",
    "media": "it cannot be read or decoded",
    "unknown_length": "nothing says how long it is",
}
_TEXT, _MILLISECONDS = pa.string(), pa.list_(pa.int64())
_SCHEMA = pa.schema(
    [
        *(("id", _TEXT), ("url", _TEXT), ("title", _TEXT), ("categories", _TEXT), ("reason", _TEXT)),
        *(("evidence", _TEXT), ("seconds", pa.float64()), ("cuts", pa.list_(pa.float64()))),
        *(("starts", _MILLISECONDS), ("ends", _MILLISECONDS), ("origins", pa.list_(_TEXT))),
    ]
)


@dataclass(frozen=True)
class SegmentSettings:
    """``length``: of a clip in milliseconds; ``most``: clips of a video, 0 for all; ``way``: how shots are found.

    "fixed": windows without a look at any picture.
    """

    length: int = 10_000
    most: int = 3
    way: str = "content"


def propose(settings: SegmentSettings, ffmpeg: Path) -> Callable[[WholeVideo], dict[str, Any]]:
    """The work on one video, for ``processes.in_order``: it gives a line of videos.jsonl."""
    return functools.partial(_propose, settings, ffmpeg)


def _propose(settings: SegmentSettings, ffmpeg: Path, video: WholeVideo) -> dict[str, Any]:
    """A line of videos.jsonl. OSError where the disk is full."""
    note: dict[str, Any] = {
        **{"id": video.id, "url": video.url, "title": video.title, "categories": ", ".join(video.categories)},
        **{"reason": "", "evidence": "", "seconds": None, "cuts": [], "windows": []},
    }
    tool = ffmpeg_of(ffmpeg)
    try:
        with tempfile.TemporaryDirectory(prefix="avclips-") as scratch, tool.of_a_clip():
            opened = open_video(video.path, tool, Path(scratch))
            note["seconds"] = round(opened.ends, 3)
            if (lacks := opened.lacks) is not None:
                return note | {"reason": lacks, "evidence": REASONS[lacks]}
            return note | _windows(video.path, opened, settings, tool, Path(scratch))
    except (Transient, OSError) as error:
        if isinstance(error, OSError) and is_full(error):
            # That says nothing of the video, whose line would stay.
            raise
        return note | {"reason": "media", "evidence": str(error)[:300]}


def _windows(
    path: Path, opened: OneFile, settings: SegmentSettings, ffmpeg: Ffmpeg, scratch: Path
) -> dict[str, Any]:
    begin, end, length = opened.begins, opened.ends, settings.length
    if 1000 * (end - begin) < length:
        reason = "short" if 1000 * opened.picture_ends < length else "no_sound"
        return {"reason": reason, "evidence": f"{end - begin:.3f} s"}
    if settings.way == "fixed":
        return {"windows": _told(fixed(begin, end, length, settings.most))}
    seen = look_fast(path, ffmpeg, scratch) if settings.way == "fast" else look(path)
    first = opened.first_picture
    cuts, times = [cut + first for cut in seen.cuts], [each + first for each in seen.times]
    if seen.complaint:
        # What comes behind that cannot be decoded.
        end = min(end, first + seen.lasts)
    found = most_diverse(in_shots(shots_of(cuts, begin, end), length), times, seen.hashes, settings.most)
    note = {"cuts": [round(cut, 3) for cut in cuts], "windows": _told(found), "evidence": seen.complaint[:300]}
    return note if found else note | {"reason": "media" if seen.complaint else "short"}


def _told(windows: Iterable[Window]) -> list[list[Any]]:
    return [[each.start, each.end, each.origin] for each in windows]


def by_length(video: Mapping[str, Any], settings: SegmentSettings) -> dict[str, Any]:
    """A line of videos.jsonl for a video that is not here: windows evenly spread, none of them looked at.

    ``video``: its ``id``, ``url``, ``title``, ``categories`` and ``seconds``.
    """
    note = {**video, "reason": "", "evidence": "", "cuts": [], "windows": []}
    if video["seconds"] is None:
        return note | {"reason": "unknown_length", "evidence": REASONS["unknown_length"]}
    found = fixed(0.0, video["seconds"], settings.length, settings.most)
    if not found:
        return note | {"reason": "short", "evidence": f"{video['seconds']:g} s"}
    return note | {"windows": _told(found)}


class Notes:
    """videos.jsonl: a line a video, appended as it is done. What a kill tore off at its end is not counted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lines: list[dict[str, Any]] = []
        if not path.exists():
            return
        size = 0
        with open(path, "rb") as stream:
            for raw in stream:
                try:
                    line = json.loads(raw)
                except ValueError:
                    break
                if not raw.endswith(b"\n") or not isinstance(line, dict):
                    break
                self.lines.append(line)
                size += len(raw)
        if size < path.stat().st_size:
            os.truncate(path, size)

    @property
    def known(self) -> set[str]:
        """The videos that have a line."""
        return {line["id"] for line in self.lines}

    def add(self, lines: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Append each line as it comes, and yield it."""
        with open(self._path, "a", encoding="utf-8") as stream:
            for line in lines:
                stream.write(json.dumps(line, ensure_ascii=True) + "\n")
                stream.flush()
                self.lines.append(line)
                yield line


def write_list(notes: Iterable[Mapping[str, Any]], folder: Path) -> int:
    """Write clips.csv and videos.parquet; how many clips there are."""
    notes = sorted(notes, key=lambda note: str(note["id"]))
    count = 0
    with whole(folder / CLIPS) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("id", "url", "start", "end", "title", "categories"))
        for note in notes:
            for start, end, _ in note["windows"]:
                about = _one_line(note["title"]), _one_line(note["categories"])
                writer.writerow((f"{note['id']}_{start}", note["url"], start / 1000, end / 1000, *about))
                count += 1
    with unfinished(folder / VIDEOS) as part:
        pq.write_table(pa.Table.from_pylist([_as_row(note) for note in notes], _SCHEMA), part, compression="zstd")
    return count


def _one_line(text: str) -> str:
    return " ".join(as_utf8(text).split())


def _as_row(note: Mapping[str, Any]) -> dict[str, Any]:
    starts, ends, origins = zip(*note["windows"], strict=True) if note["windows"] else ((), (), ())
    row = {name: note[name] for name in _SCHEMA.names if name in note}
    row["title"] = _one_line(row["title"])
    return row | {"starts": list(starts), "ends": list(ends), "origins": list(origins)}
