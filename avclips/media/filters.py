"""Pictures at a steady rate, and of one size: what --fps, --size and --fit ask for, in ffmpeg's words.

Picture k is the one that stands k/fps seconds after the clip's start: the last that has begun by then, to the
millisecond to which containers round their times. Which one that is, is counted in whole ticks, here and by ffmpeg
alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from ..containers.mp4_writer import TrackOut
from ..core.settings import Fit
from .cut_plan import Frames

# What is called by so much less is begun all the same: of 30 a second, the third is at 0.067 in WebM, not 0.0667.
_ROUNDED = Fraction(1, 1000)
# A picture lasts so many ticks of a film at a steady rate, at least: readers divide by it.
_FINE = 12_800


@dataclass(frozen=True)
class Shape:
    """What pictures are to be like. ``fps``: so many a second; ``size``: "224", the smaller side, or "256x144"."""

    fps: Fraction | None = None
    size: str | None = None
    fit: Fit | None = None

    @property
    def is_any(self) -> bool:
        return self.fps is None and self.size is None


AS_IT_IS = Shape()


def shape_of(fps: str | None, size: str | None, fit: Fit | None) -> Shape:
    """The shape by the settings of these names."""
    return Shape(None if fps is None else Fraction(fps), size, fit)


def steady(picture: Frames, fps: Fraction) -> Frames:
    """The same seconds with pictures at k/fps. Their ``frames`` are those that are decoded for them."""
    count = max(1, math.ceil((picture.ends - _ROUNDED) * fps))
    times = tuple(Fraction(number) / fps for number in range(count))
    return replace(picture, times=times, ends=count / fps)


def steady_frames(picture: Frames, track: TrackOut, fps: Fraction) -> str:
    """The filter that makes them of the frames: of those that begin before a picture's time, the last."""
    ticks = [track.times[number - picture.first] for number in picture.frames]
    scale = Fraction(track.timescale, picture.material.samples.timescale)
    zero = picture.material.samples.decode[picture.first]
    begin = (picture.begin - zero) * scale
    if picture.stands:
        begin = Fraction(ticks[0])
    shift = math.floor(begin + _ROUNDED * track.timescale)
    rate = f"{fps.numerator}/{fps.denominator}"
    return (
        f"trim=start_pts={min(ticks)}:end_pts={max(ticks) + 1},setpts=PTS-{shift},"
        f"fps=fps={rate}:round=up:start_time=0,tpad=stop_mode=clone:stop=-1,trim=end_frame={len(picture.times)}"
    )


def steady_scale(fps: Fraction) -> int:
    """Ticks a second in which every picture of such a film lasts as many."""
    return fps.numerator * -(-_FINE // fps.numerator)


def sized(size: str, fit: Fit | None) -> list[str]:
    """The filters that make pictures of this size, by their shape as it is seen."""
    # Pixels that are no squares are made so first.
    square, width, _, height = "scale='if(gt(sar,0),trunc(iw*sar/2)*2,iw)':ih,setsar=1", *size.partition("x")
    if not height:
        return [square, f"scale='if(lt(iw,ih),{width},-2)':'if(lt(iw,ih),-2,{width})'", "setsar=1"]
    if fit == "stretch":
        return [f"scale={width}:{height}", "setsar=1"]
    grown = "increase" if fit == "crop" else "decrease"
    scaled = f"scale={width}:{height}:force_original_aspect_ratio={grown}"
    fitted = f"crop={width}:{height}" if fit == "crop" else f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2"
    return [square, scaled, fitted, "setsar=1"]
