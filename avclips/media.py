"""ffmpeg: find it, cut a clip, decode a file.

The only room that starts a child process. Every child has a deadline, no stdin, no shell, and may open
nothing but files; what it says is kept. A broken source is a Transient, a full disk the OSError it is.
"""

from __future__ import annotations

import errno
import functools
import os
import re
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from .clip import Cut
from .errors import RunError, Transient
from .measure import Expected, Track, expect, read_framecrc
from .pace import Clock

# Cutting ten seconds takes about one second of CPU; on a crowded node, many times that.
DEADLINE = 300.0
# Address space of a child in bytes; a cut at 720p takes a tenth of it.
MEMORY = 4 * 1024**3
# Seconds before a clip from which a long file is decoded: more than its key frames are apart.
SEEK_BEFORE = 15
_WRITE_ERRORS = {
    "No space left on device": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "Read-only file system": errno.EROFS,
}


@dataclass(frozen=True)
class Source:
    """A local file, and the clip's start in it: seconds from its first picture or sample.

    A file with holes is whole from second ``lead`` to ``until`` alone, and ``lead`` is just behind a key frame.
    """

    path: Path
    offset: Fraction
    lead: Fraction | None = None
    until: Fraction | None = None


@dataclass(frozen=True)
class Job:
    """One cut: ``length`` seconds (None: to the end) out of a picture and a sound source (None: without).

    ``flip``: mirrored left to right. ``scale``: the smaller side of the picture is to have so many pixels.
    ``late``: the seconds by which the file's sound begins after its picture; so much silence comes first.
    ``packet``: the seconds of a packet of sound, for containers in which the first one is not heard.
    ``keep``: the picture's file is itself the result, and only sound is cut. ``decode``: the clip's pictures are
    decoded too, only to see that they can be.
    """

    video: Source | None
    audio: Source | None
    length: Fraction | None
    cut: Cut = "exact"
    audio_rate: int | None = None
    audio_channels: int | None = None
    flip: bool = False
    scale: int | None = None
    keep: bool = False
    late: float = 0.0
    packet: Fraction = Fraction(0)
    decode: bool = False


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
                _bound_memory(child.pid)
                _run_in_turn(child.pid)
                # A stop that came while the child was being started did not see it.
                self._clock.check()
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
            trial = subprocess.run([self.path, *_TRIAL], capture_output=True, text=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            raise RunError(f"{self.path} does not run as ffmpeg: {error}", _FFMPEG_HINT) from error
        match = re.match(r"ffmpeg version (\S+)", answer)
        if not match:
            raise RunError(f"{self.path} is not ffmpeg", _FFMPEG_HINT)
        if trial.returncode != 0:
            why = (trial.stderr.strip().splitlines() or ["no word"])[0]
            raise RunError(f"{self.path} ({match[1]}) cannot do what a cut needs: {why}", _FFMPEG_HINT)
        return match[1]

    def cut(self, job: Job, video: Path, sound: Path) -> Expected:
        """Cut ``video`` and (with sound) ``sound`` in one run, in the formats that their names end with.

        Returns what the source has of the clip.
        """
        packets = read_framecrc(self.run(cut_arguments(job, video, sound)))
        # With -ss before it, an input's times count from there; without, from the file's first picture.
        picture = Fraction(0) if job.cut == "copy" or not job.video else job.video.offset - _lead(job.video)
        since = job.audio.offset - _lead(job.audio) if job.audio else None
        return expect(packets, picture, since, job.length)

    def list_packets(self, path: Path) -> list[Track]:
        """The packets of a file, read but not decoded: which tracks it has, and how long they are."""
        arguments: list[str | Path] = [
            "-copyts",
            *_READING,
            "-i",
            path,
            *_ALL,
            "-c",
            "copy",
            "-f",
            "framecrc",
            "pipe:1",
        ]
        return read_framecrc(self.run(arguments))

    def first_times(self, path: Path) -> dict[str, Fraction]:
        """The time that a file gives to its first picture ("video") and sample ("audio"), in seconds."""
        tracks = [track for track in self.list_packets(path) if track.times]
        return {track.kind: Fraction(track.times[0]).limit_denominator(1_000_000) for track in tracks}

    def remux(self, source: Path, target: Path) -> None:
        """Put a transport stream's packets into an MP4, which can be sought; the earliest is at 0."""
        # By default an MP4 counts pauses in milliseconds.
        self.run([*_READING, "-i", source, *_ALL, "-c", "copy", "-movie_timescale", "90000", target])

    def measure(self, path: Path, at_most: Fraction | None = None) -> list[Track]:
        """Decode the file, whole or ``at_most`` so many seconds of it; Transient if that does not decode."""
        stop = [] if at_most is None else ["-t", _seconds(at_most)]
        # In the pictures' own time base: by default ffmpeg rounds their times to the frame rate.
        listing = ["-fps_mode", "passthrough", "-enc_time_base:v", "demux", "-f", "framecrc", "pipe:1"]
        # -copyts: otherwise a file whose first picture is not at 0 (a silent one's, say) is moved there.
        arguments: list[str | Path] = ["-copyts", *_READING, "-i", path, *_ALL, *stop, *listing]
        return read_framecrc(self.run(arguments))


_FFMPEG_HINT = "pip install --upgrade imageio-ffmpeg, or name another with --ffmpeg PATH"
_READING = ("-threads", "1", "-protocol_whitelist", "file,pipe")
# What lies at the beginning of a file with holes is no media: its table says all there is to know.
_NO_PROBE = ("-probesize", "32", "-analyzeduration", "0")
# Pictures and sound; a stranger's file may hold subtitles and data besides.
_ALL = ("-map", "0:v?", "-map", "0:a?")
# Without the writer's name and time: the same source gives the same bytes.
_PLAIN = ("-map_metadata", "-1", "-fflags", "+bitexact")

# The options of a cut, old binaries and poor builds lack one or the other of them.
_TRIAL = (
    *("-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=size=64x64:rate=25:duration=0.2"),
    *(
        "-f",
        "lavfi",
        "-i",
        "anullsrc=duration=0.2",
        "-filter:v",
        "trim=start=0.04:end=0.12,setpts=PTS-round(0.04/TB)",
    ),
    *(
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "demux",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "18",
    ),
    *("-c:a", "pcm_s16le", "-f", "null", "-"),
)


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


def _bound_memory(pid: int) -> None:
    """Have a child that a stranger's file drives mad end itself, not the node; where the system can."""
    if hasattr(resource, "prlimit"):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
        with suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_AS, (most, most))


