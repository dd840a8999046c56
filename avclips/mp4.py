"""The sample tables of an MP4 file: where each packet lies, and when it is shown.

ISO/IEC 14496-12, 8.6 and 8.7. Knows bytes and times only. The input may come from strangers: tables that do not
add up are NoTable, and nothing is allocated for what they claim beyond what they hold.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

from .boxes import Box, BrokenBox, box_at

# A moov of ten hours, at 60 pictures a second, is smaller.
MAX_MOOV = 64 * 1024 * 1024
# The most samples of one size that are believed, and the most boxes.
MAX_UNIFORM = 1_000_000
MAX_BOXES = 5000
_INSIDE = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"}
_KINDS = {b"vide": "video", b"soun": "audio"}


class NoTable(Exception):
    """The file has no table of its samples, or one that does not add up; the text says why."""


@dataclass(frozen=True)
class Samples:
    """One track, sample by sample in the order of decoding.

    ``times``: when each is shown, in ticks of ``timescale`` a second, as the edit list has it (what is hidden
    before the start is below 0); ``durations`` in the same ticks; ``offsets`` and ``sizes``: its bytes.
    ``keys``: the numbers of the key frames, None where every sample is one.
    """

    kind: str
    codec: str
    width: int
    height: int
    timescale: int
    times: tuple[int, ...]
    durations: tuple[int, ...]
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    keys: tuple[int, ...] | None

    def seconds(self, number: int) -> Fraction:
        """When a sample is shown."""
        return Fraction(self.times[number], self.timescale)


def read_file(path: Path) -> list[Samples]:
    """The tracks of a file; NoTable where it has none, or where its samples lie outside of it."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        tracks = read_moov(_find_moov(stream, size))
    for track in tracks:
        if any(offset + length > size for offset, length in zip(track.offsets, track.sizes, strict=True)):
            raise NoTable("a sample lies behind the end of the file")
    return tracks


def _find_moov(stream: IO[bytes], size: int) -> bytes:
    at = 0
    while at < size:
        stream.seek(at)
        head = stream.read(16)
        try:
            box = box_at(head, 0)
        except BrokenBox as error:
            raise NoTable(str(error)) from error
        if box is None:
            break
        if box.kind == b"moov":
            if box.end > MAX_MOOV or at + box.end > size:
                raise NoTable(f"a moov box of {box.end} bytes")
            stream.seek(at)
            return stream.read(box.end)
        at += box.end
    raise NoTable("no moov box")


def read_moov(moov: bytes) -> list[Samples]:
    """The picture and sound tracks of a moov box, header included; NoTable where its tables do not add up."""
    try:
        boxes = list(itertools.islice(_walk(moov, 0, len(moov), ()), MAX_BOXES + 1))
        if len(boxes) > MAX_BOXES:
            raise NoTable("too many boxes")
        # Nothing in a table stands behind the number of samples of one size.
        claims = (struct.unpack_from(">II", moov, box.body + 4) for path, box in boxes if path[-1] == b"stsz")
        if (claimed := sum(count for size, count in claims if size)) > MAX_UNIFORM:
            raise NoTable(f"{claimed} samples of one size")
        movie = next((_timescale(moov, box) for path, box in boxes if path == (b"moov", b"mvhd")), 0)
        starts = [number for number, (path, _) in enumerate(boxes) if path == (b"moov", b"trak")]
        tracks = []
        for begin, end in itertools.pairwise([*starts, len(boxes)]):
            found = {path[-1]: box for path, box in boxes[begin:end]}
            track = _track(moov, found, movie)
            if track is not None:
                tracks.append(track)
        return tracks
    except (struct.error, IndexError, BrokenBox, ZeroDivisionError, OverflowError) as error:
        raise NoTable(f"a broken moov box: {error}") from error


def _walk(data: bytes, at: int, end: int, inside: tuple[bytes, ...]) -> Iterator[tuple[tuple[bytes, ...], Box]]:
    while at + 8 <= end:
        box = box_at(data, at)
        if box is None or box.end > end:
            raise NoTable("a box that leaves its parent")
        path = (*inside, box.kind)
        yield path, box
        if box.kind in _INSIDE and len(path) < 8:
            yield from _walk(data, box.body, box.end, path)
        at = box.end


def _timescale(data: bytes, box: Box) -> int:
    """Of an mvhd or mdhd box: ticks a second."""
    wide = data[box.body] == 1
    return int(struct.unpack_from(">I", data, box.body + (20 if wide else 12))[0])


