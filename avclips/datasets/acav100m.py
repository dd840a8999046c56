"""ACAV100M: a hundred million ten-second clips of YouTube in which picture and sound belong together.

Paper: Lee et al., "ACAV100M: Automatic Curation of Large-Scale Datasets for Audio-Visual Video Representation
Learning", ICCV 2021. Lists: ncentroids-500-subset_size-{20K,200K,2M,10M,100M}.csv of
https://acav100m.github.io, without a header: YouTube id and start second; others hand it on as a parquet with
videoID, start and end, or as the output.csv of its pipeline, shard, file, id and "[start, end]".
Counts: 20 thousand to 100 million clips. Surprises: starts may be fractions; nothing says what a clip shows.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.errors import RunError, UsageError
from ..core.model import Clip
from ..core.settings import Settings
from ..lists.cells import short
from ..lists.columns import delimiter_of_list, looks_of
from ..lists.meaning import Meaning, meaning_of
from ..lists.reader import open_table
from ..lists.rows import named_of, plain_columns, plain_reader
from ..lists.spooled import OnDisk
from ..lists.table import Table
from .base import Dataset, Listing

CLIP_SECONDS = 10.0
# So many rows that name no clip are kept; the rest is counted.
_MOST_TOLD = 1000
_NOTHING: Mapping[str, Any] = {}


def read_clips(metadata: Path, settings: Settings) -> Listing:
    """The clips of a list, as long as it likes to be."""
    if not settings.clip_list:
        raise UsageError("no list of clips is named", "name the file: download_acav100m.py LIST")
    table = open_table(settings.clip_list, settings.encoding, looks_of(settings), delimiter_of_list(settings))
    try:
        meaning = meaning_of(table, settings)
    except UsageError:
        # The published ones say where a clip starts.
        meaning = meaning_of(table, replace(settings, clip_length=CLIP_SECONDS))
    columns = meaning.columns
    timed = meaning.cell is not None and meaning.cell.has_times
    # Labels, captions and names of clips are not kept of a hundred million.
    meaning = replace(
        meaning, columns=replace(columns, keep=(), caption=None, id=None), length=CLIP_SECONDS, kept={}
    )
    if not (columns.start or columns.clip or columns.in_url or timed):
        raise UsageError(f"no column of {table.name} says where a clip starts", meaning.remarks()[0])
    clips, skipped = OnDisk(metadata / "acav100m.sqlite", make_clip), _Told()
    if not _taken_at_once(clips, table, meaning, skipped):
        clips.fill(_rows(table, meaning, skipped))
    skipped.see_that_nothing_is_lost(table.count())
    if next(iter(clips), None) is None:
        clips.remove()
        raise UsageError(
            f"no row of {table.name} names a clip; the first: {skipped.lines[0]}", meaning.remarks()[0]
        )
    return Listing(clips, skipped.all, remarks=meaning.remarks(), rows=skipped.rows)


class _Told:
    """What is said of the rows that name no clip; and how many rows there were, and how many of them name one."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = self.rows = self.taken = 0

    def add(self, line: str) -> None:
        self.count += 1
        if self.count <= _MOST_TOLD:
            self.lines.append(line)

    def see_that_nothing_is_lost(self, counted: int | None) -> None:
        """RunError where a row is neither a clip's nor left out; ``counted``: how many the file says it has."""
        if self.rows != self.taken + self.count or counted not in (None, self.rows):
            raise RunError(
                f"of {self.rows} rows ({counted} by another count), {self.taken} name clips and {self.count} are "
                "left out",
                "this is a fault of the program: please report it",
            )

    @property
    def all(self) -> list[str]:
        more = self.count - len(self.lines)
        return [*self.lines, f"and {more} more"] if more else self.lines


def _taken_at_once(clips: OnDisk, table: Table, meaning: Meaning, skipped: _Told) -> bool:
    """Whether each row is an id and a start alone, and all of them were taken without being read one by one."""
    plain = plain_columns(meaning)
    if table.lines is None or plain is None or set(plain) != set(table.lines.columns):
        return False
    count = clips.fill_plain(table.lines, plain[0], CLIP_SECONDS)
    skipped.rows = skipped.taken = count or 0
    return count is not None


def _rows(table: Table, meaning: Meaning, skipped: _Told) -> Iterator[tuple[str, float, float]]:
    plain = plain_reader(meaning)
    for where, cells in table.rows(meaning.names):
        skipped.rows += 1
        if (row := plain(cells)) is not None:
            skipped.taken += 1
            yield row
            continue
        try:
            _, video, url, found = named_of(cells, meaning)
            if url is not None:
                raise ValueError("not a video on YouTube")
        except (ValueError, RecursionError) as error:
            skipped.add(f"{table.place(where)}: {error}")
            continue
        skipped.taken += 1
        for start, end in found:
            if end is not None:
                yield video, start, end


def make_clip(video: str, start: float, end: float) -> Clip:
    """A clip by the name that the dataset's own pipeline gives it: ID_069; with a fraction, ID_69.5."""
    return Clip(f"{video}_{_second(start)}", video, start, end, _NOTHING)


# Millions of clips start at some thousands of seconds.
@functools.lru_cache(maxsize=1 << 14)
def _second(start: float) -> str:
    return f"{int(start):03d}" if start.is_integer() else short(start)


ACAV100M = Dataset(
    name="acav100m",
    title="ACAV100M",
    default_dir="./data/acav100m",
    log_name="acav100m_download.log",
    annotations=lambda settings: (),
    read_clips=read_clips,
    clip_seconds=CLIP_SECONDS,
    splits=(),
    usual_splits=(),
    options=frozenset(("list", "encoding", "delimiter", "info")),
    defaults={"output_format": "webdataset"},
    files="shards of ID.mp4, ID.wav and ID.json, or with --output-format files videos/ID.mp4 and audio/ID.wav",
)