def _run_in_turn(pid: int) -> None:
    """Have the child's threads not interrupt each other at each packet: a tenth less CPU, where it can be."""
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):
            os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))


def _failure(complaint: str, code: int) -> Exception:
    for words, number in _WRITE_ERRORS.items():
        if words in complaint:
            return OSError(number, os.strerror(number))
    # Without the addresses in ffmpeg's own memory.
    lines = re.sub(r" @ 0x[0-9a-f]+", "", complaint).splitlines()
    return Transient("media", lines[0] if lines else f"ffmpeg ended with {code} and no word")


def cut_arguments(job: Job, video: Path, sound: Path) -> list[str | Path]:
    """ffmpeg's arguments for one cut.

    Inputs: picture, sound, and sound once more, sought. The sound is decoded from the beginning of its file,
    a packet or more before the start, since AAC needs the packet before the first for the right samples;
    packets to copy are found by seeking. The last output lists the source's packets: what may be expected.
    """
    arguments: list[str | Path] = []
    if job.video:
        arguments += [*_READING, *(_sought(job.video) if job.cut == "copy" else _lead_in(job.video))]
        arguments += ["-i", job.video.path]
    if job.audio:
        arguments += [*_READING, *_lead_in(job.audio), "-i", job.audio.path]
        # Matroska hides the first packet of AAC, which is to prepare the decoder: there has to be such one.
        before = job.packet if job.video and video.suffix == ".mkv" else Fraction(0)
        arguments += [*_READING, *_sought(job.audio, before), "-i", job.audio.path]
    if job.video and not job.keep:
        arguments += _video_output(job, video)
    if job.audio:
        arguments += _sound_output(job, sound)
    pictures = ["-map", "0:v:0"] if job.video else []
    arguments += [*pictures, *(["-map", f"{_heard(job)}:a:0"] if job.audio else []), "-c", "copy"]
    if job.decode:
        arguments += _decoded(job)
    # Written in blocks: each line by itself would wake us a thousand times.
    return [*arguments, "-f", "framecrc", "-flush_packets", "0", "pipe:1"]


def _heard(job: Job) -> int:
    """The number of the input whose sound is decoded; the next is the same, sought."""
    return 1 if job.video else 0


def _decoded(job: Job) -> list[str]:
    """Another picture track in the listing: the clip's pictures, decoded, in a line each and nothing more."""
    end = "" if job.length is None else f"=end={_seconds(job.length)}"
    codec = ["-c:v:1", "wrapped_avframe", "-filter:v:1", f"trim{end}"]
    return ["-map", "0:v:0", *codec, "-fps_mode:v:1", "passthrough", "-enc_time_base:v:1", "demux"]


