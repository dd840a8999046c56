"""Pictures by PyAV: exactly those that are asked for, and no group of pictures decoded in vain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import av
import av.video.reformatter
import numpy as np
import torch

from .frames import Timeline, chosen, opened, scaled, timeline, undecodable
from .options import Options
from .sources import Source


class Pictures(NamedTuple):
    """``frames``: uint8 (T, C, H, W), RGB; ``times``: float64 (T,), when each begins, in seconds of the clip."""

    frames: torch.Tensor
    times: torch.Tensor


class Packets(NamedTuple):
    """A track's packets in the order of decoding, and its timeline."""

    packets: list[Any]
    line: Timeline


def packets_of(container: Any, source: Source) -> Packets:
    """The packets of the first video track. Undecodable where there is none."""
    try:
        stream = container.streams.video[0]
        found = [packet for packet in container.demux(stream) if packet.size and packet.pts is not None]
        return Packets(found, timeline(found, stream.time_base, stream.duration))
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise undecodable(source, error) from error


def read_video(source: Source, options: Options) -> Pictures:
    """The frames that ``options`` ask for. Undecodable where they cannot be had."""
    with opened(source) as container:
        packets, line = packets_of(container, source)
        indices = chosen(line, options)
        places: dict[int, list[int]] = {}
        for place, index in enumerate(indices):
            places.setdefault(line.pts[index], []).append(place)
        context = container.streams.video[0].codec_context
        if torch.utils.data.get_worker_info() is not None:
            # DataLoader's workers are the threads.
            context.thread_count = 1
        to_rgb = Scaler(options)
        frames: Any = None
        try:
            for frame in decoded(context, packets, sorted(places)):
                picture = to_rgb(frame)
                if frames is None:
                    frames = np.empty((len(indices), *picture.shape), np.uint8)
                for place in places.pop(frame.pts, ()):
                    frames[place] = picture
        except av.FFmpegError as error:
            raise undecodable(source, error) from error
    if places:
        raise undecodable(source, f"{len(places)} of its pictures do not come")
    return Pictures(
        torch.from_numpy(frames), torch.tensor([line.time(index) for index in indices], dtype=torch.float64)
    )


class Scaler:
    """Frames of any kind as RGB (C, H, W), in the size that is asked for.

    First RGB, then the size: in one step the colours would be scaled by themselves, and a decoder that gives RGB
    could not give the same. One for all frames of a track, as preparing it takes longer than a frame.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._colours = av.video.reformatter.VideoReformatter()
        self._size = av.video.reformatter.VideoReformatter()

    def __call__(self, frame: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
        height, width = scaled(frame.height, frame.width, self._options)
        rgb = self._colours.reformat(frame, format="rgb24")
        if (height, width) != (frame.height, frame.width):
            rgb = self._size.reformat(rgb, width, height, interpolation="BILINEAR")
        return np.asarray(rgb.to_ndarray(), np.uint8).transpose(2, 0, 1)


def decoded(context: Any, packets: Sequence[Any], wanted: Sequence[int]) -> Iterator[Any]:
    """The frames with these pts, in the order of showing; what no wanted one needs is not decoded.

    Decoding begins at the last key frame at or before each, and ends when it is there.
    """
    at = {packet.pts: number for number, packet in enumerate(packets)}
    keys = [number for number, packet in enumerate(packets) if packet.is_keyframe]
    left = list(wanted)
    fed = 0
    while left:
        begin = _key_of(left[0], at[left[0]], packets, keys)
        if begin > fed:
            context.flush_buffers()
            fed = begin
        # A flushed decoder has to begin at a key frame; one that goes on may go on.
        found = 0
        for frame in _from(context, packets, fed):
            fed = frame.fed
            if found < len(left) and frame.frame.pts == left[found]:
                found += 1
                yield frame.frame
                if found == len(left) or _key_of(left[found], at[left[found]], packets, keys) > fed:
                    break
        if not found:
            return
        del left[:found]


class _Fed(NamedTuple):
    frame: Any
    fed: int


def _from(context: Any, packets: Sequence[Any], begin: int) -> Iterator[_Fed]:
    for number in range(begin, len(packets)):
        for frame in context.decode(packets[number]):
            yield _Fed(frame, number + 1)
    for frame in context.decode(None):
        yield _Fed(frame, len(packets))


def _key_of(pts: int, number: int, packets: Sequence[Any], keys: Sequence[int]) -> int:
    """The packet from which on a frame can be decoded: 0 where no key frame is before it."""
    return next((key for key in reversed(keys) if key <= number and packets[key].pts <= pts), 0)
