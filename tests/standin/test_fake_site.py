"""The stand-in site as the real yt-dlp sees it: how each shape of a manifest is described, and every refusal.

When yt-dlp moves, this file says what moved.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest
import yt_dlp
from yt_dlp.networking import Request
from yt_dlp.networking.exceptions import HTTPError

from tests.standin import fake_media, fake_site
from tests.standin.fake_site import SHAPES, FakeSite, Fault, Media, Shape, SiteVideo
from tests.standin.fake_youtube import FakeYouTube
from tests.support.ytdlp_logger import Warnings

DASH: tuple[Shape, ...] = ("template", "number", "list", "ranges", "base")
Serve = Callable[..., tuple[FakeSite, yt_dlp.YoutubeDL]]


@pytest.fixture
def serve(media_folder: Path) -> Iterator[Serve]:
    """Starts sites with one page, "v", each with a yt-dlp that asks them; no unknown host may be met."""
    running: list[tuple[FakeYouTube, yt_dlp.YoutubeDL]] = []

    def start(video: SiteVideo | None = None, **params: Any) -> tuple[FakeSite, yt_dlp.YoutubeDL]:
        site = FakeSite(media_folder, {"v": video or SiteVideo()})
        youtube = FakeYouTube(media_folder, sites=[site]).start()
        given = {"proxy": youtube.proxy, "nocheckcertificate": True, "logger": Warnings(), "format": "all"}
        running.append((youtube, yt_dlp.YoutubeDL(given | {"extractor_retries": 0, "noplaylist": True} | params)))
        return site, running[-1][1]

    yield start
    for youtube, ydl in running:
        ydl.close()
        youtube.close()
        assert youtube.unknown == []


def described(site: FakeSite, ydl: yt_dlp.YoutubeDL) -> dict[str, Any]:
    return dict(ydl.extract_info(site.url("v"), download=False))


def formats(serve: Serve, video: SiteVideo) -> list[dict[str, Any]]:
    """The formats of a page as yt-dlp lists them, pictures first."""
    found = described(*serve(video))["formats"]
    return sorted(found, key=lambda f: str(f["format_id"]))


def get(ydl: yt_dlp.YoutubeDL, name: str, span: tuple[int, int] | None = None) -> tuple[int, bytes]:
    """Status and content of a file of the page "v"."""
    headers = {"Range": f"bytes={span[0]}-{span[1]}"} if span else {}
    try:
        with ydl.urlopen(Request(f"https://media.example.org/v/{name}", headers=headers)) as response:
            return response.status, response.read()
    except HTTPError as error:
        error.close()
        return error.status, b""


# What yt-dlp makes of a manifest


@pytest.mark.parametrize("shape", DASH)
def test_dash_is_a_picture_and_a_sound(serve: Serve, shape: Shape) -> None:
    pictures, sound = formats(serve, SiteVideo(shape))
    keys = ("format_id", "ext", "vcodec", "acodec", "width", "height", "asr", "fps", "filesize", "container")
    assert [tuple(f[key] for key in keys) for f in (pictures, sound)] == [
        ("0", "mp4", "avc1.4d401e", "none", 640, 360, None, None, None, "mp4_dash"),
        ("1", "m4a", "none", "mp4a.40.2", None, None, 44100, None, None, "m4a_dash"),
    ]
    for f in (pictures, sound):
        assert f["manifest_url"] == "https://media.example.org/v/manifest.mpd"
        assert f["http_headers"]["Referer"] == "https://media.example.org/watch/v"


FRAGMENTS: dict[Shape, list[tuple[str, float | None]]] = {
    "template": [("init-0.mp4", None), ("0-1.m4s", 4), ("0-2.m4s", 4), ("0-3.m4s", 4), ("0-4.m4s", 2)],
    "number": [("init-0.mp4", None), ("0-1.m4s", 4), ("0-2.m4s", 4), ("0-3.m4s", 4), ("0-4.m4s", 4)],
    "list": [("init-0.mp4", None), ("0-1.m4s", 4), ("0-2.m4s", 4), ("0-3.m4s", 4), ("0-4.m4s", 4)],
    "ranges": [("0.mp4", None), ("0.mp4", 4), ("0.mp4", 4), ("0.mp4", 4), ("0.mp4", 4)],
}
"""Path and duration of each: only a timeline tells how short the last one is, and of ranges nothing is left."""


@pytest.mark.parametrize("shape", FRAGMENTS)
def test_fragments(serve: Serve, shape: Shape) -> None:
    pictures, sound = formats(serve, SiteVideo(shape))
    assert [(f["path"], f.get("duration")) for f in pictures["fragments"]] == FRAGMENTS[shape]
    assert {key for f in pictures["fragments"] for key in f} == {"path", "duration"}
    assert (pictures["protocol"], pictures["url"]) == ("http_dash_segments", pictures["manifest_url"])
    assert pictures["fragment_base_url"] == "https://media.example.org/v/"
    exact = [f["duration"] for f in sound["fragments"][1:]]
    # ffmpeg 9 ends the last packet where the sound ends, older ones where the packet does.
    assert exact == pytest.approx([3.924, 4.017, 3.994, 2.089] if shape == "template" else [4, 4, 4, 4], abs=0.002)


def test_a_segment_base_is_one_file(serve: Serve) -> None:
    """Of the indexRange, yt-dlp says nothing."""
    pictures, sound = formats(serve, SiteVideo("base"))
    assert [f["url"] for f in (pictures, sound)] == [f"https://media.example.org/v/{n}.mp4" for n in (0, 1)]
    assert all(f["protocol"] == "https" and "fragments" not in f for f in (pictures, sound))


def test_what_a_page_says(serve: Serve) -> None:
    video = SiteVideo(title="One & two", description="Three", captions={"en": "WEBVTT\n\n"})
    site, ydl = serve(video)
    found = described(site, ydl)
    assert (found["id"], found["title"], found["description"]) == ("v-1", "One & two (1)", "Three")
    assert (found["extractor"], found["extractor_key"]) == ("html5", "HTML5MediaEmbed")
    assert (found.get("duration"), found.get("_type"), found["webpage_url"]) == (None, None, site.url("v"))
    assert found["subtitles"] == {"en": [{"url": "https://media.example.org/v/en.vtt", "ext": "vtt"}]}
    assert get(ydl, "en.vtt") == (200, b"WEBVTT\n\n")
    assert [(r.kind, r.name, r.status) for r in site.log] == [
        ("page", "v", 200), ("manifest", "v", 200), ("caption", "v", 200)
    ]  # fmt: skip
    assert ydl.params["logger"].warnings == ["[generic] Falling back on generic information extractor"]


def test_of_a_plain_file_nothing_is_known(serve: Serve) -> None:
    (found,) = formats(serve, SiteVideo("file"))
    assert (found["url"], found["protocol"], found["ext"]) == (
        "https://media.example.org/v/video.mp4",
        "https",
        "mp4",
    )
    keys = ("vcodec", "acodec", "width", "height", "filesize", "fragments")
    assert [found.get(key) for key in keys] == [None] * 6
    assert "acodec" not in found


HLS = {
    "hls": ("hls-615", "avc1.4d401e", "mp4a.40.2", 640, 360, "https://media.example.org/v/master.m3u8"),
    "bare_hls": ("hls", None, None, None, None, None),
}


@pytest.mark.parametrize("shape", HLS)
def test_hls(serve: Serve, shape: Shape) -> None:
    (found,) = formats(serve, SiteVideo(shape))
    keys = ("format_id", "vcodec", "acodec", "width", "height", "manifest_url")
    assert tuple(found.get(key) for key in keys) == HLS[shape]
    assert (found["protocol"], found["url"]) == ("m3u8_native", "https://media.example.org/v/index.m3u8")
    assert "fragments" not in found


def test_two_videos_are_a_playlist_in_spite_of_noplaylist(serve: Serve) -> None:
    site, ydl = serve(SiteVideo("two"))
    found = described(site, ydl)
    assert (found["_type"], found["playlist_count"], found["id"], found["title"]) == (
        "playlist", 2, "v", "A page of clips"
    )  # fmt: skip
    assert [(each["id"], each["title"], each["url"]) for each in found["entries"]] == [
        ("v-1", "A page of clips (1)", "https://media.example.org/v/video.mp4"),
        ("v-2", "A page of clips (2)", "https://media.example.org/v/second.mp4"),
    ]
    assert "formats" not in found
    first, second = (site.videos["v"].parts(site.folder, n)[0] for n in (0, 1))
    assert first.read_bytes() != second.read_bytes()


def test_every_shape_is_seen_here() -> None:
    with pytest.raises(KeyError):
        SiteVideo("templates")  # type: ignore[arg-type]
    assert set(SHAPES) == {*DASH, *HLS, "file", "two", "none", "bare_ranges"}


@pytest.mark.parametrize(
    ("video", "pictures", "sound"),
    [
        (SiteVideo(media=Media(duration=2, audio=False)), 1, 0),
        (SiteVideo(media=Media(duration=2, video=False)), 0, 1),
        (SiteVideo(media=Media(duration=2), itags=(133, 134, 140)), 2, 1),
    ],
    ids=["silent", "sound alone", "two sizes"],
)
def test_other_sets_of_streams(serve: Serve, video: SiteVideo, pictures: int, sound: int) -> None:
    found = formats(serve, video)
    assert [f["vcodec"] != "none" for f in found] == [True] * pictures + [False] * sound


# Refusals, word for word

REFUSALS: dict[str, tuple[SiteVideo | None, str, str]] = {
    "no such page": (
        None, "HTTPError", "[generic] v: Unable to download webpage: HTTP Error 404: Not Found "
        "(caused by <HTTPError 404: Not Found>)",
    ),
    "403": (
        SiteVideo(page_status=403), "HTTPError", "[generic] v: Unable to download webpage: HTTP Error 403: "
        "Forbidden (caused by <HTTPError 403: Forbidden>)",
    ),
    "503": (
        SiteVideo(page_status=503), "HTTPError", "[generic] v: Unable to download webpage: HTTP Error 503: "
        "Service Unavailable (caused by <HTTPError 503: Service Unavailable>)",
    ),
    "no video": (SiteVideo("none"), "UnsupportedError", "Unsupported URL: https://media.example.org/watch/v"),
    "no manifest": (
        SiteVideo(manifest_status=503), "UnsupportedError", "Unsupported URL: https://media.example.org/watch/v"
    ),
    "no playlist": (
        SiteVideo("hls", manifest_status=429), "UnsupportedError",
        "Unsupported URL: https://media.example.org/watch/v",
    ),
    "ranges without a name": (
        SiteVideo("bare_ranges"), "KeyError", "An extractor error has occurred. "
        "(caused by KeyError('sourceURL')); please report this issue on ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_word_for_word(serve: Serve, name: str) -> None:
    video, cause, text = REFUSALS[name]
    site, ydl = serve(video)
    if video is None:
        del site.videos["v"]
    with pytest.raises(yt_dlp.utils.DownloadError) as caught:
        described(site, ydl)
    assert caught.value.msg.startswith(f"ERROR: {text}")
    error = caught.value.exc_info[1]
    assert type(error).__name__ == cause
    if cause == "HTTPError":
        error.close()


@pytest.mark.parametrize(
    ("shape", "kind"), [("template", "MPD manifest"), ("hls", "m3u8 information")], ids=["DASH", "HLS"]
)
def test_that_a_manifest_was_refused_is_only_in_the_warnings(serve: Serve, shape: Shape, kind: str) -> None:
    site, ydl = serve(SiteVideo(shape, manifest_status=503))
    with pytest.raises(yt_dlp.utils.DownloadError, match="Unsupported URL"):
        described(site, ydl)
    assert ydl.params["logger"].warnings[1:] == [
        f"[html5] v: Failed to download {kind}: HTTP Error 503: Service Unavailable"
    ]


def test_refuse_is_asked_at_every_request(serve: Serve) -> None:
    site, ydl = serve()
    site.refuse = lambda request: 429 if request.kind == "page" else None
    with pytest.raises(yt_dlp.utils.DownloadError, match="HTTP Error 429: Too Many Requests") as caught:
        described(site, ydl)
    caught.value.exc_info[1].close()
    assert [(r.kind, r.status) for r in site.log] == [("page", 429)]


# Media


def test_segments_are_logged_one_by_one(serve: Serve, tmp_path: Path) -> None:
    video = SiteVideo()
    site, ydl = serve(video, format="0", outtmpl=str(tmp_path / "v"), fixup="never")
    ydl.extract_info(site.url("v"))
    parts = video.parts(site.folder)
    assert [path.name for path in parts] == [path for path, _ in FRAGMENTS["template"]]
    assert (tmp_path / "v").read_bytes() == b"".join(path.read_bytes() for path in parts)
    assert [(r.kind, r.itag, r.segment, r.status, r.sent) for r in site.log[2:]] == [
        ("init" if n == 0 else "segment", 134, n - 1 if n else None, 200, path.stat().st_size)
        for n, path in enumerate(parts)
    ]
    assert {r.referer for r in site.log[2:]} == {site.url("v")}
    assert site.media_bytes("v") == (tmp_path / "v").stat().st_size


def test_yt_dlp_takes_a_file_of_ranges_whole_for_each_range(serve: Serve, tmp_path: Path) -> None:
    video = SiteVideo("ranges")
    site, ydl = serve(video, format="1", outtmpl=str(tmp_path / "v"), fixup="never")
    ydl.extract_info(site.url("v"))
    (path,) = video.parts(site.folder, 1)
    assert (tmp_path / "v").read_bytes() == path.read_bytes() * 5
    assert [(r.kind, r.itag, r.first, r.sent) for r in site.log[2:]] == [
        ("file", 140, None, path.stat().st_size)
    ] * 5


def packets(content: bytes) -> list[tuple[int, int, bytes]]:
    """Time of showing, of decoding, and the bytes of each packet, in units of the stream."""
    with av.open(io.BytesIO(content)) as file:
        found = [packet for packet in file.demux(file.streams[0]) if packet.size]
        return [(packet.pts or 0, packet.dts or 0, bytes(packet)) for packet in found]


@pytest.mark.parametrize("stream", [0, 1])
@pytest.mark.parametrize("shape", DASH)
def test_segments_are_what_the_streams_were(media_folder: Path, shape: Shape, stream: int) -> None:
    """Pictures with B frames begin two pictures late in YouTube's files, and at zero here: by an edit list."""
    video = SiteVideo(shape)
    found = packets(b"".join(path.read_bytes() for path in video.parts(media_folder, stream)))
    source = fake_media.make(video.media, video.streams()[stream], media_folder).read_bytes()
    late = 0 if stream else 1024
    assert found == [(pts - late, dts - late, content) for pts, dts, content in packets(source)]
    assert stream or any(pts != dts + late for pts, dts, _ in found)


