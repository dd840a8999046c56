"""Requests that end, whoever answers: real answers that drip or have no end, and the arithmetic of it."""

from __future__ import annotations

import gc
import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from yt_dlp.utils import Popen

from avclips.core.clock import Clock
from avclips.core.errors import Transient
from avclips.core.model import Video
from avclips.core.settings import Identity, Settings
from avclips.sources import request_limits, ytdlp_network
from avclips.sources.request_limits import OverBounds, _Body, _Page
from avclips.sources.streams import Stream
from avclips.sources.youtube import NoRanges, YouTube
from tests.standin.slow_server import SlowServer
from tests.support.waiting import wait_until

# yt-dlp leaves the socket of an answer that it gave up to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")


@pytest.fixture(scope="module", autouse=True)
def left_sockets() -> Iterator[None]:
    """They are collected before another file's tests, to which an unclosed one is an error."""
    yield
    gc.collect()


@pytest.fixture
def server() -> Iterator[SlowServer]:
    with SlowServer() as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a minute takes half a second."""
    monkeypatch.setattr(request_limits, "PAGE", (0.5, 0.5))
    monkeypatch.setattr(request_limits, "EXTRACTION", (3.0, 3.0))
    monkeypatch.setattr(request_limits, "STRETCH", (0.5, 0.5))
    monkeypatch.setattr(request_limits, "PAGE_BYTES", 1 << 20)


@pytest.fixture
def youtube(impatient: None, tmp_path: Path) -> Iterator[YouTube]:
    made = YouTube(Settings(tmp_path, rate_limit=None), Clock(1.0), Identity(""))
    yield made
    made.close()


def stream(url: str) -> Stream:
    return Stream(url, {}, "0", "mp4", "http", None, 0.0, "avc1")


@pytest.mark.parametrize(
    ("path", "scheme", "says"),
    [
        ("status", "http", "took too long"),
        ("header", "http", "took too long"),
        ("page", "http", "took too long"),
        ("handshake", "https", "took too long"),
    ],
)
def test_a_page_ends(youtube: YouTube, server: SlowServer, path: str, scheme: str, says: str) -> None:
    with pytest.raises(Transient, match=says) as caught:
        youtube.describe(Video("v", server.url(path, scheme), ()))
    assert caught.value.reason == "slow"


def test_a_page_without_end_is_not_kept(
    youtube: YouTube, server: SlowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_limits, "PAGE", (100.0, 100.0))
    monkeypatch.setattr(request_limits, "EXTRACTION", (100.0, 100.0))
    with pytest.raises(Transient, match="goes on behind 1048576 bytes") as caught:
        youtube.describe(Video("v", server.url("endless"), ()))
    assert caught.value.reason == "slow"


@pytest.mark.parametrize("path", ["endless-redirect", "endless-chunk", "error"])
def test_what_comes_besides_a_page_is_not_read_for_ever(youtube: YouTube, server: SlowServer, path: str) -> None:
    """Each for its own reason: what counts is that it is over, and that not much of it was taken."""
    with pytest.raises(Exception, match=r"404|403|chunk|too long|IncompleteRead|Unable"):
        youtube.describe(Video("v", server.url(path), ()))


def test_a_proxy_that_never_lets_us_through(impatient: None, server: SlowServer, tmp_path: Path) -> None:
    youtube = YouTube(Settings(tmp_path), Clock(1.0), Identity(server.url("").rstrip("/")))
    with pytest.raises(Transient) as caught:
        youtube.describe(Video("v", "https://example.org/v", ()))
    assert caught.value.reason == "slow"
    youtube.close()


def test_all_pages_of_a_video_together_end(
    youtube: YouTube, server: SlowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is time for each page, and not for as many as a page leads to."""
    monkeypatch.setattr(request_limits, "PAGE", (100.0, 100.0))
    monkeypatch.setattr(request_limits, "EXTRACTION", (0.5, 0.5))
    with pytest.raises(Transient, match="took too long") as caught:
        youtube.describe(Video("v", server.url("page"), ()))
    assert caught.value.reason == "slow"


