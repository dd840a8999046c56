"""--fps and --size: picture k is the one that stands at k/fps on the source's timeline, and of the size asked for.

The references are the source's frames, decoded by PyAV out of the whole file, and their times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from avclips.core.errors import UsageError
from avclips.core.settings import Settings
from avclips.media.measure import Expected, Track, judge, judge_alone
from avclips.state.shape import check_folder, shape_of
from avclips.state.store import Store
from tests.standin.fake_media import Media
from tests.support.fake_clock import FakeClock
from tests.unit.fetch.test_worker_exact import LENGTH, MINUTE, Cut, Source, is_its_own, pictures, times, work

SOURCES = {
    "25": Source(MINUTE, (0.0, 17.3)),
    "29.97": Source(replace(MINUTE, fps=30000 / 1001, sample_rate=48000), (0.0, 17.0)),
    # Times in whole milliseconds.
    "webm": Source(replace(MINUTE, sample_rate=48000), (3.01,), itags=(243, 251)),
    "10": Source(Media(duration=14.0, fps=10), (1.05, 3.25)),
    # It ends inside the clip.
    "ends": Source(Media(duration=14.0, fps=10), (6.0,)),
    "HLS": Source(MINUTE, (17.3,), itags=("hls-ts",)),
}


def slow(rows: Iterable[Sequence[str]]) -> list[Any]:
    """Rows that are for `make test-slow`."""
    return [pytest.param(*row, marks=pytest.mark.slow) for row in rows]


# A frame that is called by less than this is begun: containers round.
ROUNDED = Fraction(1, 1000)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Callable[..., Cut]:
    """Cuts all clips of a source, once for each kind of settings."""
    done: dict[Any, Cut] = {}

    def get(name: str, **shape: Any) -> Cut:
        key = (name, *sorted(shape.items()))
        if key not in done:
            done[key] = work(SOURCES[name], tmp_path_factory.mktemp("steady"), media_folder, dict(shape))
        return done[key]

    return get


@pytest.mark.parametrize(
    ("name", "fps"),
    [
        *(("25", fps) for fps in ("10", "30000/1001")),
        ("29.97", "8"),
        ("webm", "30"),
        *(slow([("10", "25")])),
        *(slow(("25", fps) for fps in ("25", "30", "1", "60"))),
        *(slow([("29.97", "25"), ("webm", "25"), ("10", "10"), ("10", "3")])),
        ("ends", "25"),
        ("HLS", "10"),
    ],
)
def test_picture_k_is_the_one_that_stands_at_its_time(made: Callable[..., Cut], name: str, fps: str) -> None:
    cut, rate = made(name, fps=fps), Fraction(fps)
    whole = cut.whole("picture")
    of_source = times(whole)
    for start in cut.source.starts:
        begin = Fraction(str(start)) + of_source[0]
        lasts = min(Fraction(str(LENGTH)), Fraction(str(cut.source.media.duration)) - Fraction(str(start)))
        found = list(pictures(cut.video(start)))
        # All of them, evenly.
        assert len(found) == -(-lasts * rate // 1), (start, len(found))
        assert all(abs(time - Fraction(k) / rate) < ROUNDED for k, (time, _) in enumerate(found))
        for k in {0, 1, 2, len(found) // 3, len(found) // 2, len(found) - 2, len(found) - 1}:
            stands = max(n for n, time in enumerate(of_source) if time <= begin + k / rate + ROUNDED)
            assert is_its_own(found[k][1], stands, whole, of_source), (start, k, stands)
        with av.open(str(cut.video(start))) as film:
            assert film.streams.video[0].average_rate == rate


def test_the_sound_is_as_without(made: Callable[..., Cut]) -> None:
    assert made("10", fps="25").audio(3.25).read_bytes() == made("10").audio(3.25).read_bytes()


@pytest.mark.parametrize(
    ("shape", "sides"),
    [
        ({"size": "224"}, (398, 224)),
        ({"size": "224x224", "fit": "crop"}, (224, 224)),
        ({"size": "256x256", "fit": "pad"}, (256, 256)),
        ({"size": "256x256", "fit": "stretch"}, (256, 256)),
        ({"size": "64x512", "fit": "crop", "fps": "5"}, (64, 512)),
    ],
)
def test_the_size(made: Callable[..., Cut], shape: dict[str, Any], sides: tuple[int, int]) -> None:
    cut = made("10", **shape)
    with av.open(str(cut.video(3.25))) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height) == sides and stream.sample_aspect_ratio in (None, 1)
        grey = next(film.decode(video=0)).to_ndarray(format="gray")
    # Black above and below, where it is filled up: 256 wide is 144 high.
    edges = (grey[:50].mean(), grey[-50:].mean(), grey[60:-60].mean())
    is_padded = edges[0] < 20 and edges[1] < 20 < edges[2]
    assert bool(is_padded) is (shape.get("fit") == "pad")


# -- the check -------------------------------------------------------------------------------------------------


def film(count: int, fps: float = 25.0, width: int = 256, height: int = 256) -> list[Track]:
    at = [number / fps for number in range(count)]
    ends = [time + 1 / fps for time in at]
    return [Track("video", "h264", width, height, times=at, ends=ends)]


@pytest.mark.parametrize(
    ("tracks", "size", "complaint"),
    [
        (film(250), None, None),
        (film(250), "256x256", None),
        (film(250), "256", None),
        (film(250, width=454), "256", None),
        (film(249), "256x256", "249 pictures instead of 250"),
        (film(250, width=254), "256x256", "its picture is 254x256, not 256x256"),
        (film(250), "224", "its picture is 256x256, not 224"),
    ],
)
def test_a_result_is_held_to_its_shape(tracks: list[Track], size: str | None, complaint: str | None) -> None:
    due = Expected(tuple(number / 25 for number in range(250)), None, 10.0, size=size)
    assert judge(due, tracks, None, "exact") == complaint


@pytest.mark.parametrize(
    ("tracks", "shape", "complaint"),
    [
        (film(250), {"fps": "25", "size": "256"}, None),
        (film(300, 30.0), {"fps": "25"}, "it has 300 pictures instead of 250"),
        (film(300, 29.97), {"fps": "2997/100"}, None),
        (film(250), {"size": "224x224"}, "its picture is 256x256, not 224x224"),
        # What is made larger than --quality is no fault then.
        (film(250, width=720, height=720), {"size": "720"}, None),
        (film(250, width=720, height=720), {}, "its picture is 720x720"),
    ],
)
def test_a_stranger_is_held_to_it_too(tracks: list[Track], shape: dict[str, Any], complaint: str | None) -> None:
    settings = Settings(Path(), allow_silent=True, **shape)
    assert judge_alone(tracks, None, Fraction(10), settings) == complaint


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        ({}, {"fps": "25"}, "no --fps"),
        ({"fps": "25"}, {}, "--fps 25"),
        ({"size": "256x256", "fit": "pad"}, {"size": "256x256", "fit": "crop"}, "--fit pad"),
        ({"size": "224"}, {"size": "256"}, "--size 224"),
    ],
)
def test_a_folder_keeps_its_shape(tmp_path: Path, first: dict[str, Any], then: dict[str, Any], said: str) -> None:
    store = Store(Settings(tmp_path, **first), "test", FakeClock())
    store.open()
    store.close()
    check_folder(Settings(tmp_path, **first), "test")
    with pytest.raises(UsageError, match=f"was made with {said}$"):
        check_folder(Settings(tmp_path, **then), "test")


def test_what_nobody_asks_for_is_in_no_manifest() -> None:
    """Folders and outputs of before are as they were."""
    assert not {"fps", "size", "fit"} & shape_of(Settings(Path())).keys()
    assert shape_of(Settings(Path(), fps="25"))["fps"] == "25"
