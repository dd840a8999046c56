"""How each way is run by its users: a batch of clips as commands, one after the other.

All are asked for the same: pictures of at most 360 lines and their sound as ``<clip>.mp4``, and the sound as
``<clip>.wav``. Where there is a choice, the others get the cheaper one: no certificates are verified, sections are
cut without encoding anew; but for the one way by which they are exact.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .trees import script

SCRIPT = "download_general_avqa.py"
SECONDS = 10
"""Of every clip."""
HERE = Path(__file__).resolve().parent
FORMAT = "bv[height<=360][vcodec^=avc1]+ba[ext=m4a]"

Command = list[str]


@dataclass(frozen=True)
class Clip:
    """Ten seconds of a video."""

    video: str
    start: int

    @property
    def id(self) -> str:
        return f"{self.video}_{self.start:06d}"

    @property
    def url(self) -> str:
        return f"https://www.youtube.com/watch?v={self.video}"


@dataclass(frozen=True)
class Place:
    """Where a batch runs: a fresh folder, the script that is measured, and what leads to the stand-in."""

    folder: Path
    tree: Path
    proxy: str
    can_check: bool


@dataclass(frozen=True)
class Way:
    """One way. ``commands``: of a batch; ``start``: the same program with nothing to do, run in the same folder.

    ``whole``: it fetches all of a video. ``clips``: where a batch leaves its files.
    """

    name: str
    title: str
    commands: Callable[[Sequence[Clip], Place], list[Command]]
    start: Callable[[Sequence[Clip], Place], list[Command]] | None = None
    whole: bool = False
    ours: bool = False


def _script(options: Sequence[str]) -> Callable[[Sequence[Clip], Place], list[Command]]:
    def commands(clips: Sequence[Clip], place: Place) -> list[Command]:
        metadata = place.folder / "data" / "metadata"
        if not metadata.exists():
            metadata.mkdir(parents=True)
            questions = [{"video_name": clip.id} for clip in clips]
            for split in ("train", "val"):
                (metadata / f"{split}_qa.json").write_text(json.dumps(questions))
            rows = (f"{clip.video},{clip.start},a label,train\n" for clip in clips)
            (metadata / "vggsound.csv").write_text("".join(rows))
        command = [sys.executable, str(script(place.tree, SCRIPT)), "--data-dir", "data"]
        # A state of its own: nobody's pace is known there, and none is kept.
        command += ["--proxy", place.proxy, "--state-dir", "state", "--videos-per-hour", "0"]
        command += ["--rate-limit", "0", "--sleep", "0", "--workers", "1"]
        return [[*command, *(options if place.can_check else _without_check(options))]]

    return commands


def _without_check(options: Sequence[str]) -> list[str]:
    return [word for word in options if word not in ("--check", "packets", "decode")]


def _yt_dlp(place: Place, *options: str) -> Command:
    command = [sys.executable, "-m", "yt_dlp", "--ignore-config", "--quiet", "--proxy", place.proxy]
    return [*command, "--no-check-certificates", *options]


def _sections(*more: str) -> Callable[[Sequence[Clip], Place], list[Command]]:
    """``yt-dlp --download-sections`` and ffmpeg, a process each."""

    def commands(clips: Sequence[Clip], place: Place) -> list[Command]:
        found = []
        for clip in clips:
            section = f"*{clip.start}-{clip.start + SECONDS}"
            options = ["-f", FORMAT, "--download-sections", section, *more, "-o", f"{clip.id}.%(ext)s", clip.url]
            found.append(_yt_dlp(place, *options))
            found.append(to_wav(f"{clip.id}.mp4", f"{clip.id}.wav"))
        return found

    return commands


def _twice(clips: Sequence[Clip], place: Place) -> list[Command]:
    """The whole video, and the whole again for its sound, as dataset scripts do; cut when it is needed."""
    commands = []
    for clip in clips:
        commands.append(_yt_dlp(place, "-f", FORMAT, "-o", f"{clip.id}.%(ext)s", clip.url))
        sound = ["-f", "ba[ext=m4a]", "-x", "--audio-format", "wav", "-o", f"{clip.id}.%(ext)s"]
        commands.append(_yt_dlp(place, *sound, clip.url))
    return commands


def _program(name: str) -> Callable[[Sequence[Clip], Place], list[Command]]:
    def commands(clips: Sequence[Clip], place: Place) -> list[Command]:
        wanted = [[clip.id, clip.url, clip.start, clip.start + SECONDS] for clip in clips]
        return [[sys.executable, str(HERE / name), place.proxy, json.dumps(wanted)]]

    return commands


def _nothing(name: str) -> Callable[[Sequence[Clip], Place], list[Command]]:
    return lambda clips, place: _program(name)([], place)


def to_wav(source: str, target: str) -> Command:
    """The sound of a file as 16-bit PCM."""
    return ["ffmpeg", "-v", "error", "-y", "-nostdin", "-i", source, "-vn", "-c:a", "pcm_s16le", target]


def _ours(name: str, title: str, *options: str) -> Way:
    commands = _script(options)
    return Way(name, title, commands, start=commands, ours=True)


WAYS = (
    _ours("copy", "avclips --cut copy --check packets", "--cut", "copy", "--check", "packets"),
    _ours("decode", "avclips --cut copy", "--cut", "copy", "--check", "decode"),
    _ours("exact", "avclips --cut exact --check packets", "--cut", "exact", "--check", "packets"),
    _ours("exact decode", "avclips --cut exact", "--cut", "exact", "--check", "decode"),
    _ours("exact all", "avclips --cut exact --encode all", *("--cut", "exact", "--encode", "all")),
    Way("sections", "yt-dlp --download-sections, ffmpeg", _sections()),
    Way("sections exact", "the same, --force-keyframes-at-cuts", _sections("--force-keyframes-at-cuts")),
    Way("library", "yt-dlp in Python, download_ranges, ffmpeg", _program("notebook.py"), _nothing("notebook.py")),
    Way(
        "per stream",
        "streams whole, then cut (as video2dataset)",
        _program("per_stream.py"),
        _nothing("per_stream.py"),
        whole=True,
    ),
    Way("twice", "whole video, then -x of the whole", _twice, whole=True),
)


def complete(clip: Clip, folder: Path) -> bool:
    """Whether both files of a clip stand there and hold something."""
    for kind, ending in (("videos", "mp4"), ("audio", "wav")):
        ours, theirs = folder / "data" / kind / f"{clip.id}.{ending}", folder / f"{clip.id}.{ending}"
        if not any(path.exists() and path.stat().st_size > 10_000 for path in (ours, theirs)):
            return False
    return True


def film_bytes(clip: Clip, folder: Path) -> int:
    """The size of a clip's pictures and sound in one file."""
    paths = folder / "data" / "videos" / f"{clip.id}.mp4", folder / f"{clip.id}.mp4"
    return next(path.stat().st_size for path in paths if path.exists())


def can_check(tree: Path) -> bool:
    """Whether the script has --check."""
    command = [sys.executable, str(tree / SCRIPT), "--help"]
    return "--check" in subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
