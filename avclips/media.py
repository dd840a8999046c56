"""ffmpeg: find it, cut a clip, measure the result.

The only room that starts a child process. Every child has a deadline, no stdin, no shell, and may open
nothing but files; what it says is kept. A broken source is a Transient, a full disk the OSError it is.
"""

from __future__ import annotations

import errno
import functools
import os
import re
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from .clip import Cut, Settings
from .errors import RunError, Transient
from .pace import Clock

# Cutting ten seconds takes about one second of CPU; on a crowded node, many times that.
DEADLINE = 300.0
# What a copy may hold behind its end: the pictures of the reorder delay, which libav cannot leave out.
COPY_EXTRA_PICTURES = 8
COPY_LATE_END = Fraction(1, 4)
# Without the source, a picture may end this much early or late: the last of a slow video, or a copy's extra.
ALONE_TOLERANCE = Fraction(1, 4)
# A picture's time may differ from the source's by the rounding of two time bases.
TIME_TOLERANCE = Fraction(1, 1000)

_WRITE_ERRORS = {
    "No space left on device": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "Read-only file system": errno.EROFS,
}


@dataclass(frozen=True)
class Source:
    """A local file, and the clip's start in it: seconds from its first picture or sample."""

    path: Path
    offset: Fraction


@dataclass(frozen=True)
class Job:
    """One cut: ``length`` seconds (None: to the end) out of a picture and a sound source (None: silent)."""

    video: Source
    audio: Source | None
    length: Fraction | None
    cut: Cut = "exact"
    audio_rate: int | None = None
    audio_channels: int | None = None


@dataclass
class Track:
    """What one stream of a file holds; ``times`` and ``ends`` of its packets or frames in seconds, sorted."""

    kind: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    sample_rate: int = 0
    times: list[Fraction] = field(default_factory=list)
    ends: list[Fraction] = field(default_factory=list)

    @property
    def end(self) -> Fraction:
        return max(self.ends, default=Fraction(0))


@dataclass(frozen=True)
class Expected:
    """What the source has of the clip: its pictures' times from the clip's start, and the seconds of sound."""

    pictures: tuple[Fraction, ...]
    sound: Fraction | None
    length: Fraction | None


@dataclass(frozen=True)
class Wav:
    """A PCM file's header, checked against its size."""

    samples: int
    sample_rate: int
    channels: int


