"""A clip out of its packets: the film, the sound, and what both must hold.

Writes small files of the packets that are needed, has ffmpeg decode and encode what must be, and puts the result
together. What is due is told by the plan (``cutting``), never by what came out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from .cutting import FINE, Material, Picture, Sound, may_be_doubled, plan_picture, plan_sound, rate_of
from .encoding import PLAIN, chosen, decoded_picture, decoded_sound, encoded_picture, inputs
from .errors import Gone, Transient
from .measure import Expected, read_framecrc, read_wav
from .media import READING, Ffmpeg
from .mp4 import NoTable, Samples, read_file
from .mp4_writer import TrackOut, Unwritable, write_mp4
from .settings import Cut
from .steady import AS_IT_IS, Shape, sized, steady, steady_frames, steady_scale

# Packets that are decoded to see at which rate.
_TRIED = 4


@dataclass(frozen=True)
class Job:
    """One cut: seconds ``start``..``end`` (None: to the end) of a picture and a sound (None: without).

    ``flip``: mirrored left to right. ``scale``: the smaller side of the picture is to have so many pixels.
    ``shape``: how many a second there are, and their size, where that is not the source's.
    ``keep``: the picture's file is itself the result, and only sound is cut. ``decode``: the clip's frames are
    decoded too, only to see that they can be. ``silent``: a clip without sound will do. ``flac_frames``:
    samples of each frame of FLAC, None for the encoder's choice.
    """

    video: Material | None
    audio: Material | None
    start: Fraction
    end: Fraction | None
    cut: Cut = "exact"
    audio_rate: int | None = None
    audio_channels: int | None = None
    flip: bool = False
    scale: int | None = None
    shape: Shape = AS_IT_IS
    keep: bool = False
    decode: bool = False
    silent: bool = False
    flac_frames: int | None = None


def cut(job: Job, ffmpeg: Ffmpeg, folder: Path, video: Path, sound: Path) -> Expected:
    """Write ``video`` and (with sound) ``sound`` in the formats that their names end with.

    ``folder``: for what is made on the way. Returns what the clip must hold. ClipError where the source has
    nothing of it, or not all that is due.
    """
    fps = job.shape.fps
    picture = plan_picture(job.video, job.start, job.end, fps is not None) if job.video else None
    if picture is not None and fps is not None:
        picture = steady(picture, fps)
    return _Cutting(job, ffmpeg, folder, picture, _heard(job, ffmpeg, folder)).make(video, sound)


def _heard(job: Job, ffmpeg: Ffmpeg, folder: Path) -> Sound | None:
    if job.audio is None:
        return None
    try:
        heard = plan_sound(job.audio, job.start, job.end, rate_of(job.audio), job.audio_rate)
        if may_be_doubled(job.audio) and (rate := _decoded_rate(heard, ffmpeg, folder)) != heard.rate:
            heard = plan_sound(job.audio, job.start, job.end, rate, job.audio_rate)
        return heard
    except Gone:
        if job.video is not None and job.silent:
            return None
        raise


def _decoded_rate(heard: Sound, ffmpeg: Ffmpeg, folder: Path) -> int:
    """What a decoder makes of the packets: their first ones are tried."""
    source, target = folder / "rate.mp4", folder / "rate.wav"
    few = replace(heard, last=min(heard.last, heard.first + _TRIED))
    _write(source, [decodable_sound(few)])
    ffmpeg.run([*inputs([source]), "-map", "0:a:0", "-c:a", "pcm_s16le", target])
    return read_wav(target).sample_rate


def _write(path: Path, tracks: Sequence[TrackOut]) -> None:
    """Packets in a file; Transient where their source gives them times that none can have."""
    try:
        write_mp4(path, tracks)
    except Unwritable as error:
        raise Transient("check", str(error)) from error


class _Cutting:
    """One cut under way."""

    def __init__(
        self, job: Job, ffmpeg: Ffmpeg, folder: Path, picture: Picture | None, heard: Sound | None
    ) -> None:
        self._job = job
        self._ffmpeg = ffmpeg
        self._folder = folder
        self._picture = picture
        self._heard = heard

    def make(self, video: Path, sound: Path) -> Expected:
        encoded = self._folder / "encoded.mp4"
        decoded = self._run(encoded, sound)
        heard = self._heard
        if heard is not None and sound.suffix == ".m4a":
            _write(sound, [copied_sound(heard)])
        if self._picture is not None and not self._job.keep:
            self._film(video, encoded)
        return self._expected(decoded, packed=sound.suffix == ".m4a")

    def _run(self, encoded: Path, sound: Path) -> int | None:
        """Decode and encode what has to be; how many frames could be decoded, None where nobody looked."""
        job, picture, heard = self._job, self._picture, self._heard
        words: list[str | Path] = []
        paths: list[Path] = []
        looked = False
        if picture is not None and not job.keep and (job.cut == "exact" or job.decode):
            track = copied_picture(picture)
            source = self._folder / "picture.mp4"
            _write(source, [replace(track, starts=None)])
            paths.append(source)
            fps, size = job.shape.fps, job.shape.size
            frames = steady_frames(picture, track, fps) if fps else _frames(picture, track)
            if job.cut == "exact":
                scale = steady_scale(fps) if fps else track.timescale
                shaped = sized(size, job.shape.fit) if size else []
                words += encoded_picture(frames, scale, encoded, job.flip, None if size else job.scale, shaped)
            else:
                looked = True
                words += decoded_picture(frames)
        if heard is not None and sound.suffix != ".m4a":
            source = self._folder / "sound.mp4"
            _write(source, [decodable_sound(heard)])
            words += decoded_sound(len(paths), heard, job.audio_channels, sound, job.flac_frames)
            paths.append(source)
        if not words:
            return None
        listing = self._ffmpeg.run([*inputs(paths), *words])
        return sum(len(track.times) for track in read_framecrc(listing)) if looked else None

    def _film(self, video: Path, encoded: Path) -> None:
        assert self._picture is not None
        track = copied_picture(self._picture)
        if self._job.cut == "exact":
            if self._job.shape.fps:
                track = replace(track, timescale=steady_scale(self._job.shape.fps))
            track = _retimed(self._picture, track, encoded)
        sound = copied_sound(self._heard) if self._heard else None
        if video.suffix != ".mkv":
            _write(video, [track, *([sound] if sound else [])])
            return
        words = ["-c", "copy", "-map", "0", *PLAIN, "-avoid_negative_ts", "disabled"]
        if sound is not None:
            # Behind a pause that an edit list tells of, ffmpeg hides as much at the end.
            words += ["-bsf:a", f"setts=ts=TS+{sound.waits}"] if sound.waits else []
            sound = replace(sound, waits=0)
        whole = self._folder / "film.mp4"
        _write(whole, [track, *([sound] if sound else [])])
        self._ffmpeg.run(["-copyts", *READING, "-f", "mp4", "-i", whole, *words, video])

    def _expected(self, decoded: int | None, packed: bool) -> Expected:
        picture, heard, job = self._picture, self._heard, self._job
        length = None if job.end is None else float(job.end - job.start)
        seconds = None
        if heard is not None:
            rate = heard.resampled.rate if heard.resampled else heard.rate
            # Packets end where the sound does, and have no silence to fill a clip up with.
            seconds = (heard.ends - heard.begin) / heard.rate if packed else heard.count / rate
        return Expected(
            tuple(map(float, picture.times)) if picture else (),
            seconds,
            length,
            decoded,
            job.shape.size,
        )


def _frames(picture: Picture, track: TrackOut) -> str:
    """The filter that lets the clip's frames pass: by their ticks in the small file."""
    ticks = [track.times[number - picture.first] for number in picture.frames]
    return chosen(min(ticks), max(ticks) + 1)


def copied_picture(picture: Picture) -> TrackOut:
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


def _retimed(picture: Picture, track: TrackOut, encoded: Path) -> TrackOut:
    """The frames as they were encoded, each at its time: what ffmpeg's own muxer would round, or leave out."""
    samples = _table_of(encoded)
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
    first = samples.times[order[0]]
    return TrackOut(
        *("video", samples.entry, track.timescale),
        decode=[time - first + due[0] for time in samples.decode],
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


def _table_of(path: Path) -> Samples:
    try:
        return next(track for track in read_file(path) if track.kind == "video")
    except (NoTable, StopIteration) as error:
        raise Transient("check", f"{path.name}: {error}") from error


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
