"""A splice: the frames of a clip that must be encoded, and between them the source's own packets, as one track.

Sees whether a source can be spliced, has its packets looked at, and puts together what came. Whatever is not as it
should be is NotSpliced, and all frames are encoded: a splice is never less than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import IO

from ..containers.h264 import Unit, Unreadable, joined, see_alike, see_playable, sets_of, unit_of
from ..containers.mp4_writer import TrackOut
from ..containers.samples import Samples
from .cut_plan import Frames
from .encoding import chosen
from .splice_plan import NotSpliced, Splice, plan_splice
from .tracks import copied_video, decode_times, table_of

# The matrix of a picture that is shown as it is: only its upper four numbers turn or mirror it.
_UPRIGHT = (1 << 16, 0, 0, 1 << 16)


@dataclass(frozen=True)
class Spliced:
    """A splice of a picture, and its track's times: ``track`` has all packets, from the one decoded first."""

    picture: Frames
    plan: Splice
    track: TrackOut
    sps_id: int

    @property
    def encoded(self) -> int:
        """How many frames are encoded."""
        return len(self.plan.head) + len(self.plan.tail)

    def decodable(self) -> TrackOut:
        """The packets that are decoded for the frames that are encoded, the first of them at 0."""
        track, zero = self.track, self._zero
        at, keys = [number - self.picture.first for number in self.plan.decoded], frozenset(track.keys or ())
        return replace(
            track,
            decode=[track.decode[n] - zero for n in at],
            times=[track.times[n] - zero for n in at],
            durations=[track.durations[n] for n in at],
            offsets=[track.offsets[n] for n in at],
            sizes=[track.sizes[n] for n in at],
            keys=None if track.keys is None else [place for place, n in enumerate(at) if n in keys],
            starts=None,
        )

    def frames(self) -> str:
        """The filter that lets the frames pass that are encoded, with no pause between them."""
        edges = [self._ticks_of(part) for part in (self.plan.head, self.plan.tail) if part]
        if len(edges) == 1:
            return chosen(*edges[0])
        (first, last), (again, end) = edges
        both = f"select='between(pts,{first},{last - 1})+between(pts,{again},{end - 1})'"
        return f"{both},setpts='PTS-if(lt(PTS,{again}),{first},{again - self._head_lasts})'"

    def _ticks_of(self, part: Sequence[int]) -> tuple[int, int]:
        """The first tick of some frames that are shown one after the other, and the one behind the last."""
        ticks, first, zero = self.track.times, self.picture.first, self._zero
        return ticks[part[0] - first] - zero, ticks[part[-1] - first] - zero + 1

    @property
    def _zero(self) -> int:
        """The tick at which the first packet is decoded that must be."""
        return self.track.decode[self.plan.decoded[0] - self.picture.first]

    @property
    def _head_lasts(self) -> int:
        """The ticks from the first frame to the first that is copied."""
        ticks, first = self.track.times, self.picture.first
        return ticks[self.plan.copied[0] - first] - ticks[self.plan.head[0] - first] if self.plan.head else 0

    def encoded_ticks(self) -> list[int]:
        """When each frame that is encoded is shown, on the encoder's clock."""
        ticks, first, plan = self.track.times, self.picture.first, self.plan
        head = [ticks[n - first] - ticks[plan.head[0] - first] for n in plan.head]
        return head + [ticks[n - first] - ticks[plan.tail[0] - first] + self._head_lasts for n in plan.tail]


def spliced(picture: Frames) -> Spliced:
    """See how a picture can be spliced; NotSpliced where it cannot."""
    samples = picture.material.samples
    if samples.matrix and not _is_upright(samples.matrix):
        raise NotSpliced("it is turned")
    try:
        sets = sets_of(samples.entry)
        see_playable(sets.read())
        sps_id = sets.free_id()
        known = {*sets.sps, *sets.pps}
        units = dict(_units(picture))
    except Unreadable as error:
        raise NotSpliced(str(error)) from error
    if any(unit.sets - known for unit in units.values()):
        raise NotSpliced("its packets have parameter sets of their own")
    return Spliced(picture, plan_splice(picture, units), copied_video(picture), sps_id)


def _is_upright(matrix: bytes) -> bool:
    numbers = [int.from_bytes(matrix[at : at + 4], "big", signed=True) for at in (0, 4, 12, 16)]
    return tuple(numbers) == _UPRIGHT


