"""Small media files of many kinds, made by ffmpeg at first use, and PyAV's reading of them.

Knows nothing of avclips: what it tells is what the tests compare with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from tests.standin.fake_media import _once, _run, ffmpeg

# Three seconds, 25 frames a second, each another; a sweep, so that no two packets of it are alike.
PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=3,format=yuv420p")
SOUND = ("-f", "lavfi", "-i", "aevalsrc=sin(900*t*t)|cos(700*t*t):s=44100:d=3")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-keyint_min", "25", "-sc_threshold", "0")
B_FRAMES = (*H264, "-bf", "2")
PLAIN = (*H264, "-bf", "0")
AAC = ("-c:a", "aac", "-b:a", "64k")
EXACT = ("-threads", "1", "-fflags", "+bitexact", "-flags", "+bitexact")


def made(folder: Path, ending: str, *words: str | Path) -> Path:
    """The file that ffmpeg makes of these words; ``ending`` is that of its name."""
    names = [word.name if isinstance(word, Path) else word for word in words]
    name = hashlib.sha256("\0".join([Path(ffmpeg()).name, *names, ending]).encode()).hexdigest()[:16]
    path = folder / f"{name}-made.{ending}"

    def run(part: Path) -> None:
        # Its name, while it is made, tells ffmpeg nothing.
        at = part.with_name(f"{part.name}.{ending}")
        _run([*map(str, words), *EXACT, str(at)])
        at.rename(part)

    return _once(path, run)


@dataclass(frozen=True)
class Packet:
    """A packet as PyAV reads it; times in seconds of the file's own clock."""

    time: Fraction
    decode: Fraction
    key: bool
    content: bytes


def nal_types(packet: bytes) -> set[int]:
    """The types of the NAL units of an H.264 packet of an MP4 (ITU-T H.264, table 7-1)."""
    found, at = set(), 0
    while at + 4 < len(packet):
        found.add(packet[at + 4] & 31)
        at += 4 + int.from_bytes(packet[at : at + 4], "big")
    return found


def packets(path: Path, options: dict[str, str] | None = None) -> dict[str, list[Packet]]:
    """The packets of the first stream of each kind, in the order of decoding."""
    found: dict[str, list[Packet]] = {}
    with av.open(str(path), options=options or {}) as container:
        wanted = [next((s for s in container.streams if s.type == kind), None) for kind in ("video", "audio")]
        for each in container.demux([stream for stream in wanted if stream is not None]):
            if each.size and each.pts is not None:
                tick, decode = each.time_base, each.pts if each.dts is None else each.dts
                packet = Packet(each.pts * tick, decode * tick, each.is_keyframe, bytes(each))
                found.setdefault(each.stream.type, []).append(packet)
    return found


def frames(path: Path, kind: str = "video") -> list[Fraction]:
    """When each decoded frame is shown, in the order of showing."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(**{kind: 0}) if frame.pts is not None]


def contents(path: Path, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
    """The bytes in these places of a file."""
    data = path.read_bytes()
    return [data[at : at + size] for at, size in zip(offsets, sizes, strict=True)]
