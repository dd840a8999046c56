"""yt-dlp at our seam, against the stand-in: what it finds, the bytes that are read, the errors that come out."""

from __future__ import annotations

import errno
import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from avclips.core.clock import Clock
from avclips.core.errors import Blocked, ClipError, Gone, Stopped, Transient, UsageError
from avclips.core.model import Video
from avclips.core.settings import Identity, Settings
from avclips.sources.cookies import load_cookies, who
from avclips.sources.pages import leads_to_youtube
from avclips.sources.youtube import NoRanges, Stream, YouTube
from tests.standin.fake_youtube import ORIGINAL_AND_DUB, FakeVideo, FakeYouTube, Fault, Media
from tests.support.fake_clock import FakeClock

ID = "abc-_DEF123"
VIDEO = Video(ID, f"https://www.youtube.com/watch?v={ID}", ())
MEDIA = Media(duration=6, width=64, height=36, gop_seconds=2)
Serve = Callable[..., FakeYouTube]
Reader = Callable[..., YouTube]

# yt-dlp leaves the socket of an answer that it gave up to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")


# Through the stand-in


@pytest.fixture(scope="module", autouse=True)
def left_sockets() -> Iterator[None]:
    """They are collected before another file's tests, to which an unclosed one is an error."""
    yield
    gc.collect()


@pytest.fixture
def serve(media_folder: Path) -> Iterator[Serve]:
    running: list[FakeYouTube] = []

    def start(*faults: Fault, **video: Any) -> FakeYouTube:
        made = FakeVideo(**{"media": MEDIA, "faults": faults, **video})
        running.append(FakeYouTube(media_folder, {ID: made}).start())
        return running[-1]

    yield start
    for youtube in running:
        youtube.close()
        assert youtube.unknown == []


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    running: list[YouTube] = []

    def make(site: FakeYouTube, cookies: str | None = None, clock: Clock | None = None, **more: Any) -> YouTube:
        settings = replace(Settings(tmp_path, rate_limit=None), **more)
        asked_for = {"nocheckcertificate": True}
        running.append(YouTube(settings, clock or FakeClock(), Identity(site.proxy), cookies, asked_for))
        return running[-1]

    yield make
    for each in running:
        each.close()


def test_warnings_of_the_video_before_say_nothing(serve: Serve, reader: Reader) -> None:
    site = serve(case="api_429")
    youtube = reader(site)
    for kind in (Blocked, Transient):
        with pytest.raises(kind):
            youtube.describe(VIDEO)
        site.videos[ID] = FakeVideo(MEDIA, "no_formats")


def test_a_vague_answer_while_we_are_refused(serve: Serve, reader: Reader) -> None:
    with pytest.raises(Transient) as caught:
        reader(serve(case="unavailable")).describe(VIDEO, suspected=True)
    assert caught.value.reason == "unavailable"


@pytest.mark.parametrize(
    ("video", "settings", "format_id", "sounds"),
    [
        ({}, {}, "134+140", "140"),
        ({"itags": (18,)}, {}, "18", "18"),
        ({"itags": (133, 140)}, {"quality": 720}, "133+140", "140"),
        ({"media": Media(1, 36, 64), "itags": (133, 134, 135, 140)}, {}, "134+140", "140"),
        ({"media": Media(1, 36, 64), "itags": (133, 134, 135, 140)}, {"quality": 480}, "135+140", "140"),
        ({"audio_tracks": ORIGINAL_AND_DUB, "drc": True}, {}, "134+140-1", "140-1"),
        ({"itags": (133, 140, 18)}, {}, "18", "18"),
        ({"itags": (133, 140, 18), "audio_tracks": ORIGINAL_AND_DUB}, {}, "18+140-1", "140-1"),
        ({"drc": True}, {}, "134+140", "140"),
        ({"case": "page_429"}, {}, "134+140", "140"),
        ({"media": Media(1, 64, 36, audio=False), "itags": (134, 140)}, {"allow_silent": True}, "134", None),
    ],
    ids=[
        "pair",
        "one file",
        "less",
        "portrait",
        "portrait 480",
        "dub",
        "larger",
        "larger, dub",
        "drc",
        "429 on the page",
        "silent",
    ],
)
def test_what_ytdlp_and_we_choose(
    serve: Serve,
    reader: Reader,
    video: dict[str, Any],
    settings: dict[str, Any],
    format_id: str,
    sounds: str | None,
) -> None:
    site = serve(**video)
    found = reader(site, **settings).describe(VIDEO)
    assert found.format_id == format_id
    assert (found.sound and found.sound.format_id) == sounds
    assert found.duration == site.videos[ID].media.duration
    # The original's address names no other sound.
    assert found.sound is None or "sound=" not in found.sound.url
    assert found.picture.size == site.videos[ID].file(site.folder, int(format_id.split("+")[0])).stat().st_size
    assert site.extractions() == 1


