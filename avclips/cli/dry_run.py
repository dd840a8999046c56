"""--dry-run: the first clips of a list as they are understood. Nothing is fetched, nothing is written."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..core.model import Clip
from ..core.settings import Settings
from ..datasets.base import Dataset

# How many clips, and how many records that are left out, are shown.
_SHOWN = 10


def understood(dataset: Dataset, settings: Settings) -> Iterator[str]:
    """What is to be said of a list, line by line; RunError where it cannot be read."""
    with tempfile.TemporaryDirectory() as folder:
        listing = dataset.read_clips(Path(folder), settings)
        yield from listing.remarks
        yield from (f"left out: {each}" for each in listing.skipped[:_SHOWN])
        clips = videos = 0
        for _, group in itertools.groupby(listing.clips, key=lambda clip: clip.video):
            videos += 1
            for clip in group:
                clips += 1
                if clips <= _SHOWN:
                    yield _words(clip, listing.url_of(clip.video))
    if listing.rows not in (0, clips + len(listing.skipped)):
        yield f"{listing.rows} rows were read."
    yield f"{clips} clips of {videos} videos, {len(listing.skipped)} records left out. Nothing was fetched."


def _words(clip: Clip, url: str | None) -> str:
    until = "the end" if clip.end is None else f"{clip.end:g} s"
    if clip.end is not None and clip.end >= 60:
        # A wrong unit is seen at once.
        until += f" ({_clock(clip.start)} to {_clock(clip.end)})"
    kept = {name: value for name, value in clip.meta.items() if name not in ("url", "youtube_id")}
    return f"{clip.id}: {url} from {clip.start:g} to {until} {kept or ''}".rstrip()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
