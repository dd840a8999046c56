"""The cuts of a video, and a perceptual hash of a picture a second: one decode for both.

PySceneDetect's ContentDetector (hue, saturation and brightness from one picture to the next), or ffmpeg's scdet on
pictures of 160x90, several times as fast. Neither sees dissolves. Both take flashes, strobes and coloured lights
for cuts: so a cut counts only where the hashes of the pictures on both sides of it differ, which light alone
hardly changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from ..core.errors import Transient
from ..core.extras import extra
from ..media.ffmpeg import READING, Ffmpeg
from ..media.file_type import container_of
from .windows import Hashes

# What a picture has to differ by from the one before, for either to call it a cut: their own defaults.
CONTENT, SCDET = 27.0, 10.0
# Width of the pictures that ContentDetector is given, as PySceneDetect itself makes them.
_WIDTH = 256
_FAST = "160:90"
# Cuts that follow each other within so many seconds are one: flashes, and both ends of a wipe.
_TOGETHER = 0.5
# Of the bits that are set on either side of a cut, the share that is set on one side alone, at least. Of pictures
# that have nothing to do with each other it is two thirds.
_ANOTHER = 1 / 3
# Seconds between two pictures whose hashes are kept.
_EVERY = 1.0
# A picture of 9x8: in each of its rows, which of two neighbours is brighter.
_HASHED = (9, 8)


@dataclass(frozen=True)
class Look:
    """What was seen, in seconds from the first picture on: cuts, and hashes at some times.

    ``lasts``: behind the last picture. ``complaint``: why the look ended before the video did, or "".
    """

    cuts: tuple[float, ...]
    times: tuple[float, ...]
    hashes: Hashes
    lasts: float
    complaint: str = ""


def hash_of(gray: np.ndarray[Any, np.dtype[np.uint8]]) -> int:
    """The difference hash of a grey picture of 8 rows and 9 columns."""
    bits = (gray[:, 1:] > gray[:, :-1]).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def look(path: Path) -> Look:
    """Decode a video once, with PySceneDetect; Transient where no picture can be decoded."""
    extra("scenedetect", "shots are found")
    from scenedetect import ContentDetector, FrameTimecode

    cuts: list[int] = []
    at: list[float] = []
    hashes: list[int] = []
    complaint = ""
    try:
        with av.open(str(path), format=container_of(path), options={"protocol_whitelist": "file"}) as container:
            stream = container.streams.video[0]
            # The other cores have videos of their own.
            stream.codec_context.thread_count = 1
            rate = stream.average_rate or stream.guessed_rate or 25
            # Which cuts are one is seen to when those that are none are gone.
            detector = ContentDetector(CONTENT, min_scene_len=1)
            width, height = _smaller(stream.width, stream.height)
            for frame in container.decode(stream):
                if frame.time is None:
                    continue
                number = len(at)
                at.append(frame.time)
                small = frame.to_ndarray(format="bgr24", width=width, height=height, interpolation="FAST_BILINEAR")
                hashes.append(hash_of(_shrunk(small)))
                cuts += [each.frame_num for each in detector.process_frame(FrameTimecode(number, rate), small)]
    except (av.FFmpegError, IndexError) as error:
        complaint = str(error) or type(error).__name__
    return _looked(at, cuts, hashes, complaint)


def _smaller(width: int, height: int) -> tuple[int, int]:
    if width <= _WIDTH:
        return width, height
    return _WIDTH, max(2, round(height * _WIDTH / width))


def _shrunk(picture: Any) -> Any:
    """A picture of three colours, grey and of the size that is hashed."""
    import cv2

    return cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), _HASHED, interpolation=cv2.INTER_AREA)


def look_fast(path: Path, ffmpeg: Ffmpeg, folder: Path) -> Look:
    """The same with ffmpeg's scdet. ``folder``: for what is made on the way."""
    pixels = folder / "hashed.gray"
    columns, rows = _HASHED
    graph = (
        f"[0:v:0]scale={_FAST}:flags=fast_bilinear,split[shots][looks];"
        f"[shots]scdet=threshold={SCDET:g},metadata=mode=print:key=lavfi.scd.score:file=-[listed];"
        # Luma, as "gray" is another one by the version of ffmpeg.
        f"[looks]scale={columns}:{rows}:flags=area,format=yuv420p,extractplanes=y[small]"
    )
    words: list[str | Path] = [*READING, "-f", container_of(path), "-i", path, "-filter_complex", graph]
    words += ["-map", "[listed]", "-fps_mode", "passthrough", "-f", "null", "-"]
    words += ["-map", "[small]", "-fps_mode", "passthrough", "-f", "rawvideo", pixels]
    at, cuts = _listed(ffmpeg.lines(words))
    data = pixels.read_bytes()
    size = columns * rows
    pictures = [
        np.frombuffer(data[begin : begin + size], np.uint8).reshape(rows, columns)
        for begin in range(0, len(data) - size + 1, size)
    ]
    return _looked(at, cuts, [hash_of(picture) for picture in pictures[: len(at)]], "")


_AT = re.compile(r"frame:\d+\s+pts:\S+\s+pts_time:(-?[0-9.]+)")


def _listed(lines: Iterable[str]) -> tuple[list[float], list[int]]:
    """The time of each picture, and the numbers of those that seem to be cuts."""
    at: list[float] = []
    cuts: list[int] = []
    for line in lines:
        if (found := _AT.match(line)) is not None:
            at.append(float(found[1]))
        elif line.startswith("lavfi.scd.score=") and at and float(line.partition("=")[2]) >= SCDET:
            cuts.append(len(at) - 1)
    return at, cuts


def real_cuts(at: Sequence[float], cuts: Iterable[int], hashes: Sequence[int]) -> list[float]:
    """When there are cuts: those at which the picture is another one, the first of those that follow each other.

    ``cuts``: the numbers of the pictures behind them, ascending.
    """
    found: list[float] = []
    for number in cuts:
        near = found and at[number] - found[-1] < _TOGETHER
        if 0 < number < len(hashes) and not near and _another(hashes[number - 1], hashes[number]):
            found.append(at[number])
    return found


def _another(before: int, behind: int) -> bool:
    """Whether two hashes are of different pictures; of plain ones nothing speaks against it."""
    return (before ^ behind).bit_count() >= _ANOTHER * (before | behind).bit_count()


def _looked(at: list[float], cuts: list[int], hashes: list[int], complaint: str) -> Look:
    if not at or not hashes:
        raise Transient("media", complaint or "no picture can be decoded")
    first = at[0]
    one = (at[-1] - first) / (len(at) - 1) if len(at) > 1 else 0.0
    kept: list[int] = []
    for number, seconds in enumerate(at[: len(hashes)]):
        if not kept or seconds >= at[kept[-1]] + _EVERY:
            kept.append(number)
    return Look(
        tuple(cut - first for cut in real_cuts(at, cuts, hashes) if cut > first),
        tuple(at[number] - first for number in kept),
        np.array([hashes[number] for number in kept], dtype=np.uint64),
        at[-1] - first + one,
        complaint,
    )
