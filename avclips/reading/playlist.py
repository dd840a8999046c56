"""Streams in pieces, by a playlist of HLS or a manifest of DASH: transport streams, fragments, packed sound."""

from __future__ import annotations

import itertools
import math
import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from Cryptodome.Cipher import AES

from ..containers.hls import Part, Playlist
from ..containers.movie_fragments import read_defaults, read_fragments
from ..containers.mp4 import NoTable, read_moov
from ..containers.mpeg_ts import PACKET, blocks_of, copy_without_names, counters, following
from ..containers.packed_audio import CLOCK, WRAP, is_packed_audio, without_tag
from ..containers.sample_entry import pre_skip, without_rates
from ..containers.samples import Samples
from ..containers.timeline import Begin, begin_of
from ..containers.webm import MAGIC, heard
from ..core.errors import Transient
from ..core.files import mapped
from ..media.demux import Opened, first_of_each, remuxed
from ..media.ffmpeg import Ffmpeg
from ..sources.streams import Stream
from .byte_reader import ByteReader, append
from .indexed import moov_in
from .stream import LOOSE, InUnits, look_for_holes

# Pieces at the beginning in which a track has to begin.
_BEGINS_WITHIN = 3
# Bytes of a piece that tell what it is; a tag in front is not longer.
_BEGINNING = 1 << 16
# Bytes decrypted at once.
_BLOCK = 1 << 20
# What ffmpeg says where a packet of a transport stream is missing.
_CORRUPT = "corrupt input packet"
# What ffmpeg says of a stream whose pictures' parameters stand in its first piece alone, and of one that is
# announced in a piece and has nothing in it.
_NO_DESCRIPTION = (
    *("non-existing PPS", "non-existing SPS", "unspecified size", "sps_id", "dimensions not set"),
    "sample rate not set",
)
# What is a jump of a clock at a break, and no rounding of what stands before it; and how many breaks are followed.
JUMP = Fraction(1, 4)
_BREAKS = 16
_MILLISECONDS, _OPUS_RATE = 1000, 48_000
# Of a key: 128 bits, and nothing else.
_KEY = 16
_MAX_KEY = 4096


