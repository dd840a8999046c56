"""YouTube's refusals as the installed yt-dlp tells them, and what we make of its words.

YouTube's words are the stand-in's. Those that yt-dlp adds, or says instead, are of whichever version is installed:
none is written down here. Where a version says it in other words, they become a row of test_failures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from avclips.core.errors import Blocked, ClipError, Gone, Restricted, Transient
from avclips.core.model import Video
from avclips.core.settings import Identity, Settings
from avclips.sources.messages import clean
from avclips.sources.youtube import YouTube
from tests.standin.fake_youtube import CASES, Case, FakeVideo, FakeYouTube, Media
from tests.support.fake_clock import FakeClock

ID = "abc-_DEF123"
VIDEO = Video(ID, f"https://www.youtube.com/watch?v={ID}", ())
MEDIA = Media(duration=6, width=64, height=36, gop_seconds=2)
Refuse = Callable[[str | Case], ClipError]

# yt-dlp leaves the socket of an answer that it gave up to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")

BECOMES: dict[str, tuple[type[ClipError], str]] = {
    "private": (Gone, "private"),
    "removed_by_uploader": (Gone, "removed"),
    "removed_terms": (Gone, "removed"),
    "terminated": (Gone, "terminated"),
    "copyright": (Gone, "copyright"),
    "copyright_removal": (Gone, "copyright"),
    "country_copyright": (Gone, "country"),
    "country": (Gone, "country"),
    "age": (Restricted, "age"),
    "members": (Restricted, "members"),
    "members_level": (Restricted, "members"),
    "upcoming": (Transient, "upcoming"),
    "bot_check": (Blocked, "bot_check"),
    "captcha": (Blocked, "bot_check"),
    "rate_limited": (Blocked, "rate_limited"),
    "wrong_video": (Blocked, "wrong_video"),
    "page_and_api_429": (Blocked, "too_many_requests"),
    "api_429": (Blocked, "too_many_requests"),
    "api_503": (Transient, "http"),
    "page_429_unavailable": (Blocked, "too_many_requests"),
    "unavailable": (Gone, "unavailable"),
    "drm": (Gone, "drm"),
    "no_formats_fit": (Transient, "formats"),
    "no_formats": (Transient, "formats"),
}
# YouTube says these in words alone, and can as well say them on a screen of their own.
IN_WORDS = [name for name in BECOMES if CASES[name].reason and not CASES[name].screen]


@pytest.fixture
def refuse(media_folder: Path, tmp_path: Path) -> Iterator[Refuse]:
    """What becomes of a video that shows a case."""
    with FakeYouTube(media_folder) as standin:
        asked_for = {"nocheckcertificate": True}

        def describe(case: str | Case) -> ClipError:
            standin.videos[ID] = FakeVideo(MEDIA, case)
            settings = Settings(tmp_path, rate_limit=None)
            youtube = YouTube(settings, FakeClock(), Identity(standin.proxy), None, asked_for)
            try:
                with pytest.raises(ClipError) as caught:
                    youtube.describe(VIDEO)
            finally:
                youtube.close()
            return caught.value

        yield describe
        assert standin.unknown == []


def test_every_case_has_its_row() -> None:
    with pytest.raises(KeyError):
        FakeVideo(case="bot_cheque")
    assert set(CASES) - set(BECOMES) == {"ok", "page_429"}


@pytest.mark.parametrize("name", BECOMES)
def test_what_a_refusal_becomes(refuse: Refuse, name: str) -> None:
    error, case = refuse(name), CASES[name]
    assert (type(error), error.reason) == BECOMES[name], error
    assert not error.detail.startswith("ERROR")
    # YouTube's words come through: people read them, and search for them.
    for words in (case.subreason or case.reason or "", "" if name == "country" else case.reason or ""):
        assert clean(words) in error.detail


@pytest.mark.parametrize("name", IN_WORDS)
def test_what_a_screen_of_its_own_becomes(refuse: Refuse, name: str) -> None:
    error = refuse(replace(CASES[name], interstitial=True))
    if "page_429" in name or reads_screens(refuse):
        assert (type(error), error.reason) == BECOMES[name], error
    else:
        # Not to be known is no reason to give a video up.
        assert (type(error), error.reason) == (Transient, "formats"), error


def reads_screens(refuse: Refuse) -> bool:
    """Whether the installed yt-dlp reads such a screen; 2026.8.19 does not."""
    return "something quite new" in refuse(Case("ERROR", "something quite new", interstitial=True)).detail
