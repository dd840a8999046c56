"""What the clips of one video share is read once."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avclips.core.clock import Clock
from avclips.core.model import Clip, Video
from avclips.core.settings import Identity, Settings
from avclips.fetch.worker import Worker
from avclips.media.ffmpeg import Ffmpeg
from avclips.pacing.pacer import make_pacer
from avclips.reading.byte_reader import ByteReader
from avclips.sources.archives import Archives
from avclips.sources.streams import Stream
from avclips.sources.youtube import YouTube
from avclips.state.store import Store
from tests.standin.fake_media import PROGRESSIVE, Media, ffmpeg, make
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Request

FEW = settings(deadline=None, derandomize=True, max_examples=80)
SIZE = 24
# No two places alike.
CONTENT = {url: bytes(range(start, start + SIZE)) for url, start in (("a", 0), ("b", 100))}
Ranges = Sequence[tuple[int, int]]


def stream(url: str) -> Stream:
    """A stream whose bytes are known."""
    return Stream(url, {}, url, "mp4", "https", SIZE, 0.0, "avc1")


@dataclass
class Told:
    """A stand-in for YouTube that serves known bytes, and keeps what it was asked for."""

    asked: list[tuple[str, int, int]] = field(default_factory=list)

    def read(self, stream: Stream, first: int, last: int, path: Path, short: bool = False) -> None:
        """Write the bytes, and remember."""
        assert 0 <= first <= last < SIZE and not short and not path.exists()
        self.asked.append((stream.url, first, last))
        path.write_bytes(CONTENT[stream.url][first : last + 1])

    @property
    def bytes(self) -> Counter[tuple[str, int]]:
        """How often each byte of each stream was served."""
        return Counter((url, n) for url, first, last in self.asked for n in range(first, last + 1))


def read(ranges: Ranges, urls: str = "a") -> Told:
    """Read these ranges one after the other, of the streams in turn; each must be what it is."""
    told = Told()
    with tempfile.TemporaryDirectory() as folder:
        reader = ByteReader(told, Settings(Path(folder)), Path(folder))  # type: ignore[arg-type]
        for n, (first, last) in enumerate(ranges):
            url = urls[n % len(urls)]
            assert reader.body(stream(url), first, last).read_bytes() == CONTENT[url][first : last + 1]
    return told


@pytest.mark.parametrize(
    ("ranges", "asked"),
    [
        ([(3, 7)], [(3, 7)]),
        # The same, and what lies within.
        ([(3, 7), (3, 7), (3, 7)], [(3, 7)]),
        ([(3, 7), (3, 5)], [(3, 7)]),
        ([(3, 7), (5, 7)], [(3, 7)]),
        ([(3, 7), (4, 6)], [(3, 7)]),
        ([(3, 7), (3, 3), (7, 7), (5, 5)], [(3, 7)]),
        # Something at either end.
        ([(3, 7), (5, 9)], [(3, 7), (8, 9)]),
        ([(3, 7), (7, 9)], [(3, 7), (8, 9)]),
        ([(3, 7), (3, 9)], [(3, 7), (8, 9)]),
        ([(3, 7), (1, 5)], [(3, 7), (1, 2)]),
        ([(3, 7), (1, 3)], [(3, 7), (1, 2)]),
        ([(3, 7), (1, 7)], [(3, 7), (1, 2)]),
        # Only beside it.
        ([(3, 7), (8, 9)], [(3, 7), (8, 9)]),
        ([(3, 7), (1, 2)], [(3, 7), (1, 2)]),
        # At both ends: a gap between them, none, and less than none.
        ([(1, 4), (9, 12), (3, 10)], [(1, 4), (9, 12), (5, 8)]),
        ([(1, 4), (6, 9), (3, 7)], [(1, 4), (6, 9), (5, 5)]),
        ([(1, 4), (5, 9), (3, 7)], [(1, 4), (5, 9)]),
        ([(9, 12), (1, 4), (3, 10)], [(9, 12), (1, 4), (5, 8)]),
        ([(1, 4), (3, 9), (2, 7)], [(1, 4), (5, 9)]),
        ([(5, 9), (1, 6), (2, 8)], [(5, 9), (1, 4)]),
        # What was put together is used again.
        ([(1, 4), (3, 9), (1, 9), (1, 9)], [(1, 4), (5, 9)]),
        ([(0, SIZE - 1), (0, 0), (SIZE - 1, SIZE - 1)], [(0, SIZE - 1)]),
    ],
)
def test_what_was_read_is_not_read_again(ranges: Ranges, asked: Ranges) -> None:
    assert read(ranges).asked == [("a", *each) for each in asked]


def test_streams_are_not_mixed_up() -> None:
    assert read([(3, 7), (3, 7), (5, 9), (5, 9)], "ab").asked == [
        ("a", 3, 7),
        ("b", 3, 7),
        ("a", 8, 9),
        ("b", 8, 9),
    ]


def every_pair() -> Iterator[Ranges]:
    """Any range of six bytes after any other."""
    ranges = [(first, last) for first in range(6) for last in range(first, 6)]
    return ([one, other] for one in ranges for other in ranges)


def test_any_range_after_any_other() -> None:
    for ranges in every_pair():
        (first, last), (since, until) = ranges
        if since < first and last < until:
            # Read in one: what lies in the middle is no less in two requests.
            continue
        told = read(ranges)
        assert set(told.bytes.values()) == {1}, ranges
        assert {n for _, n in told.bytes} == {*range(first, last + 1), *range(since, until + 1)}


RANGES = st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), min_size=1, max_size=6).map(
    lambda pairs: [(min(pair), max(pair)) for pair in pairs]
)


@FEW
@given(RANGES, st.sampled_from(["a", "ab", "aab"]))
def test_whatever_is_read_is_right(ranges: Ranges, urls: str) -> None:
    told = read(ranges, urls)
    wanted = {(urls[n % len(urls)], at) for n, (first, last) in enumerate(ranges) for at in range(first, last + 1)}
    assert set(told.bytes) == wanted


@pytest.mark.parametrize(
    "ranges",
    [
        [(0, 10), (5, 20), (5, 23)],
        [(13, 23), (3, 18), (0, 18)],
        [(1, 4), (3, 9), (1, 9), (0, 9)],
        [(0, 5), (3, 10), (8, 15), (4, 18)],
        [(10, 15), (0, 20)],
        [(5, 6), (9, 10), (0, 20)],
    ],
)
def test_of_several_that_fit_the_most_is_used(ranges: Ranges) -> None:
    assert set(read(ranges).bytes.values()) == {1}


@FEW
@given(RANGES)
def test_nothing_is_read_twice(ranges: Ranges) -> None:
    assert set(read(ranges).bytes.values()) == {1}


# -- through the Worker ----------------------------------------------------------------------------------

ID = "overlapping"
MEDIA = Media(duration=40.0, width=160, height=90, sample_rate=48000)


def media_requests(
    itags: tuple[int | str, ...], media: Media, starts: tuple[float, ...], folder: Path, cache: Path
) -> list[Request]:
    """What is asked of the stand-in's media when the Worker makes a video's clips of ten seconds."""
    clock = Clock(1.0)
    with FakeYouTube(cache, {ID: FakeVideo(media, itags=itags)}) as youtube:
        settings = Settings(folder, rate_limit=None, sleep=0.0, cut="copy")
        store = Store(settings, "a test", clock)
        store.open()
        asking = Identity(youtube.proxy)
        pacer = make_pacer(asking, None, 0, None, clock)
        reader = YouTube(settings, clock, asking, asked_for={"nocheckcertificate": True})
        worker = Worker(settings, clock, pacer, reader, Ffmpeg(Path(ffmpeg()), clock), store, Archives((), folder))
        clips = tuple(Clip(f"from_{start}", ID, start, start + 10) for start in starts)
        outcomes = list(worker.run(Video(ID, f"https://www.youtube.com/watch?v={ID}", clips), pacer.wait()))
        worker.close()
        store.close()
        found = youtube.requests("media", ID)
    assert [(outcome.status, outcome.detail) for outcome in outcomes] == [("done", "")] * len(starts)
    return found


def served(requests: Sequence[Request]) -> Counter[tuple[int, int, int]]:
    """How often each byte was sent: of a stream, of a segment of it."""
    sent: Counter[tuple[int, int, int]] = Counter()
    for each in requests:
        first = each.first or 0
        assert each.itag is not None and each.status in (200, 206)
        sent.update((each.itag, each.segment or 0, at) for at in range(first, first + each.sent))
    return sent


@pytest.mark.parametrize(
    ("itags", "media"),
    [
        pytest.param((134, 140), MEDIA, id="sidx"),
        pytest.param((243, 251), MEDIA, id="webm"),
        pytest.param((PROGRESSIVE,), replace(MEDIA, duration=60.0), id="progressive"),
        pytest.param(("hls-ts",), MEDIA, id="HLS, TS"),
        pytest.param(("hls-fmp4",), MEDIA, id="HLS, fMP4"),
    ],
)  # fmt: skip
def test_two_clips_that_overlap_are_read_once(
    tmp_path: Path, media_folder: Path, itags: tuple[int | str, ...], media: Media
) -> None:
    sent = served(media_requests(itags, media, (11.0, 16.0), tmp_path, media_folder))
    assert set(sent.values()) == {1}
    if isinstance(itags[0], int):
        sizes = [make(media, itag, media_folder).stat().st_size for itag in itags if isinstance(itag, int)]
        assert len(sent) < sum(sizes) * 7 // 10
