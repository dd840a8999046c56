"""The stand-in's pages as the real yt-dlp and plain HTTP clients see them: word for word.

When yt-dlp moves, this file and test_fake_youtube_media.py say what moved.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any

import av
import pytest
import requests
import yt_dlp

from tests.standin import fake_media
from tests.standin.client import (
    ID,
    MEDIA,
    TWELVE,
    Serve,
    download,
    downloader,
    extract,
    through,
    url_of,
)
from tests.standin.fake_youtube import (
    ORIGINAL_AND_DUB,
    Case,
    FakeVideo,
    FakeYouTube,
    Media,
    Request,
)
from tests.support.ytdlp_logger import Warnings

# Extraction


def test_an_extraction_gives_134_and_140(serve: Serve) -> None:
    youtube = serve(page_bytes=300_000)
    found = extract(youtube)
    assert [f["format_id"] for f in found["requested_formats"]] == ["134", "140"]
    page, *asked = youtube.log
    assert (page.method, page.kind, page.video, page.status, page.sent) == ("GET", "watch", ID, 200, 300_000)
    # How many clients are asked is yt-dlp's affair.
    assert {(r.method, r.kind, r.video, r.status) for r in asked} == {("POST", "player", ID, 200)}
    assert (found["duration"], youtube.extractions(ID), youtube.media_bytes(ID)) == (20, 1, 0)


@pytest.mark.parametrize("client", ["VISIONOS", "TVHTML5", "WEB_EMBEDDED_PLAYER", "OF_NEXT_YEAR", None])
def test_every_client_but_the_pages_gets_addresses(
    serve: Serve, session: requests.Session, client: str | None
) -> None:
    youtube = serve(FakeVideo(MEDIA, itags=(134, 140, 18, "hls-ts")))
    told = player(through(session, youtube), client)["streamingData"]
    streams = [*told["formats"], *told["adaptiveFormats"]]
    assert [each["itag"] for each in streams] == [18, 134, 140] and "hlsManifestUrl" in told
    assert [session.head(each["url"]).status_code for each in streams] == [200] * 3
    assert youtube.requests("player")[0].client == client


def test_the_pages_client_gets_formats_without_addresses(serve: Serve, session: requests.Session) -> None:
    youtube = serve(FakeVideo(MEDIA, itags=(134, 140, 18, "hls-ts")))
    page = through(session, youtube).get(f"https://www.youtube.com/watch?v={ID}").text
    match = re.search(r"ytInitialPlayerResponse = (\{.*?\});</script>", page)
    assert match
    for told in (player(session, "WEB"), json.loads(match[1])):
        assert set(told["streamingData"]) == {"adaptiveFormats", "serverAbrStreamingUrl", "expiresInSeconds"}
        assert [each["itag"] for each in told["streamingData"]["adaptiveFormats"]] == [134, 140]
        assert not any("url" in each for each in told["streamingData"]["adaptiveFormats"])


def player(session: requests.Session, client: str | None) -> Any:
    """What a client is told of the video; None: one that does not say which it is."""
    context = {"context": {"client": {"clientName": client}}} if client else {}
    url = "https://www.youtube.com/youtubei/v1/player"
    return session.post(url, json={"videoId": ID, **context}).json()


@pytest.mark.parametrize("url", ["https://studio.youtube.com", "https://www.youtube.com/of/next/year"])
def test_every_page_has_a_configuration(serve: Serve, session: requests.Session, url: str) -> None:
    got = through(session, serve()).get(url)
    assert got.status_code == 200 and "ytcfg.set(" in got.text and '"STS": 20500' in got.text


def test_a_bounded_case_ends(serve: Serve) -> None:
    youtube = serve(FakeVideo(MEDIA, "bot_check", case_times=2))
    for _ in range(2):
        with pytest.raises(yt_dlp.utils.DownloadError, match="not a bot"):
            extract(youtube)
    assert extract(youtube)["format_id"] == "134+140"
    assert youtube.extractions(ID) == 3


def test_refuse_blocks_everybody_for_a_while(serve: Serve, session: requests.Session) -> None:
    youtube = serve()
    url = url_of(youtube, 140)
    seen: list[Request] = []

    def refuse(request: Request) -> str | Case | None:
        seen.append(request)
        return "429" if request.kind == "media" else Case("ERROR", "Something quite new")

    youtube.refuse = refuse
    with pytest.raises(yt_dlp.utils.DownloadError, match="Something quite new$"):
        extract(youtube)
    assert through(session, youtube).get(url).status_code == 429
    kinds = [r.kind for r in seen]
    assert (kinds[0], kinds[-1], set(kinds[1:-1])) == ("watch", "media", {"player"})
    youtube.refuse = lambda request: None
    assert extract(youtube)["format_id"] == "134+140"


def test_an_unknown_video_is_unavailable_and_default_answers_for_all(folder: Path) -> None:
    with FakeYouTube(folder) as youtube, pytest.raises(yt_dlp.utils.DownloadError, match="unavailable$"):
        extract(youtube)
    with FakeYouTube(folder, default=FakeVideo(MEDIA)) as youtube:
        assert extract(youtube)["id"] == ID


def test_a_login_helps_where_it_should(serve: Serve, tmp_path: Path) -> None:
    cookies = tmp_path / "cookies.txt"
    lines = [f".youtube.com\tTRUE\t/\tTRUE\t4000000000\t{name}\tx\n" for name in ("LOGIN_INFO", "SAPISID")]
    cookies.write_text("# Netscape HTTP Cookie File\n" + "".join(lines))
    youtube = serve(FakeVideo(MEDIA, "age", login_helps=True))
    with pytest.raises(yt_dlp.utils.DownloadError, match="confirm your age"):
        extract(youtube)
    assert extract(youtube, cookiefile=str(cookies))["format_id"] == "134+140"
    youtube.videos[ID] = FakeVideo(MEDIA, "rate_limited")
    with pytest.raises(yt_dlp.utils.DownloadError, match="Your account has been rate-limited"):
        extract(youtube, cookiefile=str(cookies))


# Formats


def test_portrait_streams_say_their_real_shape(serve: Serve) -> None:
    media = Media(duration=1, width=360, height=640)
    youtube = serve(FakeVideo(media, itags=(133, 134, 135, 136, 140)))
    shapes = {f["format_id"]: (f.get("width"), f.get("height")) for f in extract(youtube, format="all")["formats"]}
    assert shapes == {
        "133": (240, 426), "134": (360, 640), "135": (480, 854), "136": (720, 1280), "140": (None, None)
    }  # fmt: skip
    with av.open(str(fake_media.make(media, 134, youtube.folder))) as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == (360, 640)


def test_dubs_and_compressed_sound_are_told_apart(serve: Serve, session: requests.Session) -> None:
    youtube = serve(FakeVideo(Media(duration=1), itags=(134, 140), audio_tracks=ORIGINAL_AND_DUB, drc=True))
    sounds = [f for f in extract(youtube, format="all")["formats"] if f["vcodec"] == "none"]
    told = {(f["format_id"], f["language"], f["language_preference"]) for f in sounds}
    assert told == {("140-0", "de", -1), ("140-1", "en", 10), ("140-drc", "en", 10)}
    content = {hashlib.sha256(through(session, youtube).get(f["url"]).content).digest() for f in sounds}
    assert len(content) == 3
    chosen = extract(youtube)["requested_formats"][1]
    assert (chosen["language"], "sound=" in chosen["url"]) == ("en", False)


def test_webm_on_demand_and_silence(serve: Serve, folder: Path) -> None:
    youtube = serve(FakeVideo(Media(duration=2, audio=False), itags=(134, 140, 18, 243)))
    found = {f["format_id"] for f in extract(youtube, format="all")["formats"]}
    assert found == {"134", "18", "243"}
    for itag, codec in ((243, "vp9"), (251, "opus")):
        with av.open(str(fake_media.make(Media(duration=2), itag, folder))) as file:
            assert file.streams[0].codec_context.codec.canonical_name == codec


LISTED = {
    "243": ("https", "webm", "webm_dash", "vp9", "none"),
    "251": ("https", "webm", "webm_dash", "none", "opus"),
    "93": ("m3u8_native", "mp4", None, "avc1.4d401e", "mp4a.40.2"),
    "230": ("m3u8_native", "mp4", None, "avc1.4d401e", "none"),
    "234": ("m3u8_native", "mp4", None, "none", None),
}
"""What yt-dlp says of each: protocol, ext, container, vcodec, acodec."""


@pytest.mark.parametrize("name", LISTED)
def test_webm_and_hls_are_listed_and_downloaded_whole(serve: Serve, tmp_path: Path, name: str) -> None:
    youtube = serve(FakeVideo(TWELVE, itags=(134, 140, 243, 251, "hls-ts", "hls-fmp4")))
    path = tmp_path / name
    with downloader(youtube, format=name, outtmpl=str(path), fixup="never") as ydl:
        found = ydl.extract_info(f"https://www.youtube.com/watch?v={ID}")
    keys = ("protocol", "ext", "container", "vcodec", "acodec")
    listed = {f["format_id"]: tuple(f.get(key) for key in keys) for f in found["formats"]}
    assert {each: listed.get(each) for each in LISTED} == LISTED
    format = next(f for f in found["formats"] if f["format_id"] == name)
    hls = format["protocol"] == "m3u8_native"
    assert ("fragments" in format, "filesize" in format, "manifest_url" in format) == (False, not hls, hls)
    assert format.get("height") == (None if name in ("234", "251") else 360)
    video = youtube.videos[ID]
    if hls:
        parts = fake_media.segments(video.rendition(youtube.folder, int(name)))
    else:
        parts = [video.file(youtube.folder, int(name))]
    assert path.read_bytes() == b"".join(part.read_bytes() for part in parts)
    # The first playlist is asked for once for every client that names it.
    assert {r.itag for r in youtube.requests("playlist", ID)} == ({None, int(name)} if hls else {None})
    assert [r.itag for r in youtube.requests("playlist", ID)].count(int(name)) == hls
    assert youtube.media_bytes(ID) == path.stat().st_size


def test_the_log_tells_segments_from_playlists(serve: Serve, tmp_path: Path) -> None:
    youtube = serve(FakeVideo(TWELVE, itags=("hls-ts", "hls-fmp4")))
    for itag in (93, 230):
        download(youtube, tmp_path / str(itag), str(itag))
    before, ranges = youtube.requests("media", ID)[:3], youtube.requests("media", ID)[3:]
    sizes = [path.stat().st_size for path in fake_media.segments(youtube.videos[ID].rendition(youtube.folder, 93))]
    assert [(r.itag, r.segment, r.status, r.first, r.sent) for r in before] == [
        (93, number, 200, None, size) for number, size in enumerate(sizes)
    ]
    assert [(r.itag, r.segment, r.status) for r in ranges] == [(230, None, 206)] * 4
    assert all(r.first is not None and r.last is not None and r.sent == r.last - r.first + 1 for r in ranges)
    assert [r.first for r in ranges] == [0, *[(r.last or 0) + 1 for r in ranges[:-1]]]
    assert len({r.path for r in ranges}) == 1
    until = youtube.log.index(before[0])
    asked = dict.fromkeys((r.kind, r.itag) for r in youtube.log[:until])
    assert list(asked) == [("watch", None), ("player", None), ("playlist", None), ("playlist", 93)]


def test_a_player_says_where_head_and_index_are(serve: Serve, session: requests.Session) -> None:
    youtube = serve(FakeVideo(TWELVE, itags=(134, 140, 18, 243, 251)))
    url = "https://www.youtube.com/youtubei/v1/player"
    told = through(session, youtube).post(url, json={"videoId": ID}).json()["streamingData"]
    assert "indexRange" not in told["formats"][0] and "hlsManifestUrl" not in told
    for stream in told["adaptiveFormats"]:
        content = session.get(stream["url"]).content
        head, index = stream["initRange"], stream["indexRange"]
        assert (head["start"], int(head["end"]) + 1) == ("0", int(index["start"]))
        first = content[int(index["start"]) :]
        assert first[:4] == b"\x1c\x53\xbb\x6b" or first[4:8] == b"sidx"
        after = content[int(index["end"]) + 1 :]
        assert after[:4] == b"\x1f\x43\xb6\x75" or after[4:8] == b"moof"
        assert (stream["contentLength"], stream["approxDurationMs"]) == (str(len(content)), "12000")
    assert told["adaptiveFormats"][3]["audioSampleRate"] == "48000"


def test_languages_of_hls(serve: Serve) -> None:
    youtube = serve(FakeVideo(TWELVE, itags=(134, 140, "hls-ts", "hls-fmp4"), audio_tracks=ORIGINAL_AND_DUB))
    formats = extract(youtube, format="all")["formats"]
    told = {
        (f["format_id"], f.get("language"), f.get("language_preference")) for f in formats if "-" in f["format_id"]
    }
    assert told == {
        ("140-0", "de", -1), ("140-1", "en", 10), ("93-0", "de", None), ("93-1", "en", 10),
        ("234-0", "de", None), ("234-1", "en", 10),
    }  # fmt: skip
    assert all(("sound/1" in f["url"]) == (f["language"] == "de") for f in formats if f["format_id"][:3] == "93-")


def test_silence_of_hls(serve: Serve) -> None:
    youtube = serve(FakeVideo(Media(duration=2, audio=False), itags=("hls-ts", "hls-fmp4")))
    told = {(f["format_id"], f["vcodec"], f["acodec"]) for f in extract(youtube, format="all")["formats"]}
    assert told == {("93", "avc1.4d401e", "none"), ("230", "avc1.4d401e", "none")}
    with pytest.raises(KeyError):
        FakeVideo(itags=(134, "hls-webm"))


def test_a_refused_playlist_leaves_the_other_formats(serve: Serve) -> None:
    youtube = serve(FakeVideo(MEDIA, itags=(134, 140, "hls-ts")))
    youtube.refuse = lambda request: "429" if request.kind == "playlist" else None
    logger = Warnings()
    assert len(extract(youtube, format="all", logger=logger)["formats"]) == 2
    # Once for every client that names it.
    assert {text.partition(": ")[2] for text in logger.warnings} == {
        "Failed to download m3u8 information: HTTP Error 429: Too Many Requests"
    }
    assert {r.status for r in youtube.requests("playlist", ID)} == {429}


def test_an_advertisement_delays_the_streams(serve: Serve) -> None:
    youtube = serve(FakeVideo(MEDIA, ad_seconds=7))
    before = time.time()
    available = extract(youtube)["requested_formats"][0]["available_at"]
    assert before + 6 < available < time.time() + 8
