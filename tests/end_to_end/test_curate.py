"""From metadata to clips against the stand-in for YouTube: of whole videos, or only the seconds proposed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import pyarrow.parquet as pq
import pytest

from avclips.catalog import samples
from tests.standin.fake_media import Media
from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.support.script import ROOT

DOG, CAT, GAME, LOST = "dog00000000", "cat00000000", "game0000000", "lost0000000"
# As few as there are: the least of each stage.
WHOLE = ("--keep", "0.5", "--with", "segment --processes 1", "--with", "features --processes 1")
WHOLE += ("--with", "cluster --clusters 2")
FILM = FakeVideo(Media(duration=24, gop_seconds=2, fps=5))
TITLES = {
    DOG: "Our dog runs in the snow",
    CAT: "Our cat sleeps in the snow",
    GAME: "Minecraft in the snow",
    LOST: "Our bird sings in the snow",
}


def metadata(path: Path) -> Path:
    """A table as ACAV100M's, with lines that are none."""
    lines = ["no metadata at all"]
    for video, title in TITLES.items():
        about = {"Title": title, "Description": "It was a day with all the family", "VideoLength": "25"}
        said = {"LatestDAFeature": about | {"YouTubeCategory": "Pets &amp; Animals"}, "MediaVersionList": []}
        lines += [f"https://www.youtube.com/watch?v={video}&t=3\t{json.dumps(said)}"]
    path.write_text("\n".join([*lines, lines[1]]) + "\n")
    return path


def curate(youtube: FakeYouTube, base: Path, *words: str) -> subprocess.CompletedProcess[str]:
    fetching = f"--proxy {youtube.proxy} --state-dir {base / 'state'} --rate-limit 0 --sleep 0 --min-free 0"
    words = ("run", str(metadata(base / "metadata.tsv")), "--data-dir", str(base / "data"), *words)
    words = (*words, "--with", "filter --min-seconds 20 --processes 1")
    return subprocess.run(
        [sys.executable, str(ROOT / "curate_acav100m.py"), *words, "--with", f"download {fetching}"],
        cwd=base, env={**os.environ, **youtube.environment()}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip


@pytest.mark.parametrize("proposed", [pytest.param(False, marks=pytest.mark.slow), True])
def test_from_metadata_to_clips(tmp_path: Path, media_folder: Path, proposed: bool) -> None:
    ways = ["--propose", "8", "--until", "segment"] if proposed else [*WHOLE]
    with FakeYouTube(media_folder, {DOG: FILM, CAT: FILM, LOST: FakeVideo(case="private")}) as youtube:
        ended = curate(youtube, tmp_path, *ways)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    data = tmp_path / "data"
    rows = pq.read_table(data / "curation" / "filter" / "rows.parquet").to_pylist()
    assert [row["reason"] for row in rows] == ["fields", "", "", "gaming", "", ""]
    found = {sample.id: sample for sample in samples(data)}
    starts, length = ([0, 8000, 16_000], 8) if proposed else ([7000], 10)
    done = {name for name, sample in found.items() if sample.status == "done"}
    assert done == {f"{video}_{start}" for video in (DOG, CAT) for start in starts}
    for name in done:
        with av.open(str(data / "videos" / f"{name}.mp4")) as container:
            assert sum(1 for frame in container.decode(video=0) if frame.pts >= 0) == 5 * length
        title = found[name].meta["title"]
        assert title == (TITLES[name[:11]] if proposed else "t")
    whole = data / "curation" / "videos" / "videos"
    if proposed:
        # No whole video was asked for, and what is private is known by its clips.
        assert not whole.exists()
        assert {found[name].reason for name in found.keys() - done} == {"private"}
    else:
        assert sorted(path.stem for path in whole.iterdir()) == [CAT, DOG]
        assert "2 of 2 clips of 2 videos" in ended.stdout
        (chosen,) = (data / "curation" / "export" / "output.csv").read_text().splitlines()
        assert chosen in {f'videos,{video}_7000.mp4,{video},"[7, 17]"' for video in (DOG, CAT)}
    verify = [sys.executable, "-m", "avclips", "verify", str(data)]
    told = subprocess.run(verify, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert f"{len(done)} clips are right, 0 are bad" in told.stdout
