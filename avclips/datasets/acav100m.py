"""ACAV100M: a hundred million ten-second clips of YouTube in which picture and sound belong together.

Paper: Lee et al., "ACAV100M: Automatic Curation of Large-Scale Datasets for Audio-Visual Video Representation
Learning", ICCV 2021. Lists: ncentroids-500-subset_size-{20K,200K,2M,10M,100M}.csv of
https://acav100m.github.io, without a header: YouTube id and start second; others hand it on as a parquet with
videoID, start and end, or as the output.csv of its pipeline, shard, file, id and "[start, end]".
Counts: 20 thousand to 100 million clips. Surprises: starts may be fractions; nothing says what a clip shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..clip import Clip, Columns, Settings
from ..dataset import Dataset, Listing
from ..errors import UsageError
from ..tables import Table, open_table
from .clips import spans_of
from .columns import about, find_columns, header_test, names_of
from .on_disk import OnDisk
from .values import short, video_of

CLIP_SECONDS = 10.0
# So many rows that name no clip are kept; the rest is counted.
_MOST_TOLD = 1000
_NOTHING: Mapping[str, Any] = {}


def read_clips(metadata: Path, settings: Settings) -> Listing:
    """The clips of a list, as long as it likes to be."""
    path = settings.clip_list
    if path is None:
        raise UsageError("no list of clips is named", "name the file: download_acav100m.py LIST")
    table = open_table(path, settings.encoding, header_test(settings.columns))
    try:
        columns = find_columns(table, settings)
    except UsageError:
        # The published ones say where a clip starts.
        columns = find_columns(table, replace(settings, clip_length=CLIP_SECONDS))
    if not (columns.start or columns.clip):
        raise UsageError(f"no column of {path} says where a clip starts", about(columns, CLIP_SECONDS))
    clips, skipped = OnDisk(metadata / "acav100m.sqlite", make_clip), _Told()
    clips.fill(_rows(table, columns, skipped))
    if next(iter(clips), None) is None:
        clips.remove()
        raise UsageError(
            f"no row of {path} names a clip; the first: {skipped.lines[0]}", about(columns, CLIP_SECONDS)
        )
    return Listing(clips, skipped.all, remarks=[about(columns, CLIP_SECONDS)])


class _Told:
    """What is said of the rows that name no clip."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0

    def add(self, line: str) -> None:
        self.count += 1
        if self.count <= _MOST_TOLD:
            self.lines.append(line)

    @property
    def all(self) -> list[str]:
        more = self.count - len(self.lines)
        return [*self.lines, f"and {more} more"] if more else self.lines


def _rows(table: Table, columns: Columns, skipped: _Told) -> Iterator[tuple[str, float, float]]:
    for where, cells in table.rows(names_of(columns)):
        try:
            video, url = video_of(cells.get(columns.url or ""))
            if url is not None:
                raise ValueError("not a video on YouTube")
            for start, end in spans_of(cells, columns, CLIP_SECONDS):
                if end is not None:
                    yield video, start, end
        except (ValueError, RecursionError) as error:
            skipped.add(f"{table.path.name}, {where}: {error}")


def make_clip(video: str, start: float, end: float) -> Clip:
    """A clip by the name that the dataset's own pipeline gives it: ID_069; with a fraction, ID_69.5."""
    second = f"{int(start):03d}" if start.is_integer() else short(start)
    return Clip(f"{video}_{second}", video, start, end, _NOTHING)


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
    options=frozenset(("list", "encoding", "info")),
    defaults={"output_format": "webdataset"},
    files="shards of ID.mp4, ID.wav and ID.json, or with --output-format files videos/ID.mp4 and audio/ID.wav",
)
