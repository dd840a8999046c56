"""From local files to a published clip: cut, check against the source, measure, publish.

Knows nothing of where the files came from, or of what is done when one is wrong: it raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..containers.mp4 import NoTable, read_file
from ..core.errors import Transient
from ..core.files import sha256
from ..core.model import Clip, Outcome
from ..core.settings import Settings
from ..media.cut import Job, cut
from ..media.ffmpeg import Ffmpeg
from ..media.inspect import measure_sound
from ..media.measure import Expected, Sound, Track, facts, judge, judge_sound, track_of
from ..media.small import Small
from ..media.still import see_that_it_is_there
from ..state.shape import shape_of
from ..state.store import Store

# Libav takes some samples for the beginning of a frame, and cannot go on (findings/flac-unread.sh): in frames of
# another length they lie elsewhere.
_FLAC_FRAMES = (4096, 2304)


class Finisher:
    """Finishes clips for one data folder."""

    def __init__(self, settings: Settings, ffmpeg: Ffmpeg, store: Store) -> None:
        self._settings = settings
        self._ffmpeg = ffmpeg
        self._store = store

    def finish(
        self,
        clip: Clip,
        job: Job,
        folder: Path,
        origin: Mapping[str, Any],
        before: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Cut, check and publish; ClipError where the result is not what the source has of the clip.

        ``folder``: for unfinished files; ``origin``: what the manifest is to say of where the clip came from;
        ``before``: publishes what stands beside a clip, which counts when the clip is there.
        """
        video, audio = (folder / path.name for path in self._store.files.paths(clip.id, clip.folder))
        job = replace(job, encode_all=self._settings.encode == "all")
        if job.video and self._settings.check == "decode":
            job = replace(job, decode=True)
        small = small_of(self._settings, folder)
        job = replace(job, small=small)
        frame = folder / self._store.files.frame(clip.id).name if self._settings.frame and job.video else None
        expected, sound = self._cut(job, folder, video, audio, frame)
        tracks: list[Track] = []
        if job.video is None:
            complaint = judge_sound(expected, sound)
        else:
            video = job.video.path if job.keep else video
            # An untrusted file may have its packets in fragments, which the table does not list.
            tracks = self._ffmpeg.list_packets(video) if job.keep else self._packets(video)
            complaint = judge(expected, tracks, sound, job.cut)
        if complaint:
            raise Transient("check", complaint)
        if frame is not None:
            see_that_it_is_there(frame)
        results = video if job.video else None, audio if sound else None, frame
        known = self.describe(clip, *results, media=facts(tracks, sound))
        if expected.encode is not None:
            known["encode"] = asdict(expected.encode)
        if small is not None:
            known |= flags_fact(small.flags(sound, audio if audio.suffix == ".wav" else None))
        before()
        self._store.files.publish(clip, *results)
        return Outcome(clip, "done", facts={**known, **origin})

    def _cut(
        self, job: Job, folder: Path, video: Path, audio: Path, frame: Path | None
    ) -> tuple[Expected, Sound | None]:
        """Cut, and measure the sound. FLAC that cannot be read is made anew, in frames of other lengths."""
        *others, last = (None, *_FLAC_FRAMES) if audio.suffix == ".flac" else (None,)
        for frames in others:
            expected = cut(replace(job, flac_frames=frames), self._ffmpeg, folder, video, audio, frame)
            with suppress(Transient):
                return expected, self._measured(expected, audio, job.small)
        expected = cut(replace(job, flac_frames=last), self._ffmpeg, folder, video, audio, frame)
        return expected, self._measured(expected, audio, job.small)

    def _measured(self, expected: Expected, audio: Path, small: Small | None) -> Sound | None:
        return None if expected.sound is None else measure_sound(audio, self._ffmpeg, small)

    def _packets(self, video: Path) -> list[Track]:
        """Every packet of a result. Its pictures were decoded: to be encoded, or by --check, to see them."""
        if video.suffix != ".mp4":
            return self._ffmpeg.list_packets(video)
        try:
            return [track_of(samples) for samples in read_file(video)]
        except NoTable as error:
            raise Transient("check", f"{video.name}: {error}") from error

    def describe(
        self,
        clip: Clip,
        video: Path | None,
        audio: Path | None,
        frame: Path | None,
        media: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What the manifest says of a clip whose finished files lie at ``video``, ``audio`` and ``frame``."""
        files = self._store.files
        paths = *files.paths(clip.id, clip.folder), files.frame(clip.id, clip.folder)
        names = [path.relative_to(self._store.folder).as_posix() for path in paths]
        # Who did not ask for frames is told nothing of them.
        of_frame = {"frame": names[2], "frame_sha256": sha256(frame)} if frame else {}
        return {
            "video": names[0] if video else None,
            "audio": names[1] if audio else None,
            **of_frame,
            "settings": shape_of(self._settings),
            "bytes": sum(path.stat().st_size for path in (video or audio,) if path),
            "sha256": sha256(video) if video else None,
            "audio_sha256": sha256(audio) if audio else None,
            **media,
        }


def small_of(settings: Settings, folder: Path) -> Small | None:
    """Where the small outputs of a clip are made, by which its flags are told; None where there are none."""
    return Small(folder) if settings.flags == "auto" and settings.check == "decode" else None


def flags_fact(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's ``flags``, where any were measured."""
    return {"flags": dict(flags)} if flags else {}
