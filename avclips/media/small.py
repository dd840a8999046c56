"""Small outputs of a decode that is done anyway: grey pictures, a spectrum and the loudness, for quality flags.

Knows the words for ffmpeg, and the files that come of them; what they tell is counted in ``quality``. Only filters
that ffmpeg 5.1 has: it, 7.0 and 9.0 give the same, but for one level in a thousandth of the points.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from ..core.errors import Killed, Transient
from ..quality.pictures import RATE, SIDE, SIZE, measure_pictures
from ..quality.samples import block_size, measure_samples
from ..quality.spectrum import BINS, COLUMNS, SECONDS, sound_print
from ..quality.spectrum import HOP as SPECTRUM_HOP
from ..quality.spectrum import RATE as SPECTRUM_RATE
from .measure import Sound, wav_header

Result = TypeVar("Result")
log = logging.getLogger(__name__)

_FEW = f"fps={RATE}:round=up"
# By the mean of all pixels of a point, and black as 0 whatever range the source's levels have. The film's own
# luma: "gray" is that of BT.601 since FFmpeg 8.1, so that films which say BT.709 would be others by version.
_GREY = f"scale={SIDE}:{SIDE}:flags=area:out_range=full,format=yuv420p,extractplanes=y"
# With this colour, and of one channel, luma is the level: 2.13 steps a dB, 255 is full scale.
_SPECTRUM = (
    f"aresample={SPECTRUM_RATE},aformat=channel_layouts=mono,"
    f"showspectrum=size={COLUMNS}x{BINS}:slide=fullframe:scale=log:color=channel:"
    f"overlap={1 - SPECTRUM_HOP / (2 * BINS)},extractplanes=y"
)
# What ffmpeg's meter of EBU R 128 calls the integrated loudness so far.
_LOUDNESS = "lavfi.r128.I"
# What the meter says where nothing is above its gate: "-70" in some versions.
_GATE = -70.0
# The samples that are looked at: a whole video may have hours of them.
_SAMPLED_SECONDS = 600
# Enough for the last of the lines that end the file.
_TAIL = 1000


@dataclass(frozen=True)
class Small:
    """The small files of one clip, in a folder that holds no other clip's."""

    folder: Path

    @property
    def grey(self) -> Path:
        return self.folder / "small.grey"

    @property
    def spectrum(self) -> Path:
        return self.folder / "small.spectrum"

    @property
    def loudness(self) -> Path:
        return self.folder / "small.loudness"

    @property
    def samples(self) -> Path:
        return self.folder / "small.pcm"

    def pictures(self, at_most: Fraction | None = None) -> list[str | Path]:
        """An output of input 0: all of its pictures, or ``at_most`` so many seconds of them."""
        stop = [] if at_most is None else ["-t", f"{float(at_most):.6f}"]
        words = ["-map", "0:v:0", "-filter:v", f"{_FEW},{_GREY}", *stop]
        return [*words, "-fps_mode", "passthrough", "-f", "rawvideo", self.grey]

    def pictures_beside(self, frames: str, like: Sequence[str] = (), last: str = "") -> list[str | Path]:
        """A graph, and the map of its first output: the pictures of input 0 that ``frames`` lets pass.

        ``like``: filters that make them what they are in the clip; ``last``: one for this output alone. The small
        pictures are its second; ``pictures_output`` has to follow.
        """
        # In one graph: it costs less than two, and ffmpeg 9 comes to no end where both of two have no end of
        # pictures, as with --fps, and there is another input.
        shown = ",".join([*like, last or "null"])
        graph = f"[0:v:0]{frames},split[all][few];[all]{shown}[seen];[few]{','.join([_FEW, *like, _GREY])}[grey]"
        return ["-filter_complex", graph, "-map", "[seen]"]

    def pictures_output(self) -> list[str | Path]:
        return ["-map", "[grey]", "-fps_mode", "passthrough", "-f", "rawvideo", self.grey]

    def sound(self, stream: str, graph: str) -> list[str | Path]:
        """The graph, and the map of its first output: a stream's samples in 16 bits, filtered by ``graph``.

        The output of its second, ``spectrum_output``, has to follow.
        """
        measured = f"ebur128=metadata=1,ametadata=print:key={_LOUDNESS}:file={escaped(self.loudness)}"
        split = f"[{stream}]{graph},aformat=sample_fmts=s16,asplit=3[heard][meter][small]"
        graph = f"{split};[meter]{measured},anullsink;[small]{_SPECTRUM}[spectrum]"
        return ["-filter_complex", graph, "-map", "[heard]"]

    def spectrum_output(self) -> list[str | Path]:
        return ["-map", "[spectrum]", "-fps_mode", "passthrough", "-f", "rawvideo", self.spectrum]

    def whole_sound(self, samples: bool = True) -> list[str | Path]:
        """Outputs of the sound of input 0: what its samples tell, and these, where no file has them."""
        graph = self.sound("0:a:0", "asetnsamples=n=44100:p=0")
        if not samples:
            return [*graph, "-f", "null", "-", *self.spectrum_output()]
        return [
            *graph,
            "-c:a",
            "pcm_s16le",
            "-t",
            str(_SAMPLED_SECONDS),
            "-f",
            "s16le",
            self.samples,
            *self.spectrum_output(),
        ]

    def clear(self) -> None:
        """Remove what is there: of a run that failed, or of one before."""
        for path in (self.grey, self.spectrum, self.loudness, self.samples):
            path.unlink(missing_ok=True)

    def flags(self, sound: Sound | None, wav: Path | None = None) -> dict[str, Any]:
        """What the small files tell; of a part without them, nothing.

        ``sound``: what the clip's file of sound holds; ``wav``: that file, where it is one.
        """
        found: dict[str, Any] = {}
        if self.grey.exists():
            found |= measure_pictures(_blocks(self.grey, SIZE, SIZE))
        if sound is None or not self.spectrum.exists():
            return found
        samples = self.samples if wav is None else wav
        found |= measure_samples(_samples(samples, sound.channels, wav is not None), sound.channels)
        found["loudness"] = _loudness(self.loudness)
        pictures = -(-SECONDS * SPECTRUM_RATE // (SPECTRUM_HOP * COLUMNS))
        with open(self.spectrum, "rb") as stream:
            found["sound_print"] = sound_print(stream.read(pictures * BINS * COLUMNS))
        return found


def escaped(path: Path) -> str:
    """A path as the value of a filter's option within a graph: ffmpeg reads both levels."""
    value = re.sub(r"([\\':])", r"\\\1", str(path.absolute()))
    return re.sub(r"([\\'\[\],;])", r"\\\1", value)


def with_small(small: Small | None, run: Callable[[bool], Result]) -> Result:
    """What ``run`` gives, with small outputs if they are wanted. No flag costs a clip: it is tried without."""
    if small is None:
        return run(False)
    try:
        return run(True)
    except Killed:
        raise
    except Transient as error:
        # Where it is the media that are broken, this says so.
        result = run(False)
        small.clear()
        log.warning("no flags are measured of a clip, as this ffmpeg cannot make what they need: %s", error.detail)
        return result


def _samples(path: Path, channels: int, in_wav: bool) -> Iterator[bytes]:
    size = block_size(channels)
    if not in_wav:
        yield from _blocks(path, size)
        return
    with open(path, "rb") as stream:
        found, _, _ = wav_header(stream, path.stat().st_size)
        left = 2 * found.channels * min(found.samples, _SAMPLED_SECONDS * found.sample_rate)
        while left > 0 and (block := stream.read(min(left, size))):
            left -= len(block)
            yield block


def _blocks(path: Path, size: int, least: int = 1) -> Iterator[bytes]:
    """The bytes of a file, so many at once; the last ones, if there are at least so many."""
    with open(path, "rb") as stream:
        while len(block := stream.read(size)) >= least:
            yield block


def _loudness(path: Path) -> float | None:
    """The integrated loudness in LUFS, which the last line has; None where nothing was loud enough."""
    with open(path, "rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL))
        values = re.findall(rf"{re.escape(_LOUDNESS)}=(-?[0-9.]+)".encode(), stream.read())
    loudness = float(values[-1]) if values else _GATE
    return round(loudness, 2) if loudness > _GATE else None
