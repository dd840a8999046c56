"""What of a clip is on this machine already: files under its names, and its file in the user's archives.

Nobody is asked. What is found is measured, and cut like the rest, before it counts.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..containers.samples import Samples
from ..containers.timeline import origins
from ..core.errors import ClipError, Gone, Killed, Transient
from ..core.files import exactly, sha256
from ..core.model import Clip, Outcome
from ..core.settings import Settings
from ..media.cut import Job
from ..media.cut_plan import Material
from ..media.demux import open_file
from ..media.encoding import PLAIN
from ..media.ffmpeg import READING, Ffmpeg
from ..media.file_type import container_of
from ..media.filters import shape_of
from ..media.inspect import examine, measure_sound
from ..media.measure import Track, facts
from ..media.still import see_that_it_is_there, still_of_film
from ..reading.stream import WholeFile
from ..sources.archives import Archives, Exact
from ..state.store import Store
from .kept import is_the_clip
from .publish import Finisher, flags_fact, small_of

log = logging.getLogger("avclips.fetch.existing")

# What a manifest knows of a clip, and its files do not, or not without a decode.
_SAID_BEFORE = ("formats", "title", "yt_dlp", "withheld", "flags")
# How much longer or shorter than its clip a file in an archive may be: others cut to the packet or key frame.
FILE_TOLERANCE = Fraction(1)


class Local:
    """Finds clips on this machine, for one worker."""

    def __init__(self, settings: Settings, ffmpeg: Ffmpeg, store: Store, archives: Archives) -> None:
        self._settings = settings
        self._ffmpeg = ffmpeg
        self._store = store
        self._archives = archives
        self._finisher = Finisher(settings, ffmpeg, store)
        self._gone: dict[str, Gone] = {}

    def has(self, clip: Clip) -> bool:
        """Whether there is something to try."""
        return self._store.has_unknown_files(clip) or self._archives.holds(clip.id)

    def refusal(self, clip: Clip) -> ClipError:
        """Why the clip did not come from the archives, where nobody else can be asked."""
        if (gone := self._gone.pop(clip.id, None)) is not None:
            return gone
        if why := self._archives.refusal(clip.id):
            return Transient("archive", why)
        # Of a user's own archives, a later run may be given more; the dataset's are all there is.
        return Transient("not_archived") if self._settings.archives else Gone("not_archived")

    def take(self, clip: Clip) -> Outcome | None:
        """The clip from what is here, published; None where nothing is, or nothing right.

        Where ffmpeg was ended at work, nothing is known of the file: it stays, and another run tries again.
        """
        try:
            with self._ffmpeg.of_a_clip():
                return self._take(clip)
        except Killed as error:
            return Outcome(clip, "failed", error.reason, error.detail)

    def _take(self, clip: Clip) -> Outcome | None:
        if self._store.has_unknown_files(clip):
            try:
                return self._adopt(clip)
            except Killed:
                raise
            except ClipError as error:
                if isinstance(error, Gone):
                    self._gone[clip.id] = error
                for moved in self._store.set_aside(clip.id, clip.folder):
                    log.warning("%s was there, but %s: moved to %s", clip.id, error.detail, moved)
        if (exact := self._archives.exact.get(clip.id)) is not None:
            if (kept := self._keep(clip, exact)) is not None:
                return kept
            self._archives.exact.pop(clip.id, None)
        return self._from_archives(clip) if self._archives.holds(clip.id) else None

    def _keep(self, clip: Clip, exact: Exact) -> Outcome | None:
        """Publish files that are what they should be as they are; None where they are not."""
        if not is_the_clip(exact.line, clip):
            return None
        try:
            with self._store.files.scratch(clip) as folder:
                video, audio = (folder / path.name for path in self._store.files.paths(clip.id, clip.folder))
                there = {kind: {"video": video, "audio": audio}[kind] for kind in exact.members}
                for kind, path in there.items():
                    origin = self._archives.read(exact.number, exact.members[kind], path)
                    if sha256(path) != exact.line.get("sha256" if kind == "video" else "audio_sha256"):
                        raise Transient("archive", f"{origin} is not what its manifest says")
                tracks = self._ffmpeg.list_packets(video) if "video" in there else []
                sound = measure_sound(audio, self._ffmpeg) if "audio" in there else None
                results = there.get("video"), there.get("audio")
                frame = self._frame_of(clip, there.get("video"), tracks, folder)
                known = self._finisher.describe(clip, *results, frame, facts(tracks, sound))
                self._store.files.publish(clip, *results, frame)
        except Killed:
            raise
        except ClipError as error:
            log.warning("%s is not kept as it is: %s", clip.id, error.detail)
            return None
        before = {name: exact.line[name] for name in _SAID_BEFORE if name in exact.line}
        return Outcome(clip, "done", facts={**before, **known, "archive": origin, "kept": True})

    def _adopt(self, clip: Clip) -> Outcome:
        """Take files that no manifest line knows as done; ClipError where they are not the clip."""
        video, audio = self._store.files.paths(clip.id, clip.folder)
        seen = self._settings.media == "both"
        if _is_whole(clip) and seen and video.exists() and not audio.exists():
            # Put there by hand, out of an archive: only its sound is missing.
            with self._store.files.scratch(clip) as folder:
                return self._cut(clip, video, folder, {"adopted": True})
        with self._store.files.scratch(clip) as folder:
            small = small_of(self._settings, folder)
            found = examine(clip, video, audio, self._ffmpeg, self._settings, small)
            if found.complaint is not None:
                raise Transient("check", found.complaint)
            results = video if seen else None, audio if found.sound else None
            frame = self._frame_of(clip, results[0], found.tracks, folder)
            known = self._finisher.describe(clip, *results, frame, facts(found.tracks, found.sound))
            self._store.files.publish(clip, None, None, frame)
        return Outcome(clip, "done", facts=known | flags_fact(found.flags) | {"adopted": True})

    def _frame_of(self, clip: Clip, video: Path | None, tracks: Sequence[Track], folder: Path) -> Path | None:
        """The frame of a clip that is not cut, where there is to be one."""
        if not self._settings.frame or video is None:
            return None
        frame = folder / self._store.files.frame(clip.id).name
        still_of_film(video, tracks, self._ffmpeg, frame)
        see_that_it_is_there(frame)
        return frame

    def _from_archives(self, clip: Clip) -> Outcome | None:
        try:
            with self._store.files.scratch(clip) as folder:
                file = folder / f"member{self._archives.ending(clip.id)}"
                origin = self._archives.extract(clip.id, file)
                return self._cut(clip, file, folder, {"archive": origin})
        except Killed:
            raise
        except ClipError as error:
            log.warning("%s is not taken from the archives: %s", clip.id, error.detail)
            self._archives.refuse(clip.id, error.detail)
            if isinstance(error, Gone):
                self._gone[clip.id] = error
        return None

    def _cut(self, clip: Clip, file: Path, folder: Path, origin: Mapping[str, Any]) -> Outcome:
        """Publish a file that should be the clip; ClipError where it is something else."""
        opened = open_file(self._in_packets(file), self._ffmpeg, folder)
        seen = self._settings.media == "both"
        if "audio" not in opened and not (seen and self._settings.allow_silent):
            raise Gone("no_audio", "it has no sound" + (" (see --allow-silent)" if seen else ""))
        if "video" not in opened and (seen or not opened):
            raise Transient("archive", "it has no picture")
        layout = WholeFile(opened)
        zero = origins({kind: layout.begin(kind) for kind in opened}, together=True)
        materials = {
            kind: Material(path, samples, zero[kind], begins=layout.begin(kind).shown)
            for kind, (path, samples) in opened.items()
        }
        job = Job(
            *(materials["video"] if seen else None, materials.get("audio"), Fraction(0), None, self._settings.cut),
            *(self._settings.audio_rate, self._settings.audio_channels),
            silent=self._settings.allow_silent,
            shape=shape_of(self._settings.fps, self._settings.size, self._settings.fit),
        )
        if _is_whole(clip) and job.shape.is_any:
            # Nothing is to be cut off: it stays as it is, and its bytes too if it need not change its container.
            same = file.suffix == f".{self._settings.video_format}" and seen and opened["video"][0] == file
            job = replace(job, cut="copy", keep=same)
        elif not _is_whole(clip):
            kind = "video" if "video" in opened else "audio"
            lasting = layout.ends(kind) or Fraction(0)
            job = self._cut_of(clip, job, lasting - layout.begin(kind).shown, opened[kind][1])
        return self._finisher.finish(clip, job, folder, origin)

    def _in_packets(self, file: Path) -> Path:
        """A sound without packets, as WAV has it, in packets that hold the same; any other file as it is."""
        if container_of(file) != "wav":
            return file
        packed = file.with_name(f"{file.name}.flac")
        self._ffmpeg.run([*READING, "-f", "wav", "-i", file, "-map", "0:a:0", "-c:a", "flac", *PLAIN, packed])
        return packed

    def _cut_of(self, clip: Clip, job: Job, lasting: Fraction, track: Samples) -> Job:
        """The cut of a file that is the clip already, give or take a little; Transient where it is not."""
        if clip.end is not None:
            length = exactly(clip.end) - exactly(clip.start)
            if abs(lasting - length) > FILE_TOLERANCE:
                raise Transient("archive", f"it has {float(lasting):.3f} s instead of {float(length):g}")
            job = replace(job, end=length)
        if job.video is None or min(track.width, track.height) <= self._settings.quality or job.shape.size:
            return job
        if job.cut == "copy":
            raise Transient("archive", f"its picture is {track.width}x{track.height} (see --quality)")
        return replace(job, scale=self._settings.quality)


def _is_whole(clip: Clip) -> bool:
    """Whether the clip is its video, from the beginning to the end."""
    return clip.start == 0 and clip.end is None and not clip.meta.get("flip")