class Pieces(InUnits):
    """A stream in pieces."""

    def __init__(
        self, reader: ByteReader, stream: Stream, playlist: Playlist, ffmpeg: Ffmpeg, wanted: Sequence[str]
    ) -> None:
        """``wanted``: the kinds of tracks that are looked for in it."""
        super().__init__(playlist.times)
        self._reader = reader
        self._stream = stream
        self._playlist = playlist
        self._ffmpeg = ffmpeg
        self._wanted = set(wanted)
        self._begins: dict[str, Begin] = {}
        self._keys: dict[str, bytes] = {}
        # Pieces that were encrypted.
        self._clear: dict[Part, Path] = {}
        self._first: Opened = {}
        self._shifts: dict[int, Fraction] = {}
        self._in_mp4 = False
        # Where a video begins, all of its tracks tell; of its clips, only those that are wanted are looked at.
        self._mapped: Sequence[str] = ("video", "audio")

    def _begin(self) -> dict[str, Begin]:
        if not self._begins:
            last = min(_BEGINS_WITHIN, len(self._playlist.parts)) - 1
            opened = self._loaded[0, 0] = self._together(0, 0)
            if not self._wanted <= opened.keys() and last > 0:
                # What is not in the first piece may begin in the next.
                opened = self._together(0, last)
            self._first = {kind: (path, _unrounded(samples)) for kind, (path, samples) in opened.items()}
            begins = {kind: begin_of(samples) for kind, (_, samples) in self._first.items()}
            self._begins = {
                # A transport stream says when each frame is shown; it has no delay to be taken away.
                kind: begin if self._in_mp4 else replace(begin, alone=begin.starts)
                for kind, begin in begins.items()
                if begin is not None
            }
            self.together = len(self._begins) > 1
            # The clock of a transport stream begins anywhere.
            self.from_zero = self._in_mp4
            self._mapped = [kind for kind in self._mapped if kind in self._wanted]
        return self._begins

    def kinds(self) -> Sequence[str]:
        return list(self._begin())

    def begin(self, kind: str) -> Begin:
        if kind not in self._begin():
            raise Transient("check", f"no {kind} in the first pieces of a stream")
        return self._begins[kind]

    def zero(self, kind: str) -> Fraction:
        return min(begin.shown for begin in self._begin().values())

    def first_packet(self, kind: str) -> Fraction | None:
        """The second at which the first packet of a track begins."""
        self._begin()
        found = self._first.get(kind)
        return None if found is None else Fraction(found[1].decode[0], found[1].timescale)

    def ends(self, kind: str) -> Fraction | None:
        # Lengths in a playlist are rounded, and a manifest of DASH does not tell that of the last.
        return None

    def load(self, first: int, last: int) -> Opened:
        breaks = self._playlist.breaks
        groups = range(bisect_right(breaks, first), bisect_right(breaks, last) + 1)
        shifts = [self._shift(group) for group in groups]
        if not any(shifts):
            return self._unwrapped(self._together(first, last), first)
        edges = [0, *breaks, len(self._playlist.parts)]
        parts = [
            _shifted(self._together(max(first, edges[group]), min(last, edges[group + 1] - 1)), shift)
            for group, shift in zip(groups, shifts, strict=True)
        ]
        return parts[0] if len(parts) == 1 else joined(parts, self._reader.file("joined"))

    def _unwrapped(self, opened: Opened, first: int) -> Opened:
        """The same by a clock that does not begin anew when its 33 bits are full."""
        due = self.zero("") + self._playlist.times[first]
        late = min((Fraction(min(s.times), s.timescale) for _, s in opened.values()), default=due) - due
        return _shifted(opened, Fraction(-round(late * CLOCK / WRAP) * WRAP, CLOCK))

    def _shift(self, group: int) -> Fraction:
        """By how much later than its own clock says the pieces behind a break are: they follow those before it."""
        if group == 0:
            return Fraction(0)
        if group > _BREAKS:
            raise Transient("formats", f"an HLS playlist with more than {_BREAKS} breaks before the clip")
        if group not in self._shifts:
            at = self._playlist.breaks[group - 1]
            before, behind = (
                _shifted(self._together(at - 1, at - 1), self._shift(group - 1)),
                self._together(at, at),
            )
            kind = "video" if "video" in before and "video" in behind else "audio"
            if kind not in before or kind not in behind:
                raise Transient("formats", "an HLS playlist whose tracks end at a discontinuity")
            (_, ended), (_, begun) = before[kind], behind[kind]
            ends = Fraction(max(map(int.__add__, ended.times, ended.durations)), ended.timescale)
            jump = ends - Fraction(min(begun.times), begun.timescale)
            self._shifts[group] = jump if abs(jump) > JUMP else Fraction(0)
        return self._shifts[group]

    # -- what pieces are -------------------------------------------------------------------------------------

    def _together(self, first: int, last: int) -> Opened:
        """Pieces ``first``..``last`` as tables, with the times that they have."""
        head = self._open(self._playlist.head) if self._playlist.head else None
        pieces = [self._open(part) for part in self._playlist.parts[first : last + 1]]
        begins = _begin_of(pieces[0])
        if head is not None and _begin_of(head).startswith(MAGIC):
            return self._remuxed(self._joined([head, *pieces]), "matroska")
        if head or begins[4:8] in (b"styp", b"moof", b"ftyp", b"sidx", b"moov"):
            self._in_mp4 = True
            return self._fragments(head, pieces)
        if is_packed_audio(begins):
            return self._packed_audio(pieces)
        for piece in pieces:
            begins = _begin_of(piece)
            if begins[:1] != b"G" or begins[PACKET : PACKET + 1] not in (b"G", b""):
                raise Transient("check", "a piece of a stream is no transport stream")
        plain = [self._nameless(piece) for piece in pieces]
        try:
            return self._remuxed(self._joined(plain), "mpegts")
        except Transient as error:
            if any(words in error.detail for words in _NO_DESCRIPTION) and first > 0:
                return self._described(plain)
            if _CORRUPT not in error.detail or len(plain) == 1:
                raise
        # Packets may be lost where two pieces meet, or each piece counts its own: their times tell.
        opened = self._remuxed(self._continued(plain), "mpegts")
        starts = min(Fraction(min(s.times), s.timescale) for _, s in opened.values())
        times = self._playlist.times[first : last + 1]
        look_for_holes(opened, [starts + time - times[0] for time in times])
        return opened

    def _described(self, pieces: Sequence[Path]) -> Opened:
        """Pieces of a transport stream that do not describe their pictures, behind the first one, which does."""
        begin = self._nameless(self._open(self._playlist.parts[0]))
        before = {kind: len(samples.times) for kind, (_, samples) in self._together(0, 0).items()}
        opened = self._remuxed(self._continued([begin, *pieces]), "mpegts")
        return {
            kind: (path, samples.cut(before.get(kind, 0), len(samples.times)))
            for kind, (path, samples) in opened.items()
            if len(samples.times) > before.get(kind, 0)
        }

    def _nameless(self, piece: Path) -> Path:
        path = self._reader.file("piece")
        with open(piece, "rb") as source, open(path, "wb") as target:
            copy_without_names(source, target)
        return path

    def _continued(self, pieces: Sequence[Path]) -> Path:
        """Pieces of a transport stream in one file, counted as if they followed each other."""
        path = self._reader.file("pieces")
        with open(path, "wb") as target:
            append(target, pieces[0])
            behind = itertools.chain.from_iterable(map(blocks_of, pieces[1:]))
            target.writelines(following(counters(blocks_of(pieces[0])), behind))
        return path

    def _joined(self, pieces: Sequence[Path], firsts: Sequence[int] = ()) -> Path:
        """All pieces in one file, each from its byte of ``firsts`` on."""
        path = self._reader.file("pieces")
        with open(path, "wb") as target:
            for piece, first in zip(pieces, firsts or itertools.repeat(0), strict=False):
                append(target, piece, first)
        return path

    def _remuxed(self, path: Path, kind: str) -> Opened:
        return remuxed(path, kind, self._ffmpeg, self._reader.folder, begins=False, kinds=self._mapped)

    def _fragments(self, head: Path | None, pieces: Sequence[Path]) -> Opened:
        path = self._joined(pieces)
        try:
            with mapped(head or pieces[0]) as init, mapped(path) as body:
                moov = moov_in(init)
                heads = {track.track: track for track in read_moov(moov)}
                tracks = list(read_fragments(heads, read_defaults(moov), body).values())
        except NoTable as error:
            raise Transient("check", f"a damaged piece of a stream: {error}") from error
        opened = first_of_each(path, tracks)
        for kind, (_, samples) in opened.items():
            # Beside a picture, sound may pause, and end.
            pauses = kind == "audio" and len(heads) > 1
            _see_that_all_have_some(samples, [piece.stat().st_size for piece in pieces], pauses)
        return opened

    def _packed_audio(self, pieces: Sequence[Path]) -> Opened:
        heads = [_begin_of(piece) for piece in pieces]
        stamps = [without_tag(head) for head in heads]
        if not all(is_packed_audio(rest) for _, rest in stamps):
            raise Transient("check", "a piece of a stream is no AAC")
        firsts = [len(head) - len(rest) for head, (_, rest) in zip(heads, stamps, strict=True)]
        opened = self._remuxed(self._joined(pieces, firsts), "aac")
        begins = stamps[0][0] or Fraction(0)
        return {
            kind: (path, samples.later(begins - Fraction(samples.times[0], samples.timescale)))
            for kind, (path, samples) in opened.items()
        }

    def _open(self, part: Part) -> Path:
        """A piece's bytes, without their encryption."""
        sealed = self._reader.part(self._stream, part)
        if part.key is None:
            return sealed
        if part not in self._clear:
            cipher = AES.new(self._key(part.key.url), AES.MODE_CBC, part.key.vector)
            path = self._reader.file("clear")
            with open(sealed, "rb") as source, open(path, "wb") as target:
                _decrypt(source, target, cipher)
            self._clear[part] = path
        return self._clear[part]

    def _key(self, url: str) -> bytes:
        if url not in self._keys:
            key = self._reader.fetched(
                replace(self._stream, url=url, protocol="https", size=None, pieces=None), _MAX_KEY
            )
            if len(key) != _KEY:
                raise Transient("formats", f"a key of {len(key)} bytes")
            self._keys[url] = key
        return self._keys[url]


