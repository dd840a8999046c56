"""Written digits (scikit-learn's, 1,797 of 8 x 8 pixels), turned digits, and digits that a synthesizer speaks.

Both sides of a pair are of one digit, but of two writers, or of a writer and a speaker. Five layers a side, made
by hand and without labels. They are not whitened: pixels at the edge hardly vary, and would count like others.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.extras import extra
from . import speech
from .pairs import Array, TwoSided
from .settings import DIGITS


def written_and_turned(seed: int) -> TwoSided:
    """Digits, and digits of other writers turned by 90 degrees."""
    images, kinds, rng = *_load(), np.random.default_rng([seed, 6])
    others = _of_another(kinds, rng)
    turned = np.rot90(images[others], axes=(1, 2))
    return TwoSided("digits x turned digits", kinds, _picture_layers(images), _picture_layers(turned), False)


def written_and_spoken(seed: int) -> TwoSided:
    """Digits, and the same digits spoken, each by another voice."""
    images, kinds, rng = *_load(), np.random.default_rng([seed, 7])
    spectra = np.stack([speech.spectrum(speech.speak(int(kind), rng)) for kind in kinds])
    return TwoSided("digits x spoken digits", kinds, _picture_layers(images), _sound_layers(spectra), False)


DATA: dict[str, Callable[[int], TwoSided]] = dict(
    zip(DIGITS, (written_and_turned, written_and_spoken), strict=True)
)


def _load() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    extra("sklearn", "its digits are the data")
    found: Any = importlib.import_module("sklearn.datasets").load_digits()
    return found.images / 16, found.target.astype(np.int64)


def _of_another(kinds: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Of each thing, another one of its kind."""
    others = np.empty(len(kinds), np.int64)
    for kind in np.unique(kinds):
        here = rng.permutation(np.flatnonzero(kinds == kind))
        others[here] = np.roll(here, 1)
    return others


def _picture_layers(images: NDArray[np.float64]) -> tuple[Array, ...]:
    """(n, 8, 8) -> profiles, blocks, gradients of quadrants, pixels, pixels of one contrast."""
    count = len(images)
    blocks = images.reshape(count, 4, 2, 4, 2).mean((2, 4))
    down, across = np.gradient(images, axis=(1, 2))
    size, angle = np.hypot(down, across), np.arctan2(down, across)
    bins = np.floor((angle + np.pi) / (2 * np.pi) * 8).astype(int) % 8
    oriented = np.stack([np.where(bins == each, size, 0) for each in range(8)], 1)
    gradients = oriented.reshape(count, 8, 2, 4, 2, 4).sum((3, 5)).reshape(count, -1)
    pixels = images.reshape(count, -1)
    profiles = np.concatenate([images.mean(1), images.mean(2)], axis=1)
    return profiles, blocks.reshape(count, -1), gradients, pixels, pixels / np.linalg.norm(pixels, axis=1)[:, None]


def _sound_layers(spectra: NDArray[np.float64]) -> tuple[Array, ...]:
    """(n, frames, bands) -> loudness in time, mean spectrum, spectra of thirds, changes, cepstra of quarters."""
    count, frames, bands = spectra.shape
    loud = spectra.mean(2).reshape(count, 16, -1).mean(2)
    thirds = spectra[:, : frames // 3 * 3].reshape(count, 3, -1, bands).mean(2)
    quarters = spectra[:, : frames // 4 * 4].reshape(count, 4, -1, bands).mean(2)
    waves = np.cos(np.pi / bands * (np.arange(bands) + 0.5)[:, None] * np.arange(1, 9))
    changes = np.diff(thirds, axis=1)
    return (
        loud,
        spectra.mean(1),
        thirds.reshape(count, -1),
        changes.reshape(count, -1),
        (quarters @ waves).reshape(count, -1),
    )
