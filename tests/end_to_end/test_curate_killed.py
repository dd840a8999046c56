"""kill -9 in each stage of curation, three times, and the same command again: the bytes of an undisturbed run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from avclips.curate.synthetic import files, plan
from tests.standin.fake_youtube import FakeYouTube
from tests.standin.given_videos import given
from tests.support.script import ROOT

# What the downloader writes down as it comes, with the time: of the whole videos, and of the clips that are cut.
TOLD_WITH_TIMES = ("manifest.jsonl", "download_progress.json", "clips_download.log", "metadata/asked.json")
VIDEOS = plan.videos(4, 14, seed=31)


def content(folder: Path) -> dict[str, str]:
    """The hash of every file but those that tell of times."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(f"/{each}" in f"/{name}" for each in TOLD_WITH_TIMES):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def shape(folder: Path) -> frozenset[tuple[str, int]]:
    """Names and sizes: what changes while a stage works."""
    found = []
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            found.append((str(path), path.stat().st_size))
    return frozenset(found)


def start(words: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "avclips", "curate", *words],
        cwd=ROOT, env={**os.environ, **environment}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def run(words: list[str], environment: Mapping[str, str]) -> None:
    child = start(words, environment)
    said, _ = child.communicate(timeout=300)
    assert child.returncode == 0, said.decode()


def killed(words: list[str], environment: Mapping[str, str], folder: Path, changes: int) -> bool:
    """Start it, and kill all its processes once the folder has changed so often; False where it ended before."""
    before, seen = shape(folder), 0
    child = start(words, environment)
    assert child.stdout is not None
    with child, child.stdout:
        while child.poll() is None:
            now = shape(folder)
            seen, before = seen + (now != before), now
            if seen >= changes:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                return True
            time.sleep(0.001)
    return False


@pytest.fixture
def youtube(tmp_path: Path) -> Iterator[FakeYouTube]:
    for _ in files.write_videos(tmp_path / "made", VIDEOS):
        pass
    shown = {each.id: given(tmp_path / "made" / f"{each.id}.mp4", each.title) for each in VIDEOS}
    with (tmp_path / "metadata.tsv").open("w") as stream:
        for video in VIDEOS:
            about = {
                "Title": f"We watch {video.title}",
                "Description": "It is what we have seen",
                "VideoLength": "60",
            }
            said = {"LatestDAFeature": about, "MediaVersionList": []}
            stream.write(f"https://www.youtube.com/watch?v={video.id}\t{json.dumps(said)}\n")
    (tmp_path / "served").mkdir()
    with FakeYouTube(tmp_path / "served", shown) as running:
        yield running


def stages(base: Path, data: Path) -> dict[str, list[str]]:
    fetching = ["--state-dir", str(base / "state"), "--rate-limit", "0", "--sleep", "0", "--min-free", "0"]
    own = {
        "filter": [str(base / "metadata.tsv"), "--processes", "1"],
        "download": ["--", *fetching],
        "segment": ["--processes", "2", "--max-clips", "0"],
        "features": ["--processes", "2", "--shard-size", "3"],
        "cluster": ["--clusters", "3"],
        "select": ["--keep", "0.5"],
        "export": [],
    }
    return {name: [name, "--data-dir", str(data), *words] for name, words in own.items()}


@pytest.mark.slow
def test_a_killed_stage_ends_in_the_same_bytes(youtube: FakeYouTube, tmp_path: Path) -> None:
    environment = youtube.environment()
    for words in stages(tmp_path, tmp_path / "whole" / "data").values():
        run(words, environment)
    whole = content(tmp_path / "whole" / "data")
    data, deaths = tmp_path / "killed" / "data", 0
    data.mkdir(parents=True)
    for words in stages(tmp_path, data).values():
        deaths += sum(killed(words, environment, data, changes) for changes in (1, 2, 3))
        run(words, environment)
    assert deaths >= 2 * len(stages(tmp_path, data))
    found = content(data)
    assert sorted(found) == sorted(whole)
    assert [name for name in whole if found[name] != whole[name]] == []
    assert len((data / "curation" / "export" / "output.csv").read_text().splitlines()) >= 5
    # Another seed is another run; the same one is not.
    for folder, seed, same in (("again", "0", True), ("other", "1", False)):
        there = tmp_path / folder / "data" / "curation"
        shutil.copytree(data / "curation" / "features", there / "features")
        run(["cluster", "--data-dir", str(there.parent), "--clusters", "3", "--seed", seed], environment)
        labels = hashlib.sha256((there / "cluster" / "labels.npy").read_bytes()).hexdigest()
        assert (labels == whole["curation/cluster/labels.npy"]) is same
