"""Synthetic clips and videos as MP4 files, H.264 and AAC, and what is true of each, beside them.

``truth.csv``: ``id, kind, sound_kind, matched`` of each clip; of videos ``video, title, start, end`` as well.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np

from ...core.files import create_whole, whole
from ..processes import in_order
from .events import happen
from .pictures import frames
from .plan import Clip, Scene, Video
from .sounds import SAMPLE_RATE, sound

TRUTH = "truth.csv"
# A file to be written: its id, and what it shows.
_Item = tuple[str, tuple[Clip, ...]]


@dataclass(frozen=True)
class Look:
    """How large a picture is, in pixels, how many there are a second, and x264's preset for them."""

    width: int = 160
    height: int = 120
    rate: int = 15
    preset: str = "veryfast"


SMALL = Look()


def write_clips(folder: Path, clips: Sequence[Clip], workers: int = 1, look: Look = SMALL) -> Iterator[str]:
    """Write ``folder``/ID.mp4 of each clip that is not there yet; give its id then. The truth comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    with whole(folder / TRUTH) as stream:
        stream.write("id,kind,sound_kind,matched\n")
        for clip in clips:
            stream.write(f"{clip.id},{clip.picture.kind},{clip.sound.kind},{int(clip.matched)}\n")
    todo: list[_Item] = [(clip.id, (clip,)) for clip in clips if not (folder / f"{clip.id}.mp4").exists()]
    yield from _write_all(folder, todo, workers, look)


def write_videos(folder: Path, videos: Sequence[Video], workers: int = 1, look: Look = SMALL) -> Iterator[str]:
    """Write ``folder``/ID.mp4 of each video that is not there yet; give its id then. The truth comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    with whole(folder / TRUTH) as stream:
        stream.write("video,title,id,start,end,kind,sound_kind,matched\n")
        for video in videos:
            start = 0.0
            for shot in video.shots:
                end = round(start + shot.picture.seconds, 3)
                told = f"{shot.id},{start},{end},{shot.picture.kind},{shot.sound.kind},{int(shot.matched)}"
                stream.write(f'{video.id},"{video.title}",{told}\n')
                start = end
    todo = [(video.id, video.shots) for video in videos if not (folder / f"{video.id}.mp4").exists()]
    yield from _write_all(folder, todo, workers, look)


def encode(shots: Sequence[Clip], look: Look) -> bytes:
    """An MP4 file of these shots, one straight after the other."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        # With mbtree x264 does not always give the same bytes for the same frames, not even within a process.
        options = {"preset": look.preset, "crf": "26", "threads": "1", "x264-params": "no-mbtree=1"}
        video: Any = container.add_stream("libx264", rate=look.rate, options=options)
        video.width, video.height, video.pix_fmt, video.gop_size = (
            look.width,
            look.height,
            "yuv420p",
            2 * look.rate,
        )
        audio: Any = container.add_stream("aac", rate=SAMPLE_RATE)
        audio.bit_rate, audio.layout = 64000, "mono"
        samples = np.concatenate([heard(shot.sound) for shot in shots])
        for packet in _audio_packets(audio, samples):
            container.mux(packet)
        number = 0
        for shot in shots:
            for picture in seen(shot.picture, look):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, number = number, number + 1
                container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return target.getvalue()


def _audio_packets(stream: Any, samples: np.ndarray[Any, np.dtype[np.float64]]) -> Iterator[Any]:
    quantised = np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
    for at in range(0, len(quantised), 1024):
        frame = av.AudioFrame.from_ndarray(quantised[None, at : at + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, at, Fraction(1, SAMPLE_RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _streams(scene: Scene) -> list[np.random.Generator]:
    # What happens, how it looks, how it sounds: three streams, so that none changes another.
    return [np.random.default_rng([scene.seed, 3, scene.number, part]) for part in range(3)]


def heard(scene: Scene) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The samples of a scene's sound."""
    what, _, how = _streams(scene)
    return sound(happen(scene.kind, scene.seconds, what), how)


def seen(scene: Scene, look: Look) -> Iterator[Any]:
    """The frames of a scene's picture."""
    what, how, _ = _streams(scene)
    return frames(happen(scene.kind, scene.seconds, what), look.width, look.height, look.rate, how)


def _write_one(folder: Path, look: Look, item: _Item) -> str:
    name, shots = item
    create_whole(folder / f"{name}.mp4", encode(shots, look))
    return name


def _write_all(folder: Path, todo: list[_Item], workers: int, look: Look) -> Iterator[str]:
    return in_order(partial(_write_one, folder, look), todo, workers)
