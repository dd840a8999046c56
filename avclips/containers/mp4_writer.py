"""Writes an MP4 out of packets: a table in front, then the media, each track with an edit list of its own.

ISO/IEC 14496-12. The bytes of the packets and their descriptions are the source's; times are exact ticks. The same
packets give the same bytes. Knows nothing of codecs beyond what a description says.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# Bytes copied at once, and the seconds of a track that lie together.
_BLOCK = 1 << 20
_INTERLEAVE = 1.0
_UNITY = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_HANDLERS = {"video": b"vide", "audio": b"soun"}
# The largest value that the short form of a box holds.
_SHORT = (1 << 32) - 1
# Equal steps differ by less than the second's part of this number: some clocks count milliseconds.
_ROUNDED = 500


class Unwritable(Exception):
    """Packets that no MP4 can hold; the text says why."""


@dataclass(frozen=True)
class TrackOut:
    """One track to be written.

    ``decode`` and ``times``: ticks of ``timescale`` at which each packet is decoded and shown, in decoding order;
    ``durations``: how long each is shown, as far as that is not told by the next. ``path``, ``offsets``,
    ``sizes``: where their bytes lie. ``keys``: numbers of the key frames, None where every packet is one.
    ``starts``: the tick that is the track's second 0 (what lies before it is hidden); ``lasts``: ticks shown from
    there; ``waits``: ticks of nothing before it. ``entry``: the description (a box of ``stsd``); ``matrix``: how
    to turn the picture.
    """

    kind: str
    entry: bytes
    timescale: int
    decode: Sequence[int]
    times: Sequence[int]
    durations: Sequence[int]
    path: Path
    offsets: Sequence[int]
    sizes: Sequence[int]
    keys: Sequence[int] | None = None
    starts: int | None = None
    lasts: int = 0
    waits: int = 0
    width: int = 0
    height: int = 0
    matrix: bytes = b""


def write_mp4(path: Path, tracks: Sequence[TrackOut], movie: int | None = None) -> None:
    """Write ``tracks`` to ``path``. ``movie``: ticks a second in which the edit lists count their lengths.

    Unwritable where a track goes back in time, or has a number that is too large for its box.
    """
    movie = movie or max(track.timescale for track in tracks)
    if any(after < before for track in tracks for before, after in itertools.pairwise(track.decode)):
        raise Unwritable("packets that go back in time")
    chunks = _chunks(tracks)
    ftyp = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2avc1mp41")
    media = sum(sum(track.sizes) for track in tracks)
    try:
        # The offsets' own width does not depend on their values: two rounds are enough.
        start = len(ftyp) + len(_moov(tracks, chunks, movie, 0, media)) + 16
        moov = _moov(tracks, chunks, movie, start, media)
    except struct.error as error:
        raise Unwritable(f"packets with numbers that are too large: {error}") from error
    with open(path, "wb") as stream:
        stream.write(ftyp)
        stream.write(moov)
        stream.write(struct.pack(">I4sQ", 1, b"mdat", media + 16))
        sources = [open(track.path, "rb") for track in tracks]  # noqa: SIM115
        try:
            for chunk in chunks:
                _copy(sources[chunk.track], tracks[chunk.track], chunk, stream)
        finally:
            for source in sources:
                source.close()


@dataclass(frozen=True)
class _Chunk:
    """Packets ``first``..``behind`` of a track, which lie together at byte ``at`` of the media."""

    track: int
    first: int
    behind: int
    at: int


def _chunks(tracks: Sequence[TrackOut]) -> list[_Chunk]:
    """The packets of all tracks in runs of about a second, in the order of their times."""
    runs: list[tuple[float, int, int, int]] = []
    for number, track in enumerate(tracks):
        zero = track.starts or 0
        first = 0
        for at in range(1, len(track.sizes) + 1):
            begins = (track.decode[first] - zero) / track.timescale
            if at == len(track.sizes) or (track.decode[at] - zero) / track.timescale - begins >= _INTERLEAVE:
                runs.append((begins, number, first, at))
                first = at
    chunks, at = [], 0
    for _, number, first, behind in sorted(runs):
        chunks.append(_Chunk(number, first, behind, at))
        at += sum(tracks[number].sizes[first:behind])
    return chunks


def _copy(source: IO[bytes], track: TrackOut, chunk: _Chunk, target: IO[bytes]) -> None:
    numbers = range(chunk.first, chunk.behind)
    for begin, length in _runs((track.offsets[n], track.sizes[n]) for n in numbers):
        source.seek(begin)
        while length:
            block = source.read(min(length, _BLOCK))
            if not block:
                raise EOFError(f"{track.path} ends before its packets do")
            target.write(block)
            length -= len(block)


def _runs(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Places that follow each other, as one."""
    begin = length = 0
    for at, size in places:
        if length and at == begin + length:
            length += size
            continue
        if length:
            yield begin, length
        begin, length = at, size
    if length:
        yield begin, length


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def _moov(tracks: Sequence[TrackOut], chunks: Sequence[_Chunk], movie: int, start: int, media: int) -> bytes:
    lasts = max(_shown(track, movie) for track in tracks)
    header = struct.pack(">QQIQ", 0, 0, movie, lasts) + struct.pack(">IH10x", 1 << 16, 1 << 8) + _UNITY
    boxes = [_full(b"mvhd", 1, 0, header, bytes(24), struct.pack(">I", len(tracks) + 1))]
    wide = start + media > _SHORT
    for number, track in enumerate(tracks):
        places = [chunk for chunk in chunks if chunk.track == number]
        boxes.append(_trak(number + 1, track, places, movie, start, wide))
    return _box(b"moov", *boxes)


