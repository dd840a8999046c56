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
from tests.support.script import ROOT

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
print("code", download(CLIPS, settings))
"""


@pytest.mark.parametrize(("videos", "code"), [({}, 0), ({GONE: FakeVideo(case="private")}, 0)])
def test_a_plain_run(tmp_path: Path, media_folder: Path, videos: dict[str, FakeVideo], code: int) -> None:
    rows = "".join(f"{video},2,5\n" for video in (PLAYS, *videos))
    (tmp_path / "list.csv").write_text(f"youtube_id,start,end\n{rows}")
    film = FakeVideo(Media(duration=24, gop_seconds=2, fps=5))
    with FakeYouTube(media_folder, {PLAYS: film, **videos}) as youtube:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, youtube.proxy, str(tmp_path)],
            cwd=tmp_path, env={**os.environ, **youtube.environment(), "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip
    assert ended.stdout.splitlines()[-1] == f"code {code}", ended.stderr
    assert f"1 of {1 + len(videos)} clips are done, {len(videos)} failed" in ended.stdout
    (film_file,) = (tmp_path / "data" / "videos").iterdir()
    with av.open(str(film_file)) as container:
        assert sum(1 for frame in container.decode(video=0) if frame.pts >= 0) == 15
