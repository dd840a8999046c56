"""What a clip of a source has to hold. It shares no code with avclips: PyAV decodes the whole source.

Second 0 of a video is its first picture, or where its sound begins more than LEAD before that, its sound, as they
lie on their common clock: where a whole download begins when both are put into one file. Times are the
containers', with an edit list
applied once. Streams in files of their own are on one clock too: a sound whose first tfdt is 0.4 s begins 0.4 s
after a picture whose first is 0. There is one exception. In a fragmented MP4 with one stream and no edit list, the
delay by which B pictures are reordered is no time of the presentation: a muxer that writes edit lists hides it,
and ffmpeg begins such a file at its first picture; nor are the samples that an encoder of Opus put in front.

A picture stands until the next one begins. Sound is counted by samples from the first one, since containers round
the times of packets.
"""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.matrix import layouts, media
from tests.matrix.layouts import Made, Spec

Array = np.ndarray[Any, Any]

# Two roundings to 1/600 s, in which the coarsest clock counts that is not the pictures' own.
MISPLACED = Fraction(1, 500)
# A gap in the sound's times that is no rounding of a container's.
SOUND_GAP = Fraction(3, 1000)
# What an encoder of sound may put before the first picture.
LEAD = Fraction(12, 100)


@dataclass(frozen=True)
class Frames:
    """One picture: its time in seconds, the number that it carries, and its luma, a value for 8 by 8 pixels.

    ``sum``: of all that was decoded, by which two are the same bit for bit.
    """

    time: Fraction
    number: int
    look: Array
    key: bool
    lasts: Fraction
    sum: int = 0


@dataclass(frozen=True)
class Sound:
    """All samples as signed 16 bits, an array a channel; ``begins``: the time of the first, in seconds."""

    begins: Fraction
    rate: int
    samples: Array

    @property
    def ends(self) -> Fraction:
        return self.begins + Fraction(len(self.samples), self.rate)


@dataclass(frozen=True)
class Truth:
    """A whole source, with times counted from second 0."""

    pictures: tuple[Frames, ...]
    sound: Sound
    packets: frozenset[bytes]

    @property
    def pictures_end(self) -> Fraction:
        last = self.pictures[-1]
        return last.time + last.lasts

    @property
    def ends(self) -> Fraction:
        return max(self.pictures_end, self.sound.ends)


class NotAsMeant(Exception):
    """A source whose pictures are not where it was to have them: the muxer's fault, and no question to ask."""


def truth(spec: Spec, made: Made) -> Truth:
    """Decode a source whole; NotAsMeant where that shows what it should not."""
    pictures, sound = read_pictures(made.whole["video"]), read_sound(made.whole["audio"])
    if spec.layout in layouts.APART and spec.edit == "none":
        pictures = _earlier(pictures, reorder_delay(made.whole["video"]))
        if spec.sound == "opus":
            sound = Sound(sound.begins - skipped(made.whole["audio"]), sound.rate, sound.samples)
    _check_grid(spec, pictures)
    first = pictures[0].time
    zero = first if first - sound.begins <= LEAD else sound.begins
    return Truth(
        tuple(_earlier(pictures, zero)),
        Sound(sound.begins - zero, sound.rate, sound.samples),
        frozenset(read_packets(made.whole["audio"])),
    )


def _check_grid(spec: Spec, pictures: list[Frames]) -> None:
    """Each picture once, and at its time but for the rounding of the coarsest clock."""
    step = media.frame_step(spec.rate, spec.duration)
    first = pictures[0]
    for before, after in itertools.pairwise(pictures):
        due = first.time + (after.number - first.number) * step
        if before.number >= after.number or abs(after.time - due) > MISPLACED:
            raise NotAsMeant(f"picture {after.number} at {float(after.time):.4f} s, due {float(due):.4f}: {spec}")


def _earlier(pictures: list[Frames], seconds: Fraction) -> list[Frames]:
    return [replace(picture, time=picture.time - seconds) for picture in pictures]


