"""The pictures of a clip: RGB frames, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .events import Events, Floats

Frame = NDArray[np.floating[Any]]
Bytes = NDArray[np.uint8]
# How far the camera may wander from its place, in shares of the picture's height.
_REACH = 0.12


@dataclass
class _Canvas:
    """One frame (height, width, 3), 0 to 1, and where the camera looks, in pixels."""

    pixels: Frame
    shift: tuple[float, float]

    def blend(self, mask: Frame, y: int, x: int, colour: Frame) -> None:
        """Paint ``colour`` where ``mask`` (h, w), 0 to 1, is laid with its upper left corner at (y, x)."""
        height, width = self.pixels.shape[:2]
        top, left = max(y, 0), max(x, 0)
        bottom, right = min(y + mask.shape[0], height), min(x + mask.shape[1], width)
        if top >= bottom or left >= right:
            return
        part = self.pixels[top:bottom, left:right]
        cut = mask[top - y : bottom - y, left - x : right - x, None]
        part += cut * (colour - part)

    def disc(self, y: float, x: float, radius: float, colour: Frame) -> None:
        """A disc round (y, x), in pixels of the scene."""
        self._shape(y, x, radius, colour, lambda dy, dx: radius - np.hypot(dy, dx))

    def ring(self, y: float, x: float, radius: float, thick: float, colour: Frame) -> None:
        """A ring round (y, x)."""
        self._shape(y, x, radius + thick, colour, lambda dy, dx: thick - np.abs(np.hypot(dy, dx) - radius))

    def bar(self, y: float, x: float, length: float, thick: float, angle: float, colour: Frame) -> None:
        """A bar round (y, x), turned by ``angle`` radians; a square where it is as thick as long."""
        sine, cosine = np.sin(angle), np.cos(angle)

        def inside(dy: Frame, dx: Frame) -> Frame:
            along, across = np.abs(dx * cosine + dy * sine), np.abs(dy * cosine - dx * sine)
            return np.asarray(np.minimum(length - along, thick - across))

        self._shape(y, x, float(np.hypot(length, thick)), colour, inside)

    def _shape(
        self, y: float, x: float, reach: float, colour: Frame, depth: Callable[[Frame, Frame], Frame]
    ) -> None:
        y, x = y - self.shift[0], x - self.shift[1]
        top, left, size = int(y - reach - 1), int(x - reach - 1), int(2 * reach + 4)
        dy = (np.arange(top, top + size, dtype=np.float32) - np.float32(y))[:, None]
        dx = (np.arange(left, left + size, dtype=np.float32) - np.float32(x))[None, :]
        # A pixel at the edge is covered in part.
        self.blend(np.clip(depth(dy, dx) + 0.5, 0, 1).astype(np.float32), top, left, colour)


# Draws what a kind shows at one frame: the canvas, the number of the frame.
_Draw = Callable[[_Canvas, int], None]


def frames(events: Events, width: int, height: int, rate: int, rng: np.random.Generator) -> Iterator[Bytes]:
    """The frames of a clip, (height, width, 3) uint8, ``rate`` a second."""
    times = np.arange(round(events.seconds * rate)) / rate
    reach = int(_REACH * height)
    behind = _background(height + 2 * reach, width + 2 * reach, rng)
    shifts = _camera(times, reach, rng)
    draw = _PICTURES[events.kind](events, times, width, height, rng)
    others = [_silent(times, width, height, rng) for _ in range(rng.integers(0, 4))]
    exposure, grain = rng.uniform(0.75, 1.1), rng.uniform(0.005, 0.03)
    noise = rng.standard_normal((2 * height, 2 * width, 1)).astype(np.float32) * np.float32(255 * grain)
    corners = rng.integers(0, (height, width), (len(times), 2))
    for number in range(len(times)):
        y, x = shifts[number]
        top, left = round(y) + reach, round(x) + reach
        canvas = _Canvas(behind[top : top + height, left : left + width].copy(), (round(y), round(x)))
        for other in others:
            other(canvas, number)
        draw(canvas, number)
        top, left = corners[number]
        canvas.pixels *= np.float32(255 * exposure)
        canvas.pixels += noise[top : top + height, left : left + width]
        yield np.clip(canvas.pixels, 0, 255).astype(np.uint8)


def _colour(rng: np.random.Generator, low: float = 0.0, high: float = 1.0) -> Frame:
    return rng.uniform(low, high, 3).astype(np.float32)


def _background(height: int, width: int, rng: np.random.Generator) -> Frame:
    """A few large soft blots on a plain ground, and finer texture."""
    made = np.empty((height, width, 3), np.float32)
    made[:] = _colour(rng, 0.1, 0.6)
    for cells, strength in ((4, 0.12), (16, 0.05)):
        coarse = rng.standard_normal((cells + 1, cells + 1, 3)).astype(np.float32)
        rows, columns = np.linspace(0, cells, height), np.linspace(0, cells, width)
        tall = np.stack([_between(coarse, at) for at in rows])
        made += strength * np.stack([_between(tall.swapaxes(0, 1), at) for at in columns], axis=1)
    return np.clip(made, 0, 1)


def _between(table: Frame, at: float) -> Frame:
    low = min(int(at), len(table) - 2)
    part = np.float32(at - low)
    return np.asarray((1 - part) * table[low] + part * table[low + 1])


def _camera(times: Floats, reach: int, rng: np.random.Generator) -> Floats:
    """Where the camera looks at each frame, (frames, 2) pixels: a slow drift, and a hand that shakes."""
    drift, shake = rng.uniform(0, 0.7) * reach, rng.uniform(0, 0.15) * reach
    rates, phases = rng.uniform(0.03, 0.2, 2), rng.random(2)
    slow = drift * np.sin(2 * np.pi * (times[:, None] * rates + phases))
    return np.clip(slow + shake * rng.standard_normal((len(times), 2)), -reach, reach)


def _silent(times: Floats, width: int, height: int, rng: np.random.Generator) -> _Draw:
    """An object that moves and belongs to no sound."""
    rates, phases, size = rng.uniform(0.05, 0.9, 2), rng.random(2), rng.uniform(0.04, 0.09) * height
    place = 0.5 + 0.45 * np.sin(2 * np.pi * (times[:, None] * rates + phases))
    colour, round_, angle = _colour(rng), rng.random() < 0.5, rng.uniform(0, np.pi)

    def draw(canvas: _Canvas, number: int) -> None:
        y, x = place[number] * (height, width)
        if round_:
            canvas.disc(y, x, size, colour)
        else:
            canvas.bar(y, x, size, size * 0.6, angle, colour)

    return draw


def _place(width: int, height: int, rng: np.random.Generator) -> tuple[float, float]:
    return rng.uniform(0.3, 0.7) * height, rng.uniform(0.3, 0.7) * width


def _bounce(events: Events, times: Floats, width: int, height: int, rng: np.random.Generator) -> _Draw:
    size, colour, x = rng.uniform(0.06, 0.13) * height, _colour(rng, 0.3), rng.uniform(0.2, 0.8) * width
    ground, rise = rng.uniform(0.75, 0.92) * height, rng.uniform(0.35, 0.6) * height
    up = events.at(times) * rise
    return lambda canvas, number: canvas.disc(ground - size - up[number], x, size, colour)


def _zoom(events: Events, times: Floats, width: int, height: int, rng: np.random.Generator) -> _Draw:
    (y, x), colour = _place(width, height, rng), _colour(rng, 0.3)
    low, high = rng.uniform(0.04, 0.1) * height, rng.uniform(0.3, 0.5) * height
    radius = low + (high - low) * events.at(times)
    return lambda canvas, number: canvas.disc(y, x, radius[number], colour)


def _flash(events: Events, times: Floats, width: int, height: int, rng: np.random.Generator) -> _Draw:
    ago, last = events.since(times)
    bright = events.strengths[last] * np.exp(-ago / rng.uniform(0.08, 0.2)) * rng.uniform(0.6, 0.9)

    def draw(canvas: _Canvas, number: int) -> None:
        canvas.pixels += np.float32(bright[number]) * (1 - canvas.pixels)

    return draw


def _flicker(events: Events, times: Floats, width: int, height: int, rng: np.random.Generator) -> _Draw:
    (y, x), colour, size = _place(width, height, rng), _colour(rng, 0.5), rng.uniform(0.15, 0.35) * height
    bright = events.at(times).astype(np.float32)
    return lambda canvas, number: canvas.bar(y, x, size, size, 0.0, colour * bright[number])


def _pendulum(events: Events, times: Floats, width: int, height: int, rng: np.random.Generator) -> _Draw:
    x, colour, size = rng.uniform(0.4, 0.6) * width, _colour(rng, 0.3), rng.uniform(0.06, 0.12) * height
    length, swing = rng.uniform(0.5, 0.75) * height, rng.uniform(0.5, 1.0)
    angle = swing * events.at(times)

    def draw(canvas: _Canvas, number: int) -> None:
        sine, cosine = np.sin(angle[number]), np.cos(angle[number])
        top = 0.08 * height
        half = length / 2
        canvas.bar(top + half * cosine, x + half * sine, half, 1.0, np.pi / 2 - angle[number], colour * 0.7)
        canvas.disc(top + length * cosine, x + length * sine, size, colour)

    return draw


def _colours(events: Events, times: Floats, width: int, height: int, rng: np.random.Generator) -> _Draw:
    tints, strength = rng.uniform(0.1, 1.0, (6, 3)).astype(np.float32), np.float32(rng.uniform(0.4, 0.7))
    step = np.round(events.at(times)).astype(int)

    def draw(canvas: _Canvas, number: int) -> None:
        canvas.pixels += strength * (tints[step[number]] - canvas.pixels)

    return draw


def _slide(events: Events, times: Floats, width: int, height: int, rng: np.random.Generator) -> _Draw:
    x, colour, size = rng.uniform(0.2, 0.8) * width, _colour(rng, 0.3), rng.uniform(0.07, 0.14) * height
    y = height * (0.88 - 0.76 * events.at(times))
    return lambda canvas, number: canvas.bar(y[number], x, size, size, 0.0, colour)


def _spin(events: Events, times: Floats, width: int, height: int, rng: np.random.Generator) -> _Draw:
    (y, x), colour, length = _place(width, height, rng), _colour(rng, 0.3), rng.uniform(0.25, 0.45) * height
    thick, start, turns = rng.uniform(0.03, 0.07) * height, rng.uniform(0, np.pi), events.at(times)
    return lambda canvas, number: canvas.bar(y, x, length, thick, start + 2 * np.pi * turns[number], colour)


def _rings(events: Events, times: Floats, width: int, height: int, rng: np.random.Generator) -> _Draw:
    (y, x), colour = _place(width, height, rng), _colour(rng, 0.4)
    speed, thick = rng.uniform(0.3, 0.6) * height, rng.uniform(0.015, 0.03) * height

    def draw(canvas: _Canvas, number: int) -> None:
        ago = times[number] - events.onsets
        for each in ago[(ago >= 0) & (ago < 1.2)]:
            canvas.ring(y, x, 2 + speed * each, thick, colour)

    return draw


def _rain(events: Events, times: Floats, width: int, height: int, rng: np.random.Generator) -> _Draw:
    places = rng.uniform(0.03, 0.97, (len(events.onsets), 2)) * (height, width)
    size, colour, lasts = rng.uniform(0.02, 0.05) * height, _colour(rng, 0.5), rng.uniform(0.1, 0.25)

    def draw(canvas: _Canvas, number: int) -> None:
        ago = times[number] - events.onsets
        for y, x in places[(ago >= 0) & (ago < lasts)]:
            canvas.disc(y, x, size, colour)

    return draw


_PICTURES: dict[str, Callable[[Events, Floats, int, int, np.random.Generator], _Draw]] = {
    "bounce": _bounce,
    "zoom": _zoom,
    "flash": _flash,
    "flicker": _flicker,
    "pendulum": _pendulum,
    "colours": _colours,
    "slide": _slide,
    "spin": _spin,
    "rings": _rings,
    "rain": _rain,
}