def _video_output(job: Job, path: Path) -> list[str | Path]:
    sound = ["-map", f"{_heard(job) + 1}:a:0", "-c:a", "copy"] if job.audio else []
    # Matroska has no edit lists: the packet that holds the start keeps its time, which is below 0.
    muxer = ["-avoid_negative_ts", "disabled"] if path.suffix == ".mkv" else ["-movflags", "+faststart"]
    return ["-map", "0:v:0", *_picture_codec(job), *sound, *_until(job), *_PLAIN, *muxer, path]


def _sound_output(job: Job, path: Path) -> list[str | Path]:
    if path.suffix == ".m4a":
        # As it is, exact to the packet and with an edit list exact to the sample.
        # As an MP4, which takes other codecs than AAC too.
        muxer = ["-movflags", "+faststart", "-f", "mp4"]
        return ["-map", f"{_heard(job) + 1}:a:0", "-c:a", "copy", *_until(job), *_PLAIN, *muxer, path]
    codec = ["-c:a", "pcm_s16le"] if path.suffix == ".wav" else ["-c:a", "flac", "-sample_fmt", "s16"]
    channels = ["-ac", str(job.audio_channels)] if job.audio_channels else []
    return ["-map", f"{_heard(job)}:a:0", "-filter:a", _sound_filter(job), *codec, *channels, *_PLAIN, path]


def _until(job: Job) -> list[str]:
    return [] if job.length is None else ["-t", _seconds(job.length)]


def _lead(source: Source) -> Fraction:
    """The second up to which a source is passed over: only a file fetched whole is much longer than its clip."""
    if source.lead is not None:
        return source.lead
    return Fraction(int(source.offset) - SEEK_BEFORE if source.offset > 2 * SEEK_BEFORE else 0)


def _lead_in(source: Source) -> list[str]:
    # Not accurate, or the packets before the sought second would be missing to the decoder; they are cut off
    # with the rest by the filters, to which the sought second is 0.
    lead = _lead(source)
    sought = ["-noaccurate_seek", "-ss", _seconds(lead)] if lead else []
    return [*sought, *_stop(source, lead)]


def _sought(source: Source, before: Fraction = Fraction(0)) -> list[str]:
    """Read from ``before`` seconds before the clip, which is at 0 all the same."""
    # Even to seek to 0 would leave out what lies before it: the packet that prepares the decoder.
    since = max(Fraction(0), source.offset - before)
    sought = ["-ss", _seconds(since)] if since else []
    shift = ["-itsoffset", _seconds(since - source.offset)] if since != source.offset else []
    return [*sought, *shift, *_stop(source, since)]


def _stop(source: Source, since: Fraction) -> list[str]:
    return [] if source.until is None else [*_NO_PROBE, "-t", _seconds(source.until - since)]


def _picture_codec(job: Job) -> list[str]:
    assert job.video is not None
    if job.cut == "copy":
        return ["-c:v", "copy"]
    offset = job.video.offset - _lead(job.video)
    begin = _seconds(offset)
    until = "" if job.length is None else f":end={_seconds(offset + job.length)}"
    filters = [f"trim=start={begin}{until}", f"setpts=PTS-round({begin}/TB)"]
    if job.flip:
        filters.append("hflip")
    if job.scale:
        filters.append(f"scale='if(lt(iw,ih),{job.scale},-2)':'if(lt(iw,ih),-2,{job.scale})'")
    # Pictures keep their source's time less the start: passthrough, in the source's time base.
    return [
        *("-filter:v", ",".join(filters)),
        *("-fps_mode", "passthrough", "-enc_time_base", "demux"),
        # One thread: x264 gives other bytes for another number of them.
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-threads", "1"),
        # A quarter less CPU than the preset alone, for files 7% larger that are no further from the source (SSIM).
        *("-x264-params", "subme=1:me=dia:partitions=i8x8,i4x4:weightp=0"),
    ]


def _sound_filter(job: Job) -> str:
    assert job.audio is not None
    length = "" if job.length is None else f":duration={_seconds(job.length)}"
    trim = f"atrim=start={_seconds(job.audio.offset - _lead(job.audio))}{length},asetpts=PTS-STARTPTS"
    if job.late:
        trim += f",adelay={job.late * 1000:.3f}:all=1"
    # In pieces of a second: each frame by itself would cross two more of ffmpeg's threads.
    trim += ",asetnsamples=n=44100:p=0"
    return f"aresample={job.audio_rate},{trim}" if job.audio_rate else trim


def _seconds(value: Fraction) -> str:
    """Seconds as ffmpeg reads them: microseconds are its own unit."""
    return f"{float(value):.6f}"
