"""A splice: the frames of a clip that must be encoded, and between them the source's own packets, as one track.

Sees whether a source can be spliced, has its packets looked at, and puts together what came. Whatever is not as it
should be is NotSpliced, and all frames are encoded: a splice is never less than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from .cutting import Picture
from .h264 import Unit, Unreadable, joined, see_alike, see_playable, sets_of, unit_of
from .mp4 import Samples
from .mp4_writer import TrackOut
from .splice_plan import NotSpliced, Splice, plan_splice
from .tracks import copied_picture, table_of

# The matrix of a picture that is shown as it is: only its upper four numbers turn or mirror it.
_UPRIGHT = (1 << 16, 0, 0, 1 << 16)


@dataclass(frozen=True)
class Spliced:
    """A splice of a picture, and its track's times: ``track`` has all packets, from the one decoded first."""

    picture: Picture
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
        spans = [self._span(part) for part in (self.plan.head, self.plan.tail) if part]
        if len(spans) == 1:
            (first, behind) = spans[0]
            return f"trim=start_pts={first}:end_pts={behind},setpts=PTS-{first}"
        (first, last), (again, end) = spans
        chosen = f"select='between(pts,{first},{last - 1})+between(pts,{again},{end - 1})'"
        return f"{chosen},setpts='PTS-if(lt(PTS,{again}),{first},{again - self._head_lasts})'"

    def _span(self, part: Sequence[int]) -> tuple[int, int]:
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


def spliced(picture: Picture) -> Spliced:
    """See how a picture can be spliced; NotSpliced where it cannot."""
    samples = picture.material.samples
    if samples.descriptions != 1:
        raise NotSpliced(f"it has {samples.descriptions} descriptions")
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
    return Spliced(picture, plan_splice(picture, units), copied_picture(picture), sps_id)


def _is_upright(matrix: bytes) -> bool:
    numbers = [int.from_bytes(matrix[at : at + 4], "big", signed=True) for at in (0, 4, 12, 16)]
    return tuple(numbers) == _UPRIGHT


def _units(picture: Picture) -> Iterator[tuple[int, Unit]]:
    samples = picture.material.samples
    with open(picture.material.path, "rb") as stream:
        for number in range(picture.first, picture.last + 1):
            yield number, unit_of(_packet(stream, samples, number))


def _packet(stream: IO[bytes], samples: Samples, number: int) -> bytes:
    stream.seek(samples.offsets[number])
    return stream.read(samples.sizes[number])


def put_together(splice: Spliced, encoded: Path | None, path: Path) -> TrackOut:
    """The track of all frames, its packets in ``path``. ``encoded``: what an encoder made of those it had to.

    NotSpliced where that is not what it should be.
    """
    picture, plan, track = splice.picture, splice.plan, splice.track
    source, entry = picture.material.samples, track.entry
    due = [round(time * track.timescale) for time in picture.times]
    place_of = {number: place for place, number in enumerate(picture.frames)}
    copied = [(place_of[number], number) for number in plan.copied]
    head: list[tuple[int, int]] = []
    tail: list[tuple[int, int]] = []
    made: Samples | None = None
    if encoded is not None:
        made = table_of(encoded)
        entry = _with_both(entry, made.entry)
        head, tail = _of_encoder(splice, made)
    packets = [*((encoded, made, *each) for each in head)]
    packets += [(picture.material.path, source, *each) for each in copied]
    packets += [(encoded, made, *each) for each in tail]
    places, sizes, keys = [], [], []
    streams = {each: open(each, "rb") for each in (encoded, picture.material.path) if each}  # noqa: SIM115
    try:
        with open(path, "wb") as target:
            for number, (file, samples, place, at) in enumerate(packets):
                assert file is not None and samples is not None
                packet = _packet(streams[file], samples, at)
                target.write(packet)
                places.append(place)
                sizes.append(len(packet))
                if _unit(packet).idr:
                    keys.append(number)
    finally:
        for stream in streams.values():
            stream.close()
    if 0 not in keys or (tail and len(packets) - len(tail) not in keys):
        raise NotSpliced("the encoder begins with no IDR picture")
    return _track(track, picture, entry, due, places, path, sizes, keys)


def _unit(packet: bytes) -> Unit:
    try:
        return unit_of(packet)
    except Unreadable as error:
        raise NotSpliced(str(error)) from error


def _with_both(entry: bytes, made: bytes) -> bytes:
    """The description with the encoder's sets besides, if its pictures are like the source's."""
    try:
        see_alike(sets_of(entry).read(), sets_of(made).read())
        return joined(entry, made)
    except Unreadable as error:
        raise NotSpliced(str(error)) from error


def _of_encoder(splice: Spliced, made: Samples) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The encoder's packets before and behind the copied ones: each frame's place among all, and its packet."""
    ticks, plan = splice.encoded_ticks(), splice.plan
    if len(made.times) != len(ticks):
        raise NotSpliced(f"{len(made.times)} frames were encoded instead of {len(ticks)}")
    order = sorted(range(len(ticks)), key=lambda number: made.times[number])
    zero = made.times[order[0]]
    slack = splice.track.timescale // 1000
    if any(abs(made.times[n] - zero - due) > slack for n, due in zip(order, ticks, strict=True)):
        raise NotSpliced("the source gives its frames other times than its decoder does")
    heads = len(plan.head)
    rank = {number: place for place, number in enumerate(order)}
    if any((rank[number] < heads) != (number < heads) for number in rank):
        raise NotSpliced("the encoder mixes what is shown before and behind")
    head = [(rank[number], number) for number in range(heads)]
    return head, [(rank[number] + len(plan.copied), number) for number in range(heads, len(ticks))]


def _track(
    track: TrackOut,
    picture: Picture,
    entry: bytes,
    due: Sequence[int],
    places: Sequence[int],
    path: Path,
    sizes: Sequence[int],
    keys: Sequence[int],
) -> TrackOut:
    """Packets in the order in which they are decoded, each at its time, and decoded no later than that."""
    behind = [*due[1:], max(due[-1] + 1, round(picture.ends * track.timescale))]
    times = [due[place] for place in places]
    delay = max(at - shown for at, shown in zip(due, times, strict=True))
    offsets = [0]
    for size in sizes[:-1]:
        offsets.append(offsets[-1] + size)
    return replace(
        track,
        entry=entry,
        decode=[at - delay for at in due],
        times=times,
        durations=[behind[place] - due[place] for place in places],
        path=path,
        offsets=offsets,
        sizes=sizes,
        keys=keys,
        starts=due[0],
        waits=due[0],
        lasts=behind[-1] - due[0],
        matrix=b"",
    )
