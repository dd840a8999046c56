"""Whether sound is the source's, sample for sample, and from the sample on that it should begin with.

Some decoders make up noise of their own, which depends on where they began; no lead-in helps. What is asked of
their sound stands in CODECS, with the reason. AC-3 is made at a rate at which little is made up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np

from tests.matrix import media
from tests.matrix.layouts import Spec
from tests.matrix.truth import Array, Sound

# The least ratio of signal to difference, in dB, of sound at another rate, and where its grid of samples is not
# the same: what the resampler lets through beyond the band then differs.
RESAMPLED = 50.0
OTHER_GRID = 26.0
# Samples of silence that neither noise nor the start of an encoder has.
PAUSE = 4000
# Samples on either side of what is compared.
MARGIN = 4000
# Samples of a part that has to be alike by itself, and by how many dB less than the whole.
PART, WORSE = 2400, 10.0


@dataclass(frozen=True)
class Steady:
    """How near a decoder comes to itself: ``within`` steps of 16 bits, or ``least`` dB from signal to difference.

    ``below``: only tones below so many Hz are compared, of the mean of the channels; 0 for all.
    """

    within: int = 0
    least: float = math.inf
    below: int = 0


CODECS: dict[str, Steady] = {
    # Its rounding is dithered.
    "mp2": Steady(1),
    # The dither in bands without bits is drawn from a sequence that begins with the decoder.
    "ac3": Steady(0, 45.0),
    # The predictor's state dies away, to a step of 16 bits after 0.4 s.
    "opus": Steady(2),
    # Spectral band replication fills in noise from a table whose place is counted from the beginning.
    "he-aac": Steady(0, 40.0, below=4000),
}
# Packets copied as they were: of Opus, RFC 7845 wants 80 ms before the start, after which this much is right.
PACKED = CODECS | {"opus": Steady(2, 20.0)}


def coarseness(spec: Spec) -> Fraction:
    """By how many seconds a source's clock may misplace its sound: two roundings, to a millisecond or 90 kHz."""
    if spec.layout in ("flv", "mkv", "avi") or spec.layout.startswith("webm") or spec.clock in ("flv", "mkv"):
        return Fraction(1, 1000)
    if spec.layout == "dash" and spec.sound == "opus":
        # ffmpeg makes its segments WebM.
        return Fraction(1, 1000)
    on_ts = spec.layout.startswith("hls-ts") or spec.layout in ("hls-aes", "hls-packed", "hls-break", "ts", "mpg")
    return Fraction(1, 45_000) if on_ts or spec.clock == "ts" else Fraction(0)


def of_samples(spec: Spec, whole: Sound, got: Sound, start: Fraction, end: Fraction) -> str | None:
    """What is wrong with decoded sound of seconds ``start``..``end`` of ``whole``."""
    if complaint := _of_kind(whole, got):
        return complaint
    slack = coarseness(spec) * whole.rate
    exact = (start - whole.begins) * whole.rate
    until = min(Fraction(len(whole.samples)), (end - whole.begins) * whole.rate)
    # How long a last packet is, a coarse clock tells as coarsely.
    sure = len(got.samples) - (math.ceil(slack) if until == len(whole.samples) else 0)
    steady = CODECS.get(spec.sound, Steady())
    first = place(whole.samples, got.samples[:sure], exact, slack, steady, whole.rate)
    if isinstance(first, str):
        return first
    late = first + len(got.samples) - until
    if not -1 - slack - _unheard(spec, whole, until) <= late <= 1 + slack:
        return f"{len(got.samples)} samples, due are {float(until - exact):.1f}"
    return None


def _unheard(spec: Spec, whole: Sound, until: Fraction) -> int:
    """Samples of the last packet that need not be there: an edit list may end in it, which PyAV does not heed."""
    return media.PACKETS.get(spec.sound, 4608) if until >= len(whole.samples) else 0


def of_packets(
    spec: Spec, whole: Sound, got: Sound, start: Fraction, end: Fraction, rounding: Fraction
) -> str | None:
    """What is wrong with sound in packets, as a reader hears it; ``rounding``: half a tick of its container."""
    if not len(got.samples):
        return "no sound can be decoded"
    if complaint := _of_kind(whole, got):
        return complaint
    rate, coarse = whole.rate, coarseness(spec) + rounding
    if got.begins < 0:
        # Matroska has no edit lists: what is to be passed over lies before 0.
        hidden = math.ceil(-got.begins * rate)
        got = Sound(got.begins + Fraction(hidden, rate), rate, got.samples[hidden:])
    due = heard_after(whole, start)
    if abs(got.begins - due) > coarse + Fraction(1, rate):
        return f"begins at {float(got.begins):.4f} s, due is {float(due):.4f}"
    exact = (start + got.begins - whole.begins) * rate
    until = min(Fraction(len(whole.samples)), (end - whole.begins) * rate)
    heard = Fraction(_heard_until(whole, int(until), math.ceil(exact)))
    wanted = got.samples[: max(1, int(heard - exact))]
    first = place(whole.samples, wanted, exact, coarse * rate, PACKED.get(spec.sound, Steady()), rate)
    if isinstance(first, str):
        return first
    packet = media.PACKETS.get(spec.sound, 4608)
    least = heard - 1 - coarse * rate - _unheard(spec, whole, heard)
    if not least <= first + len(got.samples) <= until + packet + 1 + coarse * rate:
        due = f"{float(heard - exact):.1f} to {float(until - exact):.1f}"
        return f"{len(got.samples)} samples, due are {due} and up to {packet} more"
    return None


