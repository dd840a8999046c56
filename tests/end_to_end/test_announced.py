"""What is announced and not so: sound that is not there, and what yt-dlp takes for a broadcast."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.matrix.media import run_ffmpeg
from tests.matrix.play import OwnVideo, Static
from tests.standin.fake_media import Media
from tests.standin.fake_youtube import FakeYouTube
from tests.support.script import ROOT, Stage

SCRIPT = ROOT / "download_clips.py"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a playlist of 0.88 s of picture and sound."""
    folder = tmp_path_factory.mktemp("short")
    sources = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=r=25:d=0.88:s=128x96",
        "-f",
        "lavfi",
        "-i",
        "anoisesrc=d=0.88:r=44100",
    ]
    words = [*sources, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-hls_playlist_type", "vod"]
    run_ffmpeg(*words, "-f", "hls", "list.m3u8", folder=folder)
    assert "#EXT-X-ENDLIST" in (folder / "list.m3u8").read_text()
    return folder


@pytest.mark.parametrize("finished", [True, False])
def test_a_playlist_says_whether_it_is_live(short: Path, tmp_path: Path, finished: bool) -> None:
    text = (short / "list.m3u8").read_text()
    name = "list.m3u8" if finished else "live.m3u8"
    (short / name).write_text(text if finished else text.replace("#EXT-X-ENDLIST\n", "").replace(":VOD", ":EVENT"))
    (tmp_path / "list.csv").write_text(f"id,url,start,end\na,https://short.example/{name},0,0.5\n")
    with FakeYouTube(tmp_path / "fake", {}, sites=[Static(short, "short.example")]) as youtube:
        stage = Stage(youtube, tmp_path, script=SCRIPT)
        ended = stage.start(tmp_path / "list.csv", "--id-col", "id", "--retry-attempts", "1", scale=600.0).end()
    failed = json.loads((stage.data / "failed_downloads.json").read_text())
    assert ended.code == (0 if finished else 3), ended.said
    assert (stage.data / "videos" / "a.mp4").exists() == (stage.data / "audio" / "a.wav").exists() == finished
    assert {clip: why["reason"] for clip, why in failed.items()} == ({} if finished else {"a": "upcoming"})


@pytest.mark.parametrize(
    ("silent", "code", "reason"),
    # A damaged file, perhaps, unless a clip without sound will do.
    [(True, 0, None), (False, 3, "check")],
)
def test_a_sound_that_is_announced_and_not_there(
    tmp_path: Path, silent: bool, code: int, reason: str | None
) -> None:
    film, mime = tmp_path / "18.mp4", 'video/mp4; codecs="avc1.42001E, mp4a.40.2"'
    words = ["-f", "lavfi", "-i", "testsrc2=r=25:d=6:s=128x96", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    run_ffmpeg(*words, "-movflags", "+faststart", film)
    (tmp_path / "list.csv").write_text("id,url,start,end\na,silentvideo,1,3\n")
    videos = {"silentvideo": OwnVideo(Media(duration=6), own={18: (film, mime)})}
    with FakeYouTube(tmp_path / "fake", videos) as youtube:
        stage = Stage(youtube, tmp_path, script=SCRIPT)
        options = [tmp_path / "list.csv", "--id-col", "id", "--retry-attempts", "1"]
        ended = stage.start(*options, *(["--allow-silent"] if silent else []), scale=600.0).end()
    failed = json.loads((stage.data / "failed_downloads.json").read_text())
    assert ended.code == code, ended.said
    assert (stage.data / "videos" / "a.mp4").exists() == silent
    assert not (stage.data / "audio" / "a.wav").exists()
    assert [why["reason"] for why in failed.values()] == ([] if reason is None else [reason])
