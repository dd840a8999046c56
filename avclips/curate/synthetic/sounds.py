"""The sound of a clip: float64 samples between -1 and 1, mono."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .events import COURSE_RATE, Events, Floats

SAMPLE_RATE = 16000


def sound(events: Events, rng: np.random.Generator) -> Floats:
    """What the events sound like, with all that a recording adds: (seconds * SAMPLE_RATE,)."""
    times = np.arange(round(events.seconds * SAMPLE_RATE)) / SAMPLE_RATE
    made = _SOUNDS[events.kind](events, times, rng)
    loud = np.sqrt(np.mean(made**2)) or 1.0
    made = made / loud
    made = made + _noise(len(times), rng.uniform(0.0, 1.0), rng) * 10 ** (-rng.uniform(8, 25) / 20)
    if rng.random() < 1 / 3:
        mains = rng.choice([50.0, 60.0])
        made = made + 0.1 * np.sin(2 * np.pi * mains * times) + 0.05 * np.sin(2 * np.pi * 3 * mains * times)
    if rng.random() < 1 / 3:
        made = made + 0.18 * _unseen(times, rng)
    tilt = rng.uniform(-0.4, 0.4)
    made[1:] -= tilt * made[:-1]
    return np.asarray(made / np.abs(made).max() * 10 ** (-rng.uniform(3, 24) / 20))


def _noise(count: int, colour: float, rng: np.random.Generator) -> Floats:
    """Noise whose power falls by ``colour`` * 3 dB an octave, of power 1."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (colour / 2)
    spectrum[0] = 0
    made = np.fft.irfft(spectrum, count)
    return np.asarray(made / np.sqrt(np.mean(made**2)))


def _band(count: int, low: float, high: float, rng: np.random.Generator) -> Floats:
    """Noise between two frequencies in Hz, of power 1."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    made = np.fft.irfft(spectrum, count)
    return np.asarray(made / np.sqrt(np.mean(made**2)))


def _unseen(times: Floats, rng: np.random.Generator) -> Floats:
    if rng.random() < 0.5:
        return np.asarray(1.4 * np.sin(2 * np.pi * rng.uniform(150, 1500) * times))
    made = np.zeros(len(times))
    made[rng.integers(0, len(times), 12)] = 20.0
    return made


def _struck(onsets: Floats, strengths: Floats, one: Floats, count: int) -> Floats:
    """The same sound at each onset, as strong as it is; it goes on through the next one."""
    impulses = np.zeros(count)
    np.add.at(impulses, (onsets * SAMPLE_RATE).astype(int), strengths)
    size = count + len(one)
    return np.asarray(np.fft.irfft(np.fft.rfft(impulses, size) * np.fft.rfft(one, size), size)[:count])


def _tone(hertz: Floats, harmonics: tuple[float, ...]) -> Floats:
    """A tone of changing pitch, a frequency a sample; ``harmonics``: how loud each is."""
    phase = 2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE
    return np.asarray(sum(loud * np.sin((order + 1) * phase) for order, loud in enumerate(harmonics)))


def _bounce(events: Events, times: Floats, rng: np.random.Generator) -> Floats:
    part = times[: SAMPLE_RATE // 4]
    click = np.sin(2 * np.pi * rng.uniform(900, 3500) * part) * np.exp(-part / rng.uniform(0.008, 0.03))
    real = (events.onsets >= 0) & (events.onsets < events.seconds)
    return _struck(events.onsets[real], events.strengths[real], click, len(times))


def _zoom(events: Events, times: Floats, rng: np.random.Generator) -> Floats:
    low, octaves = rng.uniform(180, 600), rng.uniform(1, 2)
    return _tone(low * 2 ** (octaves * events.at(times)), (1.0, 0.4, 0.2))


def _flash(events: Events, times: Floats, rng: np.random.Generator) -> Floats:
    ago, number = events.since(times)
    loud = events.strengths[number] * np.exp(-ago / rng.uniform(0.05, 0.15))
    return np.asarray(loud * _noise(len(times), rng.uniform(0, 0.6), rng))


def _flicker(events: Events, times: Floats, rng: np.random.Generator) -> Floats:
    return _tone(np.full(len(times), rng.uniform(150, 700)), (1.0, 0.5, 0.3, 0.2)) * events.at(times)


def _pendulum(events: Events, times: Floats, rng: np.random.Generator) -> Floats:
    speed = np.abs(np.gradient(events.at(times)))
    centre = rng.uniform(400, 1800)
    return np.asarray(speed / speed.max()) * _band(len(times), centre * 0.7, centre * 1.4, rng)


def _colours(events: Events, times: Floats, rng: np.random.Generator) -> Floats:
    # Steps stay steps: the course is held, not drawn as a line.
    step = events.course[(times * COURSE_RATE).astype(np.int64)]
    root = rng.uniform(130, 330) * 2 ** (step * 2 / 12)
    third = 2 ** (rng.choice([3, 4]) / 12)
    return np.asarray(sum(_tone(root * each, (1.0, 0.3)) for each in (1.0, third, 2 ** (7 / 12))))


def _slide(events: Events, times: Floats, rng: np.random.Generator) -> Floats:
    low = rng.uniform(180, 500)
    return _tone(low * 2 ** (1.6 * events.at(times)), (1.0, 0.2, 0.1))


def _spin(events: Events, times: Floats, rng: np.random.Generator) -> Floats:
    speed = np.gradient(events.at(times), 1 / SAMPLE_RATE)
    pitch = rng.uniform(50, 110) * speed.clip(0.05)
    return _tone(pitch, tuple(1 / order for order in range(1, 13)))


def _rings(events: Events, times: Floats, rng: np.random.Generator) -> Floats:
    part = times[: 2 * SAMPLE_RATE]
    pitch, decay = rng.uniform(350, 1100), rng.uniform(0.3, 0.7)
    partials = ((1.0, 1.0), (2.76, 0.6), (5.4, 0.3), (0.5, 0.3))
    bell = sum(
        loud * np.sin(2 * np.pi * pitch * ratio * part) * np.exp(-part * ratio**0.5 / decay)
        for ratio, loud in partials
    )
    return _struck(events.onsets, events.strengths, np.asarray(bell), len(times))


def _rain(events: Events, times: Floats, rng: np.random.Generator) -> Floats:
    part = times[: SAMPLE_RATE // 50]
    drop = rng.standard_normal(len(part)) * np.exp(-part / rng.uniform(0.001, 0.004))
    return _struck(events.onsets, events.strengths, drop, len(times))


_SOUNDS: dict[str, Callable[[Events, Floats, np.random.Generator], Floats]] = {
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
