"""A user's table that names videos on YouTube: csv or JSON, ``video_id, youtube_id[, start, end]``.

Times are seconds, m:ss or h:mm:ss; without a start the video is taken from its beginning, without an end to its
end. JSON is a list of such records, or an object of video_id -> youtube_id or record.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from ..core.files import read_json
from .addresses import youtube_id
from .cells import clock_time
from .csv_reader import dict_reader

_HINT = "it needs the columns video_id and youtube_id, and may have start and end"


@dataclass(frozen=True)
class Place:
    """Where a video is on YouTube; ``start`` and ``end`` in seconds, None: to its end."""

    youtube_id: str
    start: float = 0.0
    end: float | None = None


def read_id_map(path: Path) -> dict[str, Place]:
    """The places of a table, by video_id; UsageError names the line or record that is wrong."""
    records = _of_json(path) if path.suffix.lower() == ".json" else _of_csv(path)
    places: dict[str, Place] = {}
    for where, record in records:
        try:
            video_id, place = _place(record)
        except ValueError as error:
            raise UsageError(f"{path}, {where}: {error}", _HINT) from error
        if places.setdefault(video_id, place) != place:
            raise UsageError(f"{path}, {where}: {video_id} is named twice, differently", "leave one of them")
    if not places:
        raise UsageError(f"{path} names no video", _HINT)
    return places


def _of_csv(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            rows = dict_reader(stream, skipinitialspace=True)
            missing = {"video_id", "youtube_id"} - set(rows.fieldnames or ())
            if missing:
                raise UsageError(f"{path}, line 1: no column {' and '.join(sorted(missing))}", _HINT)
            for row in rows:
                yield f"line {rows.line_num}", row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}", _HINT) from error


def _of_json(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    value = read_json(path, _HINT)
    if isinstance(value, dict):
        for video_id, entry in value.items():
            record = entry if isinstance(entry, dict) else {"youtube_id": entry}
            yield f"entry {video_id!r}", {**record, "video_id": video_id}
    elif isinstance(value, list):
        for number, record in enumerate(value, 1):
            yield f"record {number}", record if isinstance(record, dict) else {}
    else:
        raise UsageError(f"{path} holds neither a list nor an object", _HINT)


def _place(record: Mapping[str, Any]) -> tuple[str, Place]:
    video_id, named = record.get("video_id"), record.get("youtube_id")
    if not isinstance(video_id, str) or not video_id.strip():
        raise ValueError("no video_id")
    text = str(named).strip() if named is not None else ""
    on_youtube = youtube_id(text)
    if on_youtube is None:
        raise ValueError(f"{text[:60]!r} is not a YouTube id")
    start, end = _time(record.get("start")), _time(record.get("end"))
    if end is not None and end <= (start or 0.0):
        raise ValueError(f"the end {end:g} is not after the start {start or 0:g}")
    return video_id.strip(), Place(on_youtube, start or 0.0, end)


def _time(value: Any) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{value!r} is not a time")
    if isinstance(value, str):
        return clock_time(value)
    if not 0 <= value < 1_000_000:
        raise ValueError(f"{value!r} is not a time")
    return float(value)
