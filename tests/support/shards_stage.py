"""The script of lists with its shards, against a stand-in."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.dataset
import pyarrow.parquet
import pytest

from tests.standin.fake_player import webvtt
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Media
from tests.support.script import ROOT, Stage
from tests.unit.shards.test_tar_writer import loaded

SCRIPT = ROOT / "download_clips.py"
AVQA = ROOT / "download_general_avqa.py"
# What takes hours passes in a second.
HURRY = 3000.0
SHORT = Media(duration=8, gop_seconds=2, fps=5)
WRITTEN = webvtt([(0, 3, "before"), (3, 6, "over")])
Row = dict[str, Any]


def video(number: int) -> str:
    return f"packvideo{number:02d}"


class Packs(Stage):
    """The script of lists with its shards; ``more``: variables of its environment."""

    def __init__(self, youtube: FakeYouTube, base: Path, script: Path = SCRIPT) -> None:
        super().__init__(youtube, base, script=script)
        self.data = base / "place" / "clips"
        self.shards = self.data / "shards"
        self.more: dict[str, str] = {}

    def environment(self, scale: float = 1.0) -> dict[str, str]:
        return super().environment(scale) | self.more

    def list(self, rows: Sequence[Row], name: str = "list.csv") -> Path:
        path = self.base / name
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(dict.fromkeys(key for row in rows for key in row)))
            writer.writeheader()
            writer.writerows(rows)
        return path

    @property
    def asked(self) -> int:
        return len(self.youtube.log)

    # -- what is in the shards, with others' eyes --------------------------------------------------------------

    @property
    def finished(self) -> list[int]:
        return sorted(int(path.name[:5]) for path in self.shards.glob("*_stats.json"))

    def stats(self, number: int) -> dict[str, Any]:
        return dict(json.loads((self.shards / f"{number:05d}_stats.json").read_text()))

    @property
    def rows(self) -> list[Row]:
        """Of all shards, one after the other."""
        return [row for path in sorted(self.shards.glob("*.parquet")) for row in _rows(path)]

    def ids(self, number: int) -> list[str]:
        return [row["id"] for row in _rows(self.shards / f"{number:05d}.parquet")]

    @property
    def tars(self) -> list[dict[str, Any]]:
        return loaded(*sorted(self.shards.glob("*.tar")))

    @property
    def leftovers(self) -> set[str]:
        """What stands beside the shards that should be in them, and what is half there."""
        kept = ("videos", "audio", "info", "subtitles", ".tmp", "set_aside")
        beside = {str(path.relative_to(self.data)) for name in kept for path in self.data.glob(f"{name}/**/*")
                  if path.is_file()}  # fmt: skip
        endings = (".tar", ".parquet", "_stats.json")
        whole = {f"{number:05d}{ending}" for number in self.finished for ending in endings}
        return beside | ({path.name for path in self.shards.iterdir()} - whole - {"plan.json"})


def _rows(path: Path) -> list[Row]:
    return list(pyarrow.parquet.read_table(path).to_pylist())


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def shards(tmp_path: Path, media_folder: Path) -> Iterator[Callable[..., Packs]]:
    """A stage for these videos; what a test asks of them is its own."""
    open_ones: list[FakeYouTube] = []

    def make(videos: Mapping[str, FakeVideo], **more: Any) -> Packs:
        open_ones.append(FakeYouTube(media_folder, videos, **more).start())
        return Packs(open_ones[-1], tmp_path)

    yield make
    for youtube in open_ones:
        youtube.close()
        assert youtube.unknown == []


def some_rows(videos: int, each: int = 2) -> list[Row]:
    return [{"url": video(number), "start": 1 + 2 * n, "end": 2 + 2 * n}
            for number in range(videos) for n in range(each)]  # fmt: skip


def some_videos(count: int, **more: Any) -> dict[str, FakeVideo]:
    return {video(number): FakeVideo(SHORT, **more) for number in range(count)}


def ids_of(rows: Sequence[Row]) -> list[str]:
    return ["{url}_{start}_{end}".format(**row) for row in rows]


TARS = ("--cut", "copy", "--output-format", "webdataset", "--samples-per-shard")


def is_whole(place: Packs, rows: Sequence[Row]) -> None:
    """Every clip is in the shards, once, with its media, and nothing is anywhere else."""
    assert [row["id"] for row in place.rows] == ids_of(rows)
    found = [json.loads(each["json"])["id"] for each in place.tars]
    assert found == [row["id"] for row in place.rows if row["status"] == "done"]
    assert all(each["mp4"] and each["wav"] for each in place.tars)
    assert not place.leftovers, place.leftovers
