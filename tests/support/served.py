"""Files as the program's readers get them from a site, without a site: every byte of every address is here.

Knows what a reader asks YouTube for, and nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from avclips.core.clock import Clock
from avclips.core.errors import Transient
from avclips.media.ffmpeg import Ffmpeg
from avclips.sources.streams import Stream

# By address.
Files = Mapping[str, bytes]


@dataclass
class Served:
    """A stand-in for the program's YouTube that has these files; what it has not is an HTTP 404."""

    files: Files

    def begin_clip(self, seconds: float) -> None:
        """There is time."""

    def size_of(self, stream: Stream) -> int:
        return len(self._content(stream))

    def read(self, stream: Stream, first: int, last: int, path: Path, short: bool = False) -> None:
        found = self._content(stream)[first : last + 1]
        if not short and len(found) != last + 1 - first:
            raise Transient("network", f"{len(found)} bytes instead of {last + 1 - first}")
        path.write_bytes(found)

    def read_whole(self, stream: Stream, path: Path, at_most: int) -> None:
        found = self._content(stream)
        if len(found) > at_most:
            raise Transient("whole_file", f"{len(found)} bytes, --max-whole-file is {at_most}")
        path.write_bytes(found)

    def _content(self, stream: Stream) -> bytes:
        if stream.url not in self.files:
            raise Transient("http", "HTTP Error 404: Not Found")
        return self.files[stream.url]


def stream_at(url: str, protocol: str = "https", **more: object) -> Stream:
    """A stream of which the site says nothing but where it is."""
    values = {"size": None, "available_at": 0.0, "codec": "avc1", "named": False, **more}
    return Stream(url, {}, "0", "mp4", protocol, **values)  # type: ignore[arg-type]


class NoFfmpeg(Ffmpeg):
    """What an ffmpeg makes of it is not asked here."""

    def __init__(self) -> None:
        super().__init__(Path("ffmpeg"), Clock())

    def lines(self, arguments: object) -> Iterator[str]:
        raise Transient("media", "no ffmpeg")
