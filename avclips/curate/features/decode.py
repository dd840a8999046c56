"""One decode of a clip for all extractors, by PyAV."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from ...catalog.places import Unreadable
from ...catalog.sample import Place
from ...core.redact import one_line
from .extractor import Array, Media, Pictures, Sound, Unusable, Want
from .place import source_of

# Less has no temporal pattern; more is not what a clip is, and is not read.
LEAST_SECONDS, MOST_SECONDS = 0.5, 60.0
LAYOUTS = {1: "mono", 2: "stereo"}


def decode(files: Mapping[str, Place], wants: Iterable[Want]) -> Media:
    """Decode what is wanted of a clip's ``video`` and ``audio``. Unusable says why there is none.

    The sound is that of the video's file where it has any, else of the file of sound. Second 0 is where the first
    of both begins.
    """
    pictures = [want for want in wants if isinstance(want, Pictures)]
    sounds = [want for want in wants if isinstance(want, Sound)]
    picture_file, sound_file = files.get("video"), files.get("audio")
    if picture_file is None and (pictures or sound_file is None):
        raise Unusable("not_here" if not files else "no_picture")
    try:
        media = _read(picture_file or sound_file, pictures, sounds, may_lack_sound=sound_file is not None)
        if sounds and not any(want in media.got for want in sounds):
            media = Media(media.seconds, {**media.got, **_read(sound_file, [], sounds, False).got})
    except (av.FFmpegError, Unreadable, OSError, ValueError, EOFError) as error:
        raise Unusable("not_decodable", one_line(error, 200)) from error
    for want in sounds:
        if not np.isfinite(media.got[want]).all():
            raise Unusable("not_finite")
    return media


def _read(place: Place | None, pictures: list[Pictures], sounds: list[Sound], may_lack_sound: bool) -> Media:
    if place is None:
        raise Unusable("no_sound")
    with av.open(source_of(place), metadata_errors="ignore") as container:
        video = next(iter(container.streams.video), None) if pictures else None
        audio = next(iter(container.streams.audio), None) if sounds else None
        if pictures and video is None:
            raise Unusable("no_picture")
        if sounds and audio is None and not may_lack_sound:
            raise Unusable("no_sound")
        seconds = _seconds(container, video or audio)
        if seconds < LEAST_SECONDS:
            raise Unusable("short", f"{seconds:.2f} s")
        zero = (container.start_time or 0) / av.time_base
        picture, sound = _Picture(pictures, seconds), _Sound(sounds, seconds)
        chosen = [stream for stream in (video, audio) if stream is not None]
        for stream in chosen:
            # A clip a process: its threads would only wait for one another.
            stream.thread_type = "NONE"
        if audio is not None and audio.layout.nb_channels in LAYOUTS and audio.layout.name[:1].isdigit():
            # Of plain samples, whose layout nobody named, no second resampler takes a frame (PyAV 18).
            audio.codec_context.layout = LAYOUTS[audio.layout.nb_channels]
        for packet in container.demux(chosen):
            if packet.stream is video and picture.is_over:
                continue
            for frame in packet.decode():
                (picture if packet.stream is video else sound).take(frame, zero)
    got = {**picture.end(), **(sound.end() if audio is not None else {})}
    return Media(seconds, got)


def _seconds(container: Any, stream: Any) -> float:
    """How long a clip is: what its container says; where that says nothing, by its packets."""
    if container.duration:
        return min(MOST_SECONDS, float(container.duration / av.time_base))
    if stream is None:
        return 0.0
    ends = [
        float((packet.pts + (packet.duration or 0)) * packet.time_base)
        for packet in container.demux(stream)
        if packet.pts is not None
    ]
    container.seek(0)
    return min(MOST_SECONDS, max(ends, default=0.0) - (container.start_time or 0) / av.time_base)


class _Picture:
    """Picks, for each time that is wanted, the frame that is shown then."""

    def __init__(self, wants: list[Pictures], seconds: float) -> None:
        self._times = {want: want.times(seconds) for want in wants}
        self._found: dict[Pictures, list[Array]] = {want: [] for want in wants}
        # Each keeps its scaler: a new one for each frame costs more than the frame.
        self._scalers = {want: VideoReformatter() for want in wants}
        self._before: Any = None

    @property
    def is_over(self) -> bool:
        """Whether all are there."""
        return all(len(self._found[want]) == len(times) for want, times in self._times.items())

    def take(self, frame: Any, zero: float) -> None:
        """The next frame in the order of showing."""
        at = frame.time - zero if frame.time is not None else 0.0
        # A frame stands until the next one begins.
        self._pick(self._before or frame, until=at)
        self._before = frame

    def _pick(self, frame: Any, until: float) -> None:
        for want, times in self._times.items():
            found, made = self._found[want], None
            while len(found) < len(times) and times[len(found)] < until:
                if made is None:
                    width, height = want.shape(frame.width, frame.height)
                    made = (
                        self._scalers[want]
                        .reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA)
                        .to_ndarray()
                    )
                found.append(made)

    def end(self) -> dict[Want, Array]:
        """What was picked; Unusable where no frame was there."""
        if not self._times:
            return {}
        if self._before is None:
            raise Unusable("no_picture")
        self._pick(self._before, until=math.inf)
        return {want: np.stack(found) for want, found in self._found.items()}


class _Sound:
    """Collects the sound at each wanted rate, from second 0 to the clip's end."""

    def __init__(self, wants: list[Sound], seconds: float) -> None:
        self._seconds = seconds
        self._resamplers = {want: av.AudioResampler("flt", "mono", want.rate) for want in wants}
        self._found: dict[Sound, list[Array]] = {want: [] for want in wants}
        self._starts: float | None = None

    def take(self, frame: Any, zero: float) -> None:
        """The next frame of samples."""
        if self._starts is None:
            self._starts = (frame.time or zero) - zero
        for want, resampler in self._resamplers.items():
            self._found[want] += [each.to_ndarray()[0] for each in resampler.resample(frame)]

    def end(self) -> dict[Want, Array]:
        """The samples; silence where the sound begins later. Unusable where there are none."""
        if self._resamplers and self._starts is None:
            raise Unusable("no_sound")
        made: dict[Want, Array] = {}
        for want, resampler in self._resamplers.items():
            # One that has nothing to do gives None back.
            rest = [each.to_ndarray()[0] for each in resampler.resample(None) if each is not None]
            samples = np.concatenate([*self._found[want], *rest])
            late = round((self._starts or 0.0) * want.rate)
            # As long as the clip is said to be, whichever stream that is of.
            whole = np.zeros(max(1, round(self._seconds * want.rate)), np.float32)
            samples = samples[max(0, -late) :]
            at = min(len(whole), max(0, late))
            count = min(len(samples), len(whole) - at)
            whole[at : at + count] = samples[:count]
            made[want] = whole
        return made
