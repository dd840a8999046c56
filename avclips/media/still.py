"""A clip's frame in the middle as a JPEG: of the frames that are decoded for it, or of a few packets of its own.

The middle is half of the clip's length; its frame is the one that is shown then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..containers.mp4_writer import TrackOut
from ..core.errors import Transient
from .cut_plan import Frames, key_before
from .encoding import PLAIN
from .ffmpeg import READING, Ffmpeg
from .file_type import container_of
from .measure import Track
from .tracks import copied_video

# As a JPEG holds pictures: all values, colour at half the size, and by BT.601's matrix (JFIF 1.02), as it has no
# place to say another. ffmpeg by itself hands on a film's BT.709 as it is, and every reader shows other colours.
JPEG_COLOURS = "out_color_matrix=bt601:out_range=full"
_JPEG = f"scale={JPEG_COLOURS},format=yuvj420p"
# Times are rounded to so many seconds, at most.
_NEAR = 0.001


def middle(times: Sequence[float], ends: float) -> int:
    """The place of the frame that is shown half-way; ``times``: when each begins, ``ends``: when the last ends."""
    return max(0, bisect_right(times, ends / 2) - 1)


def still(source: int, filters: Sequence[str], chosen: str, path: Path) -> list[str | Path]:
    """An output with one frame of input ``source``: the first that ``chosen`` picks of those a filter lets pass.

    ``filters``: that one, and those that make the picture what it is in the clip.
    """
    first, *others = filters
    graph = ",".join([first, f"select='{chosen}'", *others, _JPEG])
    return [
        *("-map", f"{source}:v:0", "-filter:v", graph, "-fps_mode", "passthrough", "-frames:v", "1"),
        *("-c:v", "mjpeg", "-q:v", "2", "-flags:v", "+bitexact", *PLAIN, "-f", "image2", "-update", "1", path),
    ]


def at_place(place: int) -> str:
    """Picks the frame at a place, counted from 0."""
    return f"eq(n,{place})"


def packets_of_middle(picture: Frames) -> tuple[Frames, TrackOut]:
    """The packets that are decoded for the frame in the middle, and no others."""
    place = middle([float(time) for time in picture.times], float(picture.ends))
    number = picture.frames[place]
    first = key_before(picture.material.samples, [number])
    if first is None:
        raise Transient("check", "no key frame before the clip's frame in the middle")
    few = replace(picture, first=first, last=number, frames=(number,), times=picture.times[place : place + 1])
    return few, copied_video(few)


def still_of_film(film: Path, tracks: Sequence[Track], ffmpeg: Ffmpeg, path: Path) -> None:
    """The same of a finished clip, whose packets are listed in ``tracks``. Transient where it has no picture."""
    track = next((track for track in tracks if track.kind == "video"), Track())
    # Before 0 is what an edit list hides.
    times = [time for time in track.times if time >= -_NEAR]
    if not times:
        raise Transient("check", "it has no picture for its frame in the middle")
    since = times[middle(times, track.end)] - _NEAR
    source: list[str | Path] = ["-copyts", *READING, "-f", container_of(film), "-i", film]
    ffmpeg.run([*source, *still(0, ["null"], f"gte(t,{since:.6f})", path)])


def see_that_it_is_there(path: Path) -> None:
    """Transient where nothing was made of the frame."""
    if not path.is_file() or not path.stat().st_size:
        raise Transient("check", "no frame was made of its middle")
