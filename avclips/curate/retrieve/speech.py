"""A small formant synthesizer that speaks the ten digits in English, and the spectrum of what it says.

A word is a row of phones: a voiced one is a pulse train through three resonances, a voiceless one noise in a
band. Formants are Peterson and Barney's (1952), scaled to a voice's size. Each speaking draws pitch, size, pace
and noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE, FRAMES, BANDS = 8000, 48, 24
Samples = NDArray[np.float64]

# Formants in Hz, how loud, and how long in ms; vowels that glide name two.
_VOICED = {
    "i": ((270, 2290, 3010), 1.0, 90), "I": ((390, 1990, 2550), 1.0, 80), "E": ((530, 1840, 2480), 1.0, 90),
    "e": ((460, 2100, 2600), 1.0, 70), "V": ((640, 1190, 2390), 1.0, 110), "A": ((730, 1090, 2440), 1.0, 90),
    "O": ((570, 840, 2410), 1.0, 120), "o": ((490, 910, 2350), 1.0, 80), "u": ((300, 870, 2240), 1.0, 110),
    "U": ((440, 1020, 2240), 1.0, 70), "r": ((420, 1300, 1600), 0.7, 60), "w": ((300, 610, 2200), 0.6, 60),
    "n": ((250, 1600, 2400), 0.4, 70), "v": ((220, 1100, 2100), 0.3, 50), "z": ((250, 1500, 2500), 0.3, 60),
}  # fmt: skip
# The band in Hz, how loud, how long in ms.
_NOISY = {
    "s": ((2500, 3900), 0.25, 100), "f": ((900, 3800), 0.08, 90), "T": ((1400, 3900), 0.08, 80),
    "t": ((2200, 3900), 0.3, 25), "k": ((1200, 2600), 0.3, 30), "_": ((100, 3900), 0.001, 40),
}  # fmt: skip
WORDS = (
    "z I r o U", "w V n", "_ t u", "T r i", "f O r", "f A I v", "s I k s", "s E v V n", "e I _ t", "n A I n",
)  # fmt: skip


def speak(digit: int, rng: np.random.Generator) -> Samples:
    """One speaking of a digit, samples at ``RATE``."""
    pitch, size, pace = rng.uniform(85, 230), rng.uniform(0.88, 1.18), rng.uniform(0.75, 1.35)
    parts = [_phone(name, pitch * rng.uniform(0.9, 1.1), size, pace, rng) for name in WORDS[digit].split()]
    said = np.concatenate(parts)
    edge = min(160, len(said) // 4)
    said[:edge] *= np.linspace(0, 1, edge)
    said[-edge:] *= np.linspace(1, 0, edge)
    said = said / np.abs(said).max() + rng.standard_normal(len(said)) * 10 ** (-rng.uniform(15, 35) / 20)
    return np.asarray(said * 10 ** (-rng.uniform(0, 12) / 20))


def _phone(name: str, pitch: float, size: float, pace: float, rng: np.random.Generator) -> Any:
    if name in _NOISY:
        (low, high), loud, lasts = _NOISY[name]
        noise: Any = np.fft.rfft(rng.standard_normal(int(lasts * pace * RATE / 1000)))
        band = np.linspace(0, RATE / 2, len(noise))
        noise[(band < low * size) | (band > high)] = 0
        made = np.fft.irfft(noise)
        return np.asarray(loud * made / (np.abs(made).max() + 1e-9))
    formants, loud, lasts = _VOICED[name]
    count = int(lasts * pace * rng.uniform(0.85, 1.15) * RATE / 1000)
    phase = np.cumsum(np.full(count, pitch / RATE)) + rng.random()
    pulses: Any = np.diff(np.floor(phase), prepend=0.0).clip(0, 1)
    hertz = np.fft.rfftfreq(2 * count, 1 / RATE)
    shaped = np.fft.rfft(pulses, 2 * count) / (1 + (hertz / 500) ** 1.0)
    gain: Any = np.zeros(len(hertz))
    for order, formant in enumerate(formants):
        centre = formant * size * rng.uniform(0.96, 1.04)
        gain += 0.6**order / (1 + ((hertz - centre) / (50 + 0.03 * centre)) ** 2)
    voiced = np.fft.irfft(shaped * gain)[:count]
    return np.asarray(loud * voiced / (np.abs(voiced).max() + 1e-9))


def spectrum(said: Samples) -> NDArray[np.float64]:
    """Log energies (FRAMES, BANDS) in bands of mels, whatever the length; their mean is 0."""
    window = RATE // 40
    starts = np.linspace(0, max(len(said) - window, 0), FRAMES).astype(int)
    padded = np.pad(said, (0, window))
    frames = np.stack([padded[start : start + window] for start in starts]) * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    mels = np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    hertz = np.fft.rfftfreq(512, 1 / RATE)
    rising = (hertz[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - hertz[:, None]) / np.diff(edges)[1:]
    made = np.log(power @ np.clip(np.minimum(rising, falling), 0, None) + 1e-6)
    return np.asarray(made - made.mean())