class Ffmpeg:
    """One ffmpeg binary."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._children: set[subprocess.Popen[bytes]] = set()
        clock.on_stop(self.kill_all)

    def kill_all(self) -> None:
        """End every child that runs now."""
        for child in list(self._children):
            child.kill()

    def run(self, arguments: Sequence[str | Path]) -> str:
        """Run ffmpeg to its end and return its standard output; Transient if it fails or hangs."""
        self._clock.check()
        command = [str(self.path), "-v", "error", "-y", "-nostdin", "-xerror", *map(str, arguments)]
        with tempfile.TemporaryFile() as said:
            # A session of its own, so that a Ctrl-C in the terminal reaches us and not the child.
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, start_new_session=True
            )
            self._children.add(child)
            try:
                output, _ = child.communicate(timeout=self._clock.real(DEADLINE, at_least=30.0))
            except subprocess.TimeoutExpired:
                raise Transient("media", f"ffmpeg did not end within {DEADLINE:.0f} s") from None
            finally:
                if child.poll() is None:
                    child.kill()
                    child.wait()
                assert child.stdout is not None
                child.stdout.close()
                self._children.discard(child)
            self._clock.check()
            said.seek(0)
            complaint = said.read(64 * 1024).decode("utf-8", "replace").strip()
        if child.returncode != 0:
            raise _failure(complaint, child.returncode)
        return output.decode("utf-8", "replace")

    @functools.cached_property
    def version(self) -> str:
        """As ffmpeg names itself; RunError if it cannot do what is needed."""
        try:
            answer = subprocess.run(
                [self.path, "-hide_banner", "-version"],
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            ).stdout
            encoders = subprocess.run(
                [self.path, "-hide_banner", "-encoders"],
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            ).stdout
        except (OSError, subprocess.SubprocessError) as error:
            raise RunError(f"{self.path} does not run as ffmpeg: {error}", _FFMPEG_HINT) from error
        match = re.match(r"ffmpeg version (\S+)", answer)
        if not match:
            raise RunError(f"{self.path} is not ffmpeg", _FFMPEG_HINT)
        for name in ("libx264", "pcm_s16le"):
            if not re.search(rf"^ \S+ {name}\b", encoders, re.MULTILINE):
                raise RunError(f"{self.path} ({match[1]}) cannot encode {name}", _FFMPEG_HINT)
        return match[1]

    def cut(self, job: Job, mp4: Path, wav: Path) -> Expected:
        """Cut ``mp4`` and (with sound) ``wav`` in one run; return what the source has of the clip."""
        return expect(read_framecrc(self.run(cut_arguments(job, mp4, wav))), job)

    def measure(self, path: Path, at_most: Fraction | None = None) -> list[Track]:
        """Decode the file, whole or ``at_most`` so many seconds of it; Transient if that does not decode."""
        stop = [] if at_most is None else ["-t", _seconds(at_most)]
        arguments: list[str | Path] = [
            *_READING,
            "-i",
            path,
            "-map",
            "0",
            *stop,
            "-fps_mode",
            "passthrough",
            "-f",
            "framecrc",
            "pipe:1",
        ]
        return read_framecrc(self.run(arguments))


_FFMPEG_HINT = "pip install --upgrade imageio-ffmpeg, or name another with --ffmpeg PATH"
_READING = ("-threads", "1", "-protocol_whitelist", "file,pipe")


def find_ffmpeg(asked: Path | None) -> Path:
    """The binary asked for, else the wheel's, else the system's: clusters' own are often ten years old."""
    if asked is not None:
        found = shutil.which(asked)
        if found is None:
            raise RunError(f"--ffmpeg {asked}: no such program", _FFMPEG_HINT)
        return Path(found)
    try:
        import imageio_ffmpeg

        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        found = shutil.which("ffmpeg")
        if found is None:
            raise RunError("no ffmpeg found", _FFMPEG_HINT) from None
        return Path(found)


def _failure(complaint: str, code: int) -> Exception:
    for words, number in _WRITE_ERRORS.items():
        if words in complaint:
            return OSError(number, os.strerror(number))
    lines = complaint.splitlines()
    return Transient("media", lines[0] if lines else f"ffmpeg ended with {code} and no word")


def cut_arguments(job: Job, mp4: Path, wav: Path) -> list[str | Path]:
    """ffmpeg's arguments for one cut.

    Inputs: picture, sound, and sound once more, sought. The sound is decoded from the beginning of its file,
    a packet or more before the start, since AAC needs the packet before the first for the right samples;
    packets to copy are found by seeking. The third output lists the source's packets: what may be expected.
    """
    begin = _seconds(job.video.offset)
    stop = [] if job.length is None else ["-t", _seconds(job.length)]
    picture_input: list[str | Path] = [
        *_READING,
        *(["-ss", begin] if job.cut == "copy" else []),
        "-i",
        job.video.path,
    ]
    arguments: list[str | Path] = [*picture_input]
    if job.audio:
        arguments += [*_READING, "-i", job.audio.path]
        arguments += [*_READING, "-ss", _seconds(job.audio.offset), "-i", job.audio.path]
    arguments += ["-map", "0:v:0", *_picture_codec(job)]
    if job.audio:
        arguments += ["-map", "2:a:0", "-c:a", "copy"]
    arguments += [*stop, "-map_metadata", "-1", "-fflags", "+bitexact", "-movflags", "+faststart", mp4]
    if job.audio:
        arguments += ["-map", "1:a:0", "-filter:a", _sound_filter(job), "-c:a", "pcm_s16le"]
        if job.audio_channels:
            arguments += ["-ac", str(job.audio_channels)]
        arguments += ["-map_metadata", "-1", "-fflags", "+bitexact", wav]
    arguments += ["-map", "0:v:0", *(["-map", "1:a:0"] if job.audio else [])]
    return [*arguments, "-c", "copy", "-f", "framecrc", "pipe:1"]


