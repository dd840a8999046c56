"""The five layers of a moving picture: colour, gradients, motion, modulation, events."""

from __future__ import annotations

import numpy as np

from .classic_time import TINY, course, events, modulation, pulse, rises, spread_of, trend
from .extractor import Array

RATE, WIDTH, HEIGHT = 16.0, 64, 48
GRID = (3, 3)
ORIENTATIONS = 8
# Changes that are none to the eye: of the mean difference of two pictures and of brightness (white is 1), of a
# place (the picture is 1), of motion (half a picture is 1).
ENERGY, BRIGHT, PLACE, FLOW = 0.002, 0.005, 0.01, 0.005


def picture_layers(pictures: Array) -> list[Array]:
    """Five vectors of pictures (n, HEIGHT, WIDTH, 3), RATE a second."""
    if len(pictures) < 4:
        # Shorter than any motion.
        pictures = np.repeat(pictures, 4, axis=0)
    grey = (pictures * np.array([0.299, 0.587, 0.114], np.float32)).sum(axis=3) / 255
    change = np.abs(np.diff(grey, axis=0))
    energy, brightness = change.mean(axis=(1, 2)), grey.mean(axis=(1, 2))
    flow = global_motion(grey)
    where = _centre_of(change)
    return [
        _colour(pictures),
        _gradients(grey),
        _motion(change, energy, brightness, flow),
        _modulation(energy, brightness, where, flow),
        _events(where, energy, brightness, flow),
    ]


def _cells(images: Array) -> Array:
    """The mean over time and over each cell of GRID; (cells,)."""
    mean = images.mean(axis=0)
    return np.array(
        [cell.mean() for row in np.array_split(mean, GRID[0]) for cell in np.array_split(row, GRID[1], 1)]
    )


def _colour(pictures: Array) -> Array:
    """Coarse: a histogram of 4 x 4 x 4 colours, each channel's mean in a grid, and how much it varies in time."""
    level = (pictures >> 6).astype(np.intp)
    histogram = np.bincount((level[..., 0] * 16 + level[..., 1] * 4 + level[..., 2]).ravel(), minlength=64)
    channels = [pictures[..., number] / np.float32(255) for number in range(3)]
    in_time = [channel.mean(axis=(1, 2)).std() for channel in channels]
    parts = [np.sqrt(histogram / histogram.sum()), *(_cells(channel) for channel in channels), in_time]
    return np.concatenate(parts)


def _gradients(grey: Array) -> Array:
    """Which edges are where: a histogram of orientations in each cell, of every fourth picture."""
    some = grey[::4]
    down, right = np.gradient(some, axis=(1, 2))
    strength = np.hypot(down, right)
    angle = np.mod(np.arctan2(down, right), np.pi)
    which = np.minimum((angle * (ORIENTATIONS / np.pi)).astype(int), ORIENTATIONS - 1)
    cells = np.stack([_cells(np.where(which == number, strength, 0)) for number in range(ORIENTATIONS)])
    share = cells / (cells.sum(axis=0) + TINY)
    return np.concatenate(
        [np.sqrt(share).ravel(), np.log(cells.sum(axis=0) + 1e-4), spread_of(strength.mean((1, 2)))]
    )


def global_motion(grey: Array) -> Array:
    """What the whole picture does from each to the next: (n - 1, 4): to the right, down, growing, turning.

    Least squares on brightness constancy (Horn and Schunck), of pictures half as wide and high; in half pictures.
    """
    small = grey.reshape(len(grey), HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(2, 4))
    middle = (small[1:] + small[:-1]) / 2
    down, right = np.gradient(middle, axis=(1, 2))
    down, right = down * (HEIGHT // 4), right * (WIDTH // 4)
    later = np.diff(small, axis=0)
    y = np.linspace(-1, 1, HEIGHT // 2, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, WIDTH // 2, dtype=np.float32)[None, :]
    basis = np.stack([right, down, x * right + y * down, x * down - y * right])
    # Not by matrix products: a BLAS sums in another order with other threads.
    left = np.array([[(one * other).mean(axis=(1, 2)) for other in basis] for one in basis], np.float64)
    said = np.array([-(one * later).mean(axis=(1, 2)) for one in basis], np.float64)
    # Where there are no edges, nothing moves.
    left = np.moveaxis(left, 2, 0) + 1e-4 * np.eye(4)
    return np.linalg.solve(left, said.T[..., None])[..., 0]


def _motion(change: Array, energy: Array, brightness: Array, flow: Array) -> Array:
    """How much moves where, which way the whole picture goes, and how brightness changes."""
    cells = _cells(change)
    parts = [np.sqrt(cells / (cells.sum() + TINY)), spread_of(np.log(energy + 1e-4)), spread_of(brightness)]
    parts += [np.log1p(100 * np.abs(np.diff(brightness)).mean(keepdims=True)), trend(brightness, BRIGHT)]
    for number in range(4):
        way = flow[:, number]
        size = np.abs(way).mean()
        parts.append(np.array([way.mean() / (size + 1e-3), np.log1p(100 * size), way.std() / (size + 1e-3)]))
    return np.concatenate(parts)


def _centre_of(change: Array) -> tuple[Array, Array]:
    """Where in the picture it moves, across and down, in [0, 1]; where nothing does, in the middle."""
    above = np.maximum(change - 4 * change.mean(axis=(1, 2), keepdims=True), 0)
    total = above.sum(axis=(1, 2)) + 0.1 * ENERGY * WIDTH * HEIGHT
    across = (above.sum(axis=1) * np.linspace(-0.5, 0.5, WIDTH)).sum(axis=1) / total
    down = (above.sum(axis=2) * np.linspace(-0.5, 0.5, HEIGHT)).sum(axis=1) / total
    return across + 0.5, down + 0.5


def _modulation(energy: Array, brightness: Array, where: tuple[Array, Array], flow: Array) -> Array:
    """At which pace motion, light, the place that moves, size and angle change."""
    parts = [modulation(energy, RATE, ENERGY), modulation(brightness, RATE, BRIGHT)]
    parts += [modulation(each, RATE, PLACE) for each in where]
    return np.concatenate([*parts, modulation(flow[:, 2], RATE, FLOW), modulation(flow[:, 3], RATE, FLOW)])


def _events(where: tuple[Array, Array], energy: Array, brightness: Array, flow: Array) -> Array:
    """What happens when: intervals between bursts of motion and of light, pulses, courses over the clip."""
    patterns = [events(rises(energy), RATE, ENERGY), events(rises(brightness), RATE, BRIGHT)]
    patterns += [pulse(energy, RATE, ENERGY), pulse(brightness, RATE, BRIGHT)]
    patterns += [pulse(each, RATE, PLACE) for each in where]
    patterns += [course(energy, ENERGY), course(brightness, BRIGHT), course(flow[:, 2], FLOW)]
    return np.concatenate([*patterns, *(course(each, PLACE) for each in where)])
