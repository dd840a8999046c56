"""Which ffmpeg: those that there are, and whether one can do what a run needs, by trying it.

A trial is a real cut of a second that the ffmpeg makes itself, and takes a tenth of a second.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from ..containers.mp4 import NoTable, read_file
from ..core.clock import Clock
from ..core.errors import ClipError, RunError
from .cut import Job, cut
from .cut_plan import Material
from .demux import open_file
from .ffmpeg import FFMPEG_HINT, Ffmpeg
from .measure import judge, read_wav, track_of

log = logging.getLogger(__name__)

# Sixteen pictures, of which a cut of 0.24 s from 0.2 s on has six.
_MADE = (
    *("-f", "lavfi", "-i", "testsrc=size=64x64:rate=25:duration=0.64"),
    *("-f", "lavfi", "-i", "sine=sample_rate=44100:duration=0.64"),
    *("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-threads", "1", "-c:a", "aac"),
)
_START, _LENGTH, _PICTURES = Fraction(1, 5), Fraction(6, 25), 6


def find_ffmpeg(asked: Path | None, clock: Clock) -> Ffmpeg:
    """The ffmpeg asked for, else the first that can do all, the wheel's before the system's; RunError without any.

    Clusters' own are often ten years old. One that only cannot read transport streams is better than none.
    """
    paths = [_asked_for(asked)] if asked is not None else list(dict.fromkeys(_candidates()))
    if not paths:
        raise RunError("no ffmpeg found", FFMPEG_HINT)
    refused: list[str] = []
    lacking: dict[Ffmpeg, str] = {}
    for path in paths:
        ffmpeg = Ffmpeg(path, clock)
        try:
            lack = try_out(ffmpeg)
        except RunError as error:
            refused.append(str(error))
            continue
        if lack is None:
            for complaint in (*refused, *lacking.values()):
                log.warning("%s; %s is used", complaint, path)
            return ffmpeg
        lacking[ffmpeg] = lack
    if not lacking:
        raise RunError("; ".join(refused), FFMPEG_HINT)
    ffmpeg, lack = next(iter(lacking.items()))
    log.warning("%s: HLS videos that come so will fail (%s)", lack, FFMPEG_HINT)
    return ffmpeg


def _asked_for(asked: Path) -> Path:
    found = shutil.which(asked)
    if found is None:
        raise RunError(f"--ffmpeg {asked}: no such program", FFMPEG_HINT)
    return Path(found)


def _candidates() -> Iterator[Path]:
    """The wheel's ffmpeg, and the system's."""
    try:
        import imageio_ffmpeg

        yield Path(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        pass
    if found := shutil.which("ffmpeg"):
        yield Path(found)


def try_out(ffmpeg: Ffmpeg) -> str | None:
    """What an ffmpeg cannot read that some videos need, or None; RunError if it cannot cut."""
    name = f"{ffmpeg.path} ({ffmpeg.version})"
    with tempfile.TemporaryDirectory() as folder:
        try:
            complaint = _try_a_cut(ffmpeg, Path(folder))
        except (ClipError, NoTable, OSError) as error:
            complaint = str(error)
        if complaint is not None:
            raise RunError(f"{name} cannot do what a cut needs: {complaint}", FFMPEG_HINT)
        try:
            _try_a_transport_stream(ffmpeg, Path(folder))
        except ClipError as error:
            return f"{name} cannot read a transport stream: {error}"
    return None


def _try_a_cut(ffmpeg: Ffmpeg, folder: Path) -> str | None:
    """What is wrong with a cut, its listing, and what a reader shows of it, or None."""
    made, video, sound = folder / "made.mp4", folder / "cut.mp4", folder / "cut.wav"
    ffmpeg.run([*_MADE, made])
    opened = open_file(made, ffmpeg, folder)
    seen, heard = (Material(*opened[kind], Fraction(0)) for kind in ("video", "audio"))
    expected = cut(Job(seen, heard, _START, _START + _LENGTH), ffmpeg, folder, video, sound)
    if len(expected.pictures) != _PICTURES:
        return f"its listing has {len(expected.pictures)} of {_PICTURES} pictures"
    complaint = judge(expected, [track_of(samples) for samples in read_file(video)], read_wav(sound), "exact")
    return complaint and f"of a cut, a reader shows {complaint}"


def _try_a_transport_stream(ffmpeg: Ffmpeg, folder: Path) -> None:
    stream = folder / "stream.ts"
    ffmpeg.run(["-i", folder / "made.mp4", "-c", "copy", stream])
    open_file(stream, ffmpeg, folder)