def _shown(track: TrackOut, movie: int) -> int:
    """How long a track is shown, its pause included, in ticks of the film."""
    return _ticks(track.waits + track.lasts, track.timescale, movie)


def _ticks(value: int, timescale: int, movie: int) -> int:
    return (value * movie + timescale // 2) // timescale


def _trak(number: int, track: TrackOut, places: Sequence[_Chunk], movie: int, start: int, wide: bool) -> bytes:
    sound = track.kind == "audio"
    # Enabled, and in the movie.
    tkhd = struct.pack(">QQIIQ", 0, 0, number, 0, _shown(track, movie))
    tkhd += struct.pack(">8xhhh2x", 0, 1 if sound else 0, 0x100 if sound else 0)
    tkhd += track.matrix or _UNITY
    tkhd += struct.pack(">II", track.width << 16, track.height << 16)
    mdhd = struct.pack(">QQIQHH", 0, 0, track.timescale, _in_media(track), 0x55C4, 0)
    hdlr = struct.pack(">I4s12x", 0, _HANDLERS[track.kind]) + (b"SoundHandler\0" if sound else b"VideoHandler\0")
    about = _full(b"smhd", 0, 0, bytes(4)) if sound else _full(b"vmhd", 0, 1, bytes(8))
    dinf = _box(b"dinf", _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1)))
    minf = _box(b"minf", about, dinf, _stbl(track, places, start, wide))
    mdia = _box(b"mdia", _full(b"mdhd", 1, 0, mdhd), _full(b"hdlr", 0, 0, hdlr), minf)
    return _box(b"trak", _full(b"tkhd", 1, 3, tkhd), _edits(track, movie), mdia)


def _in_media(track: TrackOut) -> int:
    """The ticks from a track's first packet to the end of its last, as its table counts them."""
    return sum(_deltas(track))


def _edits(track: TrackOut, movie: int) -> bytes:
    if track.starts is None:
        return b""
    first = track.decode[0]
    rows = []
    if track.waits:
        rows.append((_ticks(track.waits, track.timescale, movie), -1))
    rows.append((_ticks(track.lasts, track.timescale, movie), track.starts - first))
    table = b"".join(struct.pack(">QqI", *row, 1 << 16) for row in rows)
    return _box(b"edts", _full(b"elst", 1, 0, struct.pack(">I", len(rows)), table))


def _deltas(track: TrackOut) -> list[int]:
    """How long each packet is decoded: to the next; the last as long as it is shown.

    Of a film of equal steps, the last has one too, though its edit list may end before: readers take frames over
    the table's length for the rate, and OpenCV finds frames by it.
    """
    deltas = [b - a for a, b in itertools.pairwise(track.decode)]
    # A reader takes a film to end where its table does: the frame shown last must lie within it.
    ends = max(map(int.__add__, track.times, track.durations))
    shown = ends - max(track.times)
    step = _equal_step(deltas, track.timescale) if track.kind == "video" and track.starts is not None else 0
    return [*deltas, max(shown, track.durations[-1], step, 1)]


def _equal_step(deltas: Sequence[int], timescale: int) -> int:
    """The ticks from each packet to the next where they are equal, as far as clocks round; 0 elsewhere."""
    if not deltas or (max(deltas) - min(deltas)) * _ROUNDED > timescale:
        return 0
    return round(sum(deltas) / len(deltas))


def _of_this_file(entry: bytes) -> bytes:
    """A description that refers to the one data reference there is (8.5.2), whichever it had among several."""
    # An untrusted one may be too short to refer to any.
    return entry[:14] + struct.pack(">H", 1) + entry[16:] if len(entry) >= 16 else entry


def _stbl(track: TrackOut, places: Sequence[_Chunk], start: int, wide: bool) -> bytes:
    boxes = [_full(b"stsd", 0, 0, struct.pack(">I", 1), _of_this_file(track.entry))]
    boxes.append(_counted(b"stts", ">II", _runs_of(_deltas(track))))
    delays = [shown - decoded for shown, decoded in zip(track.times, track.decode, strict=True)]
    if any(delays):
        boxes.append(_counted(b"ctts", ">Ii", _runs_of(delays), version=1 if min(delays) < 0 else 0))
    if track.keys is not None:
        boxes.append(_counted(b"stss", ">I", [(number + 1,) for number in track.keys]))
    boxes.append(_counted(b"stsc", ">III", _chunk_sizes(places)))
    sizes = struct.pack(f">II{len(track.sizes)}I", 0, len(track.sizes), *track.sizes)
    boxes.append(_full(b"stsz", 0, 0, sizes))
    offsets = [(start + chunk.at,) for chunk in places]
    boxes.append(_counted(b"co64" if wide else b"stco", ">Q" if wide else ">I", offsets))
    return _box(b"stbl", *boxes)


def _counted(kind: bytes, each: str, rows: Sequence[tuple[int, ...]], version: int = 0) -> bytes:
    packed: Callable[..., bytes] = struct.Struct(each).pack
    return _full(kind, version, 0, struct.pack(">I", len(rows)), b"".join(packed(*row) for row in rows))


def _runs_of(values: Sequence[int]) -> list[tuple[int, int]]:
    return [(len(list(same)), value) for value, same in itertools.groupby(values)]


def _chunk_sizes(places: Sequence[_Chunk]) -> list[tuple[int, int, int]]:
    rows: list[tuple[int, int, int]] = []
    for number, chunk in enumerate(places, 1):
        held = chunk.behind - chunk.first
        if not rows or rows[-1][1] != held:
            rows.append((number, held, 1))
    return rows
