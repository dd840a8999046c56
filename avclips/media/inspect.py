"""Files that stand in the folder, looked at without their source: unknown ones, and everything for --verify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..core.errors import Killed, Transient
from ..core.files import exactly, sha256
from ..core.model import Clip
from ..core.settings import Settings
from .ffmpeg import READING, Ffmpeg
from .file_type import container_of
from .measure import Sound, Track, decoded_sound, judge_alone, read_wav
from .small import Small, with_small


@dataclass(frozen=True)
class Finding:
    """What is wrong with a clip's files (None: nothing), and what was measured of them."""

    complaint: str | None
    tracks: list[Track]
    sound: Sound | None = None
    flags: Mapping[str, Any] = field(default_factory=dict)


def measure_sound(path: Path, ffmpeg: Ffmpeg, small: Small | None = None) -> Sound:
    """What a file of sound holds, read to its end; Transient if it does not hold what it says.

    ``small``: where small outputs of what is decoded are to be. A WAV is not decoded.
    """
    if path.suffix == ".wav":
        return read_wav(path)
    also = small.whole_sound() if small is not None else []
    tracks = with_small(small, lambda too: ffmpeg.measure(path, also=also if too else ()))
    return decoded_sound(tracks, path.suffix == ".m4a")


def _measure_film(path: Path, ffmpeg: Ffmpeg, at_most: Fraction | None, small: Small | None) -> list[Track]:
    """Decode a file's pictures and sound, ``at_most`` so many seconds; Transient if that does not decode."""
    also = small.pictures(at_most=at_most) if small is not None else []
    return with_small(small, lambda too: ffmpeg.measure(path, at_most, also if too else ()))


def flags_of(video: Path | None, audio: Path | None, ffmpeg: Ffmpeg, small: Small) -> dict[str, Any]:
    """Quality flags of finished files, by a decode of their own; Transient where they cannot be decoded."""
    if video is not None:
        words: list[str | Path] = ["-copyts", *READING, "-f", container_of(video), "-i", video]
        ffmpeg.run([*words, *small.pictures()])
    return small.flags(*(_sound_of(audio, ffmpeg, small) if audio is not None else (None, None)))


def _sound_of(audio: Path, ffmpeg: Ffmpeg, small: Small | None) -> tuple[Sound, Path | None]:
    """What a file of sound holds, its small outputs made; and the file itself, where that has the samples."""
    sound = measure_sound(audio, ffmpeg, small)
    if audio.suffix != ".wav":
        return sound, None
    if small is not None:
        words = [*READING, "-f", "wav", "-i", audio, *small.whole_sound(samples=False)]
        with_small(small, lambda too: ffmpeg.run(words) if too else "")
    return sound, audio


def examine(
    clip: Clip, video: Path, audio: Path, ffmpeg: Ffmpeg, settings: Settings, small: Small | None = None
) -> Finding:
    """Measure the files under a clip's names; whether they are right, as far as that can be told alone.

    ``small``: where small outputs of what is decoded are to be, for flags. Killed where ffmpeg was ended as it
    looked: that says nothing of them.
    """
    seen = settings.media == "both"
    if seen and not video.exists():
        return Finding("its picture is missing", [])
    if not audio.exists() and not (seen and settings.allow_silent):
        return Finding("its sound is missing", [])
    length = None if clip.end is None else exactly(clip.end) - exactly(clip.start)
    try:
        sound, samples = _sound_of(audio, ffmpeg, small) if audio.exists() else (None, None)
        # A whole video under a clip's name need not be decoded whole to be seen through.
        at_most = None if length is None else length + 5
        tracks = _measure_film(video, ffmpeg, at_most, small) if seen else []
    except Killed:
        raise
    except Transient as error:
        return Finding(error.detail, [])
    except OSError as error:
        return Finding(f"it cannot be read: {error.strerror}", [])
    complaint = judge_alone(tracks, sound, length, settings)
    flags = small.flags(sound, samples) if small is not None and complaint is None else {}
    return Finding(complaint, tracks, sound, flags)


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
