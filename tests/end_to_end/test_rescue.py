"""What failed for good on YouTube may lie in an archive, and is taken from there without asking again."""

from __future__ import annotations

from pathlib import Path

from tests.standin import fake_media
from tests.standin.fake_youtube import FakeVideo
from tests.support.script import QUICK, stage

GONE, THERE = "AVwasremove_000002", "AVstillhere_000002"


def test_a_removed_video_is_taken_from_a_mirror(tmp_path: Path, media_folder: Path) -> None:
    videos = {GONE: FakeVideo(QUICK, case="removed_by_uploader"), THERE: FakeVideo(QUICK)}
    with stage(tmp_path, media_folder, videos) as run:
        assert run.run("--cut", "copy").code == 0
        assert run.failed[GONE]["reason"] == "removed"
        asked = len(run.youtube.log)
        mirror = tmp_path / "mirror"
        mirror.mkdir()
        # Of no use, and that says nothing new of it.
        (mirror / f"{GONE}.mp4").write_bytes(b"half a file")
        assert run.run("--cut", "copy", "--archives", mirror).code == 0
        assert run.failed[GONE]["reason"] == "removed"
        ten = fake_media.Media(duration=10.0, fps=5)
        (mirror / f"{GONE}.mp4").write_bytes(
            fake_media.make(ten, fake_media.PROGRESSIVE, media_folder).read_bytes()
        )
        assert run.run("--cut", "copy", "--archives", mirror).code == 0
        assert set(run.completed) == {GONE, THERE} and run.failed == {}
        assert run.manifest_of(GONE)["archive"] == f"{mirror}:{GONE}.mp4"
        assert len(run.youtube.log) == asked