def _units(picture: Frames) -> Iterator[tuple[int, Unit]]:
    samples = picture.material.samples
    with open(picture.material.path, "rb") as stream:
        for number in range(picture.first, picture.last + 1):
            yield number, unit_of(_read(stream, samples.offsets[number], samples.sizes[number]))


def _read(stream: IO[bytes], offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(size)


@dataclass(frozen=True)
class _Packet:
    """One packet of the result: its frame's place among all that are shown, and where its bytes lie."""

    place: int
    path: Path
    offset: int
    size: int


def put_together(splice: Spliced, encoded: Path | None, path: Path) -> TrackOut:
    """The track of all frames, its packets in ``path``. ``encoded``: what an encoder made of those it had to.

    NotSpliced where that is not what it should be.
    """
    entry, head, tail = splice.track.entry, list[_Packet](), list[_Packet]()
    if encoded is not None:
        made = table_of(encoded)
        entry = _with_both(entry, made.entry)
        head, tail = _of_encoder(splice, made, encoded)
    packets = [*head, *_copied(splice), *tail]
    keys = _write(packets, path)
    if 0 not in keys or (tail and len(packets) - len(tail) not in keys):
        raise NotSpliced("the encoder begins with no IDR picture")
    return _track(splice, entry, packets, keys, path)


def _with_both(entry: bytes, made: bytes) -> bytes:
    """The description with the encoder's sets besides, if its pictures are like the source's."""
    try:
        see_alike(sets_of(entry).read(), sets_of(made).read())
        return joined(entry, made)
    except Unreadable as error:
        raise NotSpliced(str(error)) from error


def _of_encoder(splice: Spliced, made: Samples, path: Path) -> tuple[list[_Packet], list[_Packet]]:
    """The encoder's packets before and behind the copied ones."""
    ticks, heads, copied = splice.encoded_ticks(), len(splice.plan.head), len(splice.plan.copied)
    if len(made.times) != len(ticks):
        raise NotSpliced(f"{len(made.times)} frames were encoded instead of {len(ticks)}")
    order = sorted(range(len(ticks)), key=lambda number: made.times[number])
    zero, slack = made.times[order[0]], splice.track.timescale // 1000
    if any(abs(made.times[n] - zero - due) > slack for n, due in zip(order, ticks, strict=True)):
        raise NotSpliced("the source gives its frames other times than its decoder does")
    if any(number >= heads for number in order[:heads]):
        raise NotSpliced("the encoder mixes what is shown before and behind")
    places = {number: place if place < heads else place + copied for place, number in enumerate(order)}
    packets = [_Packet(places[n], path, made.offsets[n], made.sizes[n]) for n in range(len(order))]
    return packets[:heads], packets[heads:]


def _copied(splice: Spliced) -> Iterator[_Packet]:
    """The source's packets that are kept."""
    samples, path = splice.picture.material.samples, splice.picture.material.path
    places = {number: place for place, number in enumerate(splice.picture.frames)}
    for number in splice.plan.copied:
        yield _Packet(places[number], path, samples.offsets[number], samples.sizes[number])


def _write(packets: Sequence[_Packet], path: Path) -> list[int]:
    """Write packets one behind the other; returns which of them are IDR pictures."""
    keys = []
    with ExitStack() as stack:
        target = stack.enter_context(open(path, "wb"))
        streams = {each: stack.enter_context(open(each, "rb")) for each in {packet.path for packet in packets}}
        for number, packet in enumerate(packets):
            held = _read(streams[packet.path], packet.offset, packet.size)
            target.write(held)
            try:
                keys += [number] if unit_of(held).idr else []
            except Unreadable as error:
                raise NotSpliced(str(error)) from error
    return keys


def _track(splice: Spliced, entry: bytes, packets: Sequence[_Packet], keys: Sequence[int], path: Path) -> TrackOut:
    """Packets in the order in which they are decoded, each at its time, and decoded no later than that."""
    picture, track = splice.picture, splice.track
    due = [round(time * track.timescale) for time in picture.times]
    behind = [*due[1:], max(due[-1] + 1, round(picture.ends * track.timescale))]
    times = [due[packet.place] for packet in packets]
    return replace(
        track,
        entry=entry,
        decode=decode_times(due, times),
        times=times,
        durations=[behind[packet.place] - due[packet.place] for packet in packets],
        path=path,
        offsets=list(accumulate((packet.size for packet in packets[:-1]), initial=0)),
        sizes=[packet.size for packet in packets],
        keys=keys,
        starts=due[0],
        waits=due[0],
        lasts=behind[-1] - due[0],
        matrix=b"",
    )
