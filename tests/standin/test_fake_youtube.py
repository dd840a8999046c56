"""The stand-in YouTube as the real yt-dlp and plain HTTP clients see it: word for word, byte for byte.

When yt-dlp moves, this file says what moved.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import pytest
import requests
import yt_dlp

from tests.standin import fake_media, fake_player, fake_proxy, fake_youtube
from tests.standin.fake_youtube import (
    ORIGINAL_AND_DUB,
    Case,
    FakeFile,
    FakeVideo,
    FakeYouTube,
    Fault,
    Media,
    Request,
)
from tests.support.ytdlp_logger import Warnings

ID = "abc-_DEF123"
FORMAT = "bv[height<=360][vcodec^=avc1]+ba[ext=m4a]"
MEDIA = Media(duration=20, gop_seconds=2)
CSV = "https://raw.githubusercontent.com/hche11/VGGSound/master/data/vggsound.csv"
Serve = Callable[..., FakeYouTube]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[..., FakeYouTube]]:
    """Starts stand-ins, and holds each to having met no unknown host."""
    running: list[FakeYouTube] = []

    def start(video: FakeVideo | None = None, **more: Any) -> FakeYouTube:
        running.append(FakeYouTube(folder, {ID: video or FakeVideo(MEDIA)}, **more).start())
        return running[-1]

    yield start
    for youtube in running:
        youtube.close()
        assert youtube.unknown == []


def downloader(youtube: FakeYouTube, **params: Any) -> yt_dlp.YoutubeDL:
    given = {"proxy": youtube.proxy, "nocheckcertificate": True, "logger": Warnings(), "format": FORMAT}
    return yt_dlp.YoutubeDL(given | params)


def extract(youtube: FakeYouTube, **params: Any) -> dict[str, Any]:
    with downloader(youtube, **params) as ydl:
        found = ydl.extract_info(f"https://www.youtube.com/watch?v={ID}", download=False)
    return dict(found)


def url_of(youtube: FakeYouTube, itag: int) -> str:
    formats = extract(youtube, format="all")["formats"]
    return str(next(f["url"] for f in formats if f["format_id"] == str(itag)))


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def through(session: requests.Session, youtube: FakeYouTube) -> requests.Session:
    session.proxies = {"http": youtube.proxy, "https": youtube.proxy}
    session.verify = youtube.ca_file
    return session


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
TWELVE = Media(duration=12)


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


# Media over HTTP


@pytest.mark.parametrize(
    ("asked", "status", "cut", "said"),
    [
        (None, 200, slice(None), None),
        ("bytes=0-0", 206, slice(0, 1), "bytes 0-0/{size}"),
        ("bytes=100-299", 206, slice(100, 300), "bytes 100-299/{size}"),
        ("bytes=1000-", 206, slice(1000, None), "bytes 1000-{last}/{size}"),
        ("bytes=1000-99999999", 206, slice(1000, None), "bytes 1000-{last}/{size}"),
        ("bytes=99999999-", 416, slice(0), "bytes */{size}"),
        ("bytes=9-2", 200, slice(None), None),
    ],
)
def test_ranges(
    serve: Serve,
    session: requests.Session,
    asked: str | None,
    status: int,
    cut: slice,
    said: str | None,
) -> None:
    youtube = serve()
    content = youtube.videos[ID].file(youtube.folder, 134).read_bytes()
    got = through(session, youtube).get(url_of(youtube, 134), headers={"Range": asked})
    said = said and said.format(size=len(content), last=len(content) - 1)
    assert (got.status_code, got.headers.get("Content-Range")) == (status, said)
    assert got.content == content[cut]
    logged = youtube.requests("media", ID)[-1]
    assert (logged.itag, logged.status, logged.sent) == (134, status, len(content[cut]))
    if status == 206:
        assert (logged.first, logged.last) == (cut.start, (cut.stop or len(content)) - 1)


def test_head_expiry_and_missing_itag(serve: Serve, session: requests.Session) -> None:
    youtube = serve()
    url = url_of(youtube, 140)
    got = through(session, youtube).head(url)
    size = youtube.videos[ID].file(youtube.folder, 140).stat().st_size
    assert (got.status_code, got.headers["Content-Length"], got.content) == (200, str(size), b"")
    assert got.headers["Content-Type"] == "audio/mp4"
    assert session.get(url.replace("itag=140", "itag=136")).status_code == 404
    youtube.videos[ID] = FakeVideo(MEDIA, expires_in=-1)
    assert session.get(url_of(youtube, 140)).status_code == 403


def test_keep_alive_uses_one_connection_quickly(serve: Serve, session: requests.Session) -> None:
    youtube = serve()
    url = "https://www.youtube.com/youtubei/v1/player"
    through(session, youtube).post(url, json={"videoId": ID})
    took = []
    for _ in range(10):
        start = time.monotonic()
        session.post(url, json={"videoId": ID})
        took.append(time.monotonic() - start)
    # A delayed acknowledgement would cost each of them 40 ms, however busy the machine is.
    assert min(took) < 0.04


def download(youtube: FakeYouTube, folder: Path, format: str = "134", **params: Any) -> None:
    given = {"format": format, "outtmpl": str(folder / "%(id)s.%(ext)s"), "fixup": "never"}
    with downloader(youtube, **given, **params) as ydl:
        ydl.extract_info(f"https://www.youtube.com/watch?v={ID}")


def read(youtube: FakeYouTube, path: Path, first: int, last: int, **params: Any) -> Any:
    """A range read the way the project reads."""
    url = extract(youtube)["requested_formats"][0]["url"]
    fragment = {
        "url": url, "protocol": "https", "ext": "mp4",
        "http_headers": {"Range": f"bytes={first}-{last}"},
    }  # fmt: skip
    with downloader(youtube, **params) as ydl:
        return ydl.dl(str(path), fragment)


BROKEN = [
    (Fault("truncate", after=5000), r"5000 bytes read, 15000 more expected"),
    # Python's ssl may take a reset for an end of file; then it reads as a truncation.
    (Fault("reset", after=5000), r"(5000 bytes read, 15000 more expected|.*Connection reset)"),
    (Fault("stall", after=5000), r".*Read timed out\."),
]


@pytest.mark.parametrize(("fault", "text"), BROKEN, ids=[fault.kind for fault, _ in BROKEN])
def test_broken_media_seen_by_yt_dlp(serve: Serve, tmp_path: Path, fault: Fault, text: str) -> None:
    youtube = serve(FakeVideo(MEDIA, faults=(fault,)))
    with pytest.raises(yt_dlp.utils.DownloadError, match=rf"\[download\] Got error: {text}") as caught:
        read(youtube, tmp_path / "part.mp4", 1000, 20999, socket_timeout=0.5)
    assert caught.value.exc_info is None or caught.value.exc_info[1] is None
    assert [(r.status, r.sent) for r in youtube.requests("media")] == [(206, 5000)]


@pytest.mark.parametrize("status", [403, 429])
def test_refused_media_seen_by_yt_dlp(serve: Serve, tmp_path: Path, status: int) -> None:
    youtube = serve(FakeVideo(MEDIA, faults=(Fault("status", status=status, retry_after=7),)))
    with pytest.raises(yt_dlp.networking.exceptions.HTTPError) as bare:
        read(youtube, tmp_path / "part.mp4", 1000, 20999, retries=3)
    assert (bare.value.status, bare.value.response.headers["Retry-After"]) == (status, "7")
    with pytest.raises(yt_dlp.utils.DownloadError, match=f"video data: HTTP Error {status}") as wrapped:
        download(youtube, tmp_path)
    assert wrapped.value.exc_info[1].status == status
    for error in (bare.value, wrapped.value.exc_info[1]):
        error.close()
    assert len(youtube.requests("media")) == 2


def test_503_is_retried(serve: Serve, tmp_path: Path) -> None:
    youtube = serve(FakeVideo(MEDIA, faults=(Fault("status", status=503, times=2),)))
    assert read(youtube, tmp_path / "part.mp4", 1000, 20999, retries=2)[0]
    assert [r.status for r in youtube.requests("media")] == [503, 503, 206]


def test_faults_strike_as_often_as_asked(serve: Serve, session: requests.Session) -> None:
    faults = (
        Fault("status", itag=140, status=500, times=2),
        Fault("truncate", itag=134, beyond=5000, after=10),
    )
    youtube = serve(FakeVideo(MEDIA, faults=faults))
    sound, pictures = url_of(youtube, 140), url_of(youtube, 134)
    through(session, youtube)
    assert [session.get(sound).status_code for _ in range(3)] == [500, 500, 200]
    assert len(session.get(pictures, headers={"Range": "bytes=0-4999"}).content) == 5000
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="10 bytes read, 5990 more expected"):
        session.get(pictures, headers={"Range": "bytes=0-5999"})


def segment_requests(session: requests.Session, url: str) -> list[requests.Request]:
    """What a playlist of segments has one ask for, but for the head of fMP4."""
    asked: list[requests.Request] = []
    headers: dict[str, str] = {}
    for line in session.get(url).text.splitlines():
        if match := re.fullmatch(r"#EXT-X-BYTERANGE:(\d+)@(\d+)", line):
            headers = {"Range": f"bytes={match[2]}-{int(match[2]) + int(match[1]) - 1}"}
        elif line and line[0] != "#":
            asked.append(requests.Request("GET", line, headers))
    return asked


@pytest.mark.parametrize("name", ["93", "230"])
def test_segments_fail_as_files_do(serve: Serve, session: requests.Session, name: str) -> None:
    """`beyond` counts through all segments: here it lies in the second."""
    faults = (
        Fault("status", itag=140, status=500),
        Fault("status", itag=int(name), status=503, times=1, beyond=400_000),
        Fault("truncate", itag=int(name), times=1, beyond=400_000, after=1000),
    )
    youtube = serve(FakeVideo(TWELVE, itags=("hls-ts", "hls-fmp4"), faults=faults))
    url = extract(youtube, format=name)["url"]
    first, second, third = segment_requests(through(session, youtube), url)
    good = 200 if name == "93" else 206
    assert session.send(session.prepare_request(first)).status_code == good
    assert session.send(session.prepare_request(second)).status_code == 503
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="1000 bytes read"):
        session.send(session.prepare_request(second))
    assert len(session.send(session.prepare_request(second)).content) > 200_000
    assert session.send(session.prepare_request(third)).status_code == good
    assert [r.status for r in youtube.requests("media", ID)] == [good, 503, good, good, good]
    if name == "93":
        assert [r.segment for r in youtube.requests("media", ID)] == [0, 1, 1, 1, 2]


def test_yt_dlp_leaves_out_a_segment_that_it_cannot_get(serve: Serve, tmp_path: Path) -> None:
    """Without a word in the result: the project has to read segments itself."""
    fault = Fault("truncate", itag=93, times=1, beyond=400_000, after=1000)
    video = FakeVideo(TWELVE, itags=("hls-ts",), faults=(fault,))
    youtube = serve(video)
    download(youtube, tmp_path, "93")
    parts = fake_media.segments(video.rendition(youtube.folder, 93))
    assert (tmp_path / f"{ID}.mp4").read_bytes() == parts[0].read_bytes() + parts[2].read_bytes()


def test_segments_that_do_not_exist_and_links_that_end(serve: Serve, session: requests.Session) -> None:
    youtube = serve(FakeVideo(TWELVE, itags=("hls-ts", "hls-fmp4")))
    manifest = extract(youtube, format="93")["manifest_url"]
    playlist = through(session, youtube).get(manifest).text.splitlines()[3]
    text = session.get(playlist)
    assert text.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert text.text.endswith("#EXT-X-ENDLIST\n") and "#EXT-X-PLAYLIST-TYPE:VOD" in text.text
    segment = next(line for line in text.text.splitlines() if line.startswith("https"))
    got = session.get(segment, headers={"Range": "bytes=0-187"})
    assert (got.status_code, len(got.content), got.headers["Content-Type"]) == (206, 188, "video/mp2t")
    assert session.get(segment.replace("sq/0", "sq/3")).status_code == 404
    assert session.get(playlist.replace("itag/93", "itag/94")).status_code == 404
    for url in (manifest, playlist, segment):
        assert session.get(re.sub(r"expire/\d+", "expire/1000", url)).status_code == 403


def test_retries_resume_after_truncation(serve: Serve, tmp_path: Path) -> None:
    youtube = serve(FakeVideo(MEDIA, faults=(Fault("truncate", after=5000, times=1),)))
    path = tmp_path / "part.mp4"
    ok, _ = read(youtube, path, 1000, 20999, retries=2)
    content = youtube.videos[ID].file(youtube.folder, 134).read_bytes()
    assert ok and path.read_bytes() == content[1000:21000]
    whole, rest = youtube.requests("media")
    assert (whole.first, whole.last, rest.last) == (1000, 20999, 20999)
    # Not 6000: yt-dlp throws away the block that broke off, and asks for it again.
    assert rest.first is not None and 1000 < rest.first <= 6000


def test_slow_corrupt_and_ignored_range(serve: Serve, session: requests.Session) -> None:
    slow = Fault("slow", after=1000, rate=20_000, times=1)
    youtube = serve(FakeVideo(MEDIA, faults=(slow, Fault("corrupt", times=1), Fault("ignore_range"))))
    url, some = url_of(youtube, 134), {"Range": "bytes=0-8999"}
    content = youtube.videos[ID].file(youtube.folder, 134).read_bytes()
    start = time.monotonic()
    assert through(session, youtube).get(url, headers=some).content == content[:9000]
    assert time.monotonic() - start > 0.35
    corrupt = session.get(url).content
    flipped = [at for at, (a, b) in enumerate(zip(corrupt, content, strict=True)) if a != b]
    payloads = [range(at + 8, at + size) for kind, at, size in fake_media.boxes(content) if kind == "mdat"]
    assert len(flipped) > len(content) / 1100
    assert all(any(at in payload for payload in payloads) for at in flipped)
    got = session.get(url, headers=some)
    assert (got.status_code, got.content == content) == (200, True)


def test_rate_and_latency(serve: Serve, session: requests.Session) -> None:
    youtube = serve()
    url = url_of(youtube, 134)
    youtube.latency, youtube.rate = 0.1, 100_000
    start = time.monotonic()
    through(session, youtube).get(url, headers={"Range": "bytes=0-39999"})
    assert time.monotonic() - start > 0.45


# Other hosts


def test_files_of_other_hosts(serve: Serve, session: requests.Session) -> None:
    plain = CSV.replace("https", "http")
    faulty = FakeFile(b"x" * 1000, (Fault("status", status=503, times=1), Fault("truncate", after=9, times=1)))
    youtube = serve(files={CSV: b"a,1,b,test\n", plain: b"other\n", CSV + ".gz": faulty})
    through(session, youtube)
    got = session.get(CSV)
    assert (got.content, session.get(plain).content) == (b"a,1,b,test\n", b"other\n")
    assert session.get(CSV, headers={"If-None-Match": got.headers["ETag"]}).status_code == 304
    assert session.get(CSV, headers={"Range": "bytes=2-2"}).content == b"1"
    assert session.get(CSV, headers={"Range": "bytes=2-2", "If-Range": '"old"'}).content == b"a,1,b,test\n"
    assert session.head(CSV).headers["Content-Length"] == "11"
    assert session.get(CSV + ".gz").status_code == 503
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(CSV + ".gz")
    assert session.get(CSV + ".gz").content == b"x" * 1000
    assert session.get(CSV + ".none").status_code == 404
    assert {r.kind for r in youtube.log} == {"file", "other"}


def test_an_unknown_host_is_recorded_and_never_contacted(folder: Path, session: requests.Session) -> None:
    with FakeYouTube(folder) as youtube:
        with pytest.raises(requests.exceptions.ProxyError, match="502"):
            through(session, youtube).get("https://example.org/x")
        assert session.get("http://example.net/y").status_code == 502
        assert youtube.unknown == ["example.org", "example.net"]
        assert [(r.kind, r.host, r.status) for r in youtube.log] == [
            ("other", "example.org", 502), ("other", "example.net", 502)
        ]  # fmt: skip


def test_ports_stand_for_proxies(serve: Serve, session: requests.Session) -> None:
    youtube = serve(ports=2, files={CSV: b"x"})
    through(session, youtube)
    session.proxies = {"https": youtube.proxies[1]}
    session.get(CSV)
    assert youtube.proxies[1].endswith(f":{youtube.log[0].port}") and youtube.proxy != youtube.proxies[1]


def test_close_ends_stalls_and_threads(folder: Path, session: requests.Session) -> None:
    video = FakeVideo(MEDIA, faults=(Fault("stall", after=10),))
    youtube = FakeYouTube(folder, {ID: video}).start()
    url = url_of(youtube, 134)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(through(session, youtube).get, url)
        while not youtube.media_bytes(ID):
            time.sleep(0.01)
        youtube.close()
        assert isinstance(waiting.exception(5), requests.exceptions.RequestException)


# As processes


CHILD = """
import sys, requests, yt_dlp
params = {"quiet": True, "compat_opts": {"no-certifi"}, "proxy": sys.argv[2]}
print(requests.get(sys.argv[1]).text)
url = "https://www.youtube.com/watch?v=" + sys.argv[3]
print(yt_dlp.YoutubeDL(params).extract_info(url, download=False)["title"])
"""


def test_a_child_process_trusts_it(serve: Serve) -> None:
    """With verification on: no option of the child's own turns it off."""
    youtube = serve(FakeVideo(MEDIA, title="seen"), files={CSV: b"row"})
    hostile = {"NO_PROXY": "*", "no_proxy": "github.com", "HTTPS_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, CSV, youtube.proxy, ID],
        env={**os.environ, **hostile, **youtube.environment()},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["row", "seen"], done.stderr
    assert list(dict.fromkeys(r.kind for r in youtube.log)) == ["file", "watch", "player"]


@pytest.mark.parametrize("ending", ["stdin", "SIGTERM"])
def test_as_a_program_of_its_own(tmp_path: Path, session: requests.Session, ending: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text("row")
    ports, log = tmp_path / "ports", tmp_path / "log.jsonl"
    program = [sys.executable, "-m", "tests.standin.fake_youtube"]
    options = {"--folder": tmp_path, "--port-file": ports, "--log": log, "--duration": 1}
    words = [str(word) for pair in options.items() for word in pair]
    with subprocess.Popen(
        [*program, *words, "--file", CSV, str(table)], cwd=Path(__file__).resolve().parents[2], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout and child.stdin
        proxy, authority = child.stdout.readline().strip(), child.stdout.readline().strip()
        assert proxy == f"http://127.0.0.1:{ports.read_text().strip()}"
        session.proxies, session.verify = {"https": proxy}, authority
        assert session.get(CSV).text == "row"
        child.stdin.close() if ending == "stdin" else child.terminate()
        assert child.wait(10) == 0
    assert [json.loads(line)["kind"] for line in log.read_text().splitlines()] == ["file"]


def test_nothing_here_dials_out() -> None:
    """The stand-in listens; the word for connecting does not occur in it."""
    for module in (fake_media, fake_player, fake_proxy, fake_youtube):
        source = Path(str(module.__file__)).read_text()
        assert not any(word in source for word in ("create_connection", ".connect(", "urlopen", "import requests"))
