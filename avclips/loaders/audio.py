"""Sound as float32: decoded, mixed to one channel where that is asked for, resampled, of exact length."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import av
import numpy as np
import torch

from .frames import opened, undecodable
from .options import Options
from .sources import Source

Samples = np.ndarray[Any, np.dtype[np.float32]]
# A packet whose time is this much behind the samples before it begins after a pause.
_PAUSE = 0.002


class Sound(NamedTuple):
    """``samples``: float32, (N,) of one channel that was mixed, else (C, N); ``rate`` in Hz."""

    samples: torch.Tensor
    rate: int


def decoded(source: Source, seconds: float | None = None) -> tuple[Samples, int]:
    """All channels of the first sound track, (C, N) from second 0 on, and its rate. Undecodable.

    ``seconds``: no more than these are needed. What an encoder filled up the last packet with is left out as far
    as the container says where the sound ends.
    """
    with opened(source) as container:
        try:
            stream = container.streams.audio[0]
            rate, parts, count = int(stream.rate), list[Any](), 0
            for frame in container.decode(stream):
                samples = _channels(frame)
                at = round(frame.pts * frame.time_base * rate) if frame.pts is not None else count
                if at - count > _PAUSE * rate:
                    parts.append(np.zeros((samples.shape[0], at - count), samples.dtype))
                    count = at
                # What stands before second 0 is the decoder's start.
                samples = samples[:, max(0, -at) if not count else 0 :]
                parts.append(samples)
                count += samples.shape[1]
                if seconds is not None and count >= seconds * rate:
                    break
            if not parts:
                raise ValueError("it has no sound")
            found = np.concatenate(parts, axis=1)[:, : samples_due(stream)]
            return as_floats(found), rate
        except (av.FFmpegError, IndexError, ValueError) as error:
            raise undecodable(source, error) from error


def samples_due(stream: Any) -> int | None:
    """How many samples a track has by its container: an MP4's edit list ends before the last packet does."""
    if not stream.duration or not stream.time_base:
        return None
    due: int = math.ceil(stream.duration * stream.time_base * stream.rate)
    return due


def _channels(frame: Any) -> np.ndarray[Any, Any]:
    """(C, N) of a frame, as its samples are."""
    found: np.ndarray[Any, Any] = frame.to_ndarray()
    return found if frame.format.is_planar else found.reshape(-1, len(frame.layout.channels)).T


def as_floats(samples: np.ndarray[Any, Any]) -> Samples:
    """Whole numbers of any size as float32 from -1 to 1."""
    if samples.dtype.kind == "f":
        return np.asarray(samples, np.float32)
    half = np.float32(2.0 ** (8 * samples.dtype.itemsize - 1))
    found: Samples = samples.astype(np.float32)
    found -= half if samples.dtype.kind == "u" else 0
    found /= half
    return found


def mixed(samples: Samples) -> Samples:
    """(1, N): the mean of all channels. libswresample would make it louder, by 3 dB of two."""
    found: Samples = samples[0] + samples[1]
    for channel in samples[2:]:
        found += channel
    found /= len(samples)
    return found[None]


def resampled(samples: Samples, rate: int, new: int) -> Samples:
    """(C, N) at another rate, by libswresample: ceil(N * new / rate) samples a channel, in step with the old."""
    if rate == new:
        return samples
    count = math.ceil(Fraction(samples.shape[1] * new, rate))
    found = np.zeros((samples.shape[0], count), np.float32)
    for channel, row in enumerate(samples):
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=new)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(row[None]), format="fltp", layout="mono")
        frame.sample_rate = rate
        made = [each.to_ndarray()[0] for each in (*resampler.resample(frame), *resampler.resample(None))]
        line = np.concatenate(made)[:count] if made else row[:0]
        found[channel, : len(line)] = line
    return found


def as_asked(samples: Samples, rate: int, facts: Mapping[str, Any], options: Options) -> Sound:
    """Decoded sound as ``options`` ask for it. ``facts``: what the manifest says, which knows where it ends."""
    if facts.get("sample_rate") == rate and facts.get("samples"):
        samples = samples[:, : facts["samples"]]
    if options.seconds is not None:
        samples = samples[:, : math.ceil(options.seconds * rate)]
    if options.mono and samples.shape[0] > 1:
        samples = mixed(samples)
    new = options.sample_rate or rate
    samples = resampled(samples, rate, new)
    if options.seconds is not None:
        samples = _fitted(samples, round(options.seconds * new))
    found = torch.from_numpy(np.ascontiguousarray(samples[0] if options.mono else samples))
    return Sound(found, new)


def _fitted(samples: Samples, count: int) -> Samples:
    """Exactly so many samples: cut, or silent behind its end."""
    if samples.shape[1] < count:
        return np.pad(samples, ((0, 0), (0, count - samples.shape[1])))
    return samples[:, :count]
