"""Many videos at once: threads, tries, and when the next try is due.

The main thread owns the plan, the store and the report; workers only take a video and send outcomes back.
Videos are handed out as threads become free, so that a list of any length costs no futures.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from .clip import Clip, Outcome, Settings, Video
from .errors import RunError, Stopped
from .pace import Clock, Pacer, retry_delay
from .store import Store

log = logging.getLogger("avclips.engine")

# A video that is always refused, whatever the others get, is set aside after so many refusals.
REFUSALS = 3
# Reasons that pass, but not within a run's tries: another run may find the clip.
NOT_TODAY = ("upcoming", "formats", "whole_file")
# Seconds that workers have to send what they finished when the run is stopped.
LAST_WORDS = 2.0


class Works(Protocol):
    """What the engine needs of a worker."""

    def run(self, video: Video) -> Iterator[Outcome]: ...

    def close(self) -> None: ...


class Watches(Protocol):
    """What the engine tells a report."""

    def outcome(self, outcome: Outcome, retry_in: float | None) -> None: ...

    def tick(self, pacer: Pacer) -> None: ...


@dataclass(frozen=True)
class _Finished:
    """A worker is through with its video; ``error`` is what it could not keep to itself."""

    video: Video
    error: BaseException | None = None


class Engine:
    """Runs workers over videos until nothing is left to try."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        pacer: Pacer,
        store: Store,
        report: Watches,
        make_worker: Callable[[], Works],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._pacer = pacer
        self._store = store
        self._report = report
        self._make_worker = make_worker
        self._events: queue.SimpleQueue[Outcome | _Finished] = queue.SimpleQueue()
        self._local = threading.local()
        self._workers: list[Works] = []
        self._ready: deque[Video] = deque()
        self._later: list[tuple[float, int, Video]] = []
        self._numbers = itertools.count()
        self._running: dict[str, Video] = {}
        self._attempts: dict[str, int] = {}
        # Clips of running videos whose outcome came in.
        self._told: set[str] = set()
        self._answers = 0
        # Clip id -> how often it was refused for its own sake, and how many answers there were by then.
        self._refusals: dict[str, tuple[int, int]] = {}
        # Video id -> clips of the running video to be tried again, each with its delay.
        self._again: dict[str, list[tuple[Clip, float]]] = {}
        self._clips: dict[str, tuple[Clip, str]] = {}

    def run(self, videos: Iterable[Video]) -> None:
        """Try every video; returns when nothing is left. Raises Stopped, RunError.

        Whatever happens, the clock is stopped before the threads are waited for: a sleeping worker would
        otherwise hold the exit up for as long as it sleeps.
        """
        self._ready.extend(videos)
        self._clips = {clip.id: (clip, video.url) for video in self._ready for clip in video.clips}
        pool = ThreadPoolExecutor(self._settings.workers, thread_name_prefix="worker")
        try:
            self._loop(pool)
        except BaseException:
            self._clock.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            with suppress(RunError):
                self._drain()
            raise
        pool.shutdown()
        for worker in self._workers:
            worker.close()

    def _loop(self, pool: ThreadPoolExecutor) -> None:
        while True:
            self._clock.check()
            self._hand_out(pool)
            if not self._running and not self._later:
                return
            with suppress(queue.Empty):
                self._take(self._events.get(timeout=self._patience()))
            self._report.tick(self._pacer)
            for clip_id in self._store.snapshot():
                self._bring_back(clip_id)

    def _hand_out(self, pool: ThreadPoolExecutor) -> None:
        while self._later and self._later[0][0] <= self._clock.now():
            self._ready.append(heapq.heappop(self._later)[2])
        while self._ready and len(self._running) < self._settings.workers:
            room = self._room()
            if room <= 0:
                if not self._running:
                    self._ready.clear()
                    self._later.clear()
                return
            video = self._ready.popleft()
            if video.id in self._running:
                # Let go by a user while its other clips are being fetched: it comes when they are through.
                self._defer(video, 1.0)
                continue
            if len(video.clips) > room:
                self._ready.appendleft(replace(video, clips=video.clips[room:]))
                video = replace(video, clips=video.clips[:room])
            self._running[video.id] = video
            pool.submit(self._work, video)

    def _room(self) -> int:
        """How many more clips may be begun before --max-videos is reached, if all succeed."""
        if self._settings.max_videos is None:
            return 1 << 62
        begun = sum(len(video.clips) for video in self._running.values())
        return self._settings.max_videos - len(self._store.done) - begun

    def _patience(self) -> float:
        """Seconds until something may be due; a report is wanted once a second in any case."""
        due = self._later[0][0] - self._clock.now() if self._later else 1.0
        return min(1.0, self._clock.real(max(0.0, due), at_least=0.001))

    # -- in a worker's thread ------------------------------------------------------------------------------

    def _work(self, video: Video) -> None:
        try:
            for outcome in self._worker().run(video):
                self._events.put(outcome)
        except BaseException as error:  # the door of a thread: what is not sent on would be lost
            self._events.put(_Finished(video, error))
        else:
            self._events.put(_Finished(video))

    def _worker(self) -> Works:
        worker: Works | None = getattr(self._local, "worker", None)
        if worker is None:
            worker = self._local.worker = self._make_worker()
            self._workers.append(worker)
        return worker

    # -- in the main thread --------------------------------------------------------------------------------

    def _take(self, event: Outcome | _Finished) -> None:
        if isinstance(event, Outcome):
            self._told.add(event.clip.id)
            self._settle(event)
            return
        video = self._running.pop(event.video.id)
        if isinstance(event.error, (RunError, Stopped)):
            raise event.error
        if event.error is not None:
            log.error("a worker failed at video %s", video.id, exc_info=event.error)
            for clip in video.clips:
                if clip.id not in self._told:
                    self._settle(Outcome(clip, "failed", "internal", repr(event.error)))
        self._told.difference_update(clip.id for clip in video.clips)
        self._defer_again(video)

    def _settle(self, outcome: Outcome) -> None:
        """Decide what an outcome means, and write it down."""
        clip = outcome.clip
        if outcome.status == "blocked":
            if self._refusals_of(clip) < REFUSALS:
                # Not charged. The pacer makes it wait; it goes to the end, so that another one probes.
                self._again.setdefault(clip.video, []).append((clip, 0.0))
                self._report.outcome(outcome, 0.0)
                return
            outcome = replace(outcome, status="failed")
        else:
            self._answers += 1
        attempts = self._attempts[clip.id] = self._attempts.get(clip.id, 0) + 1
        outcome = replace(outcome, attempts=attempts)
        last = outcome.permanent or attempts >= self._settings.retry_attempts or outcome.reason in NOT_TODAY
        if outcome.status == "done" or last:
            self._store.record(outcome)
            self._report.outcome(outcome, None)
            return
        delay = retry_delay(attempts)
        self._again.setdefault(clip.video, []).append((clip, delay))
        self._report.outcome(outcome, delay)

    def _refusals_of(self, clip: Clip) -> int:
        """How often the clip was refused while others were answered: only then it is about the clip."""
        count, answers = self._refusals.get(clip.id, (0, 0))
        if self._answers > answers:
            count += 1
        self._refusals[clip.id] = (count, self._answers)
        return count

    def _defer_again(self, video: Video) -> None:
        """Put what is to be tried again of a finished video off, together: one extraction for all of it."""
        again = self._again.pop(video.id, [])
        if again:
            clips = tuple(clip for clip, _ in again)
            self._defer(replace(video, clips=clips), max(delay for _, delay in again))

    def _defer(self, video: Video, delay: float) -> None:
        heapq.heappush(self._later, (self._clock.now() + delay, next(self._numbers), video))

    def _bring_back(self, clip_id: str) -> None:
        """A user took the clip out of failed_downloads.json: it is tried again, with all its tries."""
        log.info("%s was taken out of failed_downloads.json: it is tried again", clip_id)
        if clip_id in self._clips:
            self._attempts.pop(clip_id, None)
            self._refusals.pop(clip_id, None)
            clip, url = self._clips[clip_id]
            self._defer(Video(clip.video, url, (clip,)), 0.0)

    def _drain(self) -> None:
        """Write down what still comes in while the workers notice the stop."""
        until = time.monotonic() + LAST_WORDS
        while self._running and (left := until - time.monotonic()) > 0:
            try:
                event = self._events.get(timeout=left)
            except queue.Empty:
                return
            if isinstance(event, _Finished):
                self._running.pop(event.video.id, None)
            elif event.status == "done" or event.permanent:
                self._store.record(replace(event, attempts=self._attempts.get(event.clip.id, 0) + 1))


def by_video(clips: Iterable[Clip], url_of: Callable[[str], str]) -> list[Video]:
    """Group clips by their video, in the order of the first of each: one extraction a video."""
    groups: dict[str, list[Clip]] = {}
    for clip in clips:
        groups.setdefault(clip.video, []).append(clip)
    return [Video(video, url_of(video), tuple(group)) for video, group in groups.items()]
