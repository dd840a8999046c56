"""The day of yt-dlp's next release: it asks clients that nobody has heard of, and one more of them.

The whole of the tests can be run against such a yt-dlp: AVCLIPS_TEST_CLIENTS=next. Here the real script is.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.standin.next_release import next_clients
from tests.support.script import QUICK, Stage, annotation_files

PLAYS, AGED, PRIVATE = "nextplays01_000001", "nextaged001_000001", "nextgone001_000001"
VIDEOS = {
    PLAYS: FakeVideo(QUICK),
    AGED: FakeVideo(QUICK, "age", login_helps=True),
    PRIVATE: FakeVideo(case="private"),
}


class NextRelease(Stage):
    """The script with the yt-dlp of the next release."""

    def environment(self, scale: float = 1.0) -> dict[str, str]:
        return super().environment(scale) | next_clients.variables()


def cookie_file(path: Path) -> Path:
    rows = "".join(f".youtube.com\tTRUE\t/\tTRUE\t4000000000\t{name}\tx\n" for name in ("LOGIN_INFO", "SAPISID"))
    path.write_text("# Netscape HTTP Cookie File\n" + rows)
    return path


@pytest.mark.parametrize("account", [pytest.param(False, marks=pytest.mark.slow), True], ids=["guest", "account"])
def test_clients_that_nobody_has_heard_of(tmp_path: Path, media_folder: Path, account: bool) -> None:
    by_video = {clip[:11]: video for clip, video in VIDEOS.items()}
    options = ["--cookies", str(cookie_file(tmp_path / "cookies.txt"))] if account else []
    with FakeYouTube(media_folder, by_video, files=annotation_files(list(VIDEOS))) as youtube:
        told = NextRelease(youtube, tmp_path)
        assert told.run(*options, "--cut", "copy").code == 0
        assert set(told.completed) == told.published == ({PLAYS, AGED} if account else {PLAYS})
        failed = {clip: entry["reason"] for clip, entry in told.failed.items()}
        assert failed == {PRIVATE: "private"} | ({} if account else {AGED: "age"})
        assert {video: youtube.extractions(video) for video in by_video} == dict.fromkeys(by_video, 1)
        # A head and a stretch of the pictures, and of the sound.
        assert {clip: len(youtube.requests("media", clip[:11])) for clip in told.completed} == dict.fromkeys(
            told.completed, 4
        )
        assert youtube.unknown == []
        endings = {str(request.client).rpartition("_")[2] for request in youtube.requests("player", PLAYS[:11])}
        assert endings >= {"NEXT", "CONSOLE"}


def test_a_wish_that_nobody_understands(monkeypatch: pytest.MonkeyPatch) -> None:
    for wish, understood in (("next", True), ("", False)):
        monkeypatch.setenv(next_clients.SWITCH, wish)
        assert next_clients.asked_for() == understood
    monkeypatch.setenv(next_clients.SWITCH, "netx")
    with pytest.raises(ValueError, match="it can only be 'next'"):
        next_clients.asked_for()
