"""What is loaded of a clip, and how: the arguments that all datasets of this package share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal, TypedDict

from ..core.errors import UsageError

DecoderName = Literal["auto", "pyav", "torchcodec"]
Missing = Literal["skip", "none", "error"]
Size = int | tuple[int, int]

Folder = str | PathLike[str]
Ids = str | PathLike[str] | Collection[str] | None
Transform = Callable[[dict[str, Any]], Any]

LOADABLE = ("video", "audio", "image", "bytes")
# What ``num_frames`` is where nobody says so.
USUAL_FRAMES = 8


@dataclass(frozen=True)
class Options:
    """``load``: which of LOADABLE are loaded. Lengths in seconds, rates in Hz; None: as the file has it.

    ``num_frames``: evenly spaced over the clip, None: all; ``fps``: resampled to that rate instead.
    ``size``: the shorter side, or (height, width). ``seconds``: the first so many, filled up where a clip is
    shorter.
    """

    load: tuple[str, ...] = ("video", "audio")
    num_frames: int | None = USUAL_FRAMES
    fps: float | None = None
    size: Size | None = None
    sample_rate: int | None = None
    mono: bool = True
    seconds: float | None = None
    decoder: DecoderName = "auto"

    def __post_init__(self) -> None:
        if isinstance(self.load, str) or set(self.load) - set(LOADABLE):
            raise UsageError(f"load={self.load!r} is none of ours", f"a tuple of {', '.join(LOADABLE)}, or ()")
        one_of("decoder", self.decoder, ("auto", "pyav", "torchcodec"))
        if self.fps is not None and self.num_frames not in (None, USUAL_FRAMES):
            hint = "fps with seconds gives a fixed number: fps=4, seconds=2 are eight frames"
            raise UsageError("num_frames and fps both say how many frames there are", hint)
        numbers = {
            "num_frames": self.num_frames,
            "fps": self.fps,
            "size": min(self.size) if isinstance(self.size, tuple) else self.size,
            "sample_rate": self.sample_rate,
            "seconds": self.seconds,
        }
        for name, value in numbers.items():
            if value is not None and not value > 0:
                raise UsageError(f"{name}={value} is nothing to load", "a number above 0, or None")


class StreamKeywords(TypedDict, total=False):
    """What is loaded, and how, as keyword arguments."""

    load: tuple[str, ...]
    num_frames: int | None
    fps: float | None
    size: Size | None
    sample_rate: int | None
    mono: bool
    seconds: float | None
    decoder: DecoderName


class Keywords(StreamKeywords, total=False):
    """The keyword arguments of ``ClipsDataset``, which those of one dataset take as well."""

    missing: Missing
    transform: Transform | None
    drop_flags: tuple[str, ...]
    ids: Ids
    data_path: Folder | None


def one_of(name: str, value: str, allowed: Collection[str]) -> None:
    """UsageError where an argument has a value that it cannot have."""
    if value not in allowed:
        raise UsageError(f"{name}={value!r} is none of {', '.join(allowed)}")
