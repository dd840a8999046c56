"""What a cut holds, what it should hold, and whether these agree.

Reads ffmpeg's listings (framecrc) and WAV headers; starts no process and knows no command line.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import IO

from ..containers.samples import Samples
from ..core.errors import Transient
from ..core.settings import Cut, Settings

# What a copy may hold behind its end: the pictures of the reorder delay, which libav cannot leave out.
COPY_EXTRA_PICTURES = 8
COPY_LATE_END = 0.25
# Without the source, a picture may end this much early or late: the last of a slow video, or a copy's extra.
ALONE_TOLERANCE = 0.25
# The names that ffmpeg has for what MP4 calls otherwise.
CODECS = {"avc1": "h264", "mp4a": "aac", "vp09": "vp9", "Opus": "opus", "mp4a.6b": "mp3", "mp4a.dd": "vorbis"}
# The most samples of a packet of sound that sites have; and of FLAC, whose last one is decoded whole.
PACKET, COPIED_PACKET = 2048, 4608
# The most packets, or frames, of a file that are looked at: three hours of pictures and sound.
MAX_PACKETS = 1_000_000
# A picture's time may differ from the source's by the rounding of two time bases.
TIME_TOLERANCE = 0.001 + 1e-9


@dataclass
class Track:
    """What one stream of a file holds; ``times`` and ``ends`` of its packets or frames in seconds, sorted.

    Floats: a thousand packets a clip, compared to the millisecond, are no place for fractions.
    """

    kind: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    sample_rate: int = 0
    channels: int = 0
    times: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    @property
    def end(self) -> float:
        return max(self.ends, default=0.0)


@dataclass(frozen=True)
class Encode:
    """How many pictures of an exact cut were encoded before those that stayed as they were, and behind them.

    ``why``: where none did, the reason for which all were encoded.
    """

    head: int
    copied: int
    tail: int
    why: str = ""


@dataclass(frozen=True)
class Expected:
    """What the source has of the clip: its frames' times from the clip's start, and the seconds of sound.

    ``decoded``: how many pictures could be decoded, None where that was not tried. ``size``: of each picture, as
    --size names it; None: any. ``encode``: of an exact cut, what was done for it.
    """

    pictures: tuple[float, ...]
    sound: float | None
    length: float | None
    decoded: int | None = None
    size: str | None = None
    encode: Encode | None = None


@dataclass(frozen=True)
class Sound:
    """What a file of sound holds. ``packed``: in packets copied as they were, which need not begin at the clip."""

    samples: int
    sample_rate: int
    channels: int
    packed: bool = False


# A packet's flags, where it is to be decoded and not shown: an edit list begins behind it.
_HIDDEN = re.compile(r" F=0x[0-9A-Fa-f]*[4-7C-Fc-f]")
_HEADER = re.compile(r"#(\w+) (\d+): (.*)")


def read_framecrc(text: str | Iterable[str]) -> list[Track]:
    """Read what ffmpeg's framecrc muxer prints: a header and a line a packet or frame for each stream.

    ``text``: whole, or in lines. Transient where it is something else: an ffmpeg that was ended in the middle of a
    line, say; and where there are more packets than MAX_PACKETS.
    """
    try:
        return _read_listing(text.splitlines() if isinstance(text, str) else text)
    except (ValueError, KeyError, ArithmeticError) as error:
        raise Transient("media", f"ffmpeg's listing cannot be read: {error!r}") from error


def _read_listing(lines: Iterable[str]) -> list[Track]:
    tracks: dict[int, Track] = {}
    bases: dict[int, tuple[int, int]] = {}
    left = MAX_PACKETS
    for line in lines:
        if header := _HEADER.match(line):
            _read_header(tracks.setdefault(int(header[2]), Track()), bases, header)
        elif line and line[0].isdigit():
            number, _, pts, duration, _, _, *more = line.rstrip("\n").split(",")
            if (left := left - 1) < 0:
                raise Transient("media", f"more than {MAX_PACKETS} packets")
            if any(map(_HIDDEN.fullmatch, more)):
                continue
            track, (ticks, seconds) = tracks[int(number)], bases[int(number)]
            at = int(pts)
            track.times.append(at * ticks / seconds)
            track.ends.append((at + int(duration)) * ticks / seconds)
    for track in tracks.values():
        track.times.sort()
    return [tracks[number] for number in sorted(tracks)]


def _read_header(track: Track, bases: dict[int, tuple[int, int]], header: re.Match[str]) -> None:
    name, number, value = header[1], int(header[2]), header[3]
    if name == "tb":
        bases[number] = Fraction(value).as_integer_ratio()
    elif name == "media_type":
        track.kind = value
    elif name == "codec_id":
        track.codec = value
    elif name == "dimensions":
        track.width, track.height = map(int, value.split("x"))
    elif name == "sample_rate":
        track.sample_rate = int(value)
    elif name == "channel_layout_name":
        track.channels = _channels(value)


def track_of(samples: Samples) -> Track:
    """A file's table of samples as a listing of its packets, of those alone that a reader shows."""
    shown = samples.shown()
    times, ends = [time / samples.timescale for time, _ in shown], [end / samples.timescale for _, end in shown]
    codec = CODECS.get(samples.codec, samples.codec)
    return Track(samples.kind, codec, samples.width, samples.height, times=sorted(times), ends=ends)


