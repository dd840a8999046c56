"""The bytes of one video's streams in a scratch folder: what two clips share is read once.

What a clip costs is bounded, whatever its files say of themselves: in bytes, by its length and --max-whole-file,
and in time, by these bytes and --rate-limit.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import IO

from ..containers.hls import Part
from ..core.errors import Transient
from ..core.settings import Settings
from ..sources.streams import Stream
from ..sources.youtube import YouTube

# Bytes copied at once.
_BLOCK = 1 << 20
# Seconds around a clip that belong to what has to be read for it: a stream is cut up as its site likes.
_AROUND = 30
# A clip's time: so many seconds, and so often what its bytes take at the rate limit, or at this if that is less.
_SETTLING, _PATIENCE, _SLOW_RATE = 600, 2, 50 * 1024


def bytes_for(seconds: float, settings: Settings) -> int:
    """The most bytes that a clip of so many seconds may cost: several times what sites need for its quality.

    That is 320 kB a second at 360p, 2.4 MB at 1080p; and never less than --max-whole-file.
    """
    each = 64_000 + 2 * settings.quality**2
    return max(settings.max_whole_file, int((seconds + _AROUND) * each))


def seconds_for(size: int, settings: Settings) -> float:
    """How long the reading of a clip may take that may cost so many bytes."""
    return _SETTLING + _PATIENCE * size / min(settings.rate_limit or _SLOW_RATE, _SLOW_RATE)


def append(target: IO[bytes], source: Path, first: int = 0, count: int | None = None) -> None:
    """Write bytes ``first``.. of a file behind what ``target`` holds: ``count`` of them, or all."""
    with open(source, "rb") as stream:
        stream.seek(first)
        left = os.fstat(stream.fileno()).st_size - first if count is None else count
        while left > 0 and (block := stream.read(min(left, _BLOCK))):
            target.write(block)
            left -= len(block)


class ByteReader:
    """Reads ranges, pieces and whole files into ``folder``. Raises ClipError, RunError (the disk), Stopped."""

    def __init__(self, youtube: YouTube, settings: Settings, folder: Path) -> None:
        self.folder = folder
        self._youtube = youtube
        self._settings = settings
        # (URL, first byte, last byte, the file that holds them) of all that was read between heads.
        self._bodies: list[tuple[str, int, int, Path]] = []
        # The pieces that are files of their own.
        self._parts: dict[str, Path] = {}
        self._files = 0
        # What the clip that is being read may cost, and has cost.
        self._most = bytes_for(0.0, settings)
        self._spent = 0

    def begin(self, seconds: float) -> None:
        """From here on, a clip of so many seconds is read."""
        self._most, self._spent = bytes_for(seconds, self._settings), 0
        self._youtube.begin_clip(seconds_for(self._most, self._settings))

    def size_of(self, stream: Stream) -> int | None:
        """The bytes of a file whose size was not told; None where its server knows no ranges."""
        return self._youtube.size_of(stream)

    def head(self, stream: Stream, first: int, behind: int) -> bytes:
        """Bytes ``first``..``behind`` of a head; fewer where the stream ends before."""
        self._see_that_it_fits(behind - first)
        path = self.file("head")
        self._youtube.read(stream, first, behind - 1, path, short=True)
        self._spent += path.stat().st_size
        return path.read_bytes()

    def body(self, stream: Stream, first: int, last: int) -> Path:
        """A file with bytes ``first``..``last``; what another clip of the video had of them is not read again."""
        pieces: list[tuple[Path, int, int]] = []
        at = first
        known = [(begin, end, path) for url, begin, end, path in self._bodies if url == stream.url]
        for begin, end, path in sorted(known):
            if end < at or begin > last:
                continue
            if begin > at:
                pieces.append((self._fresh(stream, at, begin - 1), 0, begin - at))
                at = begin
            behind = min(end, last) + 1
            pieces.append((path, at - begin, behind - at))
            at = behind
        if at <= last:
            pieces.append((self._fresh(stream, at, last), 0, last + 1 - at))
        if len(pieces) == 1 and pieces[0][1:] == (0, pieces[0][0].stat().st_size):
            return pieces[0][0]
        joined = self.file("body")
        with open(joined, "wb") as target:
            for piece in pieces:
                append(target, *piece)
        return joined

    def _fresh(self, stream: Stream, first: int, last: int) -> Path:
        self._see_that_it_fits(last - first + 1)
        path = self.file("body")
        self._youtube.read(stream, first, last, path)
        self._spent += last - first + 1
        self._bodies.append((stream.url, first, last, path))
        return path

    def _see_that_it_fits(self, size: int) -> None:
        if self._spent + size > self._most:
            needs = f"{self._spent + size} bytes or more for one clip"
            raise Transient("whole_file", f"{needs}, --max-whole-file is {self._settings.max_whole_file}")

    def _read_whole(self, stream: Stream, path: Path, at_most: int) -> Path:
        self._see_that_it_fits(0 if stream.size is None else min(stream.size, at_most))
        left = self._most - self._spent
        try:
            self._youtube.read_whole(stream, path, min(at_most, left))
        except Transient as error:
            if error.reason == "whole_file" and left < at_most:
                self._see_that_it_fits(left + 1)
            raise
        self._spent += path.stat().st_size
        return path

    def part(self, stream: Stream, part: Part) -> Path:
        """A piece of a stream."""
        at = replace(stream, url=part.url, protocol="https", size=None)
        if part.first is not None and part.last is not None:
            return self.body(at, part.first, part.last)
        if part.url not in self._parts:
            most = self._settings.max_whole_file
            self._parts[part.url] = self._read_whole(at, self.file("part"), most)
        return self._parts[part.url]

    def fetched(self, stream: Stream, at_most: int) -> bytes:
        """A small file, such as a playlist."""
        return self._read_whole(stream, self.file("part"), at_most).read_bytes()

    def whole(self, stream: Stream) -> Path:
        """All of a stream, in a file."""
        return self._read_whole(stream, self.file("whole"), self._settings.max_whole_file)

    def file(self, name: str) -> Path:
        """A new path in the scratch folder."""
        self._files += 1
        return self.folder / f"{self._files}.{name}"
