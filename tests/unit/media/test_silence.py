"""Silence as others read it: ffmpeg with every check that it has, and PyAV."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest

from avclips.core.clock import Clock
from avclips.media.ffmpeg import Ffmpeg
from avclips.media.inspect import measure_sound
from avclips.media.silence import CHANNELS, RATE, _as_utf8, silence
from tests.matrix.media import run_ffmpeg
from tests.standin.fake_media import ffmpeg

LENGTHS = (0.0, 0.001, 4096 / RATE, 4097 / RATE, 1.0, 9.987, 20.0)


@pytest.mark.parametrize("seconds", LENGTHS)
@pytest.mark.parametrize("ending", ["wav", "flac", "m4a"])
def test_it_is_read_and_nothing_is_heard(tmp_path: Path, ending: str, seconds: float) -> None:
    content = silence(ending, seconds)
    path = tmp_path / f"x.{ending}"
    path.write_bytes(content)
    # Any wrong sum, or stray byte, is an error.
    run_ffmpeg("-err_detect", "+crccheck+explode", "-xerror", "-i", path, "-f", "null", "-")
    samples = max(1, round(seconds * RATE))
    sound = measure_sound(path, Ffmpeg(Path(ffmpeg()), Clock()))
    assert (sound.sample_rate, sound.channels) == (RATE, CHANNELS)
    assert abs(sound.samples - samples) < (1024 if ending == "m4a" else 1)
    with av.open(io.BytesIO(content)) as container:
        heard = [frame.to_ndarray() for frame in container.decode(audio=0)]
    assert not any(np.any(part) for part in heard)
    due = samples * (CHANNELS if heard[0].shape[0] == 1 else 1)
    assert abs(sum(part.shape[1] for part in heard) - due) <= (1024 if ending == "m4a" else 0)
    assert silence(ending, seconds) == content


def test_it_takes_no_room() -> None:
    """But as a WAV, in which every sample has its place."""
    assert len(silence("flac", 10.0)) < 2_000 and len(silence("m4a", 10.0)) < 10_000


@pytest.mark.parametrize("number", [0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF])
def test_numbers_as_utf8_has_letters(number: int) -> None:
    assert _as_utf8(number) == chr(number).encode("utf-8", "surrogatepass")


def test_the_largest_number() -> None:
    assert _as_utf8(0x7FFFFFFF) == b"\xfd\xbf\xbf\xbf\xbf\xbf"
