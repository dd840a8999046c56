"""What a curve over time is made to, whether it tells of a picture or of a sound.

Curves of both modalities (loudness and motion, pitch and brightness) are described in the same bands and the same
intervals, so that what goes on at one pace in both falls into clusters that tell of each other.
Only element-wise arithmetic and FFTs: no result depends on how many threads a BLAS has.
"""

from __future__ import annotations

import numpy as np

from .extractor import Array

# Centres of bands of modulation, Hz: a third of an octave each. What a clip does once in its ten seconds is the
# course's to tell.
BANDS = 0.3 * 2.0 ** (np.arange(15) / 3)
# Centres of intervals between two events, s: half an octave each.
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


def course(curve: Array, floor: float, count: int = COURSE) -> Array:
    """How a curve goes, whatever its height and its unit: mean 0, greatest deviation 1.

    ``floor``: a deviation, in the curve's unit, below which it rather stands still.
    """
    made = steps(curve, count)
    made = made - made.mean()
    return np.asarray(made / (float(np.abs(made).max()) + floor))


def modulation(curve: Array, rate: float, floor: float) -> Array:
    """How much of a curve's change is at which pace: the root of the share of each of BANDS, and how strong it is.

    (17,). ``rate``: the curve's samples a second; bands that it cannot have are 0. ``floor``: as in course.
    """
    centred = curve - curve.mean()
    window = np.hanning(len(centred) + 2)[1:-1]
    size = 1 << max(6, (4 * len(centred) - 1).bit_length())
    power = np.abs(np.fft.rfft(centred * window, size)) ** 2
    total = np.concatenate([[0.0], np.cumsum(power)])
    # Twice as many bands as are told: each overlaps its neighbours, and no pace is at an edge.
    edges = np.searchsorted(
        np.fft.rfftfreq(size, 1 / rate), BANDS[0] * 2.0 ** (np.arange(-3, 2 * len(BANDS) + 1) / 6 - 1 / 12)
    )
    fine = total[edges[1:]] - total[edges[:-1]]
    smooth = (fine[:-2] + 2 * fine[1:-1] + fine[2:])[1::2][: len(BANDS)]
    still = 4 * floor**2 * (window * window).sum() * size / 2
    share = smooth / (smooth.sum() + still)
    entropy = -(share * np.log(share + TINY)).sum() / np.log(len(share))
    return np.concatenate([np.sqrt(share), [entropy, np.log1p(centred.std() / floor) / 4]])


def rises(curve: Array) -> Array:
    """How much a curve rises from each sample to the next, never below 0."""
    return np.maximum(np.diff(curve, prepend=curve[:1]), 0.0)


def peaks(curve: Array, rate: float, floor: float) -> tuple[Array, Array]:
    """The events of a curve of rises: their indices, and how high each is, the highest 1.

    An event is the highest of its tenth of a second, above the median by ``floor``, by three times the curve's
    spread, and by a tenth of the highest.
    """
    level = np.median(curve)
    spread = np.median(np.abs(curve - level))
    reach = max(1, round(0.1 * rate))
    padded = np.pad(curve, reach, constant_values=-np.inf)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    least = level + max(3 * spread, 0.1 * (float(curve.max()) - level), floor)
    found = np.flatnonzero((curve >= highest) & (curve > least))
    # A flat top is one event.
    found = found[np.diff(found, prepend=-reach - 1) > reach]
    return found, (curve[found] - level) / (float(curve.max()) - level + TINY)


def events(curve: Array, rate: float, floor: float) -> Array:
    """How often something happens, how evenly, and how alike its events are, of a curve of rises; (15,)."""
    found, heights = peaks(curve, rate, floor)
    gaps = np.diff(found) / rate
    often = np.log1p(len(found) / (len(curve) / rate))
    evenness = 1 / (1 + gaps.std() / gaps.mean()) if len(gaps) > 1 else 0.0
    trend = _slope(gaps) if len(gaps) > 2 else 0.0
    alike = 1 - heights.std() if len(heights) else 0.0
    # Of few events the curve is mostly still.
    sparse = float((curve < 0.1 * curve.max() + floor).mean())
    return np.concatenate([intervals(gaps), [often, evenness, trend, alike, sparse]])


def intervals(gaps: Array) -> Array:
    """Which share of the gaps between events is near which of INTERVALS; one in between counts for both; (10,)."""
    at = np.clip(2 * np.log2(np.maximum(gaps, TINY) / INTERVALS[0]), 0, len(INTERVALS) - 1)
    lower = np.minimum(at.astype(int), len(INTERVALS) - 2)
    share = np.bincount(lower, lower + 1 - at, len(INTERVALS)) + np.bincount(lower + 1, at - lower, len(INTERVALS))
    return np.asarray(share / max(1, len(gaps)))


def pulse(curve: Array, rate: float, floor: float) -> Array:
    """How alike a curve is to itself some time later: autocorrelation at INTERVALS; (10,)."""
    centred = curve - curve.mean()
    size = 1 << (2 * len(centred) - 1).bit_length()
    whole = np.fft.irfft(np.abs(np.fft.rfft(centred, size)) ** 2, size)[: len(centred)]
    lags = np.minimum(np.round(INTERVALS * rate).astype(int), len(centred) - 1)
    # A pace is met a little early or late.
    near = [whole[max(1, lag - 1 - lag // 8) : lag + 2 + lag // 8] for lag in lags]
    still = floor**2 * len(centred)
    return np.array([float(each.max() / (whole[0] + still)) if len(each) else 0.0 for each in near])


def spread_of(curve: Array) -> Array:
    """Mean, standard deviation and quartiles of a curve; (5,)."""
    return np.concatenate([[curve.mean(), curve.std()], np.quantile(curve, [0.25, 0.5, 0.75])])


def _slope(values: Array) -> float:
    at = np.arange(len(values)) - (len(values) - 1) / 2
    return float((at * values).sum() / ((at * at).sum() * (values.mean() + TINY)))


def trend(curve: Array, floor: float) -> Array:
    """Whether a curve goes up or down over all, how much of its way is up, and how long the way is; (3,)."""
    made = steps(curve, COURSE)
    change = np.diff(made)
    way = np.abs(change).sum() + floor
    return np.array([(made[-1] - made[0]) / way, np.maximum(change, 0).sum() / way, np.log1p(way / floor) / 4])