def test_a_silent_video(serve: Serve, reader: Reader) -> None:
    with pytest.raises(Gone) as caught:
        reader(serve(media=Media(1, 64, 36, audio=False), itags=(134, 140))).describe(VIDEO)
    assert caught.value.reason == "no_audio"


def test_a_used_up_instance_is_thrown_away(serve: Serve, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avclips.sources.youtube.RECYCLE_AFTER", 2)
    youtube = reader(serve())
    used = []
    for _ in range(5):
        youtube.describe(VIDEO)
        used.append(youtube._ydl)
    assert [used.index(each) for each in used] == [0, 0, 2, 2, 4]


def test_a_network_that_is_down(serve: Serve, reader: Reader) -> None:
    site = serve()
    youtube = reader(site)
    site.close()
    with pytest.raises(Transient) as caught:
        youtube.describe(VIDEO)
    assert caught.value.reason == "network"


# Bytes


def opened(site: FakeYouTube, youtube: YouTube) -> tuple[Stream, bytes]:
    """The picture's stream and all of its bytes."""
    return youtube.describe(VIDEO).picture, site.videos[ID].file(site.folder, 134).read_bytes()


@pytest.mark.parametrize(
    ("first", "last"), [(0, 1), (0, 2071), (1000, 1000), (816, 101_917), (101_918, 340_592), (340_592, 340_592)]
)
def test_the_bytes_of_a_range(serve: Serve, reader: Reader, tmp_path: Path, first: int, last: int) -> None:
    site = serve()
    youtube = reader(site, rate_limit=1 << 30)
    stream, content = opened(site, youtube)
    (tmp_path / "x").write_text("of an earlier try")
    youtube.read(stream, first, last, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == content[first : last + 1]
    assert youtube.bytes_read == last - first + 1
    assert [(r.first, r.last, r.status) for r in site.requests("media")] == [(first, last, 206)]
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_stream_may_end_in_its_head(serve: Serve, reader: Reader, tmp_path: Path) -> None:
    site = serve()
    youtube = reader(site)
    stream, content = opened(site, youtube)
    youtube.read(stream, len(content) - 10, len(content) + 90, tmp_path / "x", short=True)
    assert (tmp_path / "x").read_bytes() == content[-10:]
    with pytest.raises(Transient, match="sent 10 bytes instead of 101"):
        youtube.read(stream, len(content) - 10, len(content) + 90, tmp_path / "x")


@pytest.mark.parametrize("kind", ["truncate", "reset"])
def test_what_broke_off_is_resumed(serve: Serve, reader: Reader, tmp_path: Path, kind: Any) -> None:
    site = serve(Fault(kind, itag=134, after=30_000, times=1))
    youtube = reader(site)
    stream, content = opened(site, youtube)
    youtube.read(stream, 500, 99_999, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == content[500:100_000]
    assert [r.last for r in site.requests("media")] == [99_999] * 2
    assert 500 < (site.requests("media")[1].first or 0) <= 30_500


@pytest.mark.parametrize(
    ("fault", "kind", "reason", "retry_after", "requests"),
    [
        (Fault("status", status=403), Transient, "forbidden", None, 1),
        (Fault("status", status=404), Transient, "http", None, 1),
        (Fault("status", status=429), Blocked, "too_many_requests", None, 1),
        (Fault("status", status=429, retry_after=77), Blocked, "too_many_requests", 77.0, 1),
        (Fault("status", status=429, retry_after=0), Blocked, "too_many_requests", 0.0, 1),
        (Fault("status", status=500), Transient, "http", None, 3),
        (Fault("truncate", after=1000), Transient, "network", None, 3),
        (Fault("ignore_range"), NoRanges, "network", None, 1),
    ],
    ids=["403", "404", "429", "429 for 77 s", "429 for 0 s", "500", "always truncated", "range ignored"],
)
def test_reads_that_fail(
    serve: Serve, reader: Reader, tmp_path: Path,
    fault: Fault, kind: type[ClipError], reason: str, retry_after: float | None, requests: int,
) -> None:  # fmt: skip
    site = serve(fault)
    youtube = reader(site)
    stream, _ = opened(site, youtube)
    with pytest.raises(ClipError) as caught:
        youtube.read(stream, 1000, 60_000, tmp_path / "x")
    assert (type(caught.value), caught.value.reason) == (kind, reason)
    assert getattr(caught.value, "retry_after", None) == retry_after
    assert len(site.requests("media")) == requests


@pytest.mark.parametrize(
    ("fault", "size"),
    [
        (None, True),
        (Fault("ignore_range"), None),
        *((Fault("status", status=status), None) for status in (400, 416, 501)),
        (Fault("status", status=403), "forbidden"),
        (Fault("status", status=404), "http"),
        (Fault("status", status=503), "http"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Fault) else "",
)
def test_the_size_that_nobody_told(serve: Serve, reader: Reader, fault: Fault | None, size: Any) -> None:
    site = serve(*([fault] if fault else []))
    youtube = reader(site)
    stream, content = opened(site, youtube)
    if isinstance(size, str):
        with pytest.raises(Transient) as caught:
            youtube.size_of(stream)
        assert caught.value.reason == size
    else:
        assert youtube.size_of(stream) == (len(content) if size else None)


def test_the_size_is_not_asked_for_before_the_media_may_be(serve: Serve, reader: Reader) -> None:
    """Who comes too early is forbidden."""
    site, clock = serve(), FakeClock()
    youtube = reader(site, clock=clock)
    stream, content = opened(site, youtube)
    assert youtube.size_of(replace(stream, available_at=time.time() + 5)) == len(content)
    assert 4 < sum(clock.sleeps) <= 5


@pytest.mark.parametrize(
    ("found", "leads"),
    [
        ({"url": "https://www.youtube.com/watch?v=abcdefghij0"}, True),
        ({"url": "//youtu.be/abcdefghij0"}, True),
        ({"url": "https://invidious.example/x", "ie_key": "YoutubeTab"}, True),
        ({"url": "abcdefghij0", "ie_key": "Youtube"}, True),
        ({"url": "abcdefghij0"}, True),
        # Players have addresses of their own.
        ({"url": "kaltura:1337:1_abc", "ie_key": "Kaltura"}, False),
        ({"url": "wistia:a6ndpko1wg", "ie_key": "Wistia"}, False),
        ({"url": "https://player.vimeo.com/video/1", "ie_key": "Vimeo"}, False),
    ],
)
def test_where_a_page_leads(found: dict[str, str], leads: bool) -> None:
    assert leads_to_youtube(found) is leads


def test_a_whole_file(serve: Serve, reader: Reader, tmp_path: Path) -> None:
    site = serve()
    youtube = reader(site)
    stream, content = opened(site, youtube)
    with pytest.raises(
        Transient, match=f"^{len(content)} bytes, --max-whole-file is {len(content) - 1}$"
    ) as caught:
        youtube.read_whole(stream, tmp_path / "x", len(content) - 1)
    assert (caught.value.reason, site.requests("media")) == ("whole_file", [])
    youtube.read_whole(stream, tmp_path / "x", len(content))
    assert (tmp_path / "x").read_bytes() == content
    with pytest.raises(Transient, match=f"^the server sent {len(content)} bytes instead of 7$"):
        youtube.read_whole(replace(stream, size=7), tmp_path / "x", len(content))
    # Where the listing says no size, what the server announces is too much too.
    with pytest.raises(
        Transient, match=f"^{len(content)} bytes, --max-whole-file is {len(content) - 1}$"
    ) as caught:
        youtube.read_whole(replace(stream, size=None), tmp_path / "y", len(content) - 1)
    assert caught.value.reason == "whole_file"


def test_a_full_disk_is_no_clips_fault(serve: Serve, reader: Reader, tmp_path: Path) -> None:
    site = serve()
    youtube = reader(site)
    stream, _ = opened(site, youtube)
    (tmp_path / "x.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        youtube.read(stream, 0, 99_999, tmp_path / "x")
    assert caught.value.errno == errno.ENOSPC


def test_what_cannot_be_opened_for_writing_is_no_clips_fault(serve: Serve, reader: Reader, tmp_path: Path) -> None:
    site = serve()
    youtube = reader(site)
    stream, _ = opened(site, youtube)
    (tmp_path / "x.part").mkdir()
    with pytest.raises(OSError, match="Is a directory") as caught:
        youtube.read(stream, 0, 99_999, tmp_path / "x")
    assert caught.value.errno == errno.EISDIR


def test_a_body_that_trickles_in_ends_its_read(
    serve: Serve, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """yt-dlp lets the error through, and does not ask again by itself."""
    site = serve(Fault("slow", rate=1000.0))
    youtube = reader(site)
    stream, _ = opened(site, youtube)
    before = len(site.requests("media"))
    monkeypatch.setattr("avclips.sources.request_limits.STRETCH", (0.5, 0.5))
    with pytest.raises(Transient, match="^less than 5000 bytes a second for a minute$"):
        youtube.read(stream, 0, 300_000, tmp_path / "x")
    assert len(site.requests("media")) == before + 1


def test_a_stop_ends_a_read(serve: Serve, reader: Reader, tmp_path: Path) -> None:
    site, clock = serve(), FakeClock()
    youtube = reader(site, clock=clock)
    stream, _ = opened(site, youtube)
    site.refuse = lambda request: clock.stop()
    with pytest.raises(Stopped):
        youtube.read(stream, 0, 300_000, tmp_path / "x")
    assert len(site.requests("media")) == 1


def test_streams_behind_an_advertisement_are_waited_for(
    serve: Serve, reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, clock = serve(), FakeClock()
    youtube = reader(site, clock=clock)
    stream, _ = opened(site, youtube)
    monkeypatch.setattr(
        "avclips.sources.youtube.time", SimpleNamespace(time=lambda: 5000.0, monotonic=time.monotonic)
    )
    for available_at in (5007.5, 4999.0, 0.0):
        youtube.read(replace(stream, available_at=available_at), 0, 9, tmp_path / "x")
    assert clock.sleeps == [7.5, 0.0, 0.0]


# Cookies

LOGIN = "# Netscape HTTP Cookie File\n" + "".join(
    f".youtube.com\tTRUE\t/\tTRUE\t4000000000\t{name}\tx\n" for name in ("LOGIN_INFO", "SAPISID")
)


def test_cookies_are_used_and_never_written_to(serve: Serve, reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "cookies.txt"
    file.write_text(LOGIN)
    file.chmod(0o444)
    text, jar = load_cookies(file)
    youtube = reader(serve(case="age", login_helps=True), text)
    assert youtube.describe(VIDEO).format_id == "134+140"
    youtube.close()
    assert (text, file.read_text(), len(list(tmp_path.iterdir()))) == (LOGIN, LOGIN, 1)
    assert {cookie.name for cookie in jar} == {"LOGIN_INFO", "SAPISID"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: .*No such file"),
        (b'[{"name": "SID"}]', "is not a cookie file in Netscape's format"),
        (b"hello\n", "is not a cookie file in Netscape's format"),
        (b"", "is not a cookie file in Netscape's format"),
        (b"# Netscape HTTP Cookie File\n", "is not a cookie file: no line of it can be read"),
        (LOGIN.replace("\t", " ").encode(), "is not a cookie file: no line of it can be read"),
        (LOGIN.replace("4000000000", "soon").encode(), "is not a cookie file: no line of it can be read"),
        (b"\xff\xfe#\0", "cannot be read: it is no text"),
    ],
)
def test_what_is_no_cookie_file(
    tmp_path: Path, content: bytes | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cookies.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=f"^--cookies {path} {message}") as caught:
        load_cookies(path)
    assert "cookies.txt" in caught.value.hint
    # What stands in such a file is secret.
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_who_asks() -> None:
    assert who(None) == "guest"
    assert (who("a") == who("a"), who("a") == who("b"), len(who(LOGIN))) == (True, False, 16)
    assert "LOGIN" not in who(LOGIN)
