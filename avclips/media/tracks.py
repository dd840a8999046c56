"""What is written of a plan: a clip's packets as tracks of a file.

Packets stay as they are; what a track says of them, when each is decoded and shown, and what of it is hidden, is
told here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..containers.mp4 import NoTable, read_file
from ..containers.mp4_writer import TrackOut, Unwritable, write_mp4
from ..containers.samples import Samples
from ..core.errors import Transient
from .cut_plan import FINE, Frames, Sound


def write(path: Path, tracks: Sequence[TrackOut]) -> None:
    """Packets in a file; Transient where their source gives them times that none can have."""
    try:
        write_mp4(path, tracks)
    except Unwritable as error:
        raise Transient("check", str(error)) from error


def copied_video(picture: Frames) -> TrackOut:
    """The packets of a clip's frames, from a key frame, in ticks that are fine enough; decoded from 0 on."""
    samples, material = picture.material.samples, picture.material
    times = -(-FINE // samples.timescale) if samples.timescale < FINE else 1
    numbers = range(picture.first, picture.last + 1)
    zero = samples.decode[picture.first]
    shown = [(samples.times[number] - zero) * times for number in numbers]
    timescale = samples.timescale * times
    first = (samples.times[picture.frames[0]] - zero) * times
    return TrackOut(
        *("video", samples.entry, timescale),
        decode=[(samples.decode[number] - zero) * times for number in numbers],
        times=shown,
        durations=[samples.durations[number] * times for number in numbers],
        path=material.path,
        offsets=[samples.offsets[number] for number in numbers],
        sizes=[samples.sizes[number] for number in numbers],
        keys=None if samples.keys is None else [key - picture.first for key in samples.keys if key in numbers],
        starts=first,
        waits=round(picture.times[0] * timescale),
        lasts=round((picture.ends - picture.times[0]) * timescale),
        width=samples.width,
        height=samples.height,
        matrix=samples.matrix,
    )


def retimed(picture: Frames, track: TrackOut, encoded: Path) -> TrackOut:
    """The frames as they were encoded, each at its time: what ffmpeg's own muxer would round, or leave out."""
    samples = table_of(encoded)
    due = [round(time * track.timescale) for time in picture.times]
    if len(samples.times) != len(due):
        raise Transient("check", f"{len(samples.times)} frames were encoded instead of {len(due)}")
    order = sorted(range(len(due)), key=lambda number: samples.times[number])
    times, durations = [0] * len(due), [0] * len(due)
    behind = [*due[1:], max(due[-1] + 1, round(picture.ends * track.timescale))]
    for place, number in enumerate(order):
        times[number], durations[number] = due[place], behind[place] - due[place]
        if (
            abs((samples.times[number] - samples.times[order[0]]) - (due[place] - due[0]))
            > track.timescale // 1000
        ):
            raise Transient("check", "the source gives its frames other times than its decoder does")
    return TrackOut(
        *("video", samples.entry, track.timescale),
        decode=decode_times(due, times),
        times=times,
        durations=durations,
        path=encoded,
        offsets=samples.offsets,
        sizes=samples.sizes,
        keys=samples.keys,
        starts=due[0],
        waits=due[0],
        lasts=behind[-1] - due[0],
        width=samples.width,
        height=samples.height,
    )


def decode_times(due: Sequence[int], times: Sequence[int]) -> list[int]:
    """When packets are decoded, in that order: as frames are shown, and so much earlier that none comes late.

    ``due``: when frames are shown, in the order of showing; ``times``: the same in the order of decoding. Each IDR
    picture is then as far ahead as the first. Where one is a tick less, as encoders round, libav takes a jump to
    its time for one to the key picture before.
    """
    delay = max(at - shown for at, shown in zip(due, times, strict=True))
    return [at - delay for at in due]


def table_of(path: Path) -> Samples:
    try:
        tracks = [track for track in read_file(path) if track.kind == "video"]
    except NoTable as error:
        raise Transient("check", f"{path.name}: {error}") from error
    if not tracks:
        raise Transient("check", "no frame of the clip could be decoded")
    return tracks[0]


def copied_sound(sound: Sound) -> TrackOut:
    """The packets of a clip's sound, those before that prepare the decoder hidden."""
    zero = _zero(sound, sound.copied)
    track = _close_up(_sound_track(sound, sound.copied), sound.heard - zero)
    moved, behind = track.times[0], sound.ends - zero
    # What an edit list leaves out at the end, some readers pass over; all heed how long the last packet lasts.
    durations = [*track.durations[:-1], behind - track.times[-1]]
    lasts = sound.ends - sound.heard
    if sound.heard - zero >= track.times[-1]:
        # Where an edit list ends in the packet in which it begins, libav counts what is hidden from the end.
        lasts += durations[-1]
    return replace(
        track,
        decode=[time - moved for time in track.decode],
        times=[time - moved for time in track.times],
        durations=durations,
        starts=sound.heard - zero - moved,
        waits=sound.heard - sound.begin,
        lasts=lasts,
    )


def _close_up(track: TrackOut, heard: int) -> TrackOut:
    """The packets before the one that is heard first, each up to the next: a pause between them is no lead-in."""
    times = list(track.times)
    first = next(n for n, time in enumerate(times) if time + track.durations[n] > heard)
    for number in range(first - 1, -1, -1):
        times[number] = times[number + 1] - track.durations[number]
    return replace(track, times=times, decode=times)


def decodable_sound(sound: Sound) -> TrackOut:
    """The packets that are decoded for a clip, none of them hidden."""
    track = _sound_track(sound, range(sound.first, sound.last + 1))
    if sound.material.samples.codec == "Opus":
        track = replace(track, entry=_unskipped(track.entry))
    return track


def _unskipped(entry: bytes) -> bytes:
    """A description of Opus whose decoder passes over nothing: the first packet need not be the stream's."""
    at = entry.find(b"dOps")
    return entry if at < 0 else entry[: at + 6] + bytes(2) + entry[at + 8 :]


def _zero(sound: Sound, numbers: range) -> int:
    return sound.material.samples.decode[numbers[0]]


def _sound_track(sound: Sound, numbers: range) -> TrackOut:
    samples, zero = sound.material.samples, _zero(sound, numbers)
    return TrackOut(
        *("audio", samples.entry, samples.timescale),
        decode=[samples.decode[number] - zero for number in numbers],
        times=[samples.times[number] - zero for number in numbers],
        durations=[samples.durations[number] for number in numbers],
        path=sound.material.path,
        offsets=[samples.offsets[number] for number in numbers],
        sizes=[samples.sizes[number] for number in numbers],
    )
