"""Flags of small pictures, made here so that the right number is known."""

from __future__ import annotations

import numpy as np
import pytest

from avclips.quality.pictures import RATE, SIDE, hash_of, is_unmoved, measure_pictures

RNG = np.random.default_rng(1)
# Smooth, as small pictures are, with nothing dark at the edges.
SCENE = 120 + 80 * np.outer(np.sin(np.arange(SIDE) / 7), np.cos(np.arange(SIDE) / 5))


def grey(picture: np.ndarray) -> bytes:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8).tobytes()


def moving(count: int) -> list[bytes]:
    return [grey(np.roll(SCENE, 3 * number, axis=1)) for number in range(count)]


def with_bars(picture: np.ndarray, rows: float, columns: float) -> np.ndarray:
    """Bars of so many points at each edge, a part of a point as area scaling makes it."""
    framed = picture.copy()
    for lines, count in ((framed, rows), (framed.T, columns)):
        whole = int(count)
        lines[:whole] = lines[SIDE - whole :] = 2
        if count % 1:
            lines[whole] = lines[SIDE - 1 - whole] = (1 - count % 1) * 200
            lines[whole + 1] = lines[SIDE - 2 - whole] = 200
    return framed


@pytest.mark.parametrize(
    ("pictures", "still", "black"),
    [
        (moving(50), 0.0, 0.0),
        ([grey(SCENE)] * 50, 1.0, 0.0),
        # Noise of one level does not move.
        ([grey(SCENE + RNG.integers(-1, 2, SCENE.shape)) for _ in range(20)], 1.0, 0.0),
        (moving(26) + [moving(26)[-1]] * 25, 0.5, 0.0),
        ([grey(SCENE * 0)] * 25 + moving(25), round(24 / 49, 4), 0.5),
        # A tenth of white is dark; a picture with one point in fifty brighter is black all the same.
        ([grey(SCENE * 0 + 25)] * 10, 1.0, 1.0),
        ([grey(SCENE * 0 + 26)] * 10, 1.0, 0.0),
        (moving(1), 0.0, 0.0),
    ],
)
def test_still_and_black(pictures: list[bytes], still: float, black: float) -> None:
    found = measure_pictures(pictures)
    assert (found["still"], found["black"]) == (still, black)
    assert found["brightness"] == pytest.approx(np.mean([list(each) for each in pictures]) / 255, abs=1e-4)


def test_a_picture_is_black_with_two_points_in_a_hundred_that_are_not() -> None:
    points = np.zeros(SIDE * SIDE)
    for bright, black in ((20, 1.0), (21, 0.0)):
        points[:bright] = 255
        assert measure_pictures([grey(points)])["black"] == black


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (4, 0), (0, 4), (3, 5), (3.87, 0), (0, 3.5), (1.25, 0)])
def test_bars(rows: float, columns: float) -> None:
    found = measure_pictures([grey(with_bars(SCENE, rows, columns))] * 12)
    assert found["letterbox"] == pytest.approx(2 * rows / SIDE, abs=0.004)
    assert found["pillarbox"] == pytest.approx(2 * columns / SIDE, abs=0.004)


def test_of_black_nobody_knows_the_bars_and_of_nothing_anything() -> None:
    black = measure_pictures([bytes(SIDE * SIDE)] * 3)
    assert (black["letterbox"], black["pillarbox"], black["picture_hashes"]) == (None, None, [""])
    assert measure_pictures([]) == {}


def test_bars_are_dark_in_every_picture() -> None:
    """A scene that is dark at an edge for a while has none."""
    dark, bright = grey(with_bars(SCENE, 6, 0)), grey(with_bars(SCENE, 2, 0))
    assert measure_pictures([dark] * 30 + [bright])["letterbox"] == pytest.approx(4 / SIDE, abs=0.01)


@pytest.mark.parametrize(("change", "same"), [(2, True), (3, False)])
def test_one_point_is_enough_to_move(change: int, same: bool) -> None:
    for place in (0, 1, 500, SIDE * SIDE - 1):
        picture = bytearray(grey(SCENE))
        picture[place] += change
        assert is_unmoved(grey(SCENE), bytes(picture)) is same


def bits(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_a_hash_is_the_cosine_transform_in_bits() -> None:
    """By numpy's matrices; the first bit, of the mean, is 0."""
    at = np.arange(SIDE)
    basis = np.array([np.cos(np.pi * (2 * at + 1) * k / (2 * SIDE)) for k in range(8)])
    for _ in range(5):
        picture = RNG.integers(0, 256, (SIDE, SIDE))
        transform = (basis @ picture @ basis.T).T.flatten()[1:]
        assert hash_of([grey(picture)]) == f"{int(''.join('01'[int(v > 0)] for v in transform), 2):016x}"


def test_a_hash_bears_noise_and_light_and_tells_scenes_apart() -> None:
    # As photographs have it, more of low frequencies than of high ones.
    scene = (
        128
        + np.kron(RNG.normal(0, 30, (4, 4)), np.ones((8, 8)))
        + np.kron(RNG.normal(0, 15, (8, 8)), np.ones((4, 4)))
    )
    whole = hash_of([grey(scene)] * 10)
    for changed in (scene + RNG.normal(0, 3, scene.shape), scene * 0.7, scene + 10):
        assert bits(whole, hash_of([grey(changed)] * 10)) <= 8
    others = [hash_of([grey(RNG.normal(128, 50, SCENE.shape))]) for _ in range(20)]
    assert min(bits(one, other) for one in others for other in others if one != other) > 14


@pytest.mark.parametrize(("seconds", "hashes"), [(0.2, 1), (2, 1), (3, 1), (3.4, 2), (10, 5), (600, 60)])
def test_a_hash_every_two_seconds(seconds: float, hashes: int) -> None:
    pictures = (moving(10) * 301)[: max(1, round(seconds * RATE))]
    assert len(measure_pictures(pictures)["picture_hashes"]) == hashes
