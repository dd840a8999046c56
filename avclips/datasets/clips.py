"""A user's own list: any table with a column for the video, and times.

Knows what a row means, and which rows are left out. Formats are known to ``tables``, the names of columns to
``columns``, cells to ``values``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..clip import Clip, Columns, Settings
from ..dataset import Dataset, Listing, together, watch_url
from ..errors import UsageError
from ..files import is_plain_name
from ..tables import open_table
from .columns import about, clip_length, find_columns, header_test, names_of, unused_id
from .values import as_json, list_of, seconds, short, span, spans, start_in, video_of

Cells = Mapping[str, Any]
Span = tuple[float, float | None]

_WHOLE: Span = (0.0, None)
# Of all clips of which the list says nothing more: there may be millions.
_NOTHING: Mapping[str, Any] = {}


class Book:
    """The clips of the rows so far, each once.

    ``urls``: the addresses of the videos that are not on YouTube.
    """

    def __init__(self, columns: Columns, length: float | None) -> None:
        self.columns = columns
        self.length = length
        self.clips: dict[str, Clip] = {}
        self.urls: dict[str, str] = {}
        # Rows that name a clip which an earlier one names.
        self.repeated = 0

    def take(self, cells: Cells) -> None:
        """Add a row's clips; a ValueError says what is wrong, and then none of them is taken."""
        video, url = video_of(cells.get(self.columns.url or ""))
        found = spans_of(cells, self.columns, self.length)
        ids = ids_of(cells, self.columns.id, video, found)
        metas = metas_of(cells, self.columns, len(found), video, url)
        clips = [Clip(name, video, *each, meta) for name, each, meta in zip(ids, found, metas, strict=True)]
        if url and self.urls.get(video, url) != url:
            raise ValueError("its address is called as another one is")
        for clip in clips:
            self._check(clip)
        for clip in clips:
            self._add(clip)
        if url:
            self.urls[video] = url

    def _check(self, clip: Clip) -> None:
        if not is_plain_name(clip.id):
            raise ValueError(f"the id {clip.id[:60]!r} cannot be the name of a file")
        there = self.clips.get(clip.id)
        if there and (there.video, there.start, there.end) != (clip.video, clip.start, clip.end):
            raise ValueError(f"the id {clip.id!r} was another clip's before")

    def _add(self, clip: Clip) -> None:
        there = self.clips.setdefault(clip.id, clip)
        if there is clip:
            return
        self.repeated += 1
        caption = clip.meta.get("caption")
        before = there.meta.get("captions") or [each for each in (there.meta.get("caption"),) if each is not None]
        if caption is not None and caption not in before:
            # Described several times: the first is the caption, and none of them is lost.
            said = [*before, caption]
            more = {"captions": said} if len(said) > 1 else {}
            self.clips[clip.id] = replace(there, meta={**there.meta, "caption": said[0], **more})

    def url_of(self, video: str) -> str:
        """The address of a video."""
        return self.urls.get(video) or watch_url(video)


def read_clips(metadata: Path, settings: Settings) -> Listing:
    """The clips of a user's list, those of a video together, and what its columns were taken for."""
    path = settings.clip_list
    if path is None:
        raise UsageError("no list of clips is named", "name the file: download_clips.py LIST")
    table = open_table(path, settings.encoding, header_test(settings.columns))
    columns, length = find_columns(table, settings), clip_length(settings)
    book = Book(columns, length)
    skipped: list[str] = []
    for where, cells in table.rows(names_of(columns)):
        try:
            book.take(cells)
        except ValueError as error:
            skipped.append(f"{path.name}, {where}: {error}")
        except RecursionError:
            skipped.append(f"{path.name}, {where}: a cell is nested too deeply")
    if not book.clips:
        # Where nothing fits, a column was likely mistaken for another.
        raise UsageError(f"no row of {path} names a clip; the first: {skipped[0]}", about(columns, length))
    remarks = [about(columns, length)]
    if (name := unused_id(table, columns, settings)) is not None:
        remarks.append(
            f"the column {name!r} does not name clips, each another: --id-col {name} takes it all the same"
        )
    if book.repeated:
        remarks.append(f"{book.repeated} rows name a clip that an earlier row names: it is fetched once")
    return Listing(
        together(book.clips.values()), skipped, book.url_of, remarks=remarks, named=columns.id is not None
    )


def spans_of(cells: Cells, columns: Columns, length: float | None) -> Sequence[Span]:
    """The seconds that a row asks for, in one span or several."""
    if columns.clip:
        return spans(cells.get(columns.clip))
    start, end = _time(cells, columns.start), _time(cells, columns.end)
    if start is None and columns.start:
        raise ValueError("no start")
    if end is None:
        duration = _time(cells, columns.duration)
        length = duration if duration is not None else length
        if length is None and (columns.start or columns.end or columns.duration):
            raise ValueError("no end")
        if length is None:
            return [_WHOLE]
        if start is None and columns.end is None:
            start = start_in(cells.get(columns.url or ""))
        end = round((start or 0.0) + length, 6)
    return [span(start or 0.0, end)]


def _time(cells: Cells, name: str | None) -> float | None:
    cell = cells.get(name) if name else None
    return None if cell is None or cell == "" else seconds(cell)


def ids_of(cells: Cells, column: str | None, video: str, found: Sequence[Span]) -> list[str]:
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
    name = str(cell).strip() if isinstance(cell, (str, int)) and not isinstance(cell, bool) else ""
    if not name:
        raise ValueError("no id")
    return name


def metas_of(cells: Cells, columns: Columns, count: int, video: str, url: str | None) -> list[Mapping[str, Any]]:
    """What the manifest is to say of each of a row's clips."""
    if not columns.keep and not columns.caption and not url:
        return [_NOTHING] * count
    kept = {name: _each(cells.get(name), columns, count) for name in columns.keep}
    captions = _each(cells.get(columns.caption), columns, count) if columns.caption else [None] * count
    about_video: dict[str, Any] = {"youtube_id": None, "url": url} if url else {}
    if not url and "youtube_id" in kept:
        # The journal goes by it, and a column of this name may hold addresses.
        about_video = {"youtube_id": video}
    return [
        ({} if caption in (None, "") else {"caption": caption})
        | {name: values[number] for name, values in kept.items()}
        | about_video
        for number, caption in enumerate(captions)
    ]


def _each(cell: Any, columns: Columns, count: int) -> list[Any]:
    """A cell's value for each clip of its row: its elements, where it is a list of as many."""
    values = list_of(cell) if columns.clip else None
    if values is None or len(values) != count:
        return [as_json(cell)] * count
    return [as_json(value) for value in values]


CLIPS = Dataset(
    name="clips",
    title="a list of your own",
    default_dir="./data/clips",
    log_name="clips_download.log",
    annotations=lambda settings: (),
    read_clips=read_clips,
    clip_seconds=10.0,
    splits=(),
    usual_splits=(),
    options=frozenset(
        "list encoding url-col start-col end-col duration-col clip-col id-col keep-cols caption-col clip-length "
        "preset dry-run info subtitles".split()
    ),
)
