"""Captions and what is said of a video, by the stand-in YouTube, as the real yt-dlp reads them.

No option asks yt-dlp to write subtitles: it lists them all the same. When yt-dlp moves, this file says what moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yt_dlp
from yt_dlp.networking.exceptions import HTTPError, TransportError

from tests.standin.fake_player import rolling_webvtt, webvtt
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Fault, Media
from tests.support.ytdlp_logger import Warnings

ID = "abc-_DEF123"
MEDIA = Media(duration=2, fps=5)
WRITTEN = webvtt([(0, 2, "Hello."), (2, 3661.5, "Good bye.")])
HEARD = rolling_webvtt([(0.2, 3, "hello there you all"), (3, 5, "and again")])
Serve = Callable[..., FakeYouTube]


@pytest.fixture
def serve(media_folder: Path) -> Iterator[Serve]:
    """Starts stand-ins, and holds each to having met no unknown host."""
    running: list[FakeYouTube] = []

    def start(**more: Any) -> FakeYouTube:
        running.append(FakeYouTube(media_folder, {ID: FakeVideo(MEDIA, **more)}).start())
        return running[-1]

    yield start
    for youtube in running:
        youtube.close()
        assert youtube.unknown == []


def downloader(youtube: FakeYouTube, logger: Warnings | None = None) -> yt_dlp.YoutubeDL:
    given = {"proxy": youtube.proxy, "nocheckcertificate": True, "logger": logger or Warnings(), "retries": 0}
    return yt_dlp.YoutubeDL(given)


def extract(youtube: FakeYouTube, logger: Warnings | None = None) -> dict[str, Any]:
    with downloader(youtube, logger) as ydl:
        return dict(ydl.extract_info(f"https://www.youtube.com/watch?v={ID}", download=False))


def vtt(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return next(entry for entry in entries if entry["ext"] == "vtt")


def asked(entry: dict[str, Any]) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(entry["url"]).query).items()}


def fetch(youtube: FakeYouTube, entry: dict[str, Any], path: Path) -> str:
    """The text, fetched as yt-dlp does it for --write-subs."""
    with downloader(youtube) as ydl:
        ydl.dl(str(path), dict(entry), subtitle=True)
    return path.read_text(encoding="utf-8")


# What is listed


def test_written_and_recognised_captions_are_listed_unasked(serve: Serve) -> None:
    found = extract(serve(captions={"en": WRITTEN, "ja": WRITTEN}, automatic={"en": HEARD}))
    assert list(found["subtitles"]) == ["en", "ja"] and all(map(vtt, found["subtitles"].values()))
    assert {key: vtt(entries)["name"] for key, entries in found["automatic_captions"].items()} == {
        "de": "German", "en-orig": "English (Original)", "en": "English", "fr": "French"
    }  # fmt: skip
    assert found["requested_subtitles"] is None
    entry = vtt(found["subtitles"]["en"])
    assert entry["url"].startswith("https://www.youtube.com/api/timedtext?v=" + ID)


def test_only_the_languages_themselves_are_no_translations(serve: Serve) -> None:
    found = extract(serve(captions={"en": WRITTEN}, automatic={"en": HEARD}))
    written, heard = found["subtitles"], found["automatic_captions"]
    assert "kind" not in asked(vtt(written["en"])) and asked(vtt(written["en"]))["fmt"] == "vtt"
    said = {
        key: (each["kind"], each["lang"], each.get("tlang")) for key in heard for each in [asked(vtt(heard[key]))]
    }
    assert said == {
        "en": ("asr", "en", None), "en-orig": ("asr", "en", None),
        "de": ("asr", "en", "de"), "fr": ("asr", "en", "fr"),
    }  # fmt: skip
    # yt-dlp takes the recognised language for that of the sound.
    assert {f["language"] for f in found["formats"] if f.get("acodec") != "none"} == {"en"}


def test_a_language_that_nothing_is_translated_into(serve: Serve) -> None:
    found = extract(serve(captions={"en-GB": WRITTEN}, automatic={"yue": HEARD}))
    assert list(found["subtitles"]) == ["en-GB"]
    assert list(found["automatic_captions"]) == ["de", "en", "fr", "yue-orig", "yue"]
    assert asked(vtt(found["automatic_captions"]["en"]))["tlang"] == "en"


@pytest.mark.parametrize(
    "video", [{}, {"captions": {"en": WRITTEN}, "caption_token": True}], ids=["none", "a token is wanted"]
)
def test_no_captions_are_empty_and_no_warning(serve: Serve, video: dict[str, Any]) -> None:
    logger = Warnings()
    youtube = serve(**video)
    found = extract(youtube, logger)
    assert (found["subtitles"], found["automatic_captions"]) == ({}, {})
    assert not any("ubtitle" in text or "aption" in text for text in logger.warnings)
    assert youtube.extractions() == 1 and {r.kind for r in youtube.log} == {"watch", "player"}


def test_without_the_page_there_are_no_translations(serve: Serve) -> None:
    """Nor channel, nor date: they stand on the page alone."""
    found = extract(serve(case="page_429", captions={"en": WRITTEN}, automatic={"en": HEARD}))
    assert (list(found["subtitles"]), list(found["automatic_captions"])) == (["en"], ["en-orig", "en"])
    assert (found.get("channel"), found["upload_date"], found["description"]) == (
        None,
        None,
        "About t.\nTwo lines.",
    )


# What is fetched


def test_the_text_comes_as_it_was_given(serve: Serve, tmp_path: Path) -> None:
    youtube = serve(captions={"en": WRITTEN}, automatic={"en": HEARD})
    found = extract(youtube)
    assert fetch(youtube, vtt(found["subtitles"]["en"]), tmp_path / "written") == WRITTEN
    assert fetch(youtube, vtt(found["automatic_captions"]["en-orig"]), tmp_path / "heard") == HEARD
    translated = fetch(youtube, vtt(found["automatic_captions"]["de"]), tmp_path / "translated")
    assert translated.startswith("WEBVTT\nKind: captions\nLanguage: en\n\nNOTE in de\n\n00:00:00.200 --> ")
    assert [(r.kind, r.video, r.language, r.status, r.sent) for r in youtube.requests("caption", ID)] == [
        ("caption", ID, "en", 200, len(WRITTEN)),
        ("caption", ID, "en", 200, len(HEARD)),
        ("caption", ID, "de", 200, len(translated)),
    ]


def test_the_text_is_like_youtubes() -> None:
    head = "WEBVTT\nKind: captions\nLanguage: en\n\n"
    assert head + "00:00:00.000 --> 00:00:02.000\nHello.\n\n" in WRITTEN
    assert "00:00:02.000 --> 01:01:01.500\nGood bye.\n\n" in WRITTEN
    style = "align:start position:0%"
    assert rolling_webvtt([(0, 2, "hello there"), (2, 4, "again")]) == (
        f"{head}00:00:00.000 --> 00:00:01.990 {style}\n \nhello<00:00:00.995><c> there</c>\n\n"
        f"00:00:01.990 --> 00:00:02.000 {style}\nhello there\n \n\n"
        f"00:00:02.000 --> 00:00:03.990 {style}\nhello there\nagain\n\n"
        f"00:00:03.990 --> 00:00:04.000 {style}\nagain\n \n\n"
    )


@pytest.mark.parametrize(
    ("video", "change", "status"),
    [
        ({}, ("fmt=vtt", "fmt=json3"), 404),
        ({}, ("lang=en", "lang=it"), 404),
        ({}, ("lang=en", "lang=en&kind=asr"), 404),
        ({"expires_in": -1}, ("", ""), 403),
        ({"caption_faults": (Fault("status", status=429, retry_after=7),)}, ("", ""), 429),
        ({"caption_faults": (Fault("status", status=404),)}, ("", ""), 404),
    ],
    ids=["another format", "another language", "not recognised", "expired", "429", "404"],
)
def test_refused_captions(serve: Serve, video: dict[str, Any], change: tuple[str, str], status: int) -> None:
    youtube = serve(captions={"en": WRITTEN}, **video)
    url = vtt(extract(youtube)["subtitles"]["en"])["url"].replace(*change)
    with downloader(youtube) as ydl, pytest.raises(HTTPError, match=f"^HTTP Error {status}: ") as caught:
        ydl.urlopen(url)
    assert caught.value.response.headers.get("Retry-After") == ("7" if status == 429 else None)
    caught.value.close()
    assert [r.status for r in youtube.requests("caption")] == [status]


def test_captions_have_faults_of_their_own(serve: Serve, tmp_path: Path) -> None:
    faults = (Fault("status", status=500, times=1), Fault("truncate", after=20, times=1))
    youtube = serve(captions={"en": WRITTEN}, caption_faults=faults, faults=(Fault("status"),))
    entry = vtt(extract(youtube)["subtitles"]["en"])
    with downloader(youtube) as ydl:
        with pytest.raises(HTTPError, match="HTTP Error 500") as caught:
            ydl.urlopen(entry["url"])
        caught.value.close()
        with pytest.raises(TransportError, match="20 bytes read"):
            ydl.urlopen(entry["url"]).read()
    assert fetch(youtube, entry, tmp_path / "text") == WRITTEN
    assert [(r.status, r.sent) for r in youtube.requests("caption")][1:] == [(200, 20), (200, len(WRITTEN))]
    youtube.refuse = lambda request: "429" if request.kind == "caption" else None
    with downloader(youtube) as ydl, pytest.raises(HTTPError, match="HTTP Error 429") as caught:
        ydl.dl(str(tmp_path / "again"), dict(entry), subtitle=True)
    caught.value.close()


def test_a_wanted_token_empties_the_answer(serve: Serve) -> None:
    youtube = serve(captions={"en": WRITTEN})
    url = vtt(extract(youtube)["subtitles"]["en"])["url"]
    youtube.videos[ID] = FakeVideo(MEDIA, captions={"en": WRITTEN}, caption_token=True)
    with downloader(youtube) as ydl:
        assert ydl.urlopen(url).read() == b""


# What is said of a video


def test_what_is_said_of_a_video(serve: Serve) -> None:
    about = {
        "title": "A title",
        "description": "One.\nTwo.",
        "tags": ("a", "b c"),
        "views": 5,
        "channel": "Somebody",
    }
    found = extract(serve(**about))
    assert {key: found[key] for key in ("title", "description", "tags", "view_count", "channel", "uploader")} == {
        "title": "A title", "description": "One.\nTwo.", "tags": ["a", "b c"], "view_count": 5,
        "channel": "Somebody", "uploader": "Somebody",
    }  # fmt: skip
    assert (found["duration"], found["categories"], found["age_limit"]) == (2, ["Music"], 0)
    # Eight in the evening in California is the next day in UTC, which is what yt-dlp counts in.
    assert (found["upload_date"], found["timestamp"]) == ("20150308", 1425787200)
    assert found["channel_url"] == f"https://www.youtube.com/channel/{found['channel_id']}"
    assert found["uploader_url"] == f"https://www.youtube.com/{found['uploader_id']}"


def test_what_is_not_said(serve: Serve) -> None:
    found = extract(serve(description="", tags=(), uploaded=None))
    assert (found["description"], found["tags"], found["upload_date"]) == ("", [], None)
    assert extract(serve(uploaded="2015-03-07"))["upload_date"] == "20150307"
