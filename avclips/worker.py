"""One video's clips, from URL to published files.

A Worker belongs to one thread. It returns outcomes and never raises for a clip; RunError (the disk) and
Stopped pass through. Knows nothing of other videos, of retries or of the JSON.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from . import spans
from .archives import Archives
from .clip import Clip, Cut, Outcome, Settings, Status, Video
from .errors import Blocked, ClipError, Gone, Restricted, Transient
from .files import exactly
from .finish import Finisher
from .local import Local
from .measure import Promise
from .media import Ffmpeg, Job, Source
from .pace import Clock, Ticket, rest
from .pacer import Pacer
from .store import Store
from .youtube import YTDLP_VERSION, Stream, Streams, YouTube

log = logging.getLogger("avclips.worker")

# AAC needs the packet before the first (at most 2048 samples) for the right samples.
SOUND_BEFORE = Fraction(1, 10)
# A resampler needs a little of what follows.
SOUND_AFTER = Fraction(1, 20)


@dataclass
class _Head:
    """What is known of one stream: its index, or the whole file where it has none."""

    stream: Stream
    index: spans.Index | None
    whole: Path | None = None


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
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._pacer = pacer
        self._youtube = youtube
        self._store = store
        self._finisher = Finisher(settings, ffmpeg, store)
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
        try:
            ticket, streams = self._describe(video, ticket)
        except ClipError as error:
            reached = error.reason != "network"
            yield from (self._failure(clip, error, reached) for clip in video.clips)
            self._clock.sleep(rest(self._settings.sleep))
            return
        with self._store.scratch(video.clips[0]) as folder:
            yield from self._fetch_all(video.clips, _Reading(streams, folder), ticket)

    def _describe(self, video: Video, ticket: Ticket) -> tuple[Ticket, Streams]:
        try:
            streams = self._youtube.describe(video, suspected=self._pacer.suspected)
        except Blocked as error:
            self._pacer.blocked(ticket, error.reason, error.retry_after)
            raise
        except (Gone, Restricted):
            self._pacer.answered(ticket, success=False)
            raise
        except BaseException:
            self._pacer.undecided(ticket)
            raise
        return self._pacer.answered(ticket, success=True), streams

    def _fetch_all(self, clips: Sequence[Clip], reading: _Reading, ticket: Ticket) -> Iterator[Outcome]:
        for number, clip in enumerate(clips):
            try:
                outcome = self._fetch(clip, reading)
                self._pacer.worked(ticket)
            except Blocked as error:
                self._pacer.blocked(ticket, error.reason, error.retry_after, thorough=True)
                yield from (self._failure(each, error) for each in clips[number:])
                return
            except ClipError as error:
                if not error.permanent:
                    self._pacer.undecided(ticket)
                outcome = self._failure(clip, error)
            yield outcome
            self._clock.sleep(rest(self._settings.sleep))

    def _fetch(self, clip: Clip, reading: _Reading) -> Outcome:
        before = self._youtube.bytes_read
        job = self._job(clip, reading)
        promises = self._promises(clip, reading)
        found = {"formats": reading.streams.format_id, "yt_dlp": YTDLP_VERSION}
        outcome = self._finisher.finish(clip, job, reading.folder, promises, found)
        return replace(outcome, facts={**outcome.facts, "bytes_fetched": self._youtube.bytes_read - before})

    def _failure(self, clip: Clip, error: ClipError, reached: bool = True) -> Outcome:
        """The outcome that an error means."""
        status: Status = "blocked" if isinstance(error, Blocked) else "failed"
        whose = self._youtube.who if isinstance(error, Restricted) else None
        return Outcome(clip, status, error.reason, error.detail, error.permanent, reached=reached, identity=whose)

    def _promises(self, clip: Clip, reading: _Reading) -> tuple[Promise | None, Promise | None]:
        """What the indexes of picture and sound say that there is of the clip; None where there is no index."""
        start, end = exactly(clip.start), None if clip.end is None else exactly(clip.end)
        found: list[Promise | None] = []
        for stream in (reading.streams.picture, reading.streams.sound):
            index = reading.heads[stream.url].index if stream else None
            if index is None:
                found.append(None)
                continue
            until = index.duration if end is None else min(end, index.duration)
            windows = [(float(a), float(b)) for a, b in spans.windows(index, start, end)]
            found.append(Promise(float(until - start), windows))
        return found[0], found[1]

    # -- bytes -------------------------------------------------------------------------------------------

    def _job(self, clip: Clip, reading: _Reading) -> Job:
        start, end = exactly(clip.start), None if clip.end is None else exactly(clip.end)
        duration = reading.streams.duration
        # YouTube gives whole seconds; the index or the file itself tells the rest.
        if duration is not None and start >= duration + 1:
            raise Gone("over", f"the video has {duration:g} s, the clip starts at {clip.start:g} s")
        picture = self._source(reading, reading.streams.picture, start, start, end)
        sound = None
        if reading.streams.sound is not None:
            until = end + SOUND_AFTER if end is not None and self._settings.audio_rate else end
            sound = self._source(
                reading, reading.streams.sound, start, max(Fraction(0), start - SOUND_BEFORE), until
            )
        length = None if end is None else end - start
        flip = bool(clip.meta.get("flip"))
        # A mirrored picture is another one: it cannot be copied.
        cut: Cut = "exact" if flip else self._settings.cut
        rate, channels = self._settings.audio_rate, self._settings.audio_channels
        return Job(picture, sound, length, cut, rate, channels, flip=flip)

    def _source(
        self, reading: _Reading, stream: Stream, start: Fraction, since: Fraction, until: Fraction | None
    ) -> Source:
        """A local file that holds seconds ``since``..``until`` of ``stream``."""
        head = reading.heads.get(stream.url)
        if head is None:
            head = reading.heads[stream.url] = self._head(reading, stream)
        if head.index is None:
            assert head.whole is not None
            return Source(head.whole, start)
        span = spans.plan(head.index, since, until) if start < head.index.duration else None
        if span is None:
            raise Gone(
                "over",
                f"the video has {float(head.index.duration):.3f} s, the clip starts at {float(start):g} s",
            )
        # A mirrored copy, or a clip that shares its fragments with another, is cut from the same file.
        key = (stream.url, span.first, span.last)
        if key in reading.read:
            return Source(reading.read[key], start - span.starts_at)
        part, file = reading.file("part"), reading.file("partial.mp4")
        self._youtube.read(stream, span.first, span.last, part)
        body = part.read_bytes()
        if damage := spans.check_boxes(head.index, span, body):
            raise Transient("check", f"a damaged fragment: {damage}")
        with open(file, "wb") as target:
            target.write(head.index.init)
            target.write(body)
        part.unlink()
        reading.read[key] = file
        return Source(file, start - span.starts_at)

    def _head(self, reading: _Reading, stream: Stream) -> _Head:
        """Read a stream's index; where it has none, the whole stream."""
        data, asked = b"", spans.guess_head(reading.streams.duration)
        try:
            while True:
                part = reading.file("head")
                self._youtube.read(stream, len(data), asked - 1, part, short=True)
                data += part.read_bytes()
                found = spans.read_index(data)
                if isinstance(found, spans.Index):
                    return _Head(stream, found)
                if len(data) < asked:
                    raise spans.NoIndex("the stream ends in its head")
                asked = found.size
        except spans.NoIndex as error:
            log.debug("format %s has no index (%s): reading it whole", stream.format_id, error)
            whole = reading.file(f"whole.{stream.ext}")
            self._youtube.read_whole(stream, whole, self._settings.max_whole_file)
            return _Head(stream, None, whole)


@dataclass
class _Reading:
    """One video being read: its streams, what is known of their heads, what was read, and where files go."""

    streams: Streams
    folder: Path
    heads: dict[str, _Head] = field(default_factory=dict)
    # (URL, first byte, last byte) -> the file that holds them behind the stream's head.
    read: dict[tuple[str, int, int], Path] = field(default_factory=dict)
    files: int = 0

    def file(self, name: str) -> Path:
        """A new path in the scratch folder."""
        self.files += 1
        return self.folder / f"{self.files}.{name}"
