"""Streams that an index in front cuts into fragments: MP4 by its sidx, WebM by its Cues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from ..containers import fragments, webm
from ..containers.boxes import BrokenBox, box_at
from ..containers.movie_fragments import first_fragment, read_defaults, read_fragments
from ..containers.mp4 import NoTable, read_moov
from ..containers.samples import Samples
from ..containers.timeline import Begin, begin_of, begins
from ..core.errors import Transient
from ..core.files import mapped
from ..media.demux import Opened, first_of_each, remuxed, without_padding
from ..media.ffmpeg import Ffmpeg
from ..sources.streams import Stream
from .byte_reader import ByteReader, append
from .stream import InUnits

# How far the index and a fragment may disagree on when it begins: what is a whole fragment off is another one.
_OFF = Fraction(1, 2)
# Bytes that are asked for behind a head to see how its first fragment begins.
_A_LITTLE = 4096
_MOST_OF_A_HEADER = 16 << 20
_NANOSECONDS = 1_000_000_000
# Bytes behind what an index speaks of that are taken for the end of another track.
_TAIL = 4 << 20
# Clusters at the beginning in which each track has to begin.
_BEGINS_WITHIN = 3


def moov_in(init: bytes) -> bytes:
    """The moov box among the boxes of an init segment; NoTable where there is none."""
    at = 0
    try:
        while (box := box_at(init, at)) is not None and box.end <= len(init):
            if box.kind == b"moov":
                return init[box.start : box.end]
            at = box.end
    except BrokenBox as error:
        raise NoTable(str(error)) from error
    raise NoTable("no moov box")


class Fragments(InUnits):
    """A fragmented MP4 with a sidx in front."""

    def __init__(self, reader: ByteReader, stream: Stream, index: fragments.Index, head: bytes) -> None:
        """``head``: the first bytes of the stream, as far as they are here. Raises NoTable."""
        super().__init__([Fraction(time, index.timescale) for time in index.times])
        self._reader = reader
        self._stream = stream
        self._index = index
        self._head = head
        moov = moov_in(index.init)
        self._heads = {track.track: track for track in read_moov(moov)}
        self._defaults = read_defaults(moov)
        self.together = len(self._heads) > 1
        self._begins: dict[str, Begin] = {}
        self._zero: Fraction | None = None

    def kinds(self) -> Sequence[str]:
        return [track.kind for track in self._heads.values()]

    def begin(self, kind: str) -> Begin:
        if not self._begins:
            self._begins = self._first()
        if kind not in self._begins:
            raise Transient("check", f"no {kind} in a stream's first fragment")
        return self._begins[kind]

    def _first(self) -> dict[str, Begin]:
        """Where each track begins. Of sound alone the index tells, where it does not begin later than at 0.

        Of pictures it need not: with B-frames, ffmpeg before 8 names 0 where the first is shown later.
        """
        if not self.together:
            (head,) = self._heads.values()
            if self._index.earliest == 0 and head.kind == "audio":
                first = Fraction(head.since if head.shift is not None else head.skipped, head.timescale)
                return {head.kind: begins(head, first, first, Fraction(head.shift or 0, head.timescale))}
        return {track.kind: found for track in self._first_packets() if (found := begin_of(track)) is not None}

    def _first_packets(self) -> list[Samples]:
        """The packets of each track in the first fragment, by its header alone."""
        at = self._index.offsets[0]
        tracks = self._first_of(self._head[at:])
        asked = _A_LITTLE
        while tracks is None:
            end = min(at + asked, self._index.offsets[1])
            if end == at + len(self._head[at:]):
                raise Transient("check", "a first fragment without a header")
            if asked > _MOST_OF_A_HEADER:
                raise Transient("check", f"a first fragment with a header of more than {asked // 4} bytes")
            self._head = self._head[:at] + self._reader.body(self._stream, at, end - 1).read_bytes()
            tracks = self._first_of(self._head[at:])
            asked *= 4
        if not tracks[0].times:
            raise Transient("check", "a first fragment without a packet")
        return tracks

    def _first_of(self, begins: bytes) -> list[Samples] | None:
        """The packets of the fragment that begins so; None where its header is not whole."""
        try:
            return first_fragment(self._heads, self._defaults, begins)
        except NoTable as error:
            raise Transient("check", f"a damaged first fragment: {error}") from error

    def zero(self, kind: str) -> Fraction:
        if self._zero is None:
            self._zero = self._first_unit()
        return self._zero

    def _first_unit(self) -> Fraction:
        head, index = next(iter(self._heads.values())), self._index
        earliest = Fraction(index.earliest, index.timescale)
        if not head.shift:
            return earliest
        # Some muxers' indexes count with the edit list, others without it: the first fragment tells.
        here = self._first_of(self._head[index.offsets[0] :])
        if here is None and not earliest:
            return Fraction(head.shift, head.timescale)
        return Fraction(min(self._first_packets()[0].times), head.timescale)

    def ends(self, kind: str) -> Fraction | None:
        # Of several tracks, the index tells of one.
        return None if self.together else self.zero(kind) + self._index.duration

    def load(self, first: int, last: int) -> Opened:
        index = self._index
        begins, behind = index.offsets[first], index.offsets[last + 1]
        if self.together and last == len(index.times) - 2:
            # The index is one track's: another may go on in fragments of its own behind the last.
            size = self._stream.size or 0
            behind = size if behind < size <= behind + _TAIL else behind
        path = self._reader.body(self._stream, begins, behind - 1)
        span = fragments.FragmentRange(begins, behind - 1, Fraction(index.times[first], index.timescale))
        with mapped(path) as body:
            if damage := fragments.check_boxes(index, span, body):
                raise Transient("check", f"a damaged fragment: {damage}")
            try:
                tracks = read_fragments(self._heads, self._defaults, body, begins)
            except NoTable as error:
                raise Transient("check", f"a damaged fragment: {error}") from error
        opened = first_of_each(path, list(tracks.values()))
        self._compare(opened, first, last)
        return opened

    def _compare(self, opened: Opened, first: int, last: int) -> None:
        """Transient where a fragment is not the one of which the index speaks."""
        index = self._index
        kind = next(iter(self._heads.values())).kind
        if kind not in opened:
            raise Transient("check", f"no {kind} in the fragments that the index names")
        samples = opened[kind][1]
        base = index.offsets[first]
        starts = [index.offsets[number] - base for number in range(first, last + 2)]
        number = first
        found: list[int | None] = [None] * (last - first + 1)
        for time, offset in zip(samples.times, samples.offsets, strict=True):
            while offset >= starts[number - first + 1] and number < last:
                number += 1
            known = found[number - first]
            found[number - first] = time if known is None else min(known, time)
        for start, at in zip(self._starts[first : last + 1], found, strict=True):
            due = self.zero(kind) + start
            if at is None or abs(Fraction(at, samples.timescale) - due) > _OFF:
                raise Transient("check", f"the fragment at {float(due):.3f} s is not there")


class _First(NamedTuple):
    """The seconds at which a track's first packet ``starts``, and at which it is ``shown`` or heard."""

    starts: Fraction
    shown: Fraction


