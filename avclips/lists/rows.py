"""A row of a list as clips: its video, seconds, ids, and what the manifest is to say of it.

A ValueError says in plain words what is wrong with a row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..core.files import is_plain_name
from ..core.model import Clip
from ..core.redact import without_password, without_passwords
from .addresses import cleaned, times_in, video_of
from .cells import Interval, StartAlone, as_json, interval, list_of, short, shown
from .compound_cells import is_compound, taken_apart
from .meaning import Cells, Meaning, see_that_it_is_in_the_video
from .plain_lines import PLAIN_ID, PLAIN_SECONDS

_WHOLE: Interval = (0.0, None)
# Of all clips of which the list says nothing more: there may be millions.
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Made:
    """What a row asks for: ``clips`` of one video; ``url``: its address where it is not on YouTube."""

    clips: Sequence[Clip]
    url: str | None


def made_of(cells: Cells, meaning: Meaning) -> Made:
    """A row's clips, at least one."""
    columns = meaning.columns
    name, video, url, found = named_of(cells, meaning)
    # What cannot name a file is no loss: video and seconds can.
    own = name if columns.id is None and name is not None and is_plain_name(name) else None
    ids = [own] if own else ids_of(cells, columns.id, video, found)
    metas = metas_of(cells, meaning, len(found), video, url)
    clips = [Clip(each, video, *times, meta) for each, times, meta in zip(ids, found, metas, strict=True)]
    return Made(clips, url)


Named = tuple[str | None, str, str | None, Sequence[Interval]]


def named_of(cells: Cells, meaning: Meaning) -> Named:
    """What a row names: (the cell's own name for the clip, the video, its address, the seconds)."""
    found = _named(cells, meaning)
    if meaning.full is not None:
        see_that_it_is_in_the_video(meaning, cells, [end for _, end in found[3] if end is not None])
    return found


_PLAIN_ID = re.compile(PLAIN_ID)
_PLAIN_SECONDS = re.compile(PLAIN_SECONDS)


def plain_columns(meaning: Meaning) -> tuple[str, str] | None:
    """The columns of the id and of the start, where a row's clip follows from these and the length alone."""
    columns = meaning.columns
    further = columns.end or columns.duration or columns.clip or meaning.cell or meaning.units or meaning.full
    if further or meaning.comma or not columns.url or not columns.start or not meaning.length:
        return None
    return columns.url, columns.start


def plain_reader(meaning: Meaning) -> Callable[[Cells], tuple[str, float, float] | None]:
    """Reads rows of an id and a start alone, in a quarter of the time of ``named_of``, and means the same by them.

    (video, start, end); None of a row that has to be read by ``named_of``.
    """
    plain, length = plain_columns(meaning), meaning.length
    if plain is None or length is None:
        return lambda cells: None
    video_column, start_column = plain

    def read(cells: Cells) -> tuple[str, float, float] | None:
        video, start = cells.get(video_column), cells.get(start_column)
        if not isinstance(video, str) or not _PLAIN_ID.fullmatch(video):
            return None
        if not isinstance(start, str) or not _PLAIN_SECONDS.fullmatch(start):
            return None
        begin = float(start)
        return video, begin, round(begin + length, 6)

    return read


def _named(cells: Cells, meaning: Meaning) -> Named:
    columns, cell = meaning.columns, cells.get(meaning.columns.url or "")
    if meaning.cell is None:
        if is_compound(text := cleaned(cell)):
            # As most of its column are not.
            raise ValueError(
                f"{shown(text)} is called as a clip, others of its column as a video: fetch it by itself"
            )
        video, url = video_of(cell)
        return None, video, url, intervals_of(cells, meaning)
    if not meaning.cell.pattern.fullmatch(cleaned(cell)) and not meaning.cell.has_times:
        # A plain id among those with a "v_" before them.
        video, url = video_of(cell)
        return None, video, url, intervals_of(cells, meaning)
    duration = meaning.time(columns.duration, cells)
    length = meaning.length if duration is None else duration
    per = meaning.per(columns.url or "", cells) if meaning.cell.unit == "frames" else None
    name, video, times = taken_apart(cell, meaning.cell, length, per)
    if meaning.cell.has_times:
        return name, video, None, [times]
    return None, video, None, intervals_of(cells, meaning)


def intervals_of(cells: Cells, meaning: Meaning) -> Sequence[Interval]:
    """The seconds that a row asks for, in one span or several, by its columns of times and its address."""
    columns, length = meaning.columns, meaning.length
    if columns.clip:
        return meaning.intervals(columns.clip, cells)
    start, end = meaning.time(columns.start, cells), meaning.time(columns.end, cells)
    if start is None and columns.start:
        raise ValueError("no start")
    until = None
    if columns.in_url is not False:
        start, until = times_in(cells.get(columns.url or ""))
        end = until if end is None else end
    if end is None:
        duration = meaning.time(columns.duration, cells)
        length = duration if duration is not None else length
        if length is None and (columns.start or columns.end or columns.duration or columns.in_url):
            raise ValueError("no end")
        if length is None and start:
            raise StartAlone(short(start))
        if length is None:
            return [_WHOLE]
        end = round((start or 0.0) + length, 6)
    return [interval(start or 0.0, end)]


def ids_of(cells: Cells, column: str | None, video: str, found: Sequence[Interval]) -> list[str]:
    """The ids of a row's clips: what it calls them, or the video and the seconds."""
    if column is None:
        return [made_id(video, *each) for each in found]
    name = _written(cells.get(column))
    return [name] if len(found) == 1 else [f"{name}_{number}" for number in range(len(found))]


def made_id(video: str, start: float, end: float | None) -> str:
    """``VIDEO_69_78.5``, or ``VIDEO`` where all of it is meant."""
    return video if end is None else f"{video}_{short(start)}_{short(end)}"


def _written(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        # A column of whole numbers with a gap is one of fractions to those who write parquet.
        cell = int(cell)
    if isinstance(cell, Decimal) and cell == cell.to_integral_value():
        cell = int(cell)
    name = str(cell).strip() if isinstance(cell, (str, int)) and not isinstance(cell, bool) else cleaned(cell)
    if not name:
        raise ValueError("no id" if not isinstance(cell, bytes) else f"{shown(cell)} is no id")
    return name


def metas_of(
    cells: Cells, meaning: Meaning, count: int, video: str, url: str | None
) -> Sequence[Mapping[str, Any]]:
    """What the manifest is to say of each of a row's clips."""
    columns = meaning.columns
    if not columns.keep and not columns.caption and not url:
        return [_NOTHING] * count
    several = columns.clip is not None
    kept = {meaning.kept.get(name, name): _each(cells.get(name), several, count) for name in columns.keep}
    captions = _each(cells.get(columns.caption), several, count) if columns.caption else [None] * count
    about_video: dict[str, Any] = {"youtube_id": None, "url": without_password(url)} if url else {}
    if not url and "youtube_id" in kept:
        # The manifest goes by it, and a column of this name may hold addresses.
        about_video = {"youtube_id": video}
    return [
        ({} if caption in (None, "") else {"caption": caption})
        | {name: values[number] for name, values in kept.items() if name != "caption"}
        | about_video
        for number, caption in enumerate(captions)
    ]


def _each(cell: Any, several: bool, count: int) -> list[Any]:
    """A cell's value for each clip of its row: its elements, where it is a list of as many."""
    values = list_of(cell) if several else None
    if values is None or len(values) != count:
        return [without_passwords(as_json(cell))] * count
    return [without_passwords(as_json(value)) for value in values]
