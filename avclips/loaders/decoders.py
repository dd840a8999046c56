"""The two decoders: PyAV, which always works, and torchcodec where it loads beside the torch that is here.

Both take the frames that ``frames.chosen`` names, and leave mixing, resampling and lengths to ``audio``, so that
what is loaded does not depend on which of them is there.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import torch

from ..core.errors import UsageError
from ..core.extras import install
from . import audio, video
from .frames import chosen, opened, scaled, undecodable
from .options import DecoderName, Options
from .sources import Source

log = logging.getLogger("avclips.loaders")


@dataclass(frozen=True)
class Decoder:
    """``pictures(source, options)``; ``samples(source, seconds)``: ((C, N) float32, rate)."""

    name: str
    pictures: Callable[[Source, Options], video.Pictures]
    samples: Callable[[Source, float | None], tuple[audio.Samples, int]]

    def sound(self, source: Source, facts: Mapping[str, Any], options: Options) -> audio.Sound:
        """Sound as ``options`` ask for it."""
        return audio.as_asked(*self.samples(source, options.seconds), facts, options)


PYAV = Decoder("pyav", video.read_video, audio.decoded)


@functools.cache
def decoder(name: DecoderName) -> Decoder:
    """The decoder of a name; "auto": torchcodec where it loads, else PyAV. UsageError where it does not load."""
    if name == "pyav":
        return PYAV
    try:
        from torchcodec import decoders
    # A torchcodec for another torch, or without ffmpeg's libraries, raises any of these while it loads them.
    except (ImportError, OSError, RuntimeError) as error:
        if name == "auto":
            return PYAV
        words = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        hint = f'{install("torchcodec")}, in the release for torch {torch.__version__}; or decoder="pyav"'
        raise UsageError(f"torchcodec does not load: {words.strip()}", hint) from error
    return Decoder(
        "torchcodec",
        functools.partial(_video, decoders.VideoDecoder),
        functools.partial(_audio, decoders.AudioDecoder),
    )


def _video(decoder: Any, source: Source, options: Options) -> video.Pictures:
    """Pictures by torchcodec, by their indices: its reading by time goes by floats.

    What it gives is compared with the times that were asked for. Of an MP4 whose first frame is shown later than
    its edit list begins, torchcodec 0.13 seeks to the key frame behind it, and says so: PyAV reads such a one.
    """
    with opened(source) as container:
        line = video.packets_of(container, source).line
    indices = chosen(line, options)
    times = [line.time(index) for index in indices]
    try:
        # PyAV counts the shown frames, and so does torchcodec in its exact mode.
        found = decoder(source, seek_mode="exact").get_frames_at(indices)
    except (RuntimeError, ValueError, IndexError) as error:
        log.info("%s: torchcodec: %s", source if isinstance(source, str) else "a clip", error)
        return video.read_video(source, options)
    if not np.allclose(found.pts_seconds.numpy(), times, atol=1e-3):
        return video.read_video(source, options)
    return video.Pictures(_resized(found.data, options), torch.tensor(times, dtype=torch.float64))


def _resized(frames: torch.Tensor, options: Options) -> torch.Tensor:
    """(T, C, H, W) in the size that is asked for, by the scaler that PyAV uses."""
    height, width = scaled(frames.shape[2], frames.shape[3], options)
    if (height, width) == tuple(frames.shape[2:]):
        return frames
    to_rgb = video.Scaler(options)
    made = torch.empty((len(frames), 3, height, width), dtype=torch.uint8)
    for number, each in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(each.permute(1, 2, 0).contiguous().numpy(), format="rgb24")
        made[number] = torch.from_numpy(to_rgb(picture))
    return made


def _audio(decoder: Any, source: Source, seconds: float | None) -> tuple[audio.Samples, int]:
    """Sound by torchcodec, from second 0 on."""
    try:
        track = decoder(source)
        found = track.get_all_samples() if seconds is None else track.get_samples_played_in_range(0.0, seconds)
    except (RuntimeError, ValueError) as error:
        raise undecodable(source, error) from error
    samples = found.data.numpy()
    late = round(found.pts_seconds * found.sample_rate)
    if late > 0:
        samples = np.pad(samples, ((0, 0), (late, 0)))
    with opened(source) as container:
        due = audio.samples_due(container.streams.audio[0])
    return samples[:, max(0, -late) :][:, :due], found.sample_rate
