"""A plain MP4 whose table stands in front: the bytes of a clip's samples, by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ..containers.progressive import Table
from ..containers.samples import Samples
from ..media.demux import first_of_each
from ..sources.streams import Stream
from .byte_reader import ByteReader
from .stream import WholeFile, around, with_next


class Tabled(WholeFile):
    """A plain MP4, of which the table is here and the media is not."""

    def __init__(self, reader: ByteReader, stream: Stream, table: Table) -> None:
        super().__init__(first_of_each(reader.folder, table.tracks))
        self._reader = reader
        self._stream = stream
        self.together = len(self._opened) > 1

    def _read(self, kind: str, since: Fraction, until: Fraction | None) -> tuple[Path, Samples]:
        whole = self._opened[kind][1]
        stretch = around(whole, since, until)
        wanted = whole.cut(*stretch)
        # Of both tracks at once, since they lie between each other: one request instead of several.
        near = [wanted]
        for name, (_, samples) in self._opened.items():
            # What ended long before, or begins long after, lies elsewhere in the file.
            if name != kind and _reaches(samples, since, until):
                near.append(samples.cut(*around(samples, since, until)))
        first, behind = _place([wanted] if kind == "audio" else near)
        path = self._reader.body(self._stream, first, behind - 1)
        table = with_next(whole, *stretch)
        return path, replace(table, offsets=tuple(offset - first for offset in table.offsets))


def _reaches(samples: Samples, since: Fraction, until: Fraction | None) -> bool:
    """Whether a track has anything in these seconds."""
    begins, ends = min(samples.times), max(map(int.__add__, samples.times, samples.durations))
    return ends > since * samples.timescale and (until is None or begins < until * samples.timescale)


def _place(tables: Sequence[Samples]) -> tuple[int, int]:
    """The byte at which the first sample of all tables begins, and the one behind the last."""
    filled = [table for table in tables if table.offsets]
    first = min(min(table.offsets) for table in filled)
    return first, max(max(map(int.__add__, table.offsets, table.sizes)) for table in filled)
