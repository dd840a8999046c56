"""Samples of a made-up download: files of a few bytes, and WAVs that can be heard."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from avclips.catalog.sample import Place, Sample

RATE = 8000
PICTURE = b"\0\0\0\x18ftypisom"


def wav(path: Path, samples: int = RATE, channels: int = 1) -> Path:
    """A sound of so many samples, each another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(b"".join((n % 251).to_bytes(2, "little") for n in range(samples * channels)))
    return path


def done(folder: Path, name: str, splits: Sequence[str] = ("train",), size: int = 100, **more: Any) -> Sample:
    """A clip that is there: ``videos/NAME.mp4`` of ``size`` bytes, and ``audio/NAME.wav`` of half a second."""
    video = folder / "videos" / f"{name}.mp4"
    video.parent.mkdir(parents=True, exist_ok=True)
    video.write_bytes((PICTURE + name.encode() * size)[:size])
    audio = wav(folder / "audio" / f"{name}.wav", RATE // 2)
    facts = {"duration": 0.5, "fps": 25.0, "pictures": 12, "width": 64, "height": 36, "samples": RATE // 2}
    facts |= {"sample_rate": RATE, "channels": 1, "time": "2026-11-30T10:00:00+00:00", "yt_dlp": "2026.10.26"}
    facts |= {"sha256": f"of {name}", "permanent": None}
    fields: dict[str, Any] = {"labels": ("dog",), "captions": (), "meta": {}, "facts": facts}
    fields["files"] = {"video": Place(str(video)), "audio": Place(str(audio))}
    # The video is what stands before the number.
    return Sample(name, "clips", name[:1], 1.0, 1.5, "done", splits=tuple(splits), **(fields | more))


def failed(name: str, reason: str = "private", splits: Sequence[str] = ("train",)) -> Sample:
    return Sample(name, "clips", name[:1], 1.0, 1.5, "failed", reason, f"words of {reason}", tuple(splits))


def missing(name: str, splits: Sequence[str] = ("train",)) -> Sample:
    return Sample(name, "clips", name[:1], 1.0, 1.5, "missing", splits=tuple(splits))
