"""Files that stand in the folder, looked at without their source: unknown ones, and everything for --verify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import Killed, Transient
from ..core.files import exactly, sha256
from ..core.model import Clip
from ..core.settings import Settings
from .ffmpeg import Ffmpeg
from .measure import Sound, Track, decoded_sound, judge_alone, read_wav


@dataclass(frozen=True)
class Finding:
    """What is wrong with a clip's files (None: nothing), and what was measured of them."""

    complaint: str | None
    tracks: list[Track]
    sound: Sound | None = None


def measure_sound(path: Path, ffmpeg: Ffmpeg) -> Sound:
    """What a file of sound holds, read to its end; Transient if it does not hold what it says."""
    return read_wav(path) if path.suffix == ".wav" else decoded_sound(ffmpeg.measure(path), path.suffix == ".m4a")


def examine(clip: Clip, video: Path, audio: Path, ffmpeg: Ffmpeg, settings: Settings) -> Finding:
    """Measure the files under a clip's names; whether they are right, as far as that can be told alone.

    Killed where ffmpeg was ended as it looked: that says nothing of them.
    """
    seen = settings.media == "both"
    if seen and not video.exists():
        return Finding("its picture is missing", [])
    if not audio.exists() and not (seen and settings.allow_silent):
        return Finding("its sound is missing", [])
    length = None if clip.end is None else exactly(clip.end) - exactly(clip.start)
    try:
        sound = measure_sound(audio, ffmpeg) if audio.exists() else None
        # A whole video under a clip's name need not be decoded whole to be seen through.
        tracks = ffmpeg.measure(video, None if length is None else length + 5) if seen else []
    except Killed:
        raise
    except Transient as error:
        return Finding(error.detail, [])
    except OSError as error:
        return Finding(f"it cannot be read: {error.strerror}", [])
    return Finding(judge_alone(tracks, sound, length, settings), tracks, sound)


def compare(line: Mapping[str, Any], folder: Path) -> str | None:
    """What is wrong with files that the manifest knows, or None where they are as they were checked."""
    for name, digest in (("video", "sha256"), ("audio", "audio_sha256"), ("frame", "frame_sha256")):
        if line.get(name) is None:
            continue
        path = folder / line[name]
        if not path.exists():
            return f"{line[name]} is missing"
        try:
            right = sha256(path) == line.get(digest)
        except OSError as error:
            return f"{line[name]} cannot be read: {error.strerror}"
        if not right:
            return f"{line[name]} is not what was downloaded"
    return None


def compare_all(
    lines: Mapping[str, Mapping[str, Any]], folder: Path, workers: int
) -> Iterator[tuple[str, str | None]]:
    """Of each clip of the manifest, its id, and what is wrong with its files; None: nothing."""
    with ThreadPoolExecutor(workers) as pool:
        complaints = pool.map(lambda line: compare(line, folder), lines.values())
        yield from zip(lines, complaints, strict=True)