def test_a_body_that_drips_is_given_up_by_time(youtube: YouTube, server: SlowServer, tmp_path: Path) -> None:
    """Not by block: the first has not come when it is over."""
    with pytest.raises(Transient, match="^less than 5000 bytes a second for a minute$") as caught:
        youtube.read_whole(stream(server.url("body.mp4")), tmp_path / "x", 200_000_000)
    assert caught.value.reason == "network"


def test_a_clip_that_takes_too_long(youtube: YouTube, server: SlowServer, tmp_path: Path) -> None:
    """Though each minute of it is fast enough."""
    youtube.begin_clip(1.0)
    with pytest.raises(Transient, match="^a clip that took too long: ") as caught:
        youtube.read_whole(stream(server.url("slow.mp4")), tmp_path / "x", 200_000_000)
    assert caught.value.reason == "slow"
    # Of the next request of the same clip, not a byte is asked for.
    with pytest.raises(Transient, match="^a clip that took too long: "):
        youtube.read_whole(stream(server.url("slow.mp4")), tmp_path / "y", 200_000_000)
    assert not (tmp_path / "y.part").exists()


def test_a_server_that_sends_more_than_a_range(youtube: YouTube, server: SlowServer, tmp_path: Path) -> None:
    with pytest.raises((NoRanges, Transient)):
        youtube.read(stream(server.url("slow.mp4")), 0, 9999, tmp_path / "x")


@pytest.mark.parametrize(
    ("path", "scheme", "answers"),
    [("gone", "http", True), ("page", "http", True), ("error", "http", True), ("handshake", "https", False)],
)
def test_who_answers(youtube: YouTube, server: SlowServer, path: str, scheme: str, answers: bool) -> None:
    assert youtube.answers(server.url(path, scheme)) is answers


def test_nobody_answers(youtube: YouTube) -> None:
    assert not youtube.answers("http://127.0.0.1:1/")


# -- how fast a body has to be ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "slowest", "reads", "ends_at"),
    [
        # (seconds, bytes so far) of each block; the one at which it is given up, or None.
        (1.0, 5000, [(0, 0), (59, 10), (60, 299_999)], 2),
        (1.0, 5000, [(0, 0), (59, 10), (60, 300_000)], None),
        (1.0, 5000, [(0, 0), (90, 449_999)], 1),
        # Another stretch begins when there is enough of one, or its time is over.
        (1.0, 5000, [(0, 0), (60, 900_000), (119, 900_001), (120, 900_002)], 3),
        (1.0, 5000, [(0, 0), (1, 300_000), (60, 300_001), (61, 300_002)], 3),
        # A rate limit of one's own is not slow: half of it is.
        (1.0, 1024, [(0, 0), (60, 61_440)], None),
        (1.0, 1024, [(0, 0), (60, 61_439)], 1),
        (6.0, 5000, [(0, 0), (9, 10), (10, 49_999)], 2),
        (600.0, 5000, [(0, 0), (4.9, 10), (5, 24_999)], 2),
        (600.0, 5000, [(0, 0), (4.9, 10), (5, 25_000)], None),
    ],
)
def test_a_slow_body_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
    scale: float,
    slowest: int,
    reads: list[tuple[float, int]],
    ends_at: int | None,
) -> None:
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(request_limits, "time", SimpleNamespace(monotonic=lambda: 1000.0 + now.seconds))
    body = _Body(float("inf"), Clock(scale).real(*request_limits.STRETCH), slowest)
    ended, before = None, 0
    for number, (seconds, got) in enumerate(reads):
        now.seconds = seconds
        try:
            body.came(got - before)
        except OverBounds as error:
            words = f"less than {slowest} bytes a second for a minute"
            assert (error.reason, str(error)) == ("network", words)
            ended = number
            break
        before = got
    assert ended == ends_at


def test_a_page_may_have_so_many_bytes() -> None:
    page = _Page(float("inf"))
    page.came(request_limits.PAGE_BYTES)
    with pytest.raises(OverBounds, match=f"goes on behind {request_limits.PAGE_BYTES} bytes"):
        page.came(1)


