"""Many videos at once: who asks for which, when, and what an outcome means.

The main thread owns the plan, the store and the report; workers only take a video and send outcomes back.
A video is handed out when a worker is free whose identity may ask now, so that none waits in the hands of a
blocked one, and a list of any length costs no futures.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from ..core.clock import Clock
from ..core.errors import GaveUp, RunError, Stopped
from ..core.files import as_run_error, is_about_the_disk, is_full
from ..core.model import Clip, Outcome, Video
from ..core.settings import Settings
from ..core.sites import site_of
from ..pacing.pace import TROUBLE
from ..pacing.pacer import Pacer
from ..pacing.retries import Last, Retries
from ..state.store import Store
from .disk_space import LOOK_EVERY, DiskSpace
from .host_queue import HostQueues
from .roles import Reporter, Slot

log = logging.getLogger("avclips.fetch.scheduler")

# Seconds that workers have to send what they finished when the run is stopped.
LAST_WORDS = 2.0


@dataclass(frozen=True)
class _Came:
    """A worker tells what became of a clip."""

    slot: Slot
    outcome: Outcome


@dataclass(frozen=True)
class _Finished:
    """A worker is through with its video; ``error`` is what it could not keep to itself."""

    slot: Slot
    video: Video
    error: BaseException | None = None


class Engine:
    """Runs workers over videos until nothing is left to try."""

    def __init__(
        self, settings: Settings, clock: Clock, store: Store, report: Reporter, slots: Sequence[Slot]
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._store = store
        self._report = report
        self._slots = slots
        self._idle = deque(slots)
        self._pacers = list(dict.fromkeys(slot.pacer for slot in slots))
        self._retries = Retries(settings.retry_attempts)
        self._events: queue.SimpleQueue[_Came | _Finished] = queue.SimpleQueue()
        self._queues = HostQueues(())
        self._later: list[tuple[float, int, Video]] = []
        self._numbers = itertools.count()
        self._running: dict[str, Video] = {}
        # Clips of running videos whose outcome came in, and those to be tried again with their delay.
        self._told: set[str] = set()
        self._again: dict[str, list[tuple[Clip, float]]] = {}
        # Clips that failed for good in this run, with their videos: they alone are no longer in the plan.
        self._given_up: dict[str, tuple[Clip, Video]] = {}
        self._space = DiskSpace(settings, clock, store)
        self._next_look = 0.0
        self._last_answer = clock.now()

    def run(self, videos: Iterable[Video]) -> None:
        """Try every video; returns when nothing is left. Raises Stopped, RunError.

        The list is taken as it is needed: it may be one of millions. Whatever happens, the clock is stopped
        before the threads are waited for: a sleeping worker would otherwise hold the exit up for as long as it
        sleeps.
        """
        self._queues = HostQueues(videos)
        pool = ThreadPoolExecutor(len(self._slots), thread_name_prefix="worker")
        try:
            self._loop(pool)
        except BaseException:
            self._clock.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            with suppress(RunError):
                self._drain()
            raise
        pool.shutdown()
        for slot in self._slots:
            slot.worker.close()

    def _loop(self, pool: ThreadPoolExecutor) -> None:
        while True:
            self._clock.check()
            self._look_around()
            patience = self._hand_out(pool)
            if not self._running and not self._later and not any(self._queues):
                return
            with suppress(queue.Empty):
                self._take(self._events.get(timeout=self._clock.real(patience, at_least=0.001)))
            self._report.tick(self._everywhere, self._space.paused)
            self._bring_back(self._store.snapshot())

    # -- what may start ------------------------------------------------------------------------------------

    def _hand_out(self, pool: ThreadPoolExecutor) -> float:
        """Give videos to idle workers that may ask now; return the seconds until it is worth looking again."""
        while self._later and self._later[0][0] <= self._clock.now():
            self._queues.soon(heapq.heappop(self._later)[2])
        # A second of real time, so that a stop, a countdown and a full disk are seen.
        patience = self._clock.scale
        if self._later:
            patience = min(patience, max(0.0, self._later[0][0] - self._clock.now()))
        if self._space.paused:
            return patience
        waits: dict[Pacer, float] = {}
        for _ in range(len(self._idle)):
            slot = self._idle.popleft()
            if not self._give(slot, pool, waits):
                self._idle.append(slot)
        return min([patience, *waits.values()])

    @property
    def _everywhere(self) -> list[Pacer]:
        return [each for pacer in self._pacers for each in pacer.everywhere]

    def _give(self, slot: Slot, pool: ThreadPoolExecutor, waits: dict[Pacer, float]) -> bool:
        """Give ``slot`` the next video that it may ask for, and note how long its identity must wait at others."""

        def may_start(site: str | None) -> bool:
            return site is None or slot.pacer.of(site) not in waits

        while (video := self._next(may_start)) is not None:
            if slot.worker.can_adopt(video):
                pool.submit(self._work, slot, video, slot.worker.adopt)
            else:
                pacer = slot.pacer.at(video.url)
                leave = pacer.start()
                if isinstance(leave, float):
                    waits[pacer] = leave
                    self._queues.back(video)
                    continue
                pool.submit(self._work, slot, video, functools.partial(slot.worker.run, ticket=leave))
            self._running[video.id] = video
            return True
        return False

    def _next(self, may_start: Callable[[str | None], bool]) -> Video | None:
        """The next video, or as many of its clips as --max-clips leaves; None when none may start now."""
        room = self._more_clips()
        if room <= 0:
            if not self._running:
                self._queues.clear()
                self._later.clear()
            return None
        while (video := self._queues.next(may_start)) is not None:
            if video.id in self._running:
                # Let go by a user while its other clips are being fetched: it comes when they are through.
                self._defer(video, 1.0)
                continue
            # Of a list that names a clip twice, the second may be done by now.
            clips = tuple(clip for clip in video.clips if video.url is None or self._store.may_come(clip))
            if not clips:
                continue
            video = replace(video, clips=clips)
            if len(video.clips) > room:
                self._queues.back(replace(video, clips=video.clips[room:]))
                video = replace(video, clips=video.clips[:room])
            return video
        return None

    def _more_clips(self) -> int:
        """How many more clips may be begun before --max-clips is reached, if all succeed."""
        if self._settings.max_clips is None:
            return 1 << 62
        begun = sum(len(video.clips) for video in self._running.values())
        return self._settings.max_clips - self._store.done_of_list - begun

    def _look_around(self) -> None:
        """See whether there is room on the disk, whether the folder is still ours, and whether to give up."""
        now = self._clock.now()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_EVERY
        self._store.check_lock()
        self._space.look()
        self._give_up_in_time()

    def _give_up_in_time(self) -> None:
        """Nothing answered for so long, and not for want of room: exit, with the state safe."""
        if self._space.paused:
            self._last_answer = self._clock.now()
            return
        begun = itertools.chain(self._running.values(), (video for _, _, video in self._later))
        left = {site_of(video.url) for video in begun if video.url is not None} | self._queues.sites
        blocked = bool(left) and all(pacer.of(site).block for site in left for pacer in self._pacers)
        waiting = blocked or self._retries.unheard
        if waiting and self._clock.now() - self._last_answer > self._settings.give_up_after:
            hours = self._settings.give_up_after / 3600
            raise GaveUp(
                f"nothing was to be had for {hours:g} hours",
                "start the same command again later, perhaps with other --cookies, another --proxy, or fewer "
                "--videos-per-hour",
            )

    # -- in a worker's thread ------------------------------------------------------------------------------

    def _work(self, slot: Slot, video: Video, outcomes: Callable[[Video], Iterator[Outcome]]) -> None:
        try:
            for outcome in outcomes(video):
                self._events.put(_Came(slot, outcome))
        except BaseException as error:  # the outermost call of a thread: what is not sent on would be lost
            self._events.put(_Finished(slot, video, error))
        else:
            self._events.put(_Finished(slot, video))

    # -- in the main thread --------------------------------------------------------------------------------

    def _take(self, event: _Came | _Finished) -> None:
        if isinstance(event, _Came):
            self._told.add(event.outcome.clip.id)
            self._settle(event.outcome, self._running[event.outcome.clip.video], event.slot.pacer)
            return
        video = self._running.pop(event.video.id)
        self._idle.append(event.slot)
        if event.error is not None:
            self._mend(event.error, video, event.slot.pacer)
        untold = [clip for clip in video.clips if clip.id not in self._told]
        self._told.difference_update(clip.id for clip in video.clips)
        again = self._again.pop(video.id, []) + [(clip, 0.0) for clip in untold]
        if again:
            # Together: one extraction for all of them.
            clips = tuple(clip for clip, _ in again)
            self._defer(replace(video, clips=clips), max(delay for _, delay in again))

    def _mend(self, error: BaseException, video: Video, pacer: Pacer) -> None:
        """A worker could not go on with its video: because of the disk, a stop, or a fault of ours."""
        if isinstance(error, OSError) and is_full(error):
            # Nothing is lost but that try, and nobody is charged: it comes again when there is room.
            log.warning("no room: %s", error)
            self._space.found_none(error)
            self._next_look = 0.0
            return
        if isinstance(error, OSError) and is_about_the_disk(error):
            raise as_run_error(error, self._store.folder)
        if isinstance(error, (RunError, Stopped)):
            raise error
        log.error("a worker failed at video %s", video.id, exc_info=error)
        for clip in video.clips:
            if clip.id not in self._told:
                self._told.add(clip.id)
                self._settle(Outcome(clip, "failed", "internal", repr(error)), video, pacer)

    def _settle(self, outcome: Outcome, video: Video, pacer: Pacer) -> None:
        """Write down what an outcome of a clip of ``video`` means, or put it off; ``pacer``: of whom asked."""
        way = self._pacers.index(pacer), site_of(video.url)
        verdict = self._retries.judge(outcome, alone=self._nobody_but(video), way=way)
        if outcome.asked and (outcome.status == "done" or outcome.permanent):
            self._last_answer = self._clock.now()
        if isinstance(verdict, Last):
            self._store.record(verdict.outcome)
            self._report.outcome(verdict.outcome, None)
            if verdict.outcome.status != "done":
                self._given_up[outcome.clip.id] = outcome.clip, video
        else:
            self._again.setdefault(outcome.clip.video, []).append((outcome.clip, verdict.delay))
            self._report.outcome(outcome, verdict.delay)
        if self._retries.take_forbidden(way):
            pacer.at(video.url).pause("forbidden")
        elif self._retries.is_deaf(way):
            # Its proxy is down, say: the others go on, and it does not run through the list meanwhile.
            pacer.at(video.url).pause(TROUBLE)
        if (wronged := self._retries.take_back()) is not None:
            self._pause_for_trouble(outcome, video, wronged)

    def _pause_for_trouble(self, outcome: Outcome, video: Video, wronged: set[str]) -> None:
        """So many different videos in a row failed that it cannot be theirs: nobody is charged, one probes."""
        self._report.trouble(outcome)
        back = wronged & self._given_up.keys()
        for clip_id in back:
            self._store.forget(clip_id)
        self._bring_back(back)
        self._report.taken_back(sorted(back))
        for pacer in self._pacers:
            pacer.at(video.url).pause(TROUBLE)

    def _nobody_but(self, video: Video) -> bool:
        """Whether no other video of its site is tried, or waits to be: nobody whom a probe could show the way."""
        site = site_of(video.url)
        return all(each.id == video.id for each in self._left if each.url and site_of(each.url) == site)

    @property
    def _left(self) -> Iterator[Video]:
        """The videos that are tried now, or are to be, as far as the list was read."""
        later = (video for _, _, video in self._later)
        return itertools.chain(self._running.values(), later, self._queues)

    def _defer(self, video: Video, delay: float) -> None:
        if delay > 0:
            heapq.heappush(self._later, (self._clock.now() + delay, next(self._numbers), video))
        else:
            # At the end: after a refusal, another one should probe.
            self._queues.last(video)

    def _bring_back(self, clip_ids: Iterable[str]) -> None:
        """Clips that had failed are tried again, with all their tries; those of an earlier run with the next."""
        back: dict[str, tuple[Video, list[Clip]]] = {}
        for clip_id in clip_ids:
            if clip_id in self._given_up:
                log.info("%s is tried again", clip_id)
                clip, video = self._given_up.pop(clip_id)
                self._retries.forget(clip_id)
                back.setdefault(video.id, (video, []))[1].append(clip)
            else:
                log.info("%s was let go: it is tried when its turn comes, or by the next run", clip_id)
        for video, clips in back.values():
            self._defer(replace(video, clips=tuple(clips)), 0.0)

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
            elif isinstance(verdict := self._retries.judge(event.outcome), Last):
                self._store.record(verdict.outcome)
