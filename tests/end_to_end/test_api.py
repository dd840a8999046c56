"""A plain run from Python, in a program of its own: what the script does, by ``from avclips import ...``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import av
import pytest

from tests.standin.fake_media import Media
from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.support.script import ROOT, usual_signals

PLAYS, GONE = "plays000000", "gone0000000"
PROGRAM = """
import sys
from pathlib import Path
from avclips import Identity, Settings, download
from avclips.datasets.clip_list import CLIPS
base = Path(sys.argv[2])
settings = Settings(
    base / "data",
    clip_list=base / "list.csv",
    identities=(Identity(sys.argv[1]),),
    state_dir=base / "state",
    rate_limit=None,
    sleep=0.0,
    cut="copy",
    min_free=0,
)
print("code", download(CLIPS, settings).exit_code)
"""


BY_NAME = """
import logging, os, signal, sys, threading
from pathlib import Path
import avclips
assert not {"yt_dlp", "torch", "tqdm"} & set(sys.modules)
base, seen, stop = Path(sys.argv[2]), [], threading.Event()
how = dict(
    data_dir=str(base / "data"), clip_list=str(base / "list.csv"), identities=avclips.Identity(sys.argv[1]),
    state_dir=str(base / "state"), rate_limit=None, sleep=0, cut="copy", min_free=0, workers=1, quiet=True,
)

def done():
    return sorted(sample.id for sample in avclips.open_dataset(base / "data").done())

def after(count, action):
    def watch(progress):
        seen.append(progress)
        if progress.done == count:
            action()
    return watch

for count, action in ((1, stop.set), (2, lambda: os.kill(os.getpid(), signal.SIGINT))):
    try:
        avclips.download("clips", progress=after(count, action), stop=stop, **how)
    except (avclips.Stopped, KeyboardInterrupt) as error:
        print(type(error).__name__, len(done()) >= count)
    stop = threading.Event()
result = avclips.download("clips", progress=seen.append, **how)
print(result.exit_code, result.done, result.failed, result.missing, result.reasons, result.complete)
print([(each.id, each.status, each.reason) for each in result.samples()])
print(sorted(name for name, path in result.paths.items() if Path(path).exists()))
last = seen[-1]
print(last.listed, last.done, last.failed, last.left, last.bytes_fetched > 0)
print(avclips.open_dataset(base / "data").coverage()["total"]["reasons"])
tars = dict(data_dir=base / "tars", output_format="webdataset", samples_per_shard=1)
for most in (1, None):
    result = avclips.download("clips", **{**how, **tars, "max_clips": most})
    print(result.exit_code, result.done, result.failed, result.missing, result.reasons)
print(len(list(avclips.open_dataset(result.paths["shards"]).done())), [each.status for each in result.samples()])
print(logging.getLogger("avclips").handlers, signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_by_name_watched_stopped_and_interrupted(tmp_path: Path, media_folder: Path) -> None:
    """Each time what was done is kept, and the last run brings the rest; the process is left as it was."""
    plays = [f"plays00000{n}" for n in range(3)]
    rows = "".join(f"{video},2,5\n" for video in (*plays, GONE))
    (tmp_path / "list.csv").write_text(f"youtube_id,start,end\n{rows}")
    videos = {video: FakeVideo(Media(duration=24, gop_seconds=2, fps=5)) for video in plays}
    with FakeYouTube(media_folder, {**videos, GONE: FakeVideo(case="private")}) as youtube, usual_signals():
        ended = subprocess.run(
            [sys.executable, "-c", BY_NAME, youtube.proxy, str(tmp_path)],
            cwd=tmp_path, env={**os.environ, **youtube.environment(), "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip
    said = [line for line in ended.stdout.splitlines() if not line[:2].isdigit() or line[2] != ":"]
    ids = [f"{video}_2_5" for video in plays]
    assert said == [
        "Stopped True",
        "KeyboardInterrupt True",
        "0 3 1 0 {'private': 1} True",
        str([*((clip_id, "done", "") for clip_id in ids), (f"{GONE}_2_5", "failed", "private")]),
        "['audio', 'coverage', 'data', 'log', 'manifest', 'videos']",
        "4 3 1 0 True",
        "{'private': 1}",
        "0 1 0 3 {}",
        "0 3 1 0 {'private': 1}",
        "3 ['done', 'done', 'done', 'failed']",
        "[] True",
    ], ended.stderr


@pytest.mark.parametrize("videos", [{}, {GONE: FakeVideo(case="private")}], ids=["all", "one is private"])
def test_a_plain_run(tmp_path: Path, media_folder: Path, videos: dict[str, FakeVideo]) -> None:
    rows = "".join(f"{video},2,5\n" for video in (PLAYS, *videos))
    (tmp_path / "list.csv").write_text(f"youtube_id,start,end\n{rows}")
    film = FakeVideo(Media(duration=24, gop_seconds=2, fps=5))
    with FakeYouTube(media_folder, {PLAYS: film, **videos}) as youtube:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, youtube.proxy, str(tmp_path)],
            cwd=tmp_path, env={**os.environ, **youtube.environment(), "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip
    # What is gone for good is no reason to run again.
    assert ended.stdout.splitlines()[-1] == "code 0", ended.stderr
    assert f"1 of {1 + len(videos)} clips are done, {len(videos)} failed" in ended.stdout
    (film_file,) = (tmp_path / "data" / "videos").iterdir()
    with av.open(str(film_file)) as container:
        assert sum(1 for frame in container.decode(video=0) if frame.pts >= 0) == 15
