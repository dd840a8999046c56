"""One video's clips, from URL to published files.

A Worker belongs to one thread. It returns outcomes and never raises for a clip; RunError (the disk) and
Stopped pass through. Knows nothing of other videos, of retries or of the JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..core.clock import Clock
from ..core.errors import Blocked, ClipError, Gone, Restricted
from ..core.model import Clip, Outcome, Status, Video
from ..core.settings import Settings
from ..core.sites import YOUTUBE, site_of
from ..media.ffmpeg import Ffmpeg
from ..pacing.pace import Ticket, rest
from ..pacing.pacer import Pacer
from ..pacing.reachability import Beacons
from ..reading.reader import Reading
from ..sources.archives import Archives
from ..sources.streams import Streams
from ..sources.youtube import YTDLP_VERSION, YouTube
from ..state.store import Store
from .existing import Local
from .publish import Finisher
from .sidecars import Sidecars


class Worker:
    """Fetches the clips of one video after another."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        pacer: Pacer,
        youtube: YouTube,
        ffmpeg: Ffmpeg,
        store: Store,
        archives: Archives,
        beacons: Beacons | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._pacer = pacer
        self._youtube = youtube
        self._ffmpeg = ffmpeg
        self._store = store
        self._beacons = beacons or Beacons()
        self._finisher = Finisher(settings, ffmpeg, store)
        self._sidecars = Sidecars(settings, clock, store)
        self._local = Local(settings, ffmpeg, store, archives)

    def close(self) -> None:
        """Let go of the connections."""
        self._youtube.close()

    def can_adopt(self, video: Video) -> bool:
        """Whether there is something to say of the clips before anybody is asked for them."""
        return video.url is None or any(self._local.has(clip) for clip in video.clips)

    def adopt(self, video: Video) -> Iterator[Outcome]:
        """Take what is on this machine; yields an Outcome for each such clip, for all if nobody can be asked."""
        for clip in video.clips:
            outcome = self._local.take(clip)
            if outcome is None and video.url is None:
                outcome = self._failure(clip, self._local.refusal(clip))
            if outcome is not None:
                yield replace(outcome, asked=False)

    def run(self, video: Video, ticket: Ticket) -> Iterator[Outcome]:
        """Try every clip of ``video`` once, resting after each download; yields an Outcome for each."""
        pacer = self._pacer.at(video.url)
        try:
            ticket, streams = self._describe(video, ticket, pacer)
        except ClipError as error:
            reached = error.reason != "network"
            online = not reached and self._is_online(video.url)
            for clip in video.clips:
                yield replace(self._failure(clip, error), reached=reached, online=online)
            self._clock.sleep(rest(self._settings.sleep))
            return
        with self._store.files.scratch(video.clips[0]) as folder:
            yield from self._fetch_all(video, self._reading(streams, folder), ticket, pacer)

    def _describe(self, video: Video, ticket: Ticket, pacer: Pacer) -> tuple[Ticket, Streams]:
        try:
            streams = self._youtube.describe(video, suspected=pacer.suspected)
        except Blocked as error:
            pacer.blocked(ticket, error.reason, error.retry_after)
            raise
        except (Gone, Restricted):
            self._beacons.answered(video.url)
            pacer.answered(ticket, success=False)
            raise
        except BaseException:
            pacer.undecided(ticket)
            raise
        self._beacons.answered(video.url)
        return pacer.answered(ticket, success=True), streams

    def _fetch_all(self, video: Video, reading: Reading, ticket: Ticket, pacer: Pacer) -> Iterator[Outcome]:
        for number, clip in enumerate(video.clips):
            try:
                with self._ffmpeg.of_a_clip():
                    outcome = self._fetch(clip, video.url, reading)
                pacer.worked(ticket)
            except Blocked as error:
                pacer.blocked(ticket, error.reason, error.retry_after, thorough=True)
                yield from (self._failure(each, error) for each in video.clips[number:])
                return
            except ClipError as error:
                if not error.permanent:
                    pacer.undecided(ticket)
                outcome = self._failure(clip, error)
            yield outcome
            self._clock.sleep(rest(self._settings.sleep))

    def _fetch(self, clip: Clip, url: str | None, reading: Reading) -> Outcome:
        before, streams = self._youtube.bytes_read, reading.streams
        job = reading.job(clip)
        beside = self._sidecars.make(clip, url, reading)
        found = {"formats": streams.format_id, "yt_dlp": YTDLP_VERSION, "title": streams.about.get("title")}
        if streams.withheld:
            found["withheld"] = streams.withheld
        outcome = self._finisher.finish(clip, job, reading.folder, found | beside.facts, beside.publish)
        return replace(outcome, facts={**outcome.facts, "bytes_fetched": self._youtube.bytes_read - before})

    def _reading(self, streams: Streams, folder: Path) -> Reading:
        return Reading(self._youtube, self._ffmpeg, self._settings, streams, folder)

    def _is_online(self, url: str | None) -> bool:
        """Whether others are reached the same way; of YouTube, which is never gone, nobody asks."""
        if site_of(url) == YOUTUBE:
            return False
        return any(self._youtube.answers(mark) for mark in self._beacons.around(url))

    def _failure(self, clip: Clip, error: ClipError) -> Outcome:
        """The outcome that an error means."""
        status: Status = "blocked" if isinstance(error, Blocked) else "failed"
        whose = self._youtube.who if isinstance(error, Restricted) else None
        return Outcome(clip, status, error.reason, error.detail, error.permanent, identity=whose)
