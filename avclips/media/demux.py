"""A local media file of any kind as tables of packets, and a file in which their bytes lie.

An MP4 is read as it is, plain or in fragments. What is in another container is put into an MP4 by ffmpeg, packet
by packet, and keeps the times that its own container has. What a file is its first bytes say, not its name: ffmpeg
is told, and never guesses (a playlist of other files is no media).
"""

from __future__ import annotations

import itertools
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from ..containers import webm
from ..containers.movie_fragments import children, read_defaults, read_fragments
from ..containers.mp4 import NoTable, read_file, read_moov
from ..containers.mpeg_ts import copy_without_names
from ..containers.sample_entry import pre_skip
from ..containers.samples import Samples, column
from ..containers.timeline import samples_of_packet, standing
from ..core.errors import Transient
from ..core.files import mapped
from .ffmpeg import READING, UNDECODED, Ffmpeg
from .file_type import container_of
from .measure import MAX_PACKETS, read_framecrc

# Codecs that an MP4 cannot hold are put there as what is the same, frame by frame: H.264 without loss.
_LOSSLESS = ("-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", "-threads", "1", "-pix_fmt", "yuv420p")
_WORDS_OF_THE_MUXER = ("could not find tag", "codec not currently supported", "not supported in")
# Packets that are decoded to see where a sound begins. By seconds, ffmpeg would count from 0, not from the first.
_A_FEW = "25"
_OPUS_RATE = 48_000
# MP3, and what came before it, as MP4 names them.
_MPEG_AUDIO = ("mp4a.6b", "mp4a.69")
# Packets at the beginning that a decoder needs and gives nothing for, as of Vorbis.
_SILENT_AT_MOST = 2
_RISING = ("-bsf:v", "setts=pts=PTS:dts=max(DTS\\,PREV_OUTDTS+1)")
# Containers that do not say what is in them.
_UNTOLD = ("mpegts", "mpeg", "flv")

Opened = dict[str, tuple[Path, Samples]]


def open_file(path: Path, ffmpeg: Ffmpeg, folder: Path) -> Opened:
    """The picture ("video") and the sound ("audio") of a file: where the bytes lie, and the packets.

    ``folder``: for what is made on the way. Transient where it is broken, or no media.
    """
    kind = container_of(path)
    if kind == "mpegts":
        named, path = path, folder / f"{path.name}.ts"
        _write_without_names(named, path)
    if kind != "mov":
        return remuxed(path, kind, ffmpeg, folder)
    try:
        tracks = _tables(path)
    except NoTable as error:
        raise Transient("formats", f"an MP4 that cannot be read: {error}") from error
    if any(track.is_quicktime for track in tracks):
        return remuxed(path, kind, ffmpeg, folder)
    return first_of_each(path, tracks)


def first_of_each(path: Path, tracks: Sequence[Samples]) -> Opened:
    """The first track of each kind that has packets, covers (one picture for a whole film) left aside."""
    found: Opened = {}
    for track in map(without_empty, tracks):
        if track.times and track.kind not in found and track.codec not in ("jpeg", "png "):
            found[track.kind] = (path, track)
    return found


def without_empty(track: Samples) -> Samples:
    """Pictures without packets of no byte: where those stand, the picture before goes on, as decoders have it."""
    if track.kind != "video" or all(track.sizes):
        return track
    held = [number for number, size in enumerate(track.sizes) if size]
    ends = max(map(int.__add__, track.times, track.durations))
    kept = track.only(held)
    if not held:
        return kept
    lasts = list(standing(kept.times, kept.durations))
    last = max(range(len(held)), key=kept.times.__getitem__)
    lasts[last] = ends - kept.times[last]
    return replace(kept, durations=column(lasts, len(lasts)))


def _tables(path: Path) -> list[Samples]:
    tracks = read_file(path)
    if any(track.times for track in tracks):
        return tracks
    with mapped(path) as data:
        boxes = list(children(data, 0, len(data)))
        moov = next(data[box.start : box.end] for box in boxes if box.kind == b"moov")
        heads = {track.track: track for track in read_moov(moov)}
        return list(read_fragments(heads, read_defaults(moov), data).values())


@dataclass
class _Listed:
    """One stream as ffmpeg lists its packets, in the order of decoding."""

    ticks: Fraction = Fraction(1)
    kind: str = ""
    rate: int = 0
    decode: array[int] = field(default_factory=lambda: array("q"))
    times: array[int] = field(default_factory=lambda: array("q"))
    durations: array[int] = field(default_factory=lambda: array("q"))