@pytest.mark.parametrize("stream", [0, 1])
def test_a_head_and_any_segment_can_be_read(media_folder: Path, stream: int) -> None:
    head, *segments = SiteVideo().parts(media_folder, stream)
    begins = [packets(head.read_bytes() + path.read_bytes())[0][0] for path in segments]
    assert begins == ([0, 173056, 350208, 526336] if stream else [0, 51200, 102400, 153600])
    kinds = [kind for kind, _, _ in fake_media.boxes(segments[1].read_bytes())]
    assert kinds == ["styp", "sidx", "moof", "mdat"]


@pytest.mark.parametrize("shape", ["ranges", "bare_ranges"])
def test_ranges_are_those_of_the_file(serve: Serve, shape: Shape) -> None:
    site, ydl = serve(SiteVideo(shape))
    manifest = get(ydl, "manifest.mpd")[1].decode()
    said = re.findall(r'(?:ediaRange|Initialization.*? range)="(\d+)-(\d+)"', manifest)
    spans = [(int(first), int(last)) for first, last in said[: len(said) // 2]]
    assert ('media="0.mp4"' in manifest) == (shape == "ranges")
    got = [get(ydl, "0.mp4", span) for span in spans]
    assert [(r.first, r.last) for r in site.requests("file")] == spans
    assert b"".join(content for _, content in got) == site.videos["v"].parts(site.folder)[0].read_bytes()
    assert all(status == 206 and content[4:8] in (b"ftyp", b"sidx") for status, content in got)


def test_an_index_range_holds_the_index(serve: Serve) -> None:
    site, ydl = serve(SiteVideo("base"))
    manifest = get(ydl, "manifest.mpd")[1].decode()
    spans = re.findall(r'indexRange="(\d+)-(\d+)".*?range="0-(\d+)"', manifest)
    for stream, (first, last, head) in enumerate(spans):
        content = site.videos["v"].parts(site.folder, stream)[0].read_bytes()
        kinds = [(kind, at) for kind, at, _ in fake_media.boxes(content)]
        assert kinds[2:4] == [("sidx", int(first)), ("moof", int(last) + 1)] and int(head) + 1 == int(first)


def test_plain_files_answer_ranges(serve: Serve) -> None:
    site, ydl = serve(SiteVideo("file"))
    content = site.videos["v"].parts(site.folder)[0].read_bytes()
    assert get(ydl, "video.mp4", (100, 299)) == (206, content[100:300])
    assert [(r.kind, r.first, r.last, r.status) for r in site.log] == [("file", 100, 299, 206)]
    assert [kind for kind, _, _ in fake_media.boxes(content)][:2] == ["ftyp", "moov"]


def test_hls_segments_are_numbered(serve: Serve, tmp_path: Path) -> None:
    video = SiteVideo("hls")
    site, ydl = serve(video, outtmpl=str(tmp_path / "v"), fixup="never")
    ydl.extract_info(site.url("v"))
    parts = video.parts(site.folder)
    assert (tmp_path / "v").read_bytes() == b"".join(path.read_bytes() for path in parts)
    assert [r.segment for r in site.requests("segment")] == list(range(len(parts)))


def test_faults_count_through_head_and_segments(serve: Serve) -> None:
    video = SiteVideo(faults=(Fault("status", itag=134, status=503, times=1, beyond=300_000),))
    site, ydl = serve(video)
    names = ["init-0.mp4", "1-4.m4s", "0-1.m4s", "0-2.m4s", "0-2.m4s", "0-5.m4s", "9.mp4", "x"]
    told = [get(ydl, name)[0] for name in names]
    assert told == [200, 200, 200, 503, 200, 404, 404, 404]
    assert [(r.itag, r.segment) for r in site.log][:4] == [(134, None), (140, 3), (134, 0), (134, 1)]


def test_nothing_here_dials_out() -> None:
    source = Path(str(fake_site.__file__)).read_text()
    assert not any(word in source for word in ("create_connection", ".connect(", "urlopen", "import requests"))
