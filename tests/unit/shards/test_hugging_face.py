"""Shards as ``datasets`` of Hugging Face loads them; skipped without it, and decoded only with torchcodec.

It is no requirement of the tests: with torch it is gigabytes. The layout that it needs is held to without it by
tests/unit/shards/test_members.py.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from avclips.shards.members import Layout, layout_of_schema
from avclips.shards.sample import Sample
from avclips.shards.schema import Schema
from avclips.shards.table_writer import write_rows
from avclips.shards.tar_writer import write_tar
from tests.matrix.media import run_ffmpeg
from tests.unit.shards.test_members import Place

datasets = pytest.importorskip("datasets")
DECODES = importlib.util.find_spec("torchcodec") is not None
# Without it the loader of tars refuses whatever has sound.
ENDINGS = ("mp4", "wav", "en.vtt") if DECODES else ("mp4", "en.vtt")
# Of torch, multiprocess and the like.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("media")
    sound = ("-f", "lavfi", "-i", "sine=d=1")
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=5:d=1", *sound, "-c:a", "aac", folder / "x.mp4")
    run_ffmpeg(*sound, folder / "x.wav")
    return {ending: (folder / f"x.{ending}").read_bytes() for ending in ("mp4", "wav")}


class Loaded(Place):
    """A shard, and what ``load_dataset`` makes of it in both of its ways."""

    def __init__(self, path: Path, media: Mapping[str, bytes]) -> None:
        super().__init__(path)
        self.media, self.cache = media, path / "cache"

    def write(self, name: str, content: bytes) -> str:
        return super().write(name, self.media.get(name.rpartition(".")[2], content))

    def load(self, kind: str, file: str, streaming: bool) -> list[dict[str, Any]]:
        found = datasets.load_dataset(
            kind, data_files=str(self.out / file), split="train", streaming=streaming, cache_dir=str(self.cache)
        )
        for name, feature in found.features.items():
            if isinstance(feature, datasets.Audio | datasets.Video):
                # Whether they can be decoded is asked by itself.
                found = found.cast_column(name, type(feature)(decode=False))
        return list(found)


@pytest.fixture
def place(tmp_path: Path, media: dict[str, bytes]) -> Loaded:
    return Loaded(tmp_path, media)


# What the first six clips have, and what the others.
DIFFER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "alike": ({"meta": {"topic": "x"}}, {"meta": {"topic": "y"}}),
    "a text is missing at first": ({"meta": {"topic": None}}, {"meta": {"topic": "dogs"}}),
    "a number is missing at first": ({"meta": {}}, {"meta": {"score": 0.5}}),
    "whole numbers at first": ({"meta": {"score": 1}}, {"meta": {"score": 0.5}}),
    "a number, then a text": ({"meta": {"score": 1}}, {"meta": {"score": "high"}}),
    "an empty list at first": ({"meta": {"tags": []}}, {"meta": {"tags": ["a"]}}),
    "a list, then a value": ({"meta": {"tags": ["a", "b"]}}, {"meta": {"tags": "c"}}),
    "captions of some": ({"meta": {"caption": "a"}}, {"meta": {"caption": "a", "captions": ["a", "b"]}}),
    "no caption at first": ({"meta": {}}, {"meta": {"caption": "a"}}),
    "no sound at first": ({"without": ("wav",), "samples": None}, {}),
    "no title at first": ({"title": None}, {}),
    "to the end at first": ({"end": None}, {}),
    "no subtitles at first": ({}, {"subtitles": {"en": "en.vtt"}}),
}  # fmt: skip


@pytest.mark.parametrize("odd", [range(6), range(3, 4), range(11, 12)], ids=["first six", "fourth", "last"])
@pytest.mark.parametrize("name", DIFFER)
def test_clips_that_differ(place: Loaded, name: str, odd: range) -> None:
    some, others = DIFFER[name]
    place.write("en.vtt", b"WEBVTT\n\nx")
    samples = [place.done(f"c{n:02d}", **(some if n in odd else others)) for n in range(12)]
    kinds = Schema()
    for each in samples:
        kinds.add(each.clip.meta)
    layout = layout_of_schema(kinds, ENDINGS)
    write_tar(place.out / "x.tar", samples, place.path, layout)
    write_rows(place.out / "x.parquet", samples, place.path, layout)
    for streaming in (False, True):
        clips = place.load("webdataset", "x.tar", streaming)
        assert [each["json"]["id"] for each in clips] == [f"c{n:02d}" for n in range(12)]
        assert {frozenset(each) for each in clips} == {frozenset(clips[0])}
        rows = place.load("parquet", "x.parquet", streaming)
        assert [row["mp4"]["bytes"] for row in rows] == [place.media["mp4"]] * 12


def test_a_table_is_typed(place: Loaded) -> None:
    samples = [place.done("a"), Sample(place.done("b").clip, None), place.done("c", without=("wav",))]
    write_rows(place.out / "x.parquet", samples, place.path, Layout({}, ("mp4", "wav")))
    found = datasets.load_dataset("parquet", data_files=str(place.out / "x.parquet"), cache_dir=str(place.cache))
    features = found["train"].features
    assert isinstance(features["mp4"], datasets.Video) and isinstance(features["wav"], datasets.Audio)
    rows = place.load("parquet", "x.parquet", streaming=False)
    assert [row["wav"] and row["wav"]["path"] for row in rows] == ["a.wav", None, None]


@pytest.mark.skipif(not DECODES, reason="torchcodec is not here")
@pytest.mark.parametrize("streaming", [False, True])
def test_media_are_decoded_without_a_word(place: Loaded, streaming: bool) -> None:
    samples = [place.done(f"c{n}", without=("wav",) if n == 1 else (), duration=2.0) for n in range(3)]
    layout = Layout({}, ("mp4", "wav"))
    write_tar(place.out / "x.tar", samples, place.path, layout)
    write_rows(place.out / "x.parquet", samples, place.path, layout)
    for kind, file in (("webdataset", "x.tar"), ("parquet", "x.parquet")):
        found = datasets.load_dataset(
            kind, data_files=str(place.out / file), split="train", streaming=streaming, cache_dir=str(place.cache)
        )
        rows = list(found)
        assert [row["mp4"].metadata.num_frames for row in rows] == [5, 5, 5]
        heard = [row["wav"] and row["wav"].get_all_samples().data.shape[1] for row in rows]
        # Of the clip without sound, a table has nothing, and a tar, whose samples are all alike, silence.
        assert heard == [44_100, 88_200 if kind == "webdataset" else None, 44_100]
