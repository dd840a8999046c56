"""What is decoded of a clip: the right frames and samples, the same by both decoders, of a path or bytes."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from avclips.core.errors import RunError
from avclips.loaders.audio import resampled
from avclips.loaders.decoders import PYAV, Decoder, decoder
from avclips.loaders.options import Options

Array = np.ndarray[Any, Any]


def has_torchcodec() -> bool:
    return decoder("auto").name == "torchcodec"


NO_TORCHCODEC = pytest.mark.skipif(not has_torchcodec(), reason="torchcodec does not load")


@pytest.fixture(params=["pyav", pytest.param("torchcodec", marks=NO_TORCHCODEC)])
def by(request: pytest.FixtureRequest) -> Decoder:
    return decoder(request.param)


def every_frame(path: Path) -> tuple[Array, list[float]]:
    """All frames as RGB, and when each begins: decoded one after the other."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        pictures = np.stack([frame.to_ndarray(format="rgb24") for frame in frames]).transpose(0, 3, 1, 2)
        return pictures, [float(frame.pts * frame.time_base) for frame in frames]


def clips(folder: Path) -> list[Path]:
    return sorted((folder / "videos").glob("*.mp4"))


def test_all_frames_are_those_of_the_file(avqa: Path, by: Decoder) -> None:
    for path in clips(avqa):
        pictures, times = every_frame(path)
        found = by.pictures(str(path), Options(num_frames=None))
        assert found.frames.dtype == torch.uint8 and np.array_equal(found.frames.numpy(), pictures)
        assert found.times.tolist() == pytest.approx(times, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "due"),
    [
        (Options(num_frames=8), [0.625 + 1.25 * each for each in range(8)]),
        (Options(num_frames=1), [5.0]),
        (Options(num_frames=300), [(each + 0.5) / 30 for each in range(300)]),
        (Options(fps=4), [each / 4 for each in range(40)]),
        (Options(fps=25, seconds=2), [each / 25 for each in range(50)]),
        (Options(num_frames=2, seconds=4), [1.0, 3.0]),
        # Behind the end of the clip its last frame stands.
        (Options(num_frames=4, seconds=16), [2.0, 6.0, 10.0, 14.0]),
    ],
)
def test_the_frames_that_stand_at_these_times(avqa: Path, by: Decoder, options: Options, due: list[float]) -> None:
    path = avqa / "videos" / "AVtwoclips1_000017.mp4"
    pictures, times = every_frame(path)
    at = [[n for n, each in enumerate(times) if each <= time + 1e-6] for time in due]
    standing = [max(each, default=0) for each in at]
    found = by.pictures(str(path), options)
    assert found.times.tolist() == pytest.approx([times[each] for each in standing], abs=1e-9)
    assert np.array_equal(found.frames.numpy(), pictures[standing])


@pytest.mark.parametrize(("size", "shape"), [(90, (90, 160)), ((64, 48), (64, 48)), (180, (180, 320))])
def test_the_size(avqa: Path, by: Decoder, size: Any, shape: tuple[int, int]) -> None:
    path = clips(avqa)[0]
    found = by.pictures(str(path), Options(num_frames=3, size=size)).frames
    assert found.shape == (3, 3, *shape)
    # By the one scaler: whichever decodes, the same.
    assert torch.equal(found, PYAV.pictures(str(path), Options(num_frames=3, size=size)).frames)
    whole = by.pictures(str(path), Options(num_frames=3)).frames.float()
    small = torch.nn.functional.interpolate(whole, shape, mode="bilinear", antialias=True)
    assert (found.float() - small).abs().mean() < 3


