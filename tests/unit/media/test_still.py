"""The frame in the middle: which one it is, and that the JPEG shows it, however the clip is made."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from avclips.core.clock import Clock
from avclips.core.errors import Transient
from avclips.core.settings import Cut
from avclips.media.cut import cut
from avclips.media.ffmpeg import Ffmpeg
from avclips.media.filters import Shape
from avclips.media.still import middle, see_that_it_is_there, still_of_film
from tests.standin import fake_media
from tests.support.made_files import AAC, B_FRAMES, SOUND, made
from tests.unit.media.test_splice import BASE, job, pictures

# Up to this, grey values differ on average after a JPEG or an encoder; those of the next frame differ by more.
NEAR = 4.0


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(Path(fake_media.ffmpeg()), Clock())


@pytest.fixture(scope="module")
def film(media_folder: Path) -> Path:
    """Three seconds with B frames, a key frame each second."""
    source = [word.format(rate=25, pixels="yuv420p") for word in BASE]
    return made(media_folder, "mp4", *source, *SOUND, *B_FRAMES, *AAC)


@pytest.mark.parametrize(
    ("times", "ends", "place"),
    [
        ((0.0,), 10.0, 0),
        ((0.0, 1.0, 2.0, 3.0), 4.0, 2),
        ((0.0, 1.0, 2.0), 3.0, 1),
        ((0.0, 4.0), 6.0, 0),
        ((2.0, 3.0), 3.5, 0),
    ],
)
def test_which_frame_is_shown_half_way(times: tuple[float, ...], ends: float, place: int) -> None:
    assert middle(times, ends) == place


def grey(path: Path) -> np.ndarray[Any, Any]:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="gray").astype(int)


def shown_at(path: Path, second: float) -> np.ndarray[Any, Any]:
    """The frame of a film that is shown at a second, as PyAV decodes it."""
    with av.open(str(path)) as container:
        frames = [each for each in container.decode(video=0) if float(each.pts * each.time_base) <= second + 1e-4]
        return frames[-1].to_ndarray(format="gray").astype(int)


def apart(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    assert one.shape == other.shape
    return float(np.abs(one - other).mean())


WAYS: dict[str, tuple[Cut, dict[str, Any]]] = {
    "spliced": ("exact", {}),
    "spliced, its frames undecoded": ("exact", {"decode": False}),
    "encoded": ("exact", {"encode_all": True}),
    "mirrored": ("exact", {"flip": True}),
    "smaller": ("exact", {"scale": 64}),
    "of a size": ("exact", {"shape": Shape(size="64x64", fit="pad")}),
    "at a steady rate": ("exact", {"shape": Shape(fps=Fraction(10))}),
    "copied": ("copy", {}),
    "copied, undecoded": ("copy", {"decode": False}),
    "without sound": ("exact", {"audio": None}),
}


@pytest.mark.parametrize("name", WAYS)
def test_it_is_the_clips_own(film: Path, ffmpeg: Ffmpeg, tmp_path: Path, name: str) -> None:
    how, more = WAYS[name]
    wanted = replace(job(film, ffmpeg, tmp_path, "0.5", "2.1", how), **more)
    clip, still = tmp_path / "o.mp4", tmp_path / "o.jpg"
    cut(wanted, ffmpeg, tmp_path, clip, tmp_path / "o.wav", still)
    see_that_it_is_there(still)
    # 1.6 s have their middle at 0.8.
    due, before, behind = (shown_at(clip, 0.8 + away) for away in (0.0, -0.11, 0.11))
    assert apart(grey(still), due) < NEAR < min(apart(grey(still), before), apart(grey(still), behind))


def colours(path: Path, at: float = 0.0) -> np.ndarray[Any, Any]:
    """The means of the eight bars of what is shown at a second, as PyAV shows it."""
    with av.open(str(path)) as container:
        shown = [each for each in container.decode(video=0) if float(each.pts * each.time_base) <= at + 1e-4][-1]
        seen = shown.to_ndarray(format="rgb24").astype(float)
    return np.array([bar[8:-8, 4:-4].mean((0, 1)) for bar in np.split(seen, 8, axis=1)])


@pytest.mark.parametrize("way", ["spliced", "encoded", "copied, undecoded", "of a film"])
@pytest.mark.parametrize(("matrix", "levels"), [("bt709", "tv"), ("smpte170m", "tv"), ("bt709", "pc"), ("", "tv")])
def test_its_colours_are_the_films(
    media_folder: Path, ffmpeg: Ffmpeg, tmp_path: Path, matrix: str, levels: str, way: str
) -> None:
    made_by = f"scale=out_color_matrix={matrix or 'smpte170m'}:out_range={levels},format=yuv420p"
    said = ["-colorspace", matrix, "-color_range", levels] if matrix else []
    words = ["-f", "lavfi", "-i", "pal100bars=size=256x128:rate=25:duration=3", *SOUND, "-vf", made_by]
    source = made(media_folder, "mp4", *words, *said, *B_FRAMES, "-crf", "8", *AAC)
    clip, still = tmp_path / "o.mp4", tmp_path / "o.jpg"
    how, more = WAYS.get(way, ("exact", {}))
    wanted = replace(job(source, ffmpeg, tmp_path, "0.5", "2.1", how), **more)
    if way == "of a film":
        cut(wanted, ffmpeg, tmp_path, clip, tmp_path / "o.wav")
        still_of_film(clip, ffmpeg.list_packets(clip), ffmpeg, still)
    else:
        cut(wanted, ffmpeg, tmp_path, clip, tmp_path / "o.wav", still)
    assert np.abs(colours(still) - colours(clip, 0.8)).max() < 6


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_of_a_film_that_is_there(film: Path, ffmpeg: Ffmpeg, tmp_path: Path, ending: str) -> None:
    clip, still = tmp_path / f"o.{ending}", tmp_path / "o.jpg"
    how: Cut = "copy" if ending == "mp4" else "exact"
    cut(job(film, ffmpeg, tmp_path, "0.5", "2.1", how), ffmpeg, tmp_path, clip, tmp_path / "o.wav")
    still_of_film(clip, ffmpeg.list_packets(clip), ffmpeg, still)
    assert apart(grey(still), shown_at(clip, 0.8)) < NEAR < apart(grey(still), shown_at(clip, 0.92))


def test_the_same_source_gives_the_same_bytes(film: Path, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    found = set()
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        cut(
            job(film, ffmpeg, folder, "0.5", "2.1"),
            ffmpeg,
            folder,
            folder / "o.mp4",
            folder / "o.wav",
            folder / "o.jpg",
        )
        found.add((folder / "o.jpg").read_bytes())
    assert len(found) == 1 and len(pictures(tmp_path / "one" / "o.mp4")) == 40


@pytest.mark.parametrize("content", [None, b""])
def test_a_frame_that_was_not_made(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(Transient, match="no frame was made"):
        see_that_it_is_there(tmp_path / "x.jpg")
