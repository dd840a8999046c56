"""Log-mel spectra as of the authors of AudioSet: windows of 25 ms every 10 ms, 64 bands of 125 to 7500 Hz."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .extractor import Array

RATE, WINDOW, HOP, SIZE = 16_000, 400, 160, 512
MELS, LOWEST, HIGHEST = 64, 125.0, 7500.0


def log_mel(samples: Array) -> Array:
    """log(magnitude + 0.01), (frames, MELS) float32, of mono sound at RATE; one frame at least."""
    padded = np.pad(samples, (0, max(0, WINDOW - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    # A periodic Hann window, as in the authors' mel_features.py.
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    logs = np.log(np.abs(np.fft.rfft(frames * window, SIZE)) @ _mel_bands() + 0.01)
    return np.asarray(logs.astype(np.float32))


@functools.cache
def _mel_bands() -> Array:
    """Triangles on the mel scale of HTK, of height 1; (SIZE / 2 + 1, MELS)."""

    def mel(hertz: Any) -> Any:
        return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)

    bins = mel(np.linspace(0, RATE / 2, SIZE // 2 + 1))[:, None]
    edges = np.linspace(mel(LOWEST), mel(HIGHEST), MELS + 2)
    lower, middle, upper = edges[:-2], edges[1:-1], edges[2:]
    bands = np.maximum(0.0, np.minimum((bins - lower) / (middle - lower), (upper - bins) / (upper - middle)))
    # As theirs: no band hears a constant offset.
    bands[0] = 0.0
    return np.asarray(bands)