@pytest.mark.parametrize(
    ("setting", "slowest"), [(None, 5000), (0, 5000), (20_000, 5000), (2048, 1024), (10_000, 5000), (9_000, 4500)]
)
def test_the_slowest_that_a_body_may_be(tmp_path: Path, setting: int | None, slowest: float) -> None:
    made = YouTube(Settings(tmp_path, rate_limit=setting), Clock(1.0))
    made._bounds.media()
    request = made._bounds.begin()
    made._bounds.end()
    assert isinstance(request, _Body) and request._slowest == slowest


class FakeLine:
    """A connection that tells when it is broken."""

    def __init__(self) -> None:
        self.broken = threading.Event()

    def cut(self) -> None:
        self.broken.set()


def test_one_thread_watches_the_requests_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds, line = request_limits.Bounds(lambda seconds, least: seconds, 5000), FakeLine()
    bounds.add(line)
    bounds.extraction()
    bounds.begin()
    watcher = bounds._watcher
    # A thread that first looks when nothing is asked for just then ends, and the next request has another.
    wait_until(lambda: bounds._looks > 0)
    for _ in range(3):
        bounds.end(bounds.begin())
        bounds.begin()
    assert bounds._watcher is watcher and not line.broken.is_set()
    # One that has to end before the thread would look next.
    monkeypatch.setattr(request_limits, "PAGE", (0.05, 0.05))
    bounds.begin()
    assert line.broken.wait(30)
    # Whoever comes after that has a watcher, too.
    line.broken.clear()
    bounds.begin()
    assert line.broken.wait(30)


def test_what_is_over_is_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection may be at another request by now."""
    monkeypatch.setattr(request_limits, "PAGE", (0.05, 0.05))
    bounds, line = request_limits.Bounds(lambda seconds, least: seconds, 5000), FakeLine()
    bounds.add(line)
    bounds.extraction()
    request = bounds.begin()
    watcher = bounds._watcher
    assert watcher is not None
    bounds.end(request)
    watcher.join(30)
    assert not watcher.is_alive() and not line.broken.is_set()


@pytest.mark.parametrize(
    ("seconds", "asked"),
    [
        (0.0, [1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 18, 1 << 18]),
        (1.0, [1 << 14] * 6),
    ],
    ids=["fast", "slow"],
)
def test_a_body_is_taken_in_blocks_as_large_as_it_is_fast(
    monkeypatch: pytest.MonkeyPatch, seconds: float, asked: list[int]
) -> None:
    now, found = SimpleNamespace(seconds=0.0), list[int]()

    def read(amount: int) -> bytes:
        now.seconds += seconds
        found.append(amount)
        return bytes(amount)

    monkeypatch.setattr(ytdlp_network, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    bounds = request_limits.Bounds(lambda seconds, least: seconds, 5000)
    bounds.media()
    answer = SimpleNamespace(fp=io.BytesIO(), url="", status=200, reason="", extensions=[], headers={}, read=read)
    body = ytdlp_network._Bounded(answer, bounds.begin(), bounds)
    blocks = [len(body.read(1 << 20)) for _ in asked]
    bounds.end()
    assert found == blocks == asked


# -- JavaScript runtimes ---------------------------------------------------------------------------------------

HANGS = [sys.executable, "-c", "import time; time.sleep(60); print('late')"]


def test_a_runtime_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ytdlp_network, "RUNTIME", 0.3)
    found: list[tuple[str, int]] = []

    def work() -> None:
        ytdlp_network.bound_runtimes()
        said, _, code = Popen.run(HANGS, text=True, stdout=-1, stderr=-1)
        found.append((said, code))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert found == [("", -9)]


def test_what_others_run_by_ytdlp_is_not_ours_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ytdlp_network, "RUNTIME", 0.0)
    quick = [sys.executable, "-c", "import time; time.sleep(0.3); print('there')"]
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(Popen.run(quick, text=True, stdout=-1, stderr=-1)[0]))
    thread.start()
    thread.join(30)
    assert found == ["there\n"]
