"""Small clips of known picture and sound, made by PyAV in this process: an event each ``every`` seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np

FPS, RATE = 25, 16_000


def made_clip(
    path: Path,
    seconds: float = 2.0,
    every: float = 0.5,
    sound: np.ndarray[Any, Any] | None = None,
    with_sound: bool = True,
    size: tuple[int, int] = (96, 64),
) -> Path:
    """A dark picture that lights up, and a silence that clicks, each ``every`` seconds, from ``every`` on.

    ``sound``: the samples in place of the clicks, mono at RATE; a path that ends in .mkv has them as they are.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", FPS, options={"preset": "ultrafast", "threads": "1"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        exact = path.suffix == ".mkv"
        audio: Any = None
        if with_sound:
            audio = container.add_stream("pcm_f32le" if exact else "aac", RATE, layout="mono")
        for number in range(round(seconds * FPS)):
            lit = is_event(number / FPS, every, 2 / FPS)
            image = np.full((size[1], size[0], 3), 200 if lit else 30, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(video.encode())
        if audio is not None:
            samples = clicks(seconds, every) if sound is None else sound
            frame = av.AudioFrame.from_ndarray(
                samples[None].astype(np.float32), "flt" if exact else "fltp", "mono"
            )
            frame.sample_rate, frame.pts = RATE, 0
            container.mux(audio.encode(frame))
            container.mux(audio.encode())
    return path


def is_event(at: float, every: float, lasts: float) -> bool:
    """Whether a time lies within an event."""
    return at >= every - 1e-6 and (at + 1e-6) % every < lasts


def clicks(seconds: float, every: float) -> np.ndarray[Any, Any]:
    """A tone of 20 ms at each event."""
    at = np.arange(round(seconds * RATE)) / RATE
    on = (at >= every) & (at % every < 0.02)
    return np.where(on, 0.5 * np.sin(2 * np.pi * 1000 * at), 0).astype(np.float32)
