"""What a curve over time is made to, whether it tells of a picture or of a sound.

Curves of both modalities (loudness and motion, pitch and brightness) are described in the same bands and the same
intervals, so that what goes on at one pace in both falls into clusters that tell of each other.
Only element-wise arithmetic and FFTs: no result depends on how many threads a BLAS has.
"""

from __future__ import annotations

import numpy as np

from .extractor import Array

# Edges of bands of modulation, Hz: a third of an octave each from 1/4 Hz on. What a clip does once in its ten
# seconds is the course's to tell.
BANDS = 0.25 * 2.0 ** (np.arange(16) / 3)
# Edges of intervals between two events, s.
INTERVALS = 0.125 * 2.0 ** (np.arange(10) / 2)
COURSE = 20
TINY = 1e-8


def steps(curve: Array, count: int) -> Array:
    """The mean of a curve in ``count`` equal pieces of its time; (count,)."""
    edges = np.linspace(0, len(curve), count + 1)
    total = np.concatenate([[0.0], np.cumsum(curve, dtype=np.float64)])
    # Between two samples the sum grows evenly: a curve may be shorter than the pieces are many.
    at = np.interp(edges, np.arange(len(total)), total)
    return np.asarray(np.diff(at) / np.maximum(np.diff(edges), TINY))


def course(curve: Array, count: int = COURSE) -> Array:
    """How a curve goes, whatever its height and its unit: mean 0, greatest deviation 1."""
    made = steps(curve, count)
    made = made - made.mean()
    return np.asarray(made / max(float(np.abs(made).max()), TINY))


def modulation(curve: Array, rate: float) -> Array:
    """How much of a curve's change is at which pace: shares of BANDS, their entropy, and how strong it is; (17,).

    ``rate``: the curve's samples a second. Bands that such a rate cannot have are 0.
    """
    centred = curve - curve.mean()
    window = np.hanning(len(centred) + 2)[1:-1]
    size = 1 << max(6, (4 * len(centred) - 1).bit_length())
    power = np.abs(np.fft.rfft(centred * window, size)) ** 2
    hertz = np.fft.rfftfreq(size, 1 / rate)
    total = np.concatenate([[0.0], np.cumsum(power)])
    edges = np.searchsorted(hertz, BANDS)
    bands = total[edges[1:]] - total[edges[:-1]]
    share = bands / (bands.sum() + TINY)
    entropy = -(share * np.log(share + TINY)).sum() / np.log(len(share))
    strength = centred.std() / (np.abs(curve).mean() + TINY)
    return np.concatenate([np.sqrt(share), [entropy, np.log1p(strength)]])


def rises(curve: Array) -> Array:
    """How much a curve rises from each sample to the next, never below 0."""
    return np.maximum(np.diff(curve, prepend=curve[:1]), 0.0)


def peaks(curve: Array, rate: float) -> tuple[Array, Array]:
    """The events of a curve of rises: their indices, and how high each is over the curve's own noise.

    An event is the highest of its tenth of a second, above the median by three times the curve's spread, and by a
    tenth of the highest.
    """
    level = np.median(curve)
    spread = np.median(np.abs(curve - level)) + TINY
    reach = max(1, round(0.1 * rate))
    padded = np.pad(curve, reach, constant_values=-np.inf)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    least = level + max(3 * spread, 0.1 * (float(curve.max()) - level), TINY)
    found = np.flatnonzero((curve >= highest) & (curve > least))
    # A flat top is one event.
    found = found[np.diff(found, prepend=-reach - 1) > reach]
    return found, (curve[found] - level) / (float(curve.max()) - level + TINY)


def events(curve: Array, rate: float) -> Array:
    """How often something happens, how evenly, and how alike its events are, of a curve of rises; (14,)."""
    found, heights = peaks(curve, rate)
    seconds = len(curve) / rate
    gaps = np.diff(found) / rate
    share = np.histogram(np.clip(gaps, INTERVALS[0], INTERVALS[-1]), INTERVALS)[0] / max(1, len(gaps))
    often = np.log1p(len(found) / seconds)
    evenness = 1 / (1 + gaps.std() / gaps.mean()) if len(gaps) > 1 else 0.0
    trend = _slope(gaps) if len(gaps) > 2 else 0.0
    alike = 1 - heights.std() if len(heights) else 0.0
    # Of few events the curve is mostly still.
    sparse = float((curve < 0.1 * curve.max() + TINY).mean())
    return np.concatenate([share, [often, evenness, trend, alike, sparse]])


def pulse(curve: Array, rate: float) -> Array:
    """How alike a curve is to itself some time later: autocorrelation at INTERVALS; (10,)."""
    centred = curve - curve.mean()
    size = 1 << (2 * len(centred) - 1).bit_length()
    whole = np.fft.irfft(np.abs(np.fft.rfft(centred, size)) ** 2, size)[: len(centred)]
    lags = np.minimum(np.round(INTERVALS * rate).astype(int), len(centred) - 1)
    # A pace is met a little early or late.
    near = [whole[max(1, lag - 1 - lag // 8) : lag + 2 + lag // 8] for lag in lags]
    return np.array([float(each.max() / (whole[0] + TINY)) if len(each) else 0.0 for each in near])


def spread_of(curve: Array) -> Array:
    """Mean, standard deviation and quartiles of a curve; (5,)."""
    return np.concatenate([[curve.mean(), curve.std()], np.quantile(curve, [0.25, 0.5, 0.75])])


def _slope(values: Array) -> float:
    at = np.arange(len(values)) - (len(values) - 1) / 2
    return float((at * values).sum() / ((at * at).sum() * (values.mean() + TINY)))


def trend(curve: Array) -> Array:
    """Whether a curve goes up or down: over all, and how much of its way is up, down, or stands; (3,)."""
    made = steps(curve, COURSE)
    change = np.diff(made)
    way = np.abs(change).sum() + TINY
    return np.array([(made[-1] - made[0]) / way, np.maximum(change, 0).sum() / way, np.log1p(way)])
