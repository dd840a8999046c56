"""What a clip costs the line: bytes, requests, extractions, and the rate at which they are read."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from yt_dlp.networking._requests import RequestsResponseAdapter
from yt_dlp.networking._urllib import UrllibResponseAdapter

from avclips.containers.fragments import Index, read_index
from avclips.core.clock import Clock
from avclips.core.model import Clip, Outcome
from avclips.core.settings import Identity, Settings
from avclips.fetch.plan import by_video
from avclips.fetch.roles import Slot
from avclips.fetch.scheduler import Engine
from avclips.fetch.worker import Worker
from avclips.media.ffmpeg import Ffmpeg
from avclips.pacing.pacer import Pacer, make_pacer
from avclips.sources.archives import Archives
from avclips.sources.youtube import YouTube
from avclips.state.store import Store
from tests.standin import fake_media
from tests.standin.fake_media import Media
from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.support.planned import plan
from tests.support.script import stage

LONG = Media(duration=330.0)
RATE = 200 * 1024
# Reads of less are over before a rate can be told.
LONG_READ = 64 * 1024
# AAC needs the packet before the first.
SOUND_BEFORE = Fraction(1, 10)


def index_of(itag: int, media: Path) -> Index:
    found = read_index(fake_media.make(LONG, itag, media).read_bytes())
    assert isinstance(found, Index)
    return found


def covering(start: int, media: Path) -> int:
    """The bytes of the fragments that hold ten seconds of picture and sound."""
    total = 0
    for itag, before in ((134, Fraction(0)), (140, SOUND_BEFORE)):
        span = plan(index_of(itag, media), max(Fraction(0), start - before), Fraction(start + 10))
        assert span is not None
        total += span.last - span.first + 1
    return total


@pytest.mark.parametrize("start", [0, 17, 300])
def test_a_clip_costs_little_more_than_its_fragments(tmp_path: Path, media_folder: Path, start: int) -> None:
    clip = f"onlybytes01_{start:06d}"
    with stage(tmp_path, media_folder, {clip: FakeVideo(LONG)}) as frugal:
        assert frugal.run("--cut", "copy").code == 0 and frugal.completed == [clip]
        media = frugal.youtube.requests("media")
        heads = sum(index_of(itag, media_folder).offsets[0] for itag in (134, 140))
        sent = frugal.youtube.media_bytes()
        assert sent <= 1.10 * covering(start, media_folder) + heads
        # No file was fetched whole for it.
        assert sent < fake_media.make(LONG, 134, media_folder).stat().st_size / 5
        assert len(media) <= 5 and {request.itag for request in media} == {134, 140}
        assert frugal.youtube.extractions() == 1
        assert frugal.manifest_of(clip)["bytes_fetched"] == sent


def test_two_clips_of_a_video_share_one_extraction_and_the_heads(tmp_path: Path, media_folder: Path) -> None:
    clips = ["sharedvideo_000017", "sharedvideo_000200"]
    with stage(tmp_path, media_folder, {clip: FakeVideo(LONG) for clip in clips}) as shared:
        assert shared.run("--cut", "copy").code == 0 and set(shared.completed) == set(clips)
        assert shared.youtube.extractions() == 1 and len(shared.youtube.requests("media")) <= 6
        heads = sum(index_of(itag, media_folder).offsets[0] for itag in (134, 140))
        assert shared.youtube.media_bytes() <= 1.10 * sum(covering(s, media_folder) for s in (17, 200)) + heads


@dataclass
class Read:
    """One answer as yt-dlp reads it: when each piece came, and its size."""

    answer: Any
    pieces: list[tuple[float, int]] = field(default_factory=list)

    @property
    def itag(self) -> str:
        return parse_qs(urlsplit(self.answer.url).query).get("itag", [""])[0]

    @property
    def size(self) -> int:
        return sum(count for _, count in self.pieces)

    @property
    def rate(self) -> float:
        """Bytes a second from the first byte to the last; the first piece was there when the clock began."""
        (begun, first), (ended, _) = self.pieces[0], self.pieces[-1]
        return (self.size - first) / (ended - begun)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Read]:
    """Every answer as it is read: there a rate is kept or not, whatever the sockets in between hold back."""
    found: list[Read] = []
    by_answer: dict[int, Read] = {}
    lock = threading.Lock()

    def watch(adapter: Any) -> None:
        original = adapter.read

        def read(self: Any, amt: int | None = None) -> bytes:
            data: bytes = original(self, amt)
            with lock:
                if id(self) not in by_answer:
                    # Found keeps the answer alive, so that no other one gets its id.
                    by_answer[id(self)] = Read(self)
                    found.append(by_answer[id(self)])
                if data:
                    by_answer[id(self)].pieces.append((time.monotonic(), len(data)))
            return data

        monkeypatch.setattr(adapter, "read", read)

    for adapter in (RequestsResponseAdapter, UrllibResponseAdapter):
        watch(adapter)
    return found


class Deaf:
    """A report that tells nobody."""

    def outcome(self, outcome: Outcome, retry_in: float | None) -> None: ...

    def tick(self, pacers: Sequence[Pacer], paused: str | None) -> None: ...

    def trouble(self, outcome: Outcome) -> None: ...

    def taken_back(self, clip_ids: Sequence[str]) -> None: ...


@pytest.mark.slow
def test_no_read_is_faster_than_the_limit(tmp_path: Path, media_folder: Path, reads: list[Read]) -> None:
    names = [f"ratelimit{number:02d}" for number in range(4)]
    clock = Clock(1.0)
    with FakeYouTube(media_folder, {name: FakeVideo(LONG) for name in names}) as youtube:
        settings = Settings(tmp_path, workers=4, rate_limit=RATE, sleep=0.0, cut="copy")
        store = Store(settings, "a test", clock)
        store.open()
        asking = Identity(youtube.proxy)
        pacer, ffmpeg = make_pacer(asking, None, 0, None, clock), Ffmpeg(Path(fake_media.ffmpeg()), clock)

        def slot() -> Slot:
            reader = YouTube(settings, clock, asking, asked_for={"nocheckcertificate": True})
            return Slot(Worker(settings, clock, pacer, reader, ffmpeg, store, Archives((), tmp_path)), pacer)

        clips = [Clip(name, name, 17.0, 27.0) for name in names]
        Engine(settings, clock, store, Deaf(), [slot() for _ in range(settings.workers)]).run(
            by_video(clips, lambda video: f"https://www.youtube.com/watch?v={video}")
        )
        assert set(store.done) == set(names)
        store.close()
    long = [read for read in reads if read.itag and read.size > LONG_READ]
    assert {read.itag for read in long} == {"134", "140"} and len(long) == 2 * len(names)
    assert all(read.rate <= 1.1 * RATE for read in long), [(read.itag, read.size, read.rate) for read in long]
