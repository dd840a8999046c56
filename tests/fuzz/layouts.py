"""A part of the longer fuzz: the files of a site, in every layout, as clips are read out of them."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from avclips.core.errors import ClipError
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.media.cut import cut
from avclips.reading.reader import Reading
from avclips.sources.streams import Stream, Streams
from tests.support.served import Files, NoFfmpeg, Served, stream_at


def read_layout(files_of: Callable[[bytes], tuple[Files, Stream]]) -> Callable[[bytes], None]:
    """A reader of clips out of a site's files, whatever their layout: each clip's packets, or a ClipError."""

    def read(data: bytes) -> None:
        files, found = files_of(data)
        streams = Streams(found, found, "0", 8.0, elsewhere=True)
        with tempfile.TemporaryDirectory(prefix="avclips-fuzz-") as folder:
            settings = Settings(Path(folder), allow_silent=True)
            reading = Reading(Served(files), NoFfmpeg(), settings, streams, Path(folder))  # type: ignore[arg-type]
            for start, end in ((0.0, 2.0), (3.3, 5.3), (5.0, None), (40.0, 50.0)):
                with suppress(ClipError):
                    job = reading.job(Clip("a", "a", start, end))
                    for material in filter(None, (job.video, job.audio)):
                        size, table = material.path.stat().st_size, material.samples
                        ends = map(int.__add__, table.offsets, table.sizes)
                        assert table.times and max(ends) <= size and min(table.offsets) >= 0
                    # Without a word to ffmpeg.
                    cut(
                        replace(job, cut="copy"),
                        NoFfmpeg(),
                        Path(folder),
                        *(Path(folder, n) for n in ("v.mp4", "s.m4a")),
                    )

    return read


def alone(data: bytes) -> tuple[Files, Stream]:
    """One file at one address."""
    return {"http://h/v": data}, stream_at("http://h/v")


def in_playlist(playlist: bytes) -> Callable[[bytes], tuple[Files, Stream]]:
    """The one file that a playlist of HLS names."""
    return lambda data: (
        {"http://h/l": playlist, "http://h/all.mp4": data, "http://h/0.ts": data},
        stream_at("http://h/l", "m3u8_native"),
    )


def in_manifest(edges: Sequence[int]) -> Callable[[bytes], tuple[Files, Stream]]:
    """A file in pieces that a manifest of DASH names; the first is the head."""

    def pieces(data: bytes) -> tuple[Files, Stream]:
        parts = [data[first:behind] for first, behind in itertools.pairwise((0, *edges))]
        files = {f"http://h/{number}": part for number, part in enumerate(parts)}
        named = tuple((url, 2.0 if number else None) for number, url in enumerate(files))
        return files, stream_at("http://h/mpd", "http_dash_segments", pieces=named)

    return pieces