def remuxed(
    path: Path,
    kind: str,
    ffmpeg: Ffmpeg,
    folder: Path,
    begins: bool = True,
    kinds: Sequence[str] = ("video", "audio"),
) -> Opened:
    """The packets of a file that is no MP4, in an MP4, with the times of the file.

    ``kind``: ffmpeg's name of its container. ``begins``: the file begins where its stream does, and what its
    container hides at the beginning is looked for. ``kinds``: of tracks that are wanted.
    """
    target = folder / f"{path.name}.remuxed.mp4"
    try:
        listing = _remux(path, kind, kinds, ("-c", "copy"), target, ffmpeg)
    except Transient as error:
        if not any(words in error.detail.lower() for words in _WORDS_OF_THE_MUXER):
            raise
        listing = _remux(path, kind, kinds, (*_LOSSLESS, "-c:a", "copy"), target, ffmpeg)
    try:
        tables = {track.kind: track for track in read_file(target) if track.times}
    except NoTable as error:
        raise Transient("media", f"what ffmpeg made of it cannot be read: {error}") from error
    listed = {each.kind: each for each in _read_listing(listing).values() if each.times}
    opened: Opened = {}
    for name, table in tables.items():
        if name not in listed or len(listed[name].times) != len(table.times):
            raise Transient("media", f"ffmpeg lists other packets of {name} than it wrote")
        opened[name] = (target, _with_times(table, listed[name], untold=kind == "matroska"))
    if begins and "audio" in opened:
        listed_sound = opened["audio"][1]
        sound = _heard_from(path, kind, ffmpeg, listed_sound)
        if kind == "matroska":
            if sound.codec == "Opus":
                sound = _skipping(sound.finer(1_000_000), listed_sound.timescale)
            sound = without_padding(sound, _padding_of(path))
        opened["audio"] = (target, sound)
    return opened


def _skipping(opus: Samples, ticks: int) -> Samples:
    """Opus that is heard from where its container says; its packets begin before that by what is skipped.

    ``ticks``: those of the container in a second, to which its times are rounded.
    """
    if opus.shift is None:
        return opus
    skipped = Fraction(pre_skip(opus.entry), _OPUS_RATE)
    first = Fraction(opus.times[0], opus.timescale)
    heard = webm.heard(first, skipped, ticks)
    moved = opus.later(heard - skipped - first)
    return replace(moved, since=round(heard * moved.timescale))


def _write_without_names(source: Path, target: Path) -> None:
    with open(source, "rb") as stream, open(target, "wb") as to:
        copy_without_names(stream, to)


def _padding_of(path: Path) -> int:
    with mapped(path) as data:
        return webm.last_padding(data, webm.inside_segment(data))


def without_padding(sound: Samples, padding: int) -> Samples:
    """Sound without the ``padding`` nanoseconds at its end that are not heard, as Matroska says of a last packet.

    Of Opus the last packet is made shorter, in ticks that are fine enough to say so.
    """
    rate = _OPUS_RATE if sound.codec == "Opus" else sound.sample_rate
    held = samples_of_packet(sound, rate) if rate else None
    if not padding or held is None:
        return sound
    lasts = Fraction(held, rate) - Fraction(padding, 1_000_000_000)
    if sound.codec == "Opus":
        return replace(sound, durations=(*sound.durations[:-1], max(1, round(lasts * sound.timescale))))
    fine = sound.finer(rate)
    since = fine.times[0] if fine.shift is None else fine.since
    return replace(fine, shift=fine.shift or 0, since=since, until=fine.times[-1] + round(lasts * fine.timescale))


def _remux(
    path: Path, kind: str, kinds: Sequence[str], codecs: Sequence[str], target: Path, ffmpeg: Ffmpeg
) -> Iterable[str]:
    streams = [word for each in kinds for word in ("-map", f"0:{each[0]}:0?")]
    # A track may begin late in a stream that does not say what it has.
    patient = ("-probesize", "50M", "-analyzeduration", "600M") if kind in _UNTOLD else ()
    words: list[str | Path] = ["-copyts", "-fflags", "+genpts", *patient, *READING, "-f", kind, "-i", path]
    # The muxer takes times that rise alone; those that count are in the listing.
    rising = _RISING if kind in ("matroska", "mpeg") else ()
    words += [*streams, *codecs, *rising, "-fflags", "+bitexact", "-f", "mp4", target]
    listed = UNDECODED if kind == "matroska" else ()
    words += [*streams, "-c", "copy", *listed, "-f", "framecrc", "-flush_packets", "0", "pipe:1"]
    return ffmpeg.lines(words)


_HEADER = re.compile(r"#(\w+) (\d+): (.*)")


