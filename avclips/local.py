"""What of a clip is on this machine already: files under its names, and its file in the user's archives.

Nobody is asked. What is found is measured, and cut like the rest, before it counts.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from .archives import Archives
from .clip import Clip, Outcome, Settings
from .errors import ClipError, Gone, Transient
from .examine import examine
from .files import exactly
from .finish import Finisher
from .measure import Track, facts
from .media import Ffmpeg, Job, Source
from .store import Store

log = logging.getLogger("avclips.local")

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
        return self._store.has_strangers(clip) or self._archives.holds(clip.id)

    def refusal(self, clip: Clip) -> ClipError:
        """Why the clip did not come from the archives, where nobody else can be asked."""
        if (gone := self._gone.pop(clip.id, None)) is not None:
            return gone
        if why := self._archives.refusal(clip.id):
            return Transient("archive", why)
        # Of a user's own archives, a later run may be given more; the dataset's are all there is.
        return Transient("not_archived") if self._settings.archives else Gone("not_archived")

    def take(self, clip: Clip) -> Outcome | None:
        """The clip from what is here, published; None where nothing is, or nothing right."""
        if self._store.has_strangers(clip):
            try:
                return self._adopt(clip)
            except ClipError as error:
                if isinstance(error, Gone):
                    self._gone[clip.id] = error
                for moved in self._store.set_aside(clip.id, clip.folder):
                    log.warning("%s was there, but %s: moved to %s", clip.id, error.detail, moved)
        return self._from_archives(clip) if self._archives.holds(clip.id) else None

    def _adopt(self, clip: Clip) -> Outcome:
        """Take files that no manifest line knows as done; ClipError where they are not the clip."""
        video, audio = self._store.paths(clip.id, clip.folder)
        seen = self._settings.media == "both"
        if _is_whole(clip) and seen and video.exists() and not audio.exists():
            # Put there by hand, out of an archive: only its sound is missing.
            with self._store.scratch(clip) as folder:
                return self._cut(clip, video, folder, {"adopted": True})
        found = examine(clip, video, audio, self._ffmpeg, self._settings)
        if found.complaint is not None:
            raise Transient("check", found.complaint)
        media = facts(found.tracks, found.sound)
        known = self._finisher.describe(clip, video if seen else None, audio if found.sound else None, media)
        return Outcome(clip, "done", facts=known | {"adopted": True})

    def _from_archives(self, clip: Clip) -> Outcome | None:
        try:
            with self._store.scratch(clip) as folder:
                file = folder / "member.mp4"
                origin = self._archives.extract(clip.id, file)
                return self._cut(clip, file, folder, {"archive": origin})
        except ClipError as error:
            log.warning("%s is not taken from the archives: %s", clip.id, error.detail)
            self._archives.refuse(clip.id, error.detail)
            if isinstance(error, Gone):
                self._gone[clip.id] = error
        return None

    def _cut(self, clip: Clip, file: Path, folder: Path, origin: Mapping[str, Any]) -> Outcome:
        """Publish a file that should be the clip; ClipError where it is something else."""
        tracks = [track for track in self._ffmpeg.list_packets(file) if track.times]
        picture = next((track for track in tracks if track.kind == "video"), None)
        sound = next((track for track in tracks if track.kind == "audio"), None)
        settings, source = self._settings, Source(file, Fraction(0))
        seen = settings.media == "both"
        if sound is None and not (seen and settings.allow_silent):
            raise Gone("no_audio", "it has no sound" + (" (see --allow-silent)" if seen else ""))
        first = picture or sound
        if first is None or (seen and picture is None):
            raise Transient("archive", "it has no picture")
        of_sound = settings.audio_rate, settings.audio_channels
        job = Job(source if seen else None, source if sound else None, None, settings.cut, *of_sound)
        if sound is not None:
            packet = Fraction(1024, sound.sample_rate) if sound.sample_rate else Fraction(0)
            job = replace(job, packet=packet, late=max(0.0, sound.times[0] - first.times[0]))
        if _is_whole(clip):
            # Nothing is to be cut off: it stays as it is, and its bytes too if it need not change its container.
            job = replace(job, cut="copy", keep=seen and file.suffix == f".{settings.video_format}")
        else:
            job = self._cut_of(clip, job, first)
        return self._finisher.finish(clip, job, folder, (None, None), origin)

    def _cut_of(self, clip: Clip, job: Job, track: Track) -> Job:
        """The cut of a file that is the clip already, give or take a little; Transient where it is not."""
        if clip.end is not None:
            length, lasting = exactly(clip.end) - exactly(clip.start), track.end - track.times[0]
            if abs(lasting - length) > FILE_TOLERANCE:
                raise Transient("archive", f"it has {float(lasting):.3f} s instead of {float(length):g}")
            job = replace(job, length=length)
        if job.video is None or min(track.width, track.height) <= self._settings.quality:
            return job
        if job.cut == "copy":
            raise Transient("archive", f"its picture is {track.width}x{track.height} (see --quality)")
        return replace(job, scale=self._settings.quality)


def _is_whole(clip: Clip) -> bool:
    """Whether the clip is its video, from the beginning to the end."""
    return clip.start == 0 and clip.end is None and not clip.meta.get("flip")
