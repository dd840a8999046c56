"""Which frames of a clip are taken: by the times at which they stand, before any of them is decoded.

A frame stands from its own time until the next one begins; the first stands before that, too, and the last to the
end of what is asked for. Knows packets; decodes nothing.
"""

from __future__ import annotations

import bisect
import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from ..core.errors import RunError
from .options import Options
from .sources import Source

# Containers with a clock of milliseconds write a frame up to half of one late.
_LATE = Fraction(1, 2000)


class Undecodable(RunError):
    """A file of a clip that cannot be decoded."""


def opened(source: Source) -> Any:
    """The container. Undecodable where it is none."""
    # A WAV's header says all; libav would decode five seconds of it to find out.
    is_wav = source.startswith(b"RIFF") if isinstance(source, bytes) else source.endswith(".wav")
    options = {"probesize": "32"} if is_wav else {}
    try:
        return av.open(io.BytesIO(source) if isinstance(source, bytes) else source, options=options)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise undecodable(source, error) from error


def undecodable(source: Source, error: object) -> Undecodable:
    """What is raised where a decoder gives up."""
    name = f"a file of {len(source)} bytes" if isinstance(source, bytes) else source
    return Undecodable(f"{name} cannot be decoded: {error}", "avclips verify says which files are damaged")


@dataclass(frozen=True)
class Timeline:
    """The shown frames of a track, by the container's own clock; ``tick`` in seconds.

    ``pts``: in the order of showing; ``end``: when the last one ends.
    """

    pts: Sequence[int]
    end: int
    tick: Fraction

    @property
    def seconds(self) -> float:
        return float(self.end * self.tick)

    def standing(self, times: Sequence[Fraction]) -> list[int]:
        """Which frame stands at each of these seconds, as an index of ``pts``."""
        ticks = ((time + _LATE) / self.tick for time in times)
        return [max(0, bisect.bisect_right(self.pts, tick) - 1) for tick in ticks]

    def time(self, index: int) -> float:
        """When a frame begins, in seconds of the clip."""
        return float(self.pts[index] * self.tick)


def timeline(packets: Sequence[Any], tick: Fraction, duration: int | None = None) -> Timeline:
    """The timeline of a track's packets; ValueError where it shows nothing.

    ``duration``: what the container says, in ticks: an edit list may end while the last frame stands.
    """
    shown = sorted((packet for packet in packets if not packet.is_discard), key=lambda packet: packet.pts)
    if not shown:
        raise ValueError("it shows no picture")
    pts = [packet.pts for packet in shown]
    last = shown[-1].duration or (pts[-1] - pts[-2] if len(pts) > 1 else 0)
    end = pts[-1] + last
    return Timeline(pts, min(end, duration) if duration is not None and duration > pts[-1] else end, tick)


def chosen(line: Timeline, options: Options) -> list[int]:
    """The frames that are asked for, as indices in the order of showing; one may be taken several times.

    ``num_frames``: those at the middle of so many equal parts of the clip, as TSN samples; ``fps``: those at
    0, 1/fps, 2/fps, ...; neither: all of them.
    """
    seconds = Fraction(options.seconds).limit_denominator(10**6) if options.seconds else line.end * line.tick
    if options.fps is not None:
        fps = Fraction(options.fps).limit_denominator(10**6)
        return line.standing([each / fps for each in range(max(1, round(seconds * fps)))])
    if options.num_frames is not None:
        part = seconds / options.num_frames
        return line.standing([each * part + part / 2 for each in range(options.num_frames)])
    within = (index for index, pts in enumerate(line.pts) if pts * line.tick < seconds - _LATE)
    return list(within) or [0]


def scaled(height: int, width: int, options: Options) -> tuple[int, int]:
    """Height and width of the result for a picture's own."""
    if options.size is None:
        return height, width
    if isinstance(options.size, tuple):
        return options.size
    shorter = min(height, width)
    return round(height * options.size / shorter), round(width * options.size / shorter)
