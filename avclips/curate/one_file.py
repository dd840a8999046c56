"""A whole video as packets on one clock, from which any of its seconds can be cut."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..containers.timeline import origins
from ..core.clock import Clock
from ..media.cut import Job
from ..media.cut_plan import BEFORE, USUALLY_BEFORE, Material
from ..media.demux import open_file
from ..media.ffmpeg import Ffmpeg
from ..reading.stream import WholeFile


@dataclass(frozen=True)
class OneFile:
    """``zero``: of each track that it has, the second on its clock at which the video is at second 0."""

    layout: WholeFile
    zero: dict[str, Fraction]

    @property
    def lacks(self) -> str | None:
        """ "no_picture", "no_sound", or None."""
        if "video" not in self.zero:
            return "no_picture"
        return None if "audio" in self.zero else "no_sound"

    @property
    def first_picture(self) -> float:
        """The second of the video at which its first picture is shown."""
        return float(self._shown("video"))

    @property
    def begins(self) -> float:
        """From which second on it has both picture and sound."""
        return float(max([Fraction(0), *map(self._shown, self.zero)]))

    @property
    def ends(self) -> float:
        """Up to which second it has all tracks that it has."""
        return float(min(map(self._ends, self.zero), default=Fraction(0)))

    @property
    def picture_ends(self) -> float:
        """Up to which second it has a picture."""
        return float(self._ends("video"))

    def _shown(self, kind: str) -> Fraction:
        return self.layout.begin(kind).shown - self.zero[kind]

    def _ends(self, kind: str) -> Fraction:
        return (self.layout.ends(kind) or Fraction(0)) - self.zero[kind]

    def job(self, start: Fraction, end: Fraction) -> Job:
        """The exact cut of these seconds."""
        return Job(self._material("video", start, end), self._material("audio", start, end), start, end)

    def _material(self, kind: str, start: Fraction, end: Fraction) -> Material:
        before = max(USUALLY_BEFORE, *BEFORE.values()) if kind == "audio" else Fraction(0)
        zero = self.zero[kind]
        path, samples = self.layout.packets(kind, start - before + zero, end + zero)
        return Material(path, samples, zero, begins=self.layout.begin(kind).shown)


@functools.cache
def ffmpeg_of(path: Path) -> Ffmpeg:
    """The ffmpeg that this process uses, one for all videos."""
    return Ffmpeg(path, Clock())


def open_video(path: Path, ffmpeg: Ffmpeg, folder: Path) -> OneFile:
    """Read a file's tables of packets. ``folder``: for what is made on the way. Transient where it is no media."""
    layout = WholeFile(open_file(path, ffmpeg, folder))
    return OneFile(layout, origins({kind: layout.begin(kind) for kind in layout.media_types()}, together=True))