def _picture_codec(job: Job) -> list[str]:
    if job.cut == "copy":
        return ["-c:v", "copy"]
    begin = _seconds(job.video.offset)
    until = "" if job.length is None else f":end={_seconds(job.video.offset + job.length)}"
    # Pictures keep their source's time less the start: passthrough, in the source's time base.
    return [
        *("-filter:v", f"trim=start={begin}{until},setpts=PTS-round({begin}/TB)"),
        *("-fps_mode", "passthrough", "-enc_time_base", "demux"),
        # One thread: x264 gives other bytes for another number of them.
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-threads", "1"),
    ]


def _sound_filter(job: Job) -> str:
    assert job.audio is not None
    length = "" if job.length is None else f":duration={_seconds(job.length)}"
    trim = f"atrim=start={_seconds(job.audio.offset)}{length},asetpts=PTS-STARTPTS"
    return f"aresample={job.audio_rate},{trim}" if job.audio_rate else trim


def _seconds(value: Fraction) -> str:
    """Seconds as ffmpeg reads them: microseconds are its own unit."""
    return f"{float(value):.6f}"


_HEADER = re.compile(r"#(\w+) (\d+): (.*)")


def read_framecrc(text: str) -> list[Track]:
    """Read what ffmpeg's framecrc muxer prints: a header and a line a packet or frame for each stream."""
    tracks: dict[int, Track] = {}
    bases: dict[int, Fraction] = {}
    for line in text.splitlines():
        if header := _HEADER.match(line):
            _read_header(tracks.setdefault(int(header[2]), Track()), bases, header)
        elif line and line[0].isdigit():
            number, _, pts, duration, *_ = line.split(",")
            track, base = tracks[int(number)], bases[int(number)]
            track.times.append(int(pts) * base)
            track.ends.append((int(pts) + int(duration)) * base)
    for track in tracks.values():
        track.times.sort()
    return [tracks[number] for number in sorted(tracks)]


def _read_header(track: Track, bases: dict[int, Fraction], header: re.Match[str]) -> None:
    name, number, value = header[1], int(header[2]), header[3]
    if name == "tb":
        bases[number] = Fraction(value)
    elif name == "media_type":
        track.kind = value
    elif name == "codec_id":
        track.codec = value
    elif name == "dimensions":
        track.width, track.height = map(int, value.split("x"))
    elif name == "sample_rate":
        track.sample_rate = int(value)


def expect(tracks: list[Track], job: Job) -> Expected:
    """What the cut must hold, from the times of the source's packets."""
    # With -ss before it, an input's times count from there; without, from the file's first picture.
    shift = Fraction(0) if job.cut == "copy" else job.video.offset
    picture = next((track for track in tracks if track.kind == "video"), Track())
    times = (time - shift for time in picture.times)
    # ffmpeg places the start to the nearest tick and microsecond: half a tick is no picture's distance.
    slack = Fraction(1, 20_000)
    inside = tuple(t for t in times if t >= -slack and (job.length is None or t < job.length - slack))
    sound = None
    if job.audio:
        heard = next((track for track in tracks if track.kind == "audio"), Track()).end - job.audio.offset
        sound = max(Fraction(0), heard if job.length is None else min(heard, job.length))
    return Expected(inside, sound, job.length)


