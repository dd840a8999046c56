"""Changes to MP4 files that ffmpeg does not make: later clocks, an index of indexes, a moov box of megabytes.

Reads and writes the boxes of ISO/IEC 14496-12, and takes files for good: what comes in was made by layouts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction

_INSIDE = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf")


def boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place and end of each box from ``at`` on, and of those inside of it."""
    end = len(data) if end is None else end
    while at < end:
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at, at + size
        if kind in _INSIDE:
            yield from boxes(data, at + 8, at + size)
        at += size


def delayed(data: bytes, seconds: dict[int, Fraction]) -> bytes:
    """The fragmented file with the times of each track later: its sidx, and the tfdt of each fragment."""
    clocks = _clocks(data)
    changed, track = bytearray(data), 0
    for kind, at, _ in boxes(data):
        if kind == b"tfhd":
            (track,) = struct.unpack_from(">I", data, at + 12)
        if kind == b"sidx":
            (track,) = struct.unpack_from(">I", data, at + 12)
        if kind in (b"tfdt", b"sidx") and track in seconds:
            where = at + (12 if kind == b"tfdt" else 20)
            form = ">Q" if data[at + 8] else ">I"
            ticks = round(seconds[track] * clocks[track])
            struct.pack_into(form, changed, where, struct.unpack_from(form, data, where)[0] + ticks)
    return bytes(changed)


def _clocks(data: bytes) -> dict[int, int]:
    """Ticks a second of each track."""
    found, track = {}, 0
    for kind, at, _ in boxes(data):
        wide = data[at + 8]
        if kind == b"tkhd":
            (track,) = struct.unpack_from(">I", data, at + (28 if wide else 20))
        if kind == b"mdhd":
            (found[track],) = struct.unpack_from(">I", data, at + (28 if wide else 20))
    return found


def with_tree(data: bytes) -> bytes:
    """The file with an index of two indexes in place of its one sidx."""
    at, end = next((at, end) for kind, at, end in boxes(data) if kind == b"sidx")
    wide = data[at + 8]
    form = ">IIQQHH" if wide else ">IIIIHH"
    number, clock, earliest, first, _, count = struct.unpack_from(form, data, at + 12)
    body = at + 12 + struct.calcsize(form)
    rows = [struct.unpack_from(">III", data, body + 12 * n) for n in range(count)]
    if count < 2 or first:
        return data
    halves = [rows[: count // 2], rows[count // 2 :]]
    lasts = [sum(lasts for _, lasts, _ in half) for half in halves]
    second = _sidx(number, clock, earliest + lasts[0], sum(size for size, _, _ in halves[0]), halves[1])
    leaf = _sidx(number, clock, earliest, len(second), halves[0])
    told = [(1 << 31 | len(box), long, 0x90000000) for box, long in zip((leaf, second), lasts, strict=True)]
    return data[:at] + _sidx(number, clock, earliest, 0, told) + leaf + second + data[end:]


def _sidx(number: int, clock: int, earliest: int, first: int, rows: list[tuple[int, ...]]) -> bytes:
    body = struct.pack(">IIIQQHH", 1 << 24, number, clock, earliest, first, 0, len(rows))
    return _box(b"sidx", body + b"".join(struct.pack(">III", *row) for row in rows))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def with_large_moov(data: bytes, padding: int) -> bytes:
    """The plain file with so many bytes more in its moov box, which is in front: as long a table as of hours."""
    at, end = next((at, end) for kind, at, end in boxes(data) if kind == b"moov")
    moov = bytearray(data[at:end] + _box(b"free", bytes(padding - 8)))
    struct.pack_into(">I", moov, 0, len(moov))
    for kind, where, _ in boxes(data[at:end]):
        if kind in (b"stco", b"co64"):
            form, width = (">I", 4) if kind == b"stco" else (">Q", 8)
            (count,) = struct.unpack_from(">I", data, at + where + 12)
            for place in range(where + 16, where + 16 + width * count, width):
                struct.pack_into(form, moov, place, struct.unpack_from(form, moov, place)[0] + padding)
    return data[:at] + bytes(moov) + data[end:]
