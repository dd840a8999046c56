"""What `classic` tells of sounds and pictures that were made to differ in one thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from avclips.curate.features import classic_time as curves
from avclips.curate.features.classic import PICTURES, SOUND, Classic
from avclips.curate.features.classic_picture import global_motion, picture_layers
from avclips.curate.features.classic_sound import sound_layers
from avclips.curate.features.extractor import Media
from avclips.curate.features.registry import ROWS

Array = np.ndarray[Any, np.dtype[Any]]
SECONDS, RATE = 4, 16_000
AT = np.arange(SECONDS * RATE) / RATE


def tone(hertz: float = 440.0, beat: float = 0.0, level: float = 0.3) -> Array:
    """A tone whose loudness goes up and down ``beat`` times a second."""
    loud = 0.5 + 0.5 * np.sin(2 * np.pi * beat * AT) if beat else 1.0
    return (level * loud * np.sin(2 * np.pi * hertz * AT)).astype(np.float32)


def pictures(flicker: float = 0.0, shift: int = 0, colour: tuple[int, int, int] = (120, 120, 120)) -> Array:
    """Blobs in a colour, whose light flickers, and which move ``shift`` pixels a picture to the right."""
    times = np.arange(SECONDS * 16) / 16
    y, x = np.mgrid[0:48, 0:64] / 8.0
    light = 1.0 + 0.5 * np.sin(2 * np.pi * flicker * times) if flicker else np.ones(len(times))
    made = [
        light[at] * (0.6 + 0.4 * np.sin(x - shift * at / 8.0) * np.cos(y))[..., None] * np.array(colour)
        for at in range(len(times))
    ]
    return np.clip(np.stack(made), 0, 255).astype(np.uint8)


def far(one: list[Array], other: list[Array]) -> list[float]:
    """How far two clips are apart, layer by layer."""
    return [float(np.abs(a - b).mean()) for a, b in zip(one, other, strict=True)]


def test_layers_are_as_long_as_they_are_said_to_be() -> None:
    extractor = Classic()
    for seconds in (0.5, 1.0, 7.3, 10.0):
        count = PICTURES.times(seconds)
        media = Media(
            seconds,
            {
                SOUND: np.zeros(int(seconds * RATE), np.float32),
                PICTURES: np.zeros((len(count), 48, 64, 3), np.uint8),
            },
        )
        layers = extractor.extract([media, media])
        assert [layer.shape for layer in layers] == [(2, shape.dims) for shape in extractor.layers]
        assert all(np.isfinite(layer).all() for layer in layers)


def test_the_table_of_extractors_says_how_long_they_are() -> None:
    dims = [shape.dims for shape in Classic().layers]
    (said,) = (row.dims for row in ROWS if row.name == "classic")
    assert said == f"{min(dims)} to {max(dims)}"


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_told_by_finite_numbers(seed: int) -> None:
    random = np.random.default_rng(seed)
    sound = random.normal(size=30_000).astype(np.float32)
    picture = random.integers(0, 256, (17, 48, 64, 3)).astype(np.uint8)
    for layer in [*sound_layers(sound), *picture_layers(picture)]:
        assert np.isfinite(layer).all() and np.abs(layer).max() < 1e4


def test_a_level_changes_little_but_itself() -> None:
    one, loud, other = sound_layers(tone()), sound_layers(tone(level=0.6)), sound_layers(tone(1500.0))
    assert far(one, loud)[0] < 0.2 * far(one, other)[0]
    # Tone, movement, modulation and events do not know the level.
    assert max(far(one, loud)[1:]) < 0.02


@pytest.mark.parametrize("layer", [3, 4])
@pytest.mark.parametrize(
    "made", [lambda beat: sound_layers(tone(beat=beat)), lambda beat: picture_layers(pictures(flicker=beat))]
)
def test_a_pace_is_told_from_another(made: Callable[[float], list[Array]], layer: int) -> None:
    slow, quick = made(1.0)[layer], made(3.0)[layer]
    assert np.abs(slow - made(1.05)[layer]).mean() < 0.6 * np.abs(slow - quick).mean()


@pytest.mark.parametrize("beat", [0.75, 1.5, 3.0, 6.0])
def test_a_pace_is_in_the_same_band_of_both(beat: float) -> None:
    at = int(np.abs(np.log(curves.BANDS / beat)).argmin())
    for rate in (16.0, 100.0):
        times = np.arange(0, 10, 1 / rate)
        found = curves.modulation(1 + np.sin(2 * np.pi * beat * times), rate, 0.01)
        assert found[:-2].argmax() == at and found[at] ** 2 > 0.4


def test_events_are_counted() -> None:
    for often in (1, 2, 5):
        curve = np.zeros(1000)
        curve[np.arange(0, 10 * often) * (100 // often) + 5] = 1.0
        found, heights = curves.peaks(curve + 0.001 * np.sin(np.arange(1000)), 100.0, 0.01)
        assert len(found) == 10 * often and heights.min() > 0.9
        told = curves.events(curve, 100.0, 0.01)[:10]
        mean = (told * np.log2(curves.INTERVALS)).sum()
        assert told.sum() == pytest.approx(1) and mean == pytest.approx(-np.log2(often), abs=1e-6)
    assert len(curves.peaks(np.zeros(100), 10.0, 0.01)[0]) == 0


def test_motion_is_told_by_its_direction_and_zoom() -> None:
    y, x = np.mgrid[0:48, 0:64]

    def moved(dx: float, dy: float, grows: float) -> Array:
        at = (np.arange(5)[:, None, None] * np.array([1.0]))[..., None]
        scale = 1 + grows * at[..., 0]
        across, down = (x - 31.5) / scale - dx * at[..., 0], (y - 23.5) / scale - dy * at[..., 0]
        return (0.5 + 0.2 * np.sin(across / 5) + 0.2 * np.cos(down / 4)).astype(np.float32)

    for motion, axis in (((1, 0, 0), 0), ((0, 1, 0), 1), ((0, 0, 0.03), 2)):
        forward = global_motion(moved(*motion)).mean(axis=0)
        back = global_motion(moved(*(-each for each in motion))).mean(axis=0)
        assert np.abs(forward).argmax() == axis and forward[axis] > 0 > back[axis]


def test_steps_are_means() -> None:
    assert curves.steps(np.arange(8.0), 4).tolist() == [0.5, 2.5, 4.5, 6.5]
    assert curves.steps(np.array([1.0, 3.0]), 4).tolist() == [1.0, 1.0, 3.0, 3.0]
    assert np.abs(curves.course(np.full(50, 7.0), 0.01)).max() == 0.0
