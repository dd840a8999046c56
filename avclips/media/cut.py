"""A clip out of its packets: the film, the sound, and what both must hold.

Writes small files of the packets that are needed, has ffmpeg decode and encode what must be, and puts the result
together. What is due is told by the plan (``cut_plan``), never by what came out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from ..containers.mp4_writer import TrackOut
from ..containers.timeline import usual_rate
from ..core.errors import Gone, Killed, Transient
from ..core.settings import Cut
from .cut_plan import Frames, Material, Sound, may_be_doubled, plan_frames, plan_sound, rate_of
from .encoding import PLAIN, chosen, decoded_sound, decoded_video, encoded_video, inputs, shaped
from .ffmpeg import READING, Ffmpeg
from .filters import AS_IT_IS, Shape, sized, steady, steady_frames, steady_scale
from .measure import Encode, Expected, judge_times, read_framecrc, read_wav
from .small import Small, with_small
from .splice import put_together, spliced
from .splice_plan import NotSpliced
from .still import at_place, middle, packets_of_middle, still
from .tracks import copied_sound, copied_video, decodable_sound, retimed, write

# Packets that are decoded to see at which rate.
_TRIED = 4


@dataclass(frozen=True)
class Job:
    """One cut: seconds ``start``..``end`` (None: to the end) of a picture and a sound (None: without).

    ``flip``: mirrored left to right. ``scale``: the smaller side of the picture is to have so many pixels.
    ``shape``: how many a second there are, and their size, where that is not the source's.
    ``keep``: the picture's file is itself the result, and only sound is cut. ``decode``: the clip's frames are
    decoded too, only to see that they can be. ``silent``: a clip without sound will do. ``flac_frames``:
    samples of each frame of FLAC, None for the encoder's choice. ``encode_all``: of an exact cut, no frame stays
    as it is. ``small``: where small outputs of what is decoded are to be besides.
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
    encode_all: bool = False
    small: Small | None = None

    @property
    def changes(self) -> str:
        """Why no frame of the source can stay as it is, whatever it is like; "" where some can."""
        asked = {
            "--encode all": self.encode_all,
            "--fps": self.shape.fps is not None,
            "scaled": self.scale is not None or self.shape.size is not None,
            "mirrored": self.flip,
        }
        return next((why for why, is_so in asked.items() if is_so), "")


def cut(job: Job, ffmpeg: Ffmpeg, folder: Path, video: Path, sound: Path, frame: Path | None = None) -> Expected:
    """Write ``video`` and (with sound) ``sound`` in the formats that their names end with.

    ``folder``: for what is made on the way; ``frame``: for a JPEG of the frame in the middle, where one is wanted.
    Returns what the clip must hold. ClipError where the source has nothing of it, or not all that is due.
    """
    fps = job.shape.fps
    picture = plan_frames(job.video, job.start, job.end, fps is not None) if job.video else None
    if picture is not None and fps is not None:
        picture = steady(picture, fps)
    return _Cutting(job, ffmpeg, folder, picture, _heard(job, ffmpeg, folder), frame).make(video, sound)


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
    write(source, [decodable_sound(few)])
    ffmpeg.run([*inputs([source]), "-map", "0:a:0", "-c:a", "pcm_s16le", target])
    return read_wav(target).sample_rate


