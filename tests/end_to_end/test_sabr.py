"""Formats that YouTube gives by SABR alone: what comes instead, and where it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import Transient
from avclips.core.model import Video
from avclips.core.settings import Identity, Settings
from avclips.sources.youtube import YouTube
from tests.standin.fake_youtube import Case, FakeVideo, FakeYouTube, Media
from tests.support.fake_clock import FakeClock
from tests.support.script import QUICK, Ended, Stage, stage

ID = "abc-_DEF123"
VIDEO = Video(ID, f"https://www.youtube.com/watch?v={ID}", ())
MEDIA = Media(duration=6, width=64, height=36, gop_seconds=2)
ALL = (134, 140, 18, "hls-fmp4")
Reader = Callable[..., tuple[YouTube, FakeYouTube]]

# yt-dlp leaves the socket of an answer that it gave up to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")


@pytest.fixture
def reader(tmp_path: Path, media_folder: Path) -> Iterator[Reader]:
    running: list[Any] = []

    def make(cookies: str | None = None, settings: dict[str, Any] | None = None, **video: Any) -> Any:
        site = FakeYouTube(media_folder, {ID: FakeVideo(MEDIA, **video)}).start()
        asked = replace(Settings(tmp_path, rate_limit=None), **(settings or {}))
        youtube = YouTube(asked, FakeClock(), Identity(site.proxy), cookies, {"nocheckcertificate": True})
        running[:0] = [youtube, site]
        return youtube, site

    yield make
    for each in running:
        each.close()


COOKIES = "# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t2147483647\tLOGIN_INFO\tx\n"


@pytest.mark.parametrize(
    ("video", "settings", "format_id", "withheld"),
    [
        ({"sabr": True, "itags": (134, 140, 18)}, {}, "18", "sabr"),
        ({"sabr": True, "itags": (18,)}, {}, "18", ""),
        ({"sabr": True, "itags": ALL}, {}, "18", "sabr"),
        ({"sabr": True, "itags": (134, 140, "hls-fmp4")}, {}, "230+234", "sabr"),
        ({"sabr": True, "itags": (134, 140, 18)}, {"media": "audio"}, "18", "sabr"),
        ({"sabr": True, "itags": (134, 140, 18)}, {"cookies": COOKIES}, "18", "sabr"),
        ({"itags": ALL}, {}, "134+140", ""),
        ({"itags": (18,)}, {}, "18", ""),
    ],
    ids=["18", "has no other", "18 before HLS", "HLS", "sound", "signed in", "all", "18 and no other"],
)
def test_what_is_left(
    reader: Reader, video: dict[str, Any], settings: dict[str, Any], format_id: str, withheld: str
) -> None:
    cookies = settings.get("cookies")
    others = {name: value for name, value in settings.items() if name != "cookies"}
    youtube, _ = reader(cookies, others, **video)
    found = youtube.describe(VIDEO)
    assert (found.format_id, found.withheld) == (format_id, withheld)


@pytest.mark.parametrize(
    ("video", "reason"),
    [
        ({"sabr": True, "itags": (134, 140)}, "sabr"),
        ({"case": "no_formats"}, "formats"),
        ({"case": "no_formats_fit"}, "formats"),
    ],
)
def test_nothing_is_left(reader: Reader, video: dict[str, Any], reason: str) -> None:
    youtube, _ = reader(**video)
    with pytest.raises(Transient) as caught:
        youtube.describe(VIDEO)
    assert caught.value.reason == reason


def test_it_is_known_at_a_second_try(reader: Reader) -> None:
    """yt-dlp says it once of a video; and of another that has all its formats, it is not to be believed."""
    youtube, site = reader(sabr=True)
    assert [youtube.describe(VIDEO).withheld for _ in range(2)] == ["sabr", "sabr"]
    site.videos[ID] = FakeVideo(MEDIA)
    assert youtube.describe(VIDEO).withheld == ""


def test_what_the_web_client_alone_says_is_heard(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """yt-dlp tells of that client's formats only those who look for faults, since it is never given any."""
    youtube, _ = reader(itags=(18,))
    extract = youtube._extract

    def extracted(url: str | None, elsewhere: bool) -> Any:
        youtube._instance().write_debug(
            f"[youtube] {ID}: Some web client https formats have been skipped as they are missing a URL. YouTube "
            "is forcing SABR streaming for this client.",
            only_once=True,
        )
        return extract(url, elsewhere)

    monkeypatch.setattr(youtube, "_extract", extracted)
    assert youtube.describe(VIDEO).withheld == "sabr"


# -- in a run --------------------------------------------------------------------------------------------------

CLIPS = {
    "AVsabr00001_000001": FakeVideo(QUICK, sabr=True),
    "AVsabr00001_000003": FakeVideo(QUICK, sabr=True),
    "AVsabr00002_000001": FakeVideo(QUICK, sabr=True, itags=(134, 140)),
    "AVplain0001_000001": FakeVideo(QUICK),
    "AVprivate01_000001": FakeVideo(QUICK, Case("LOGIN_REQUIRED", "Private video")),
}
WHY = "YouTube has formats that it gives by SABR alone, which yt-dlp cannot read"
HELP = "A newer yt-dlp, other --cookies or none, or a plugin for PO tokens (see yt-dlp's wiki) may bring more."


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[tuple[Stage, Ended]]:
    with stage(tmp_path_factory.mktemp("sabr"), media_folder, CLIPS) as place:
        yield place, place.run("--retry-attempts", "1", scale=600.0)


def test_the_summary_says_it(ran: tuple[Stage, Ended]) -> None:
    _, ended = ran
    lines = [line[9:] for line in ended.out.splitlines()]
    # What stands behind it is the coverage.
    assert lines[-3:-1] == [f"2 of 3 videos offered only format 18, or HLS, here: {WHY}.", HELP]
    assert f"AVsabr00001 came in what was left of its formats: {WHY}. {HELP}" in lines
    assert sum("came in what was left" in line for line in lines) == 1


def test_the_manifest_says_it_of_each_clip(ran: tuple[Stage, Ended]) -> None:
    place, _ = ran
    told = {line["id"]: line.get("withheld") for line in place.manifest if line["status"] == "done"}
    assert told == {"AVsabr00001_000001": "sabr", "AVsabr00001_000003": "sabr", "AVplain0001_000001": None}
    assert place.manifest_of("AVsabr00001_000001")["formats"] == "18"
    assert place.failed["AVsabr00002_000001"]["reason"] == "sabr"
    assert not place.failed["AVsabr00002_000001"]["permanent"]


def test_the_log_says_it_of_each_clip(ran: tuple[Stage, Ended]) -> None:
    place, _ = ran
    assert "done AVsabr00001_000003 (format 18 alone: sabr)" in place.log
    assert "done AVplain0001_000001\n" in place.log


def test_status_says_it(ran: tuple[Stage, Ended]) -> None:
    place, _ = ran
    said = place.run("--status").out.splitlines()
    assert [line for line in said if "SABR" in line or "PO tokens" in line] == [
        f"       1  sabr: {WHY} (another run tries again)",
        f"2 of 3 videos offered only format 18, or HLS, here: {WHY}.",
        HELP,
    ]