def _read_listing(lines: Iterable[str]) -> Mapping[int, _Listed]:
    """Packets in the order in which ffmpeg prints them; Transient where it is no such listing, or too long."""
    found: dict[int, _Listed] = {}
    left = MAX_PACKETS
    try:
        for line in lines:
            if header := _HEADER.match(line):
                stream = found.setdefault(int(header[2]), _Listed())
                if header[1] == "tb":
                    stream.ticks = Fraction(header[3])
                elif header[1] == "media_type":
                    stream.kind = header[3]
                elif header[1] == "sample_rate":
                    stream.rate = int(header[3])
            elif line and line[0].isdigit():
                number, decode, shown, lasts, *_ = line.split(",")
                if (left := left - 1) < 0:
                    raise Transient("media", f"more than {MAX_PACKETS} packets")
                stream = found[int(number)]
                stream.decode.append(int(decode))
                stream.times.append(int(shown))
                stream.durations.append(int(lasts))
    except (ValueError, KeyError, ArithmeticError) as error:
        raise Transient("media", f"ffmpeg's listing cannot be read: {error!r}") from error
    return found


def _with_times(table: Samples, listed: _Listed, untold: bool) -> Samples:
    """A track of the remuxed file with the times that the original has.

    ``untold``: its container does not say when a frame is decoded.
    """
    timescale = listed.ticks.denominator
    count = len(listed.times)
    times = array("q", (time * listed.ticks.numerator for time in listed.times))
    told = [time * listed.ticks.numerator for time in listed.decode]
    decode = _reordered(times) if untold and table.kind == "video" else _upwards(told, times)
    durations: Sequence[int] = [lasts * listed.ticks.numerator for lasts in listed.durations]
    if table.kind == "video":
        # What a container says of a frame's length is often only its rate.
        durations = standing(times, durations)
    return replace(
        table,
        timescale=timescale,
        times=column(times, count),
        decode=column(decode, count),
        durations=column(durations, count),
        shift=None,
        since=0,
        until=None,
        sample_rate=table.sample_rate or listed.rate,
    )


def _reordered(times: Sequence[int]) -> list[int]:
    """When frames are decoded, of which it is only known when they are shown: one by one, none too late."""
    order = sorted(times)
    delay = max(at - shown for at, shown in zip(order, times, strict=True))
    return [at - delay for at in order]


def _counted(sound: Samples, lengths: Sequence[int], heard: Fraction) -> Samples:
    """The sound with packets as long as they were decoded to; what was not heard of the first ones is hidden."""
    silent = len(sound.times) - len(lengths)
    if not 0 <= silent <= _SILENT_AT_MOST:
        raise Transient("formats", f"sound ({sound.codec}) whose packets do not decode one by one")
    rate = sound.sample_rate
    begin, lasts = round(heard * rate), [0] * silent + list(lengths)
    since = None
    if sound.codec in _MPEG_AUDIO:
        # Packets of one length. What was not heard of the first is its encoder's delay, which a container hides;
        # of packets alone, a decoder gives it.
        full, since = max(lengths), begin
        begin += lengths[0] - full * (silent + 1)
        lasts[: silent + 1] = [full] * (silent + 1)
    times = tuple(itertools.accumulate(lasts[:-1], initial=begin))
    return replace(
        sound,
        timescale=rate,
        times=times,
        decode=times,
        durations=tuple(lasts),
        shift=None if since is None else 0,
        since=since or 0,
    )


def _upwards(decode: Sequence[int], times: Sequence[int]) -> list[int]:
    """Times of decoding that only rise, as in some containers they do not; none behind when its frame is shown."""
    risen: list[int] = []
    for at, shown in zip(decode, times, strict=True):
        after = risen[-1] + 1 if risen else at
        risen.append(max(min(at, shown), after))
    return risen


def _heard_from(path: Path, kind: str, ffmpeg: Ffmpeg, sound: Samples) -> Samples:
    """The sound with its beginning hidden as a decoder hides it: the delay of its encoder."""
    words: list[str | Path] = ["-copyts", *READING, "-f", kind, "-i", path]
    rate = sound.sample_rate
    counted = rate > 0 and samples_of_packet(sound, rate) is None
    # Packets of no fixed length are counted by decoding them all.
    words += ["-map", "0:a:0", *([] if counted else ["-frames:a", _A_FEW]), "-f", "framecrc", "pipe:1"]
    first = Fraction(sound.times[0], sound.timescale)
    tracks = read_framecrc(ffmpeg.lines(words))
    times = [time for track in tracks for time in track.times]
    if not times:
        return sound
    heard = Fraction(min(times)).limit_denominator(1_000_000)
    if counted:
        return _counted(
            sound, [round((end - at) * rate) for at, end in zip(times, tracks[0].ends, strict=True)], heard
        )
    if heard - first < Fraction(1, 1000):
        return sound
    # In ticks that can say it, which the container's may be too coarse for.
    fine = sound.finer(max(sound.sample_rate, 1))
    return replace(fine, shift=0, since=round(heard * fine.timescale))