class _Cutting:
    """One cut under way."""

    def __init__(
        self,
        job: Job,
        ffmpeg: Ffmpeg,
        folder: Path,
        picture: Frames | None,
        heard: Sound | None,
        frame: Path | None,
    ) -> None:
        self._job = job
        self._ffmpeg = ffmpeg
        self._folder = folder
        self._picture = picture
        self._heard = heard
        self._frame = frame if picture is not None else None

    def make(self, video: Path, sound: Path) -> Expected:
        encode = None
        if self._picture is not None and self._job.cut == "exact":
            try:
                return self._splice(self._picture, video, sound)
            except Killed:
                raise
            except (NotSpliced, Transient) as error:
                # What is wrong with the source itself shows again where all of it is encoded.
                why = error.detail if isinstance(error, Transient) else str(error)
                encode = Encode(len(self._picture.times), 0, 0, why)
        encoded = self._folder / "encoded.mp4"
        track, words, small = self._pictures(encoded)
        decoded = self._run(sound, track, words, small, alone=track is None)
        if self._picture is not None and not self._job.keep:
            self._film(video, self._track(self._picture, encoded))
        return self._expected(sound, decoded, encode)

    def _splice(self, picture: Frames, video: Path, sound: Path) -> Expected:
        """Make the clip with as many of the source's own packets as can be; NotSpliced, Transient."""
        if why := self._job.changes:
            raise NotSpliced(why)
        splice, encoded = spliced(picture), self._folder / "encoded.mp4"
        words: list[str | Path] = []
        if splice.encoded:
            words = encoded_video(
                splice.frames(),
                splice.track.timescale,
                encoded,
                usual_rate(picture.times),
                between=(splice.sps_id, len(splice.plan.head)),
            )
        self._run(sound, splice.decodable() if words else None, words, alone=True)
        track = put_together(splice, encoded if words else None, self._folder / "spliced")
        film = self._film(video, track)
        decoded = self._decoded(film, picture) if self._job.decode else None
        plan = splice.plan
        return self._expected(sound, decoded, Encode(len(plan.head), len(plan.copied), len(plan.tail)))

    def _decoded(self, film: Path, picture: Frames) -> int:
        """Decode a film's pictures, to see that each comes when it should; how many there are."""
        small = self._job.small
        run, read = self._ffmpeg.run, inputs([film])
        listing = with_small(small, lambda too: run([*read, *decoded_video(small=small if too else None)]))
        times = [time for track in read_framecrc(listing) for time in track.times]
        if complaint := judge_times([float(time) for time in picture.times], times):
            raise NotSpliced(f"of the result, a decoder shows {complaint}")
        return len(times)

    def _pictures(self, encoded: Path) -> tuple[TrackOut | None, list[str | Path], list[str | Path]]:
        """The packets of a picture that have to be decoded, if any, and what is to be done with them.

        And the same with small pictures besides.
        """
        job, picture = self._job, self._picture
        if picture is None or job.keep or not (job.cut == "exact" or job.decode):
            return None, [], []
        track = copied_video(picture)
        fps, size = job.shape.fps, job.shape.size
        frames = steady_frames(picture, track, fps) if fps else _frames(picture, track)
        if job.cut == "copy":
            alone = self._still([frames], picture)
            return track, [*decoded_video(frames), *alone], [*decoded_video(frames, job.small), *alone]
        like = job.flip, None if size else job.scale, sized(size, job.shape.fit) if size else []
        timescale, rate = steady_scale(fps) if fps else track.timescale, usual_rate(picture.times)
        alone = self._still([frames, *shaped(*like)], picture)
        plain, measured = (
            [*encoded_video(frames, timescale, encoded, rate, *like, small=small), *alone]
            for small in (None, job.small)
        )
        return track, plain, measured

    def _still(self, filters: Sequence[str], picture: Frames) -> list[str | Path]:
        """An output with the frame in the middle, of those decoded for the clip; [] where none is wanted."""
        if self._frame is None:
            return []
        place = middle([float(time) for time in picture.times], float(picture.ends))
        return still(0, filters, at_place(place), self._frame)

    def _run(
        self,
        sound: Path,
        track: TrackOut | None,
        words: Sequence[str | Path],
        measured: Sequence[str | Path] | None = None,
        alone: bool = False,
    ) -> int | None:
        """Decode and encode what has to be; how many frames could be decoded, None where nobody looked.

        ``measured``: the words with small outputs of the pictures; those of the sound are added. ``alone``: the
        frame in the middle, if there is to be one, is decoded from packets of its own.
        """
        heard, words, paths = self._heard, list(words), list[Path]()
        # What is done without small outputs, and with them.
        both = [words, words if measured is None else list(measured)]
        if track is not None:
            paths.append(self._folder / "picture.mp4")
            write(paths[-1], [replace(track, starts=None)])
        if heard is not None and sound.suffix != ".m4a":
            paths.append(self._folder / "sound.mp4")
            write(paths[-1], [decodable_sound(heard)])
            what = len(paths) - 1, heard, self._job.audio_channels, sound, self._job.flac_frames
            # Of another format, it is measured when all of it is read.
            small = self._job.small if sound.suffix == ".wav" else None
            both = [[*both[0], *decoded_sound(*what)], [*both[1], *decoded_sound(*what, small)]]
        if alone and self._frame is not None and self._picture is not None:
            few, packets = packets_of_middle(self._picture)
            paths.append(self._folder / "still.mp4")
            write(paths[-1], [replace(packets, starts=None)])
            frame = still(len(paths) - 1, [_frames(few, packets)], at_place(0), self._frame)
            both = [[*each, *frame] for each in both]
        if heard is not None and sound.suffix == ".m4a":
            write(sound, [copied_sound(heard)])
        if not both[0]:
            return None
        run, read = self._ffmpeg.run, inputs(paths)
        listing = with_small(self._job.small, lambda too: run([*read, *both[too]]))
        tracks = read_framecrc(listing)
        return sum(len(track.times) for track in tracks) if tracks else None

    def _track(self, picture: Frames, encoded: Path) -> TrackOut:
        """A clip's frames, copied or encoded."""
        track, fps = copied_video(picture), self._job.shape.fps
        if self._job.cut == "copy":
            return track
        return retimed(picture, replace(track, timescale=steady_scale(fps)) if fps else track, encoded)

    def _film(self, video: Path, track: TrackOut) -> Path:
        """Write pictures and sound; returns the MP4 with both."""
        sound = copied_sound(self._heard) if self._heard else None
        if video.suffix != ".mkv":
            write(video, [track, *([sound] if sound else [])])
            return video
        words = ["-c", "copy", "-map", "0", *PLAIN, "-avoid_negative_ts", "disabled"]
        if sound is not None:
            # Behind a pause that an edit list tells of, ffmpeg hides as much at the end.
            words += ["-bsf:a", f"setts=ts=TS+{sound.waits}"] if sound.waits else []
            sound = replace(sound, waits=0)
        whole = self._folder / "film.mp4"
        write(whole, [track, *([sound] if sound else [])])
        self._ffmpeg.run(["-copyts", *READING, "-f", "mp4", "-i", whole, *words, video])
        return whole

    def _expected(self, sound: Path, decoded: int | None, encode: Encode | None) -> Expected:
        picture, heard, job = self._picture, self._heard, self._job
        packed = sound.suffix == ".m4a"
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
            encode,
        )


def _frames(picture: Frames, track: TrackOut) -> str:
    """The filter that lets the clip's frames pass: by their ticks in the small file."""
    ticks = [track.times[number - picture.first] for number in picture.frames]
    return chosen(min(ticks), max(ticks) + 1)
