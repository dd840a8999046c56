"""Level, clipping and equal channels, against numpy on all samples."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from avclips.quality.samples import block_size, full_scale, measure_samples

RNG = np.random.default_rng(2)
RATE, SECONDS = 44_100, 12
AT = np.arange(RATE * SECONDS) / RATE
SINE = 16_000 * np.sin(2 * np.pi * 440 * AT)
NOISE = RNG.normal(0, 3000, len(AT))


def blocks(*channels: np.ndarray) -> Iterator[bytes]:
    pcm = np.clip(np.rint(np.stack(channels, 1)), -32768, 32767).astype("<i2").tobytes()
    size = block_size(len(channels))
    return (pcm[at : at + size] for at in range(0, len(pcm), size))


@pytest.mark.parametrize(
    "channels",
    [(SINE,), (NOISE,), (SINE, NOISE), (SINE, 0 * SINE), (NOISE, NOISE, SINE), (NOISE * 0.001,), (SINE,) * 6],
)
def test_the_level_is_the_root_mean_square_in_decibels(channels: tuple[np.ndarray, ...]) -> None:
    true = 10 * np.log10(np.mean(np.rint(np.stack(channels)) ** 2) / 32768**2)
    assert measure_samples(blocks(*channels), len(channels))["level"] == pytest.approx(true, abs=0.1)


def test_silence_has_the_lowest_level_and_nothing_has_none() -> None:
    found = measure_samples(blocks(0 * SINE, 0 * SINE), 2)
    assert found == {"level": -120.0, "clipped": 0.0, "dual_mono": False}
    assert measure_samples([], 2) == {}


@pytest.mark.parametrize("gain", [0.5, 1.0, 2.04, 2.5, 20.0])
def test_clipped_is_the_share_of_samples_at_full_scale(gain: float) -> None:
    held = np.clip(np.rint(gain * SINE), -32768, 32767)
    true = np.mean((held == 32767) | (held == -32768))
    assert measure_samples(blocks(gain * SINE, NOISE), 2)["clipped"] == pytest.approx(true / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("samples", "count"),
    [
        ([], 0),
        ([32766, -32767, 0], 0),
        ([32767, -32768, 5], 2),
        # Neighbours whose bytes together look like one: ff 7f, 00 80.
        ([-1, 127, 255, 32512], 0),
        ([0x00FF - 0x8000, 0x7F00, 0x7FFE, 0x00FF], 0),
    ],
)
def test_only_whole_samples_count(samples: list[int], count: int) -> None:
    assert full_scale(np.array(samples, "<i2").tobytes()) == count


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (SINE, SINE, True),
        (NOISE, NOISE, True),
        (NOISE, NOISE + RNG.integers(-1, 2, len(AT)), True),
        (NOISE, NOISE + RNG.normal(0, 10, len(AT)), False),
        (NOISE, -NOISE, False),
        (SINE, NOISE, False),
        (SINE, 0 * SINE, False),
        # The same for the first eleven seconds, which are looked at in blocks of their own.
        (NOISE, np.where(AT < 11, NOISE, -NOISE), False),
    ],
)
def test_two_equal_channels(left: np.ndarray, right: np.ndarray, same: bool) -> None:
    assert measure_samples(blocks(left, right), 2)["dual_mono"] is same


def test_of_one_channel_and_of_six_nobody_asks() -> None:
    assert measure_samples(blocks(SINE), 1)["dual_mono"] is None
    assert measure_samples(blocks(*[SINE] * 6), 6)["dual_mono"] is None