def _track(data: bytes, found: dict[bytes, Box], movie: int) -> Samples | None:
    handler = found.get(b"hdlr")
    kind = _KINDS.get(data[handler.body + 8 : handler.body + 12]) if handler else None
    if kind is None:
        return None
    if not {b"mdhd", b"stsd", b"stts", b"stsc", b"stsz"} <= found.keys():
        raise NoTable("a track without its tables")
    sizes = _sizes(data, found[b"stsz"])
    count = len(sizes)
    durations = _runs(data, found[b"stts"], count, ">II")
    delays = _runs(data, found[b"ctts"], count, ">Ii") if b"ctts" in found else [0] * count
    offsets = _offsets(data, found, sizes)
    timescale = _timescale(data, found[b"mdhd"])
    if not timescale:
        raise NoTable("a track without a clock")
    shift = _edit(data, found.get(b"elst"), timescale, movie)
    decoded = itertools.accumulate(durations, initial=0)
    times = tuple(time + delay + shift for time, delay in zip(decoded, delays, strict=False))
    keys = _keys(data, found.get(b"stss"), count)
    codec, width, height = _description(data, found[b"stsd"], kind)
    return Samples(
        kind, codec, width, height, timescale, times, tuple(durations), tuple(offsets), tuple(sizes), keys
    )


def _table(data: bytes, box: Box, each: str) -> list[tuple[int, ...]]:
    """The rows of a full box whose rows are ``each`` and are counted in its first field."""
    (count,) = struct.unpack_from(">I", data, box.body + 4)
    row = struct.calcsize(each)
    rows = data[box.body + 8 : box.end]
    if count * row > len(rows):
        raise NoTable("a table that does not hold what it says")
    return list(struct.iter_unpack(each, rows[: count * row]))


def _sizes(data: bytes, box: Box) -> list[int]:
    uniform, count = struct.unpack_from(">II", data, box.body + 4)
    if uniform:
        return [uniform] * count
    rows = data[box.body + 12 : box.end]
    if count * 4 > len(rows):
        raise NoTable("a table that does not hold what it says")
    return [size for (size,) in struct.iter_unpack(">I", rows[: count * 4])]


def _runs(data: bytes, box: Box, count: int, each: str) -> list[int]:
    """A table of (how many, value) as one value a sample."""
    values: list[int] = []
    for number, value in _table(data, box, each):
        if number > count - len(values):
            raise NoTable("a table for more samples than there are")
        values += [value] * number
    if len(values) != count:
        raise NoTable(f"times for {len(values)} of {count} samples")
    return values


def _offsets(data: bytes, found: dict[bytes, Box], sizes: list[int]) -> list[int]:
    if b"co64" in found:
        chunks = [offset for (offset,) in _table(data, found[b"co64"], ">Q")]
    elif b"stco" in found:
        chunks = [offset for (offset,) in _table(data, found[b"stco"], ">I")]
    else:
        raise NoTable("a track without its tables")
    runs = _table(data, found[b"stsc"], ">III")
    firsts = [0, *(first for first, _, _ in runs)]
    upwards = firsts[1:2] == [1] and all(a < b for a, b in itertools.pairwise(firsts))
    if sizes and not (upwards and all(in_chunk for _, in_chunk, _ in runs)):
        raise NoTable("chunks that are not counted upwards from one")
    offsets: list[int] = []
    for number, (first, in_chunk, _) in enumerate(runs):
        behind = runs[number + 1][0] if number + 1 < len(runs) else len(chunks) + 1
        for chunk in range(first, behind):
            at = chunks[chunk - 1]
            for _ in range(in_chunk):
                if len(offsets) == len(sizes):
                    break
                offsets.append(at)
                at += sizes[len(offsets) - 1]
            if len(offsets) == len(sizes):
                break
    if len(offsets) != len(sizes):
        raise NoTable(f"places of {len(offsets)} of {len(sizes)} samples")
    return offsets


def _keys(data: bytes, box: Box | None, count: int) -> tuple[int, ...] | None:
    if box is None:
        return None
    keys = tuple(number - 1 for (number,) in _table(data, box, ">I"))
    if any(not 0 <= number < count for number in keys):
        raise NoTable("a key frame that is not there")
    return keys


def _edit(data: bytes, box: Box | None, timescale: int, movie: int) -> int:
    """The ticks that an edit list adds to every time: a pause before, less what is hidden."""
    if box is None:
        return 0
    wide = data[box.body] == 1
    shift = 0
    for row in _table(data, box, ">QqI" if wide else ">IiI"):
        duration, media_time = row[0], row[1]
        if media_time == -1 and movie:
            shift += round(Fraction(duration * timescale, movie))
        else:
            return shift - media_time
    return shift


def _description(data: bytes, box: Box, kind: str) -> tuple[str, int, int]:
    entry = box_at(data, box.body + 8)
    if entry is None or entry.end > box.end:
        raise NoTable("no description of a track")
    if kind != "video":
        return entry.kind.decode("latin-1"), 0, 0
    width, height = struct.unpack_from(">HH", data, entry.body + 24)
    return entry.kind.decode("latin-1"), width, height