def heard_after(whole: Sound, start: Fraction) -> Fraction:
    """How long after a second of the video the source is heard: it may begin later, or pause."""
    first = math.floor((start - whole.begins) * whole.rate)
    silent = _silent_from(whole, max(0, first))
    return Fraction(max(0, silent - first), whole.rate) if silent or first < 0 else Fraction(0)


def _silent_from(whole: Sound, first: int) -> int:
    """The number of the sample behind those that are silence from ``first`` on, 0 where that one is heard."""
    heard = np.flatnonzero(whole.samples[first:].any(axis=1))
    return first + int(heard[0]) if len(heard) and heard[0] > PAUSE else 0


def _heard_until(whole: Sound, until: int, first: int) -> int:
    """Sample ``until``, or the one behind the last that is heard before it, where the sound pauses there."""
    heard = np.flatnonzero(whole.samples[max(0, first) : until].any(axis=1))
    last = max(0, first) + int(heard[-1]) + 1 if len(heard) else until
    # A pause may go on behind the clip.
    pause = whole.samples[last : max(until, last + PAUSE + 1)]
    return last if len(pause) > PAUSE and not pause.any() else until


def _of_kind(whole: Sound, got: Sound) -> str | None:
    shapes = [(each.rate, each.samples.shape[1]) for each in (got, whole)]
    same = shapes[0] == shapes[1]
    return None if same else f"{shapes[0][0]} Hz, {shapes[0][1]} channels; the source has {shapes[1]}"


def place(whole: Array, got: Array, exact: Fraction, slack: Fraction, steady: Steady, rate: int) -> int | str:
    """The number of the sample of ``whole`` at which ``got`` begins, near ``exact``; else how far it is off."""
    near = range(int(exact - slack) - 2, int(exact + slack) + 3)
    places = sorted((n for n in near if abs(n - exact) < 1 + slack), key=lambda n: abs(n - exact))
    counts = {number: _differing(whole, got, number, steady.within) for number in places}
    for number in places:
        if counts[number] == 0:
            return number
    if steady.least < math.inf:
        found = {number: _alike(whole, got, number, steady, rate) for number in places}
        best = max(places, key=lambda number: found[number])
        return (
            best
            if found[best] >= steady.least
            else f"{found[best]:.1f} dB like the source{_elsewhere(whole, got, exact)}"
        )
    return f"{min(counts.values())} of {len(got)} samples differ{_elsewhere(whole, got, exact)}"


def _aligned(whole: Array, got: Array, number: int) -> tuple[Array, Array, Array]:
    """The silence before the source begins, and what is there of both, side by side."""
    silent = min(len(got), max(0, -number))
    due = whole[max(0, number) : max(0, number + len(got))]
    count = min(len(due), len(got) - silent)
    return got[:silent], got[silent : silent + count], due[:count]


def _differing(whole: Array, got: Array, number: int, within: int) -> int:
    silence, heard, due = _aligned(whole, got, number)
    away = np.abs(heard.astype(int) - due).max(axis=1, initial=0)
    return int((away > within).sum()) + int(silence.any(axis=1).sum()) + len(got) - len(silence) - len(heard)


def _alike(whole: Array, got: Array, number: int, steady: Steady, rate: int) -> float:
    """Signal to difference in dB where ``got`` begins at sample ``number``."""
    silence, heard, due = _aligned(whole, got, number)
    if silence.any() or len(silence) + len(heard) < len(got):
        return -math.inf
    heard, due = heard.astype(float), due.astype(float)
    if steady.below:
        heard, due = (_below(each.mean(axis=1), steady.below, rate)[:, None] for each in (heard, due))
    return ratio_in_parts(heard, due)


def _below(samples: Array, hertz: int, rate: int) -> Array:
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / rate) > hertz] = 0
    return np.fft.irfft(spectrum, len(samples))


def ratio_in_parts(got: Array, due: Array) -> float:
    """Signal to difference in dB: of all, or if less by more than WORSE, of the worst part."""
    parts = [ratio(got[at : at + PART], due[at : at + PART]) + WORSE for at in range(0, len(got), PART)]
    return min([ratio(got, due), *parts])