def read_pictures(path: Path) -> list[Frames]:
    """Every picture that a reader on libav sees, in the order in which they are shown."""
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        base = stream.time_base
        for frame in container.decode(stream):
            picture = luma(frame)
            lasts = (frame.duration or 0) * base
            told = number(picture), small(picture), bool(frame.key_frame), lasts, zlib.crc32(frame.to_ndarray())
            found.append(Frames(frame.pts * base, *told))
    return sorted(found, key=lambda picture: picture.time)


def number(picture: Array) -> int:
    """The number that a picture carries; -1 for one that is none of ours."""
    ours = picture.shape == (media.HEIGHT, media.WIDTH)
    return media.number_of(picture) if ours else -1


def small(picture: Array) -> Array:
    """The mean of every 8 by 8 pixels."""
    height, width = (side // 8 * 8 for side in picture.shape)
    blocks = picture[:height, :width].reshape(height // 8, 8, width // 8, 8)
    return blocks.mean(axis=(1, 3)).astype(np.float32)


def luma(frame: av.VideoFrame) -> Array:
    """The brightness of a picture in 8 bits."""
    plane = frame.planes[0]
    deep = frame.format.components[0].bits > 8
    width = plane.line_size // (2 if deep else 1)
    values = np.frombuffer(plane, np.uint16 if deep else np.uint8).reshape(-1, width)
    values = values[: frame.height, : frame.width]
    return (values >> (frame.format.components[0].bits - 8)).astype(np.uint8) if deep else values.copy()


def read_sound(path: Path) -> Sound:
    """All samples of a file's sound, by their number; where its times leave a gap, silence."""
    parts: list[Array] = []
    begins, rate, count = Fraction(0), 0, 0
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        for frame in container.decode(stream):
            samples = pcm(frame)
            time = frame.pts * stream.time_base
            if not parts:
                begins, rate = time, frame.sample_rate
            late = time - begins - Fraction(count, rate)
            if late > SOUND_GAP:
                rounded = stream.time_base != Fraction(1, rate)
                silent = _pause(late * rate, len(samples)) if rounded else round(late * rate)
                parts.append(np.zeros((silent, samples.shape[1]), np.int16))
                count += len(parts[-1])
            parts.append(samples)
            count += len(samples)
    if not parts:
        return Sound(Fraction(0), 1, np.zeros((0, 1), np.int16))
    return Sound(begins, rate, np.concatenate(parts))


def _pause(samples: Fraction, packet: int) -> int:
    """How many samples are silent, of a time that may be rounded: packets were left out, whole ones."""
    whole = round(samples / packet) * packet
    return whole if abs(samples - whole) <= 96 else round(samples)


def pcm(frame: av.AudioFrame) -> Array:
    """A frame's samples in signed 16 bits, rounded to the nearest as ffmpeg does."""
    values = frame.to_ndarray()
    channels = len(frame.layout.channels)
    values = values.T if frame.format.is_planar else values.reshape(-1, channels)
    if values.dtype == np.int16:
        return values
    if values.dtype == np.int32:
        return ((values.astype(np.int64) + (1 << 15)) >> 16).clip(-32768, 32767).astype(np.int16)
    return np.rint(values.astype(np.float64) * 32768).clip(-32768, 32767).astype(np.int16)


def read_packets(path: Path) -> list[bytes]:
    """The packets of a file's sound without headers of their own."""
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    return [_bare(packet) for packet in packets]


def _bare(packet: bytes) -> bytes:
    """A packet of AAC without its ADTS header, which transport streams have and MP4 has not."""
    is_adts = packet[0] == 0xFF and packet[1] & 0xF6 == 0xF0
    return packet[7 if packet[1] & 1 else 9 :] if is_adts else packet


def skipped(path: Path) -> Fraction:
    """By how much the first sample is heard later than the first packet begins; of a WebM its clock is without."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        if "matroska" in container.format.name:
            return Fraction(0)
        base = stream.time_base
        first = min(packet.pts for packet in container.demux(stream) if packet.pts is not None)
    return read_sound(path).begins - first * base


def reorder_delay(path: Path) -> Fraction:
    """By how much the first picture is shown later than the first is decoded."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [(p.pts, p.dts) for p in container.demux(stream) if p.pts is not None and p.dts is not None]
        return (min(pts for pts, _ in packets) - min(dts for _, dts in packets)) * stream.time_base
