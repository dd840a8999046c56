"""Long videos, made of one minute again and again, and the bytes of them that hold a clip.

An encoder would need an hour for three hours; a copy takes seconds, and a clip weighs as much as in the minute.
"""

from __future__ import annotations

import itertools
import os
import struct
import subprocess
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from pathlib import Path

from tests.standin import fake_media
from tests.standin.fake_media import Media
from tests.standin.fake_youtube import FakeVideo

from .ways import SECONDS

MINUTE = 60.0
_LAYOUT = {
    134: ["-movflags", "+dash+global_sidx"],
    140: ["-frag_duration", "10000000", "-movflags", "+dash+global_sidx"],
}


@dataclass(frozen=True)
class Repeated(FakeVideo):
    """A video of many minutes that are all the same. ``media``: with the whole duration."""

    itags: tuple[int, ...] = (134, 140)

    def file(self, folder: Path, itag: int, seed: int = 0) -> Path:
        """The stream, put together at first use."""
        minute = fake_media.make(replace(self.media, duration=MINUTE, seed=self.media.seed + seed), itag, folder)
        times = round(self.media.duration / MINUTE)
        path = minute.with_name(f"{minute.stem}-{times}-times.mp4")
        if not path.exists():
            part = path.with_name(f".{os.getpid()}-{path.name}")
            command = [fake_media.ffmpeg(), "-v", "error", "-y", "-nostdin", "-stream_loop", str(times - 1)]
            command += ["-i", str(minute), "-c", "copy", "-map", "0", *_LAYOUT[itag], "-f", "mp4", str(part)]
            subprocess.run(command, check=True, timeout=300)
            os.replace(part, path)
        return path


TEN_MINUTES = Repeated(Media(duration=600.0))
TWENTY_MINUTES = Repeated(Media(duration=1200.0))
# Half the pictures: a stream of 400 MB is long enough.
THREE_HOURS = Repeated(Media(duration=3 * 3600.0, fps=12.5))


def covering_bytes(path: Path, start: float, seconds: float = SECONDS) -> int:
    """The bytes of the fragments of a stream that hold ``seconds`` from ``start``, by its index."""
    with open(path, "rb") as stream:
        content = stream.read(1 << 20)
    at, kind = 0, b""
    while kind != b"sidx":
        size, kind = struct.unpack_from(">I4s", content, at)
        at += size
    body = content[at - size + 8 : at]
    fixed = struct.Struct(">4xIIQQ2xH" if body[0] else ">4xIIII2xH")
    _, timescale, _, _, count = fixed.unpack_from(body)
    rows = list(struct.iter_unpack(">III", body[fixed.size : fixed.size + 12 * count]))
    times = list(itertools.accumulate((lasts for _, lasts, _ in rows), initial=0))
    first = bisect_right(times, start * timescale) - 1
    last = min(bisect_left(times, (start + seconds) * timescale), count)
    return sum(size for size, _, _ in rows[first:last])
