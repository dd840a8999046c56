"""The stand-in's media are shaped like YouTube's: index near the head, B-frames, noise; and made once."""

from __future__ import annotations

import struct
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType

import fake_media
from fake_media import Media, boxes

MEDIA = Media(duration=20, gop_seconds=2)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


def kinds(path: Path) -> list[str]:
    return [kind for kind, _, _ in boxes(path.read_bytes())]


def sidx(content: bytes) -> tuple[int, int, list[float]]:
    """Timescale, earliest presentation time and the seconds of each fragment."""
    at = next(at for kind, at, _ in boxes(content) if kind == "sidx")
    version, _, scale = struct.unpack(">B3x2I", content[at + 8 : at + 20])
    wide = struct.unpack(">QQHH" if version else ">IIHH", content[at + 20 : at + (40 if version else 32)])
    rows = at + (40 if version else 32)
    return scale, wide[0], [
        struct.unpack(">I", content[rows + 12 * n + 4 : rows + 12 * n + 8])[0] / scale for n in range(wide[3])
    ]  # fmt: skip


@pytest.mark.parametrize(("itag", "fragments"), [(134, [2.0] * 10), (140, [10.0, 10.0])])
def test_the_index_is_near_the_head(folder: Path, itag: int, fragments: list[float]) -> None:
    content = fake_media.make(MEDIA, itag, folder).read_bytes()
    assert [kind for kind, _, _ in boxes(content)][:5] == ["ftyp", "moov", "sidx", "moof", "mdat"]
    assert boxes(content)[3][1] < 4096
    _, earliest, seconds = sidx(content)
    assert seconds[: len(fragments)] == pytest.approx(fragments, abs=0.05)
    assert sum(seconds) == pytest.approx(20, abs=0.05)
    # Second 0 of the pictures is not 0: the reorder delay of the B-frames.
    assert (earliest > 0) == (itag == 134)


def test_variants_without_index(folder: Path) -> None:
    for itag in (134, 140):
        fragmented = kinds(fake_media.make(Media(duration=4, gop_seconds=2, variant="fragmented"), itag, folder))
        assert "sidx" not in fragmented and "moof" in fragmented
        faststart = kinds(fake_media.make(Media(duration=4, variant="faststart"), itag, folder))
        assert "moof" not in faststart and faststart.index("moov") < faststart.index("mdat")
    assert "moof" not in kinds(fake_media.make(MEDIA, 18, folder))


def test_pictures_differ_and_have_b_frames(folder: Path) -> None:
    with av.open(str(fake_media.make(Media(duration=4, gop_seconds=2), 134, folder))) as file:
        frames = list(file.decode(video=0))
    assert [f.pict_type for f in frames].count(PictureType.B) >= len(frames) / 2
    assert sum(f.key_frame for f in frames) == 2
    assert len(frames) == 100
    pictures = [f.to_ndarray(format="gray").astype(int) for f in frames]
    assert min(abs(a - b).mean() for a, b in pairwise(pictures)) > 0.5


def test_sound_is_noise_another_in_each_channel(folder: Path) -> None:
    with av.open(str(fake_media.make(MEDIA, 140, folder))) as file:
        sound = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)
    assert sound.shape == (2, pytest.approx(20 * 44100, abs=2048))
    assert 0.02 < sound.std() < 0.5
    assert abs(np.corrcoef(sound)[0, 1]) < 0.2
    assert np.corrcoef(sound[0, 1:], sound[0, :-1])[0, 1] < 0.98


def test_18_holds_both(folder: Path) -> None:
    with av.open(str(fake_media.make(MEDIA, 18, folder))) as file:
        assert {s.type for s in file.streams} == {"video", "audio"}
        assert (file.duration or 0) / 1e6 == pytest.approx(20, abs=0.1)


def test_the_same_spec_gives_the_same_bytes_also_at_once(tmp_path: Path) -> None:
    media = Media(duration=3, sample_rate=22050, channels=1)
    with ProcessPoolExecutor(2) as pool:
        one, two = pool.map(fake_media.make, [media] * 2, [134] * 2, [tmp_path / "a"] * 2)
    assert one == two
    other = fake_media.make(media, 134, tmp_path / "b")
    assert one.read_bytes() == other.read_bytes()
    assert one.name == other.name and one.name != fake_media.make(Media(duration=3, seed=2), 134, tmp_path).name
    assert not list(tmp_path.rglob("*.part"))