def read_wav(path: Path) -> Wav:
    """Read a PCM file's header; Transient if it does not describe the bytes that follow."""
    try:
        with wave.open(str(path)) as file:
            samples, rate, channels = file.getnframes(), file.getframerate(), file.getnchannels()
            got = len(file.readframes(samples)) // (channels * file.getsampwidth())
            width = file.getsampwidth()
    except (wave.Error, EOFError) as error:
        raise Transient("check", f"{path.name} is not a WAV file: {error}") from error
    if width != 2 or got != samples:
        raise Transient("check", f"{path.name} holds {got} of {samples} samples of {8 * width} bits")
    return Wav(samples, rate, channels)


def judge(expected: Expected, tracks: list[Track], wav: Wav | None, cut: Cut) -> str | None:
    """What is wrong with a cut, or None: the pictures' times, the samples' count, both streams there."""
    pictures = [track for track in tracks if track.kind == "video"]
    if len(pictures) != 1 or not pictures[0].times:
        return "no picture in the result"
    if complaint := _judge_pictures(expected, pictures[0], cut):
        return complaint
    if expected.sound is None:
        return None
    if not any(track.kind == "audio" and track.times for track in tracks) or wav is None:
        return "no sound in the result"
    due = round(expected.sound * wav.sample_rate)
    # Where the source ends inside the clip, its last packet may be filled up: one packet, no more.
    slack = 0 if expected.sound == expected.length else 2048
    if abs(wav.samples - due) > slack:
        return f"the WAV has {wav.samples} samples instead of {due}"
    return None


def _judge_pictures(expected: Expected, track: Track, cut: Cut) -> str | None:
    due, got = expected.pictures, track.times
    if cut == "copy":
        late = track.end - (expected.length if expected.length is not None else track.end)
        if not len(due) <= len(got) <= len(due) + COPY_EXTRA_PICTURES or late > COPY_LATE_END:
            return f"{len(got)} pictures instead of {len(due)}, the end {float(late):.3f} s late"
        return None
    if len(got) != len(due):
        return f"{len(got)} pictures instead of {len(due)}"
    worst = max((abs(a - b) for a, b in zip(got, due, strict=True)), default=Fraction(0))
    if worst > TIME_TOLERANCE:
        return f"a picture {float(worst) * 1000:.1f} ms off its time"
    return None


def judge_alone(tracks: list[Track], wav: Wav | None, length: Fraction | None, settings: Settings) -> str | None:
    """What is wrong with files whose source is not known, or None: as far as length and format tell."""
    picture = next((track for track in tracks if track.kind == "video" and track.times), None)
    if picture is None:
        return "it has no picture"
    if min(picture.width, picture.height) > settings.quality:
        return f"its picture is {picture.width}x{picture.height}"
    if wav and settings.audio_rate not in (None, wav.sample_rate):
        return f"its WAV has {wav.sample_rate} samples a second"
    if wav and settings.audio_channels not in (None, wav.channels):
        return f"its WAV has {wav.channels} channels"
    if length is None:
        return None
    if abs(picture.end - length) > ALONE_TOLERANCE:
        return f"its picture has {float(picture.end):.3f} s instead of {float(length):g}"
    if wav and wav.samples != round(length * wav.sample_rate):
        return f"its WAV has {wav.samples} samples instead of {round(length * wav.sample_rate)}"
    return None


def facts(tracks: list[Track], wav: Wav | None) -> Mapping[str, int | float | str | None]:
    """What the manifest says of a finished clip's media."""
    picture = next(track for track in tracks if track.kind == "video")
    length = float(picture.end - picture.times[0])
    return {
        "duration": round(float(picture.end), 3),
        "pictures": len(picture.times),
        "width": picture.width,
        "height": picture.height,
        "fps": round(len(picture.times) / length, 3) if length else None,
        "samples": wav.samples if wav else None,
        "sample_rate": wav.sample_rate if wav else None,
        "channels": wav.channels if wav else None,
    }
