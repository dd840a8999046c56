"""A user's list, its pages and videos against stand-ins, as a run of the script sees them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from tests.standin.fake_player import rolling_webvtt, webvtt
from tests.standin.fake_site import FakeSite, Shape, SiteVideo
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Media
from tests.support.script import ROOT, Stage

SCRIPT = ROOT / "download_clips.py"
# What takes hours passes in a second.
HURRY = 3000.0
START, END = 3.5, 8.0
PLAIN = Media(duration=14, gop_seconds=2, fps=10)
SILENT = replace(PLAIN, audio=False)
LONG = replace(PLAIN, duration=40)
DASH: tuple[Shape, ...] = ("template", "number", "list")
PIECES: tuple[Shape, ...] = ("hls", "bare_hls")
SHAPES: tuple[Shape, ...] = (*DASH, "ranges", "base", "file", *PIECES)
BIG = "https://files.example.org/big.mp4"
WRITTEN = webvtt([(0, 3, "before"), (3, 5, "over"), (6, 20, "to the end")])
HEARD = rolling_webvtt([(2, 6, "hello there you"), (6, 9, "and again")])
MARKS = {"plain": "youtube-1111", "written": "youtube-2222", "heard": "youtube-3333", "lost": "youtube-4444",
         "late": "youtube-5555", "token": "youtube-6666"}  # fmt: skip
IDS = {name: each[:7] + each[8:] for name, each in MARKS.items()}


def page(shape: Shape, media: Media = PLAIN, **more: Any) -> SiteVideo:
    return SiteVideo(shape, media=media, **more)


class Clips(Stage):
    """The script of lists, and a list in its place; ``more``: variables of its environment."""

    more: dict[str, str]

    def __init__(self, youtube: FakeYouTube, site: FakeSite, base: Path) -> None:
        super().__init__(youtube, base, script=SCRIPT)
        self.site = site
        self.more = {}
        self.data = base / "place" / "clips"

    def environment(self, scale: float = 1.0) -> dict[str, str]:
        return super().environment(scale) | self.more

    def list(self, rows: Sequence[dict[str, Any]], name: str = "list.csv") -> Path:
        path = self.base / name
        if path.suffix == ".parquet":
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
        elif path.suffix == ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            with path.open("w", newline="") as stream:
                writer = csv.DictWriter(stream, list(dict.fromkeys(key for row in rows for key in row)))
                writer.writeheader()
                writer.writerows(rows)
        return path

    def segments(self, name: str, itag: int | None = None) -> list[int]:
        """The numbers of the segments that were asked for."""
        asked = self.site.requests("segment", name)
        return [r.segment for r in asked if itag in (None, r.itag) and r.segment is not None]

    @property
    def scraps(self) -> set[str]:
        """What stands beneath the folder besides what belongs there."""
        usual = {"metadata", "videos", "audio", "features", "info", "subtitles"}
        files = {"download_progress.json", "failed_downloads.json", "manifest.jsonl", "clips_download.log"}
        files |= {"clips.csv", "clips.parquet", "coverage.json"}
        return {path.name for path in self.data.iterdir() if path.name[0] != "."} - usual - files


def staged(
    base: Path, media: Path, pages: dict[str, SiteVideo], videos: dict[str, FakeVideo], **more: Any
) -> Iterator[Clips]:
    site = FakeSite(media, pages)
    known = {IDS[name]: video for name, video in videos.items()}
    with FakeYouTube(media, known, sites=[site], **more) as youtube:
        yield Clips(youtube, site, base)
        assert youtube.unknown == []


def row(address: str, name: str, start: Any = START, end: Any = END, **more: Any) -> dict[str, Any]:
    return {"url": address, "start": start, "end": end, "id": name} | more