def _begin_of(piece: Path) -> bytes:
    """The first bytes of a piece: what it is, and its tag."""
    with open(piece, "rb") as stream:
        return stream.read(_BEGINNING)


def _decrypt(source: IO[bytes], target: IO[bytes], cipher: Any) -> None:
    """Write what is encrypted in ``source``, without what fills up its end."""
    size = os.fstat(source.fileno()).st_size
    if not size or size % AES.block_size:
        raise Transient("check", "an encrypted piece that was cut off")
    while block := source.read(_BLOCK):
        clear = cipher.decrypt(block)
        target.write(clear)
    if 1 <= clear[-1] <= AES.block_size:
        target.truncate(size - clear[-1])


def _unrounded(samples: Samples) -> Samples:
    """Opus of WebM as it was before its times were rounded to milliseconds: heard from a whole one on."""
    if samples.codec != "Opus" or samples.timescale != _MILLISECONDS:
        return samples
    skipped = Fraction(pre_skip(samples.entry), _OPUS_RATE)
    begins = heard(Fraction(samples.decode[0], _MILLISECONDS), skipped, _MILLISECONDS)
    fine = samples.finer(_OPUS_RATE // _MILLISECONDS)
    moved = fine.later(begins - skipped - Fraction(fine.decode[0], fine.timescale))
    return replace(moved, skipped=round(skipped * moved.timescale))


def _shifted(opened: Opened, seconds: Fraction) -> Opened:
    if not seconds:
        return opened
    return {kind: (path, samples.later(seconds)) for kind, (path, samples) in opened.items()}


def joined(parts: Sequence[Opened], target: Path) -> Opened:
    """Tables that follow each other as one, and their bytes in one file; Transient where the media changes."""
    places: dict[Path, int] = {}
    with open(target, "wb") as stream:
        for path in (path for part in parts for path, _ in part.values()):
            if path not in places:
                places[path] = stream.tell()
                append(stream, path)
    whole: Opened = {}
    for kind in parts[0].keys() & parts[-1].keys():
        tables = [part[kind] for part in parts if kind in part]
        scale = math.lcm(*(samples.timescale for _, samples in tables))
        fine = [(places[path], samples.finer(scale // samples.timescale)) for path, samples in tables]
        if len({without_rates(samples.entry) for _, samples in fine}) > 1:
            raise Transient("formats", "an HLS playlist whose media changes at a discontinuity in the clip")
        whole[kind] = (target, _one_behind_the_other(fine))
    return whole


def _one_behind_the_other(tables: Sequence[tuple[int, Samples]]) -> Samples:
    keys: list[int] = []
    count = 0
    for _, samples in tables:
        keys += [count + key for key in (range(len(samples.times)) if samples.keys is None else samples.keys)]
        count += len(samples.times)
    return replace(
        tables[0][1],
        times=tuple(time for _, samples in tables for time in samples.times),
        decode=tuple(time for _, samples in tables for time in samples.decode),
        durations=tuple(lasts for _, samples in tables for lasts in samples.durations),
        offsets=tuple(place + offset for place, samples in tables for offset in samples.offsets),
        sizes=tuple(size for _, samples in tables for size in samples.sizes),
        keys=None if len(keys) == count else tuple(keys),
    )


def _see_that_all_have_some(samples: Samples, sizes: Sequence[int], pauses: bool) -> None:
    """Transient where a piece has no packet, or does not follow the one before."""
    offsets = iter(zip(samples.offsets, samples.times, strict=True))
    behind, counts = 0, []
    places = list(offsets)
    for size in sizes:
        counts.append(sum(behind <= offset < behind + size for offset, _ in places))
        behind += size
    if 0 in counts and not pauses:
        raise Transient("check", f"a piece of a stream has no {samples.kind} in it")
    for number in range(1, len(samples.decode)):
        # A pause may be; another piece in the place of one that is missing goes back, then or behind it.
        ends = samples.decode[number - 1] + samples.durations[number - 1]
        if samples.decode[number] - ends < -LOOSE * samples.timescale:
            raise Transient("check", "a piece of a stream does not follow the one before it")