def ratio(got: Array, due: Array) -> float:
    if np.abs(got - due).max(initial=0) <= 1:
        # A step of 16 bits, of sound that is all but silent.
        return math.inf
    noise = float(np.square(got - due).sum()) + 1e-9
    return 10 * float(np.log10((float(np.square(due).sum()) + 1e-9) / noise))


def _elsewhere(whole: Array, got: Array, exact: Fraction) -> str:
    """Where else ``got`` is, within a second and a half."""
    piece = got[: min(len(got), 20_000), 0].astype(float)
    reach, at = 70_000, round(exact)
    low = max(0, at - reach)
    around = whole[low : max(0, at) + reach + len(piece), 0].astype(float)
    if len(around) < len(piece) or not piece.any():
        return ""
    size = 1 << (len(around) + len(piece)).bit_length()
    product = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(piece, size)), size)
    best = int(np.argmax(product[: len(around) - len(piece) + 1]))
    found = around[best : best + len(piece)]
    alike = float(found @ piece) / (float(np.linalg.norm(found) * np.linalg.norm(piece)) + 1e-9)
    if alike < 0.7:
        return ", and it is nowhere near"
    return f", {low + best - at:+} samples from its place" if low + best != at else ", in its place"


def of_another_rate(spec: Spec, whole: Sound, got: Sound, start: Fraction, end: Fraction, rate: int) -> str | None:
    """What is wrong with sound at another rate: against the whole source resampled, sample for sample."""
    if got.rate != rate:
        return f"{got.rate} Hz instead of {rate}"
    due, steady = resampled(whole, rate), CODECS.get(spec.sound, Steady())
    exact, slack = (start - whole.begins) * rate, coarseness(spec) * rate
    until = min(Fraction(len(due)), (end - whole.begins) * rate)
    # Where the source ends, a resampler may leave or take a little of its filter.
    short = math.ceil(Fraction(_unheard(spec, whole, (end - whole.begins) * whole.rate) * rate, whole.rate))
    late = len(got.samples) - (until - exact)
    if not -2 - slack - (short and short + 14) <= late <= (16 if short else 2) + slack:
        return f"{len(got.samples)} samples at {rate} Hz, due are {float(until - exact):.1f}"
    if short:
        # Its filter reaches from there over what an edit list hides.
        got = Sound(got.begins, got.rate, got.samples[: max(1, len(got.samples) - short - 16)])
    near = range(int(exact - slack) - 2, int(exact + slack) + 3)
    places = [number for number in near if abs(number - exact) < 1 + slack]
    of_grid = RESAMPLED if math.isinf(steady.least) else min(RESAMPLED, steady.least)
    if max(_moved_alike(due, got.samples, number, 0.0, steady.below, rate) for number in places) >= of_grid:
        return None
    # Where sound begins apart from the picture, or its times are rounded, the grid of samples may be the clip's.
    free = bool(whole.begins or slack)
    delays = np.linspace(-1.0, 1.0, 81).tolist() if free else [0.0]
    # The place first, since all of them with each delay would take minutes.
    best = max(places, key=lambda number: _moved_alike(due, got.samples, number, 0.0, steady.below, rate))
    found = max(_moved_alike(due, got.samples, best, delay, steady.below, rate) for delay in delays)
    least = min(of_grid, OTHER_GRID) if free else of_grid
    wrong = f"{found:.1f} dB like the whole source at {rate} Hz{_elsewhere(due, got.samples, exact)}"
    return None if found >= least else wrong


def _moved_alike(whole: Array, got: Array, number: int, delay: float, below: int, rate: int) -> float:
    """Signal to difference where ``got`` begins at sample ``number`` of ``whole``, which is moved by ``delay``."""
    around = np.pad(whole.astype(float), ((MARGIN, MARGIN + len(got)), (0, 0)))
    first = max(number, -len(got)) + MARGIN
    if first < MARGIN:
        got, first = got[MARGIN - first :], MARGIN
    got = got[: max(0, len(whole) + MARGIN - first)]
    around = around[first - MARGIN : first + len(got) + MARGIN]
    if delay:
        turn = np.exp(-2j * np.pi * delay * np.arange(len(around) // 2 + 1) / len(around))
        around = np.fft.irfft(np.fft.rfft(around, axis=0) * turn[:, None], len(around), axis=0)
    heard, due = got.astype(float), around[MARGIN : MARGIN + len(got)]
    if below:
        heard, due = (_below(each.mean(axis=1), below, rate)[:, None] for each in (heard, due))
    return ratio_in_parts(heard, due)


def resampled(sound: Sound, rate: int) -> Array:
    """All samples at another rate, by libav's own resampler from the first sample on."""
    channels: int = sound.samples.shape[1]
    layout = {1: "mono", 2: "stereo"}[channels]
    frame: Any = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.samples.reshape(1, -1)), "s16", layout)
    frame.sample_rate = sound.rate
    resampler = av.AudioResampler("s16", layout, rate)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([each.to_ndarray().reshape(-1, channels) for each in frames])
