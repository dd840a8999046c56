"""The files that the readers are asked about, made by the real script, and what is due of each.

Three videos of numbered pictures and of noise (tests/matrix/media) stand on the stand-in YouTube; of each the
script cuts ten seconds that begin between two key pictures, in every kind of file that it writes. The whole video,
put into one file as a download of it is, stands beside them: what a reader misses there is not the cut's fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tests.matrix.layouts import Made, Spec, make
from tests.matrix.media import run_ffmpeg
from tests.matrix.play import OwnVideo
from tests.matrix.truth import Truth, truth
from tests.standin.fake_media import Media
from tests.standin.fake_youtube import FakeYouTube
from tests.support.script import ROOT, Stage

SECONDS, WHOLE = 10, 30


@dataclass(frozen=True)
class Clip:
    """Ten seconds of a video; ``rate``: its pictures, in the words of the truth matrix; ``start`` in seconds."""

    name: str
    rate: str
    start: Fraction

    @property
    def spec(self) -> Spec:
        """The video, in two fragmented files as YouTube has them, with B pictures and a key one every 2 s."""
        return Spec(
            layout="sidx", picture="h264", sound="aac", rate=self.rate, clock="own", gop="closed", lag="0",
            begin="0", edit="none", ends="together", duration=WHOLE,
        )  # fmt: skip


CLIPS = (
    Clip("25", "25", Fraction("7.3")),
    Clip("29.97", "29.97", Fraction("12.5")),
    Clip("varying", "vfr", Fraction("5.2")),
)

# Kind of file -> the folder and ending under which a run with these options leaves it.
RUNS: dict[tuple[str, ...], dict[str, tuple[str, str]]] = {
    (): {"exact": ("videos", "mp4"), "wav": ("audio", "wav")},
    ("--cut", "copy"): {"copy": ("videos", "mp4")},
    ("--video-format", "mkv"): {"mkv": ("videos", "mkv")},
    ("--media", "audio", "--audio-format", "m4a"): {"m4a": ("audio", "m4a")},
}
PICTURES = ("exact", "copy", "mkv", "whole")
SOUNDS = (*PICTURES, "m4a", "wav")


@dataclass(frozen=True)
class File:
    """A file and what is due of it.

    ``numbers`` and ``times``: the pictures' numbers, and when each is shown; ``seconds``: how long it is;
    ``sound``: float32 samples, (channels, samples), ``rate`` a second.
    """

    clip: str
    kind: str
    path: Path
    numbers: tuple[int, ...]
    times: tuple[float, ...]
    seconds: float
    sound: np.ndarray[Any, Any]
    rate: int


def make_files(folder: Path) -> list[File]:
    """Every file, of every kind, of every clip."""
    sources = {clip: make(clip.spec) for clip in CLIPS}
    known = {clip: truth(clip.spec, sources[clip]) for clip in CLIPS}
    files = []
    for number, (options, kinds) in enumerate(RUNS.items()):
        data = _download(folder / f"run{number}", sources, options)
        for kind, (place, ending) in kinds.items():
            for clip in CLIPS:
                path = data / place / f"{clip.name}.{ending}"
                files.append(_due(clip, kind, path, known[clip], clip.start, clip.start + SECONDS))
    for clip in CLIPS:
        path = folder / f"{clip.name}.mp4"
        _put_together(sources[clip], path)
        files.append(_due(clip, "whole", path, known[clip], Fraction(0), known[clip].ends))
    return files


def _download(base: Path, sources: dict[Clip, Made], options: Sequence[str]) -> Path:
    """The data folder of one run of the script; all its clips must have come."""
    videos = {f"reader{number:05}": clip for number, clip in enumerate(sources)}
    rows = [
        f"{clip.name},{video},{float(clip.start)},{float(clip.start) + SECONDS}" for video, clip in videos.items()
    ]
    base.mkdir(parents=True)
    (base / "list.csv").write_text("\n".join(["id,video,start,end", *rows, ""]))
    own = {video: OwnVideo(Media(duration=WHOLE), own=sources[clip].itags) for video, clip in videos.items()}
    with FakeYouTube(base / "fake", own) as youtube:
        stage = Stage(youtube, base, script=ROOT / "download_clips.py")
        ended = stage.run(base / "list.csv", "--id-col", "id", *options, scale=600.0)
    if ended.code:
        raise SystemExit(f"the script ended with {ended.code}:\n{ended.said}")
    return stage.data


def _put_together(made: Made, path: Path) -> None:
    """One file of the streams, as yt-dlp's merger makes it."""
    inputs = ["-i", made.whole["video"], "-i", made.whole["audio"]]
    run_ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", "-movflags", "+faststart", path)


def _due(clip: Clip, kind: str, path: Path, known: Truth, start: Fraction, end: Fraction) -> File:
    pictures = [picture for picture in known.pictures if start <= picture.time < end]
    rate, begins = known.sound.rate, known.sound.begins
    first, last = (round((second - begins) * rate) for second in (start, end))
    sound = known.sound.samples[max(0, first) : last].T.astype(np.float32) / 32768
    numbers = tuple(picture.number for picture in pictures)
    times = tuple(float(picture.time - start) for picture in pictures)
    seconds = float(min(end, known.pictures_end) - start)
    return File(clip.name, kind, path, numbers, times, seconds, sound, rate)