def _channels(layout: str) -> int:
    """How many channels a layout has as ffmpeg names it: mono, stereo, 5.1(side), 3 channels."""
    if layout in ("mono", "stereo"):
        return 1 if layout == "mono" else 2
    numbers = re.match(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", layout)
    return sum(int(number) for number in numbers.groups("0")) if numbers else 0


def decoded_sound(tracks: list[Track], packed: bool) -> Sound:
    """What a listing of decoded frames says of a file of sound alone; Transient where there is none.

    Silence counts: packets that begin late, or pause, are a file of fewer samples than a reader hears.
    """
    track = next((track for track in tracks if track.kind == "audio" and track.times and track.sample_rate), None)
    if track is None:
        raise Transient("check", "no sound in the result")
    return Sound(round(track.end * track.sample_rate), track.sample_rate, track.channels, packed)


def read_wav(path: Path) -> Sound:
    """Read a PCM file's header; Transient if it does not describe the bytes that follow."""
    try:
        with open(path, "rb") as file:
            found, width, whole = wav_header(file, path.stat().st_size)
    except (ValueError, struct.error) as error:
        raise Transient("check", f"{path.name} is not a WAV file: {error or 'broken'}") from error
    if width != 2 or not whole:
        raise Transient("check", f"{path.name} does not hold its {found.samples} samples of {8 * width} bits")
    return found


def wav_header(file: IO[bytes], size: int) -> tuple[Sound, int, bool]:
    """What a WAV has, the bytes of a sample, and whether it has them all: PCM in the plain or the extensible form.

    The wave module of Python 3.11 knows only the plain one, which ffmpeg writes up to two channels and 48 kHz.
    """
    riff, _, wave = struct.unpack("<4sI4s", file.read(12))
    if (riff, wave) != (b"RIFF", b"WAVE"):
        raise ValueError("file does not start with RIFF id")
    shape = None
    while True:
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind == b"data":
            break
        if kind == b"fmt ":
            tag, channels, rate, _, _, bits = shape = struct.unpack("<HHIIHH", file.read(16))
            file.seek(length % 2 + length - 16, 1)
            if tag not in (1, 0xFFFE) or not channels or not rate or not bits:
                raise ValueError(f"unknown format: {tag}")
        else:
            file.seek(length % 2 + length, 1)
    if shape is None:
        raise ValueError("no format")
    width = -(-bits // 8)
    return Sound(length // (channels * width), rate, channels), width, size - file.tell() >= length


def judge(expected: Expected, tracks: list[Track], sound: Sound | None, cut: Cut) -> str | None:
    """What is wrong with a cut, or None: the pictures' times, the samples' count, both streams there."""
    complaint = _judge_film(expected, tracks, cut)
    if complaint or expected.sound is None:
        return complaint
    if not any(track.kind == "audio" and track.times for track in tracks):
        return "no sound in the result"
    return judge_sound(expected, sound)


def _judge_film(expected: Expected, tracks: list[Track], cut: Cut) -> str | None:
    pictures = [track for track in tracks if track.kind == "video"]
    if len(pictures) != 1 or not pictures[0].times:
        return "no picture in the result"
    if expected.decoded is not None and expected.decoded < len(expected.pictures):
        return f"only {expected.decoded} of {len(expected.pictures)} pictures can be decoded"
    if expected.size is not None and not is_sized(expected.size, pictures[0].width, pictures[0].height):
        return f"its picture is {pictures[0].width}x{pictures[0].height}, not {expected.size}"
    return _judge_frames(expected, pictures[0], cut)


def is_sized(size: str, width: int, height: int) -> bool:
    """Whether a picture of these sides is as --size asks: the smaller side, or both."""
    return size == f"{width}x{height}" if "x" in size else int(size) == min(width, height)


def judge_sound(expected: Expected, sound: Sound | None) -> str | None:
    """What is wrong with a cut's file of sound, or None: the count of its samples."""
    if expected.sound is None or sound is None:
        return "no sound in the result"
    due = round(expected.sound * sound.sample_rate)
    # Where the source ends inside the clip, its last packet may be filled up: one packet, no more. One that
    # is copied can do so at its other end as well.
    slack = COPIED_PACKET * sound.packed + PACKET * (expected.sound != expected.length)
    if abs(sound.samples - due) > slack:
        return f"the sound has {sound.samples} samples instead of {due}"
    return None


def _judge_frames(expected: Expected, track: Track, cut: Cut) -> str | None:
    return _judge_copy(expected, track) if cut == "copy" else judge_times(expected.pictures, track.times)


def judge_times(due: Sequence[float], got: Sequence[float]) -> str | None:
    """What is wrong with the times of the pictures that a reader shows, or None."""
    if len(got) != len(due):
        return f"{len(got)} pictures instead of {len(due)}"
    worst = max((abs(a - b) for a, b in zip(got, due, strict=True)), default=0.0)
    if worst > TIME_TOLERANCE:
        return f"a picture {worst * 1000:.1f} ms off its time"
    return None


def _judge_copy(expected: Expected, track: Track) -> str | None:
    """A copy may hold the pictures of the reorder delay behind its end; in a slow video they take longer."""
    due, got = len(expected.pictures), len(track.times)
    late = track.end - (expected.length if expected.length is not None else track.end)
    one = (expected.pictures[-1] - expected.pictures[0]) / (due - 1) if due > 1 else COPY_LATE_END
    if not due <= got <= due + COPY_EXTRA_PICTURES or late > max(COPY_LATE_END, (got - due + 3) * one):
        return f"{got} pictures instead of {due}, the end {late:.3f} s late"
    return None


def judge_alone(
    tracks: list[Track], sound: Sound | None, length: Fraction | None, settings: Settings
) -> str | None:
    """What is wrong with files whose source is not known, or None: as far as length and format tell.

    ``length``: the clip's, in seconds; None: the whole video, which comes from archives in any size.
    """
    if settings.media == "both" and (complaint := _judge_video_alone(tracks, length, settings)):
        return complaint
    if sound is None:
        return None if settings.media == "both" else "it has no sound"
    if settings.audio_rate not in (None, sound.sample_rate):
        return f"its sound has {sound.sample_rate} samples a second"
    if settings.audio_channels not in (None, sound.channels):
        return f"its sound has {sound.channels} channels"
    if length is None:
        return None
    if abs(sound.samples - round(length * sound.sample_rate)) > COPIED_PACKET * sound.packed:
        return f"its sound has {sound.samples} samples instead of {round(length * sound.sample_rate)}"
    return None


def _judge_video_alone(tracks: list[Track], length: Fraction | None, settings: Settings) -> str | None:
    picture = next((track for track in tracks if track.kind == "video" and track.times), None)
    if picture is None:
        return "it has no picture"
    size = settings.size
    if size is not None and not is_sized(size, picture.width, picture.height):
        return f"its picture is {picture.width}x{picture.height}, not {size}"
    if length is not None and size is None and min(picture.width, picture.height) > settings.quality:
        return f"its picture is {picture.width}x{picture.height}"
    if length is not None and abs(picture.end - length) > ALONE_TOLERANCE:
        return f"its picture has {picture.end:.3f} s instead of {float(length):g}"
    if length is not None and settings.fps is not None:
        due = math.ceil(length * Fraction(settings.fps))
        if len(picture.times) != due:
            return f"it has {len(picture.times)} pictures instead of {due}"
    return None


def facts(tracks: list[Track], sound: Sound | None) -> Mapping[str, int | float | str | None]:
    """What the manifest says of a finished clip's media."""
    picture = next((track for track in tracks if track.kind == "video"), None)
    length = sound.samples / sound.sample_rate if sound else 0.0
    return {
        "duration": round(picture.end if picture else length, 3),
        **(_facts_of(picture) if picture else {}),
        "samples": sound.samples if sound else None,
        "sample_rate": sound.sample_rate if sound else None,
        "channels": sound.channels if sound else None,
    }


def _facts_of(picture: Track) -> dict[str, int | float | None]:
    length = picture.end - picture.times[0]
    return {
        "pictures": len(picture.times),
        "width": picture.width,
        "height": picture.height,
        "fps": round(len(picture.times) / length, 3) if length else None,
    }
