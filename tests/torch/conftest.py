"""Folders that the real scripts made against stand-ins, for what PyTorch makes of them.

``make test-torch`` runs these in an environment of their own; where there is no torch, there are none of them.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.end_to_end.test_vggsound import CLIPS, ROWS, URL
from tests.standin import rehearse
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Media
from tests.support.script import ROOT, Stage

if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["*"]

# Pictures at a rate that is no whole number, B-frames, key frames every two seconds.
MEDIA = Media(duration=24.0, width=320, height=180, fps=12.5, gop_seconds=2.0)
Run = Callable[..., Path]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[Run]:
    """Downloads into a folder of a name: ``run(name, script, files, videos, *options)``; each once a session."""
    made: dict[str, Path] = {}

    def make(
        name: str, script: str, files: Mapping[str, bytes], videos: Mapping[str, FakeVideo], *options: str | Path
    ) -> Path:
        if name not in made:
            with FakeYouTube(media_folder, dict(videos), files=dict(files)) as youtube:
                stage = Stage(youtube, tmp_path_factory.mktemp(name), script=ROOT / script)
                stage.data = stage.base / "place" / name
                ended = stage.run("--cut", "copy", *options)
                assert ended.code in (0, 3), ended.said
            made[name] = stage.data
        return made[name]

    yield make


def avqa_files() -> dict[str, bytes]:
    """The annotation files of the rehearsal, with a choice that is null."""
    files = rehearse.annotation_files()
    records = json.loads(files[rehearse.QA_URL.format("train")])
    records[1]["multi_choice"][3], records[1]["answer"] = None, 2
    return files | {rehearse.QA_URL.format("train"): json.dumps(records).encode()}


def avqa_videos() -> dict[str, FakeVideo]:
    """The rehearsal's videos, small."""
    found = {}
    for piece in rehearse.PIECES:
        media = replace(MEDIA, duration=piece.video.media.duration)
        found[piece.clip[:11]] = replace(piece.video, media=media)
    return found


@pytest.fixture(scope="session")
def avqa(run: Run) -> Path:
    """General AVQA: 7 of 10 clips are there; 6 questions each of train and val, 5 and 3 of which can be asked."""
    return run("avqa", "download_general_avqa.py", avqa_files(), avqa_videos())


@pytest.fixture(scope="session")
def vggsound(run: Run) -> Path:
    """VGG-Sound: four clips of three videos, each another, two of train and two of test."""
    videos = {clip.video: FakeVideo(replace(MEDIA, seed=number)) for number, clip in enumerate(CLIPS)}
    return run("vggsound", "download_vggsound.py", {URL: ROWS.encode()}, videos)


@pytest.fixture(params=["webdataset", "parquet"])
def avqa_shards(request: pytest.FixtureRequest, run: Run) -> Path:
    """The same clips as three shards, within their data folder."""
    form = request.param
    options = ("--output-format", form, "--samples-per-shard", "3")
    return run(f"avqa_{form}", "download_general_avqa.py", avqa_files(), avqa_videos(), *options)
