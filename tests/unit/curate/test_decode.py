"""One decode of a clip: pictures at the times that were asked for, sound on the same clock, or a reason."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avclips.catalog.sample import Place
from avclips.curate.features.decode import decode
from avclips.curate.features.extractor import Pictures, Sound, Unusable
from tests.support.made_clips import RATE, clicks, is_event, made_clip

TEN = Pictures(rate=10, size=(8, 4))
THREE = Pictures(count=3, short_side=32)
SOUND = Sound(RATE)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_clip(tmp_path_factory.mktemp("clips") / "a: b.mkv")


def test_pictures_are_those_that_are_shown_then(clip: Path) -> None:
    media = decode({"video": Place(str(clip))}, [TEN, THREE, SOUND])
    assert media.seconds == pytest.approx(2.0, abs=0.03)
    pictures = media.got[TEN]
    assert pictures.shape == (20, 4, 8, 3) and pictures.dtype == np.uint8
    assert [bool(picture.mean() > 100) for picture in pictures] == [
        # A frame stands for 40 ms, and an event for two frames.
        is_event(int((number + 0.5) / 10 * 25) / 25, 0.5, 0.08)
        for number in range(20)
    ]
    assert media.got[THREE].shape == (3, 32, 48, 3)


def test_sound_is_where_it_belongs(clip: Path) -> None:
    media = decode({"video": Place(str(clip))}, [SOUND, Sound(8000)])
    assert np.abs(media.got[SOUND][: 2 * RATE] - clicks(2.0, 0.5)).max() < 1e-3
    assert len(media.got[Sound(8000)]) == pytest.approx(len(media.got[SOUND]) / 2, abs=1)


def test_a_file_of_sound_is_read_where_the_video_has_none(tmp_path: Path, clip: Path) -> None:
    silent = made_clip(tmp_path / "silent.mp4", with_sound=False)
    media = decode({"video": Place(str(silent)), "audio": Place(str(clip))}, [TEN, SOUND])
    assert np.abs(media.got[SOUND][: 2 * RATE - 400] - clicks(2.0, 0.5)[:-400]).max() < 1e-3
    assert set(media.got) == {TEN, SOUND}


def test_a_clip_is_read_wherever_it_lies(tmp_path: Path, clip: Path) -> None:
    whole = decode({"video": Place(str(clip))}, [TEN, SOUND])
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        tar.add(clip, "a.mkv")
    with tarfile.open(tmp_path / "shard.tar") as tar:
        at = tar.getmember("a.mkv").offset_data
    content = clip.read_bytes()
    table = pa.table(
        {"video": [{"bytes": b"", "path": ""}, {"bytes": content, "path": "a"}], "raw": [b"", content]}
    )
    pq.write_table(table, tmp_path / "shard.parquet", row_group_size=1)
    for place in (
        Place(str(tmp_path / "shard.tar"), at, len(content)),
        Place(str(tmp_path / "shard.parquet"), row=1, column="video"),
        Place(str(tmp_path / "shard.parquet"), row=1, column="raw"),
    ):
        media = decode({"video": place}, [TEN, SOUND])
        assert all(np.array_equal(media.got[want], whole.got[want]) for want in (TEN, SOUND)), place


def bad(folder: Path, name: str) -> dict[str, Place]:
    """Files of a clip that has no features."""
    path = folder / "clip.mkv"
    if name == "nan":
        sound = clicks(2.0, 0.5)
        sound[100] = np.nan
        made_clip(path, sound=sound)
    elif name == "short":
        made_clip(path, seconds=0.2, every=0.1)
    elif name == "silent":
        made_clip(path, with_sound=False)
    else:
        content = made_clip(folder / "whole.mkv").read_bytes()
        path.write_bytes({"empty": b"", "words": b"not a video" * 99, "head": content[:300]}.get(name, content))
    places = {
        "gone": {"video": Place(str(folder / "none.mkv"))},
        "none": {},
        "sound alone": {"audio": Place(str(path))},
        "tar ends": {"video": Place(str(path), 10**6, 100)},
        "no column": {"video": Place(str(path), row=0, column="video")},
    }
    return places.get(name, {"video": Place(str(path))})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nan", "not_finite"),
        ("short", "short"),
        ("silent", "no_sound"),
        ("empty", "not_decodable"),
        ("words", "not_decodable"),
        ("head", "not_decodable"),
        ("gone", "not_decodable"),
        ("none", "not_here"),
        ("sound alone", "no_picture"),
        ("tar ends", "not_decodable"),
        ("no column", "not_decodable"),
    ],
)
def test_why_a_clip_has_no_features(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(Unusable) as said:
        decode(bad(tmp_path, name), [TEN, SOUND])
    assert said.value.reason == reason and said.value.detail


def test_what_is_not_wanted_may_lack(tmp_path: Path) -> None:
    assert set(decode(bad(tmp_path, "silent"), [TEN]).got) == {TEN}
    assert set(decode({"audio": Place(str(made_clip(tmp_path / "a.mkv")))}, [SOUND]).got) == {SOUND}


@pytest.mark.parametrize(
    ("want", "seconds", "times"),
    [
        (Pictures(rate=2), 1.2, [0.25, 0.75]),
        (Pictures(rate=2), 0.3, [0.25]),
        (Pictures(count=4), 8.0, [1.0, 3.0, 5.0, 7.0]),
    ],
)
def test_times_are_in_the_middle(want: Pictures, seconds: float, times: list[float]) -> None:
    assert want.times(seconds) == times