def test_only_what_is_needed_is_decoded(avqa: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a group of pictures in which none is wanted, none."""
    from avclips.loaders import video

    fed: list[int] = []

    class Counting:
        def __init__(self, context: Any) -> None:
            self._context = context
            self.flush_buffers = context.flush_buffers

        def decode(self, packet: Any) -> Any:
            fed.append(packet is not None)
            return self._context.decode(packet)

    decoded: Callable[..., Any] = video.decoded
    monkeypatch.setattr(video, "decoded", lambda context, *more: decoded(Counting(context), *more))
    path = str(avqa / "videos" / "AVtwoclips1_000017.mp4")
    PYAV.pictures(path, Options(num_frames=None))
    whole = sum(fed)
    fed.clear()
    PYAV.pictures(path, Options(num_frames=2))
    assert sum(fed) < whole / 2


def test_bytes_are_as_good_as_a_path(avqa: Path, by: Decoder) -> None:
    path, sound = clips(avqa)[1], sorted((avqa / "audio").glob("*.wav"))[1]
    options = Options(num_frames=4, sample_rate=16_000)
    assert torch.equal(by.pictures(str(path), options).frames, by.pictures(path.read_bytes(), options).frames)
    one, other = (by.sound(each, {}, options) for each in (str(sound), sound.read_bytes()))
    assert torch.equal(one.samples, other.samples)


def samples_of(path: Path) -> tuple[Array, int]:
    with wave.open(str(path)) as sound:
        found = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, sound.getnchannels())
        return found.T.astype(np.float32) / 32768, sound.getframerate()


def test_sound_is_that_of_the_wav(avqa: Path, by: Decoder) -> None:
    for path in sorted((avqa / "audio").glob("*.wav")):
        due, rate = samples_of(path)
        found = by.sound(str(path), {}, Options(mono=False))
        assert found.rate == rate and np.array_equal(found.samples.numpy(), due)
        mixed = by.sound(str(path), {}, Options())
        assert mixed.samples.dtype == torch.float32
        assert np.allclose(mixed.samples.numpy(), due.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize(("seconds", "count"), [(3.0, 48_000), (10.0, 160_000), (12.5, 200_000), (0.001, 16)])
def test_a_length_is_exact(avqa: Path, by: Decoder, seconds: float, count: int) -> None:
    path = avqa / "audio" / "AVtwoclips1_000017.wav"
    found = by.sound(str(path), {}, Options(seconds=seconds, sample_rate=16_000)).samples
    assert found.shape == (count,)
    assert not found[160_000:].any()
    whole = by.sound(str(path), {}, Options(sample_rate=16_000)).samples
    behind = min(count, 160_000) - 100
    assert torch.allclose(found[: max(0, behind)], whole[: max(0, behind)], atol=1e-4)


def test_sound_within_an_mp4_ends_where_its_edit_list_does(avqa: Path, by: Decoder) -> None:
    """What fills up AAC's last packet is not the clip's."""
    for path in clips(avqa):
        due, _ = samples_of(avqa / "audio" / f"{path.stem}.wav")
        found = by.sound(str(path), {"samples": due.shape[1], "sample_rate": 44_100}, Options(mono=False))
        assert found.samples.shape == due.shape
        step = np.corrcoef(found.samples[0, 2000:40_000].numpy(), due[0, 2000:40_000])[0, 1]
        assert step > 0.9


@pytest.mark.parametrize(("rate", "new"), [(44_100, 16_000), (44_100, 48_000), (8_000, 44_100), (22_050, 22_050)])
@pytest.mark.parametrize("count", [1, 1000, 44_101])
def test_resampled_sound_is_in_step(rate: int, new: int, count: int) -> None:
    times = np.arange(count) / rate
    found = resampled(np.sin(2 * np.pi * 440 * times)[None].astype(np.float32), rate, new)
    assert found.shape == (1, -(-count * new // rate))
    due = np.sin(2 * np.pi * 440 * np.arange(found.shape[1]) / new)
    assert np.abs(found[0, 200:-200] - due[200:-200]).max(initial=0) < 2e-3


@pytest.mark.parametrize("content", [b"", b"RIFF....WAVE", b"\0" * 4000])
def test_what_is_no_media_is_one_line(tmp_path: Path, by: Decoder, content: bytes) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    for source in (str(path), content):
        with pytest.raises(RunError, match="cannot be decoded: "):
            by.pictures(source, Options())
        with pytest.raises(RunError, match="cannot be decoded: "):
            by.sound(source, {}, Options())


def test_a_broken_file_is_said(avqa: Path, tmp_path: Path, by: Decoder) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(clips(avqa)[0].read_bytes()[:50_000])
    with pytest.raises(RunError, match=r"x\.mp4 cannot be decoded: "):
        by.pictures(str(path), Options())
    with pytest.raises(RunError, match=r"x\.wav cannot be decoded: "):
        by.sound(str(tmp_path / "x.wav"), {}, Options())
