"""The five layers of a sound: spectrum, tone, movement, modulation, events."""

from __future__ import annotations

import functools

import numpy as np

from .classic_time import TINY, course, events, modulation, pulse, rises, spread_of, steps, trend
from .extractor import Array

RATE, WINDOW, HOP = 16_000, 512, 160
CURVES = RATE / HOP
MELS, LOWEST, HIGHEST = 32, 50.0, 7500.0
# Changes that are none to the ear: of onsets (natural logarithm of energy), of the spectrum's middle (its width is
# 1), of loudness (the clip's loudest tenth is 1).
ONSET, MIDDLE, LOUD = 0.05, 0.01, 0.03
CHROMA_LOWEST, CHROMA_HIGHEST = 100.0, 4000.0


def sound_layers(samples: Array) -> list[Array]:
    """Five vectors of mono sound at RATE."""
    power = _power(samples)
    bands = np.add.reduceat(power[:, : _mel_edges()[-1]], _mel_edges()[:-1], axis=1)
    # Below -70 dB of its loudest tenth, a band is silent.
    mel = np.log(bands + 1e-7 * np.quantile(bands.max(axis=1), 0.9) + 1e-10)
    loudness = np.sqrt(power.sum(axis=1))
    loudness = loudness / (np.quantile(loudness, 0.9) + 1e-6)
    onset = np.maximum(np.diff(mel, axis=0, prepend=mel[:1]), 0.0).mean(axis=1)
    centroid = _centroid(mel)
    return [
        _spectrum(mel, samples),
        _tone(power, mel),
        _movement(mel, onset, centroid),
        _modulation(mel, loudness, onset, centroid),
        _events(loudness, onset, centroid),
    ]


def _power(samples: Array) -> Array:
    """(frames, WINDOW / 2 + 1), a frame every HOP samples."""
    # A constant offset is no sound.
    padded = np.pad(samples - samples.mean(), (WINDOW // 2, WINDOW // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    spectra = np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1)
    return np.asarray(np.abs(spectra) ** 2 / WINDOW)


@functools.cache
def _hertz() -> Array:
    return np.fft.rfftfreq(WINDOW, 1 / RATE)


@functools.cache
def _mel_edges() -> Array:
    """The first bin of each band, and the end of the last; bands are as wide as mels are, one bin at least."""
    lowest, highest = (2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST, HIGHEST))
    mel = np.linspace(lowest, highest, MELS + 1)
    edges = np.round(700 * (10 ** (mel / 2595) - 1) / (RATE / WINDOW)).astype(int)
    for number in range(1, len(edges)):
        edges[number] = max(edges[number], edges[number - 1] + 1)
    return edges


def _share(mel: Array) -> Array:
    """Of each frame, which share of it is in which band, by loudness as it is heard."""
    above = np.maximum(mel - np.median(mel), 0.0)
    return np.asarray(above / (above.sum(axis=1, keepdims=True) + TINY))


def _centroid(mel: Array) -> Array:
    """Where the middle of the spectrum is, in [0, 1]; a silent frame goes on with what was before."""
    share = _share(mel)
    found = (share * np.linspace(0, 1, mel.shape[1])).sum(axis=1)
    silent = share.sum(axis=1) < 0.5
    if silent.all():
        return np.full(len(mel), 0.5)
    heard = np.flatnonzero(~silent)
    return np.asarray(np.interp(np.arange(len(mel)), heard, found[heard]))


def _spectrum(mel: Array, samples: Array) -> Array:
    """Coarse: which bands sound, and how much each varies, whatever the level."""
    level = mel.mean()
    quiet = np.log10(np.sqrt((samples.astype(np.float64) ** 2).mean()) + 1e-5)
    return np.concatenate([mel.mean(axis=0) - level, mel.std(axis=0), [quiet]])


def _tone(power: Array, mel: Array) -> Array:
    """Which tones, and whether tones at all: chroma, flatness, peaks, the envelope of the spectrum."""
    hertz = _hertz()
    tonal = (hertz >= CHROMA_LOWEST) & (hertz < CHROMA_HIGHEST)
    tone = np.round(12 * np.log2(hertz[tonal] / 440)).astype(int) % 12
    energy = power[:, tonal].mean(axis=0)
    chroma = np.bincount(tone, energy, 12) / (np.bincount(tone, minlength=12) + TINY)
    chroma = chroma / (chroma.sum() + TINY)
    heard = power[:, 1:] + 1e-7 * power.max() + 1e-10
    logs = np.log(heard)
    flatness = logs.mean(axis=1) - np.log(heard.mean(axis=1))
    highest = logs.max(axis=1) - np.median(logs, axis=1)
    width = np.sqrt((_share(mel) * (np.linspace(0, 1, MELS) - _centroid(mel)[:, None]) ** 2).sum(axis=1))
    cepstrum = np.fft.irfft(mel, axis=1)[:, 1:13]
    parts = [np.sort(chroma), chroma, spread_of(flatness), spread_of(highest), spread_of(width)]
    return np.concatenate([*parts, cepstrum.mean(axis=0), cepstrum.std(axis=0)])


def _movement(mel: Array, onset: Array, centroid: Array) -> Array:
    """How the sound changes from one moment to the next, and whether it goes up or down."""
    change = np.abs(np.diff(mel, axis=0))
    slide = np.diff(steps(centroid, max(2, len(centroid) // 5)))
    moving = [spread_of(np.abs(slide)), spread_of(onset), trend(centroid, MIDDLE), trend(mel.mean(axis=1), ONSET)]
    # A sweep goes one way for long; a warble turns.
    turns = np.mean((slide[1:] * slide[:-1] < 0) & (np.abs(slide[1:]) > MIDDLE / 2)) if len(slide) > 1 else 0.0
    fourths = [part.mean() for part in np.array_split(change, 8, axis=1)]
    return np.concatenate([*moving, fourths, [turns]])


def _modulation(mel: Array, loudness: Array, onset: Array, centroid: Array) -> Array:
    """At which pace loudness, onsets, pitch and each third of the spectrum change."""
    thirds = [part.mean(axis=1) for part in np.array_split(mel, 3, axis=1)]
    parts = [
        modulation(loudness, CURVES, LOUD),
        modulation(onset, CURVES, ONSET),
        modulation(centroid, CURVES, MIDDLE),
    ]
    return np.concatenate([*parts, *(modulation(third, CURVES, 4 * ONSET) for third in thirds)])


def _events(loudness: Array, onset: Array, centroid: Array) -> Array:
    """What happens when: intervals between onsets, the pulse, and the course over the clip."""
    rise = rises(steps(loudness, max(2, len(loudness) // 3)))
    patterns = [events(onset, CURVES, ONSET), events(rise, CURVES / 3, LOUD)]
    patterns += [pulse(onset, CURVES, ONSET), pulse(loudness, CURVES, LOUD), pulse(centroid, CURVES, MIDDLE)]
    return np.concatenate([*patterns, course(loudness, LOUD), course(centroid, MIDDLE)])