class Clusters(InUnits):
    """A WebM with its Cues in front."""

    def __init__(self, reader: ByteReader, stream: Stream, index: fragments.Index, ffmpeg: Ffmpeg) -> None:
        super().__init__([Fraction(time, index.timescale) for time in index.times])
        self._reader = reader
        self._stream = stream
        self._index = index
        self._ffmpeg = ffmpeg
        self._delay = Fraction(index.delay, 48_000)
        self._earliest = Fraction(index.earliest, index.timescale)
        self._firsts: dict[str, _First] = {}
        self.together = len(index.tracks) > 1

    def kinds(self) -> Sequence[str]:
        return self._index.tracks

    def first_packet(self, kind: str) -> Fraction:
        """The second at which the first packet of a track begins."""
        return self._first(kind).starts

    def begin(self, kind: str) -> Begin:
        shown = self._first(kind).shown
        return Begin(shown, shown, shown)

    def zero(self, kind: str) -> Fraction:
        return self._earliest

    def _first(self, kind: str) -> _First:
        if not self._firsts:
            self._firsts = self._read_firsts() if self.together else {kind: self._told()}
        if kind not in self._firsts:
            raise Transient("check", f"no {kind} in the first clusters of a stream")
        return self._firsts[kind]

    def _told(self) -> _First:
        """What the index says of a stream by itself: Cues count from what is heard."""
        return _First(self._earliest - self._delay, self._earliest)

    def _read_firsts(self) -> dict[str, _First]:
        """The Cues of several tracks are those of one: the clusters tell."""
        for last in range(min(_BEGINS_WITHIN, len(self._index.times) - 1)):
            opened = self._tables(0, last)
            if len(opened) == len(self._index.tracks):
                break
        firsts = {}
        for kind, (_, samples) in opened.items():
            starts = shown = Fraction(min(samples.times), samples.timescale)
            if kind == "audio":
                shown = webm.heard(starts, self._delay, self._index.timescale)
                starts = shown - self._delay
            firsts[kind] = _First(starts, shown)
        return firsts

    def ends(self, kind: str) -> Fraction | None:
        return None if self.together else self.zero(kind) + self._index.duration

    def load(self, first: int, last: int) -> Opened:
        # A track may end before another does, in any cluster.
        with mapped(self._media(first, last)) as body:
            padding = webm.last_padding(body)
        opened = self._tables(first, last)
        return {kind: (file, self._heard(samples, padding)) for kind, (file, samples) in opened.items()}

    def _media(self, first: int, last: int) -> Path:
        return self._reader.body(self._stream, self._index.offsets[first], self._index.offsets[last + 1] - 1)

    def _tables(self, first: int, last: int) -> Opened:
        """Clusters ``first``..``last``, with the times that they have."""
        media = self._media(first, last)
        with mapped(media) as body:
            if damage := webm.check_clusters(self._index, self._index.offsets[first], body):
                raise Transient("check", f"a damaged fragment: {damage}")
        path = self._reader.file("clusters")
        with open(path, "wb") as target:
            target.write(self._index.init)
            append(target, media)
        return remuxed(path, "matroska", self._ffmpeg, self._reader.folder, begins=False)

    def _heard(self, samples: Samples, padding: int) -> Samples:
        """What an encoder put behind the last sample, and of Opus before the first, is not heard."""
        if samples.codec != "Opus":
            return without_padding(samples, padding)
        fine = samples.finer(_NANOSECONDS // samples.timescale)
        since = round(self._first(samples.kind).shown * _NANOSECONDS)
        return replace(without_padding(fine, padding), shift=0, since=since)
