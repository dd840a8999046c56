"""The sample tables of an MP4 file, read out of its moov box.

ISO/IEC 14496-12, 8.6 and 8.7. Knows bytes and times only. The input is untrusted: tables that do not
add up are NoTable, and nothing is allocated for what they claim beyond what they hold.
"""

from __future__ import annotations

import itertools
import struct
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from fractions import Fraction
from pathlib import Path
from typing import IO

from .boxes import MOST_BOXES, Box, BrokenBox, box_at
from .sample_entry import pre_skip, sound_codec
from .samples import LONG, Description, Samples, column

# A moov of ten hours, at 60 pictures a second, is smaller.
MAX_MOOV = 64 * 1024 * 1024
# The most samples of one size that are believed, the most of all tracks together (ten hours of both), and the most
# boxes.
MAX_UNIFORM = 1_000_000
MAX_SAMPLES = 3_000_000
MAX_BOXES = 5000
# More descriptions of one track than anybody writes: those behind are not read.
_DESCRIPTIONS = 256
_INSIDE = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts"}
_KINDS = {b"vide": "video", b"soun": "audio"}


class NoTable(Exception):
    """The file has no table of its samples, or one that does not add up; the text says why."""


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
    for _ in range(MOST_BOXES):
        if at >= size:
            break
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
        tables = [box for path, box in boxes if path[-1] == b"stsz"]
        claims = [struct.unpack_from(">II", moov, box.body + 4) for box in tables]
        if (claimed := sum(count for size, count in claims if size)) > MAX_UNIFORM:
            raise NoTable(f"{claimed} samples of one size")
        # What a table claims beyond what it holds is seen where it is read.
        # Sizes of half a byte each are the shortest.
        short = 2 * sum(box.end - box.body for path, box in boxes if path[-1] == b"stz2")
        if (held := claimed + short + sum(box.end - box.body for box in tables) // 4) > MAX_SAMPLES:
            raise NoTable(f"{held} samples")
        movie = next((_timescale(moov, box) for path, box in boxes if path == (b"moov", b"mvhd")), 0)
        starts = [number for number, (path, _) in enumerate(boxes) if path == (b"moov", b"trak")]
        tracks = []
        for begin, end in itertools.pairwise([*starts, len(boxes)]):
            # QuickTime has another hdlr, of the data, inside of minf.
            found = {path[-1]: box for path, box in boxes[begin:end] if path[-2:] != (b"minf", b"hdlr")}
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
    if not {b"mdhd", b"stsd", b"stts", b"stsc"} <= found.keys() or not {b"stsz", b"stz2"} & found.keys():
        raise NoTable("a track without its tables")
    sizes = _sizes(data, found[b"stsz"]) if b"stsz" in found else _short_sizes(data, found[b"stz2"])
    count = len(sizes)
    durations = _runs(data, found[b"stts"], count, ">II")
    delays = _runs(data, found[b"ctts"], count, ">Ii") if b"ctts" in found else [0] * count
    offsets = _offsets(data, found, sizes)
    timescale = _timescale(data, found[b"mdhd"])
    if not timescale:
        raise NoTable("a track without a clock")
    edit = _edit(data, found.get(b"elst"), timescale, movie)
    shift, since, until = edit or (0, 0, None)
    decode = column(itertools.islice(itertools.accumulate(durations, initial=shift), count), count)
    times = column(map(int.__add__, decode, delays), count)
    keys = _keys(data, found.get(b"stss"), count)
    descriptions = _descriptions(data, found[b"stsd"], kind)
    codec, width, height, rate, entry = astuple(descriptions[0])
    if b"dref" in found and _lies_elsewhere(data, found[b"dref"], found[b"stsd"]):
        raise NoTable("samples that lie in another file")
    # An encoder's delay is hidden whether an edit list says so or not: its decoder is told, in dOps.
    skipped = pre_skip(entry) * timescale // 48_000 if codec == "Opus" else 0
    if edit is not None and skipped:
        since, skipped = max(since, shift + skipped), 0
    track, matrix = _header(data, found.get(b"tkhd"))
    samples = Samples(
        *(kind, codec, width, height, timescale, times, column(durations, count), column(offsets, count)),
        *(column(sizes, count), keys, decode, entry, matrix, shift if edit else None, since, until),
        *(track, rate, skipped),
    )
    if len(descriptions) == 1:
        return samples
    return samples.describe(descriptions, _numbers(_table(data, found[b"stsc"], ">III"), count))


def _lies_elsewhere(data: bytes, references: Box, descriptions: Box) -> bool:
    """Whether a track's samples are in a file that its data reference (8.7.2) names.

    Nobody opens that. One without a name is taken for this file, whatever its flag says: some muxers forget it.
    """
    entry = box_at(data, descriptions.body + 8)
    assert entry is not None
    (number,) = struct.unpack_from(">H", data, entry.body + 6)
    at = references.body + 8
    while (reference := box_at(data, at)) is not None and reference.end <= references.end:
        if (number := number - 1) == 0:
            (flags,) = struct.unpack_from(">I", data, reference.body)
            return not flags & 1 and any(data[reference.body + 4 : reference.end])
        at = reference.end
    return False


def _header(data: bytes, box: Box | None) -> tuple[int, bytes]:
    """The number of a track, and how its picture is turned."""
    if box is None:
        return 0, b""
    wide = data[box.body] == 1
    (track,) = struct.unpack_from(">I", data, box.body + (20 if wide else 12))
    at = box.body + (52 if wide else 40)
    return int(track), data[at : at + 36]


def _table(data: bytes, box: Box, each: str) -> list[tuple[int, ...]]:
    """The rows of a full box whose rows are ``each`` and are counted in its first field."""
    (count,) = struct.unpack_from(">I", data, box.body + 4)
    row = struct.calcsize(each)
    rows = data[box.body + 8 : box.end]
    if count * row > len(rows):
        raise NoTable("a table that does not hold what it says")
    return list(struct.iter_unpack(each, rows[: count * row]))


def _sizes(data: bytes, box: Box) -> Sequence[int]:
    uniform, count = struct.unpack_from(">II", data, box.body + 4)
    if uniform:
        return [uniform] * count
    rows = data[box.body + 12 : box.end]
    if count * 4 > len(rows):
        raise NoTable("a table that does not hold what it says")
    sizes = array("I", rows[: count * 4])
    if sys.byteorder == "little":
        sizes.byteswap()
    return sizes


def _short_sizes(data: bytes, box: Box) -> Sequence[int]:
    """The sizes of a compact table (8.7.3.3), of four, eight or sixteen bits each."""
    bits, count = struct.unpack_from(">3xBI", data, box.body + 4)
    rows = data[box.body + 12 : box.end]
    if bits not in (4, 8, 16) or count * bits > 8 * len(rows):
        raise NoTable("a table that does not hold what it says")
    if bits == 4:
        return [half for both in rows for half in divmod(both, 16)][:count]
    return [size for (size,) in struct.iter_unpack(">B" if bits == 8 else ">H", rows[: count * bits // 8])]


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


def _offsets(data: bytes, found: dict[bytes, Box], sizes: Sequence[int]) -> Sequence[int]:
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
    offsets: array[int] | list[int] = array("q") if len(sizes) > LONG else []
    for number, (first, in_chunk, _) in enumerate(runs):
        behind = runs[number + 1][0] if number + 1 < len(runs) else len(chunks) + 1
        for chunk in range(first, behind):
            left = len(sizes) - len(offsets)
            if not left:
                break
            held = sizes[len(offsets) : len(offsets) + min(in_chunk, left) - 1]
            offsets.extend(itertools.accumulate(held, initial=chunks[chunk - 1]))
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


def _edit(data: bytes, box: Box | None, timescale: int, movie: int) -> tuple[int, int, int | None] | None:
    """The ticks that an edit list adds to every time, and the ticks at which it begins and ends.

    What it adds is a pause before, less what is hidden. None where there is no edit list; NoTable where it puts
    the track together from several pieces.
    """
    if box is None:
        return None
    wide = data[box.body] == 1
    pause = 0
    rows = _table(data, box, ">QqI" if wide else ">IiI")
    for number, (duration, media_time, _) in enumerate(rows):
        if media_time != -1:
            if number + 1 < len(rows):
                raise NoTable("an edit list of several pieces")
            lasting = Fraction(duration * timescale, movie) if movie else Fraction(0)
            # Its length is 0 where the file was written before that was known.
            return pause - media_time, pause, pause + round(lasting) if lasting else None
        if movie:
            pause += round(Fraction(duration * timescale, movie))
    return pause, pause, None


def _descriptions(data: bytes, box: Box, kind: str) -> tuple[Description, ...]:
    """What a track's stsd box has, as far as it adds up."""
    (count,) = struct.unpack_from(">I", data, box.body + 4)
    found: list[Description] = []
    at = box.body + 8
    while len(found) < min(max(1, count), _DESCRIPTIONS):
        entry = box_at(data, at)
        if entry is None or entry.end > box.end:
            break
        found.append(_description(data, entry, kind))
        at = entry.end
    if not found:
        raise NoTable("no description of a track")
    return tuple(found)


def _description(data: bytes, entry: Box, kind: str) -> Description:
    whole, name = data[entry.start : entry.end], entry.kind.decode("latin-1")
    if kind != "video":
        (rate,) = struct.unpack_from(">I", data, entry.body + 24)
        return Description(sound_codec(whole, name), 0, 0, rate >> 16, whole)
    width, height = struct.unpack_from(">HH", data, entry.body + 24)
    return Description(name, width, height, 0, whole)


def _numbers(runs: Sequence[tuple[int, ...]], count: int) -> Sequence[int]:
    """Which description each of ``count`` samples has, counted from 0, by the rows of stsc."""
    numbers = array("q")
    for row, (first, in_chunk, number) in enumerate(runs):
        left = count - len(numbers)
        held = (runs[row + 1][0] - first) * in_chunk if row + 1 < len(runs) else left
        # Of 0, which no description has, there is none either.
        numbers.extend(array("q", [number - 1 if number else _DESCRIPTIONS]) * min(held, left))
    return numbers
