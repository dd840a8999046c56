"""The cuts of a video, and a perceptual hash of a picture a second: one decode for both.

PySceneDetect's ContentDetector (hue, saturation and brightness from one picture to the next), or ffmpeg's scdet on
pictures of 160x90, several times as fast. Neither sees dissolves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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
# Seconds between two pictures of which a hash is made.
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

    cuts: list[float] = []
    at: list[float] = []
    hashes: list[tuple[float, int]] = []
    complaint = ""
    try:
        with av.open(str(path), format=container_of(path), options={"protocol_whitelist": "file"}) as container:
            stream = container.streams.video[0]
            # The other cores have videos of their own.
            stream.codec_context.thread_count = 1
            rate = stream.average_rate or stream.guessed_rate or 25
            detector = ContentDetector(CONTENT, min_scene_len=max(1, round(_TOGETHER * rate)))
            width, height = _smaller(stream.width, stream.height)
            for frame in container.decode(stream):
                if frame.time is None:
                    continue
                number, seconds = len(at), frame.time - (at[0] if at else frame.time)
                at.append(frame.time)
                small = frame.to_ndarray(format="bgr24", width=width, height=height, interpolation="FAST_BILINEAR")
                cuts += [at[each.frame_num] for each in detector.process_frame(FrameTimecode(number, rate), small)]
                if not hashes or seconds >= hashes[-1][0] + _EVERY:
                    hashes.append((seconds, hash_of(_shrunk(small))))
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
        f"[looks]select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,{_EVERY:g}),"
        f"scale={columns}:{rows}:flags=area,format=gray[small]"
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
    times: list[float] = []
    for seconds in at:
        if not times or seconds >= times[-1] + _EVERY:
            times.append(seconds)
    first = at[0] if at else 0.0
    hashes = [(seconds - first, hash_of(picture)) for seconds, picture in zip(times, pictures, strict=False)]
    return _looked(at, cuts, hashes, "")


_AT = re.compile(r"frame:\d+\s+pts:\S+\s+pts_time:(-?[0-9.]+)")


def _listed(lines: Iterable[str]) -> tuple[list[float], list[float]]:
    """The time of each picture, and of those that are cuts: as far as they are not near the one before."""
    at: list[float] = []
    cuts: list[float] = []
    for line in lines:
        if (found := _AT.match(line)) is not None:
            at.append(float(found[1]))
        elif line.startswith("lavfi.scd.score=") and at and float(line.partition("=")[2]) >= SCDET:
            cuts += [at[-1]] if not cuts or at[-1] - cuts[-1] >= _TOGETHER else []
    return at, cuts


def _looked(at: list[float], cuts: list[float], hashes: list[tuple[float, int]], complaint: str) -> Look:
    if not at:
        raise Transient("media", complaint or "no picture can be decoded")
    first = at[0]
    one = (at[-1] - first) / (len(at) - 1) if len(at) > 1 else 0.0
    return Look(
        tuple(cut - first for cut in cuts if cut > first),
        tuple(seconds for seconds, _ in hashes),
        np.array([each for _, each in hashes], dtype=np.uint64),
        at[-1] - first + one,
        complaint,
    )
