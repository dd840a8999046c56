"""A run whose results go into shards: what is still to be fetched, and the writing of shards beside the fetching.

A clip is fetched as ever, into the data folder; when every clip of its shard is done or failed, another thread
writes the shard and takes the files away. What is left when a run ends is written by the next.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.clock import Clock
from ..core.errors import GaveUp
from ..core.model import Clip, Outcome, Video
from ..core.settings import Settings
from ..core.sites import site_of
from ..datasets.base import Listing
from ..pacing.pacer import Pacer
from ..progress.console import Report
from ..shards.layout import Output, Shard, cut
from ..shards.sample import Sample
from ..state.manifest import Line, line_of
from ..state.store import Store
from .plan import by_video
from .shard_todo import Todo
from .shard_writing import WRITE_AGAIN, files_by_id, sample_of, write_until_it_is_there

log = logging.getLogger("avclips.fetch.sharded")


@dataclass
class _Open:
    """A shard of which clips are still to be had: ``left``; ``doubtful``: failures that may be ours, by site."""

    shard: Shard
    left: set[str]
    doubtful: dict[str, str] = field(default_factory=dict)


class ShardedRun:
    """The shards of one run, from the list to the last file."""

    def __init__(self, output: Output, listing: Listing, clips: Iterable[Clip], store: Store, settings: Settings,
                 clock: Clock) -> None:  # fmt: skip
        """``clips``: all that the list has, to be gone through again and again."""
        self.output = output
        self.todo = self.videos_todo = 0
        # Of earlier runs.
        self.done_before = 0
        self._listing = listing
        self._clips = clips
        self._store = store
        self._settings = settings
        self._clock = clock
        self._finished = output.finished()
        self._shards = Todo(output, clips, settings, self._finished)
        # Whole lines of what is done and in no shard yet.
        self._lines: dict[str, Line] = {}
        self._open: dict[int, _Open] = {}
        self._shard_of: dict[str, int] = {}
        self._queue: queue.SimpleQueue[tuple[Shard, list[Sample]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="shard-writer", daemon=True)
        self._error: BaseException | None = None

    # -- what is to be done --------------------------------------------------------------------------------

    def begin(self) -> None:
        """See what is there, and what of it is still to be had."""
        if self._store.done:
            self._lines = {line["id"]: line for line in self._store.done_lines()}
        self._clear_away()
        for _, group in itertools.groupby(self._store.expect(self._mine()), key=lambda clip: clip.video):
            pending = sum(self._store.may_come(clip) for clip in group)
            self.todo, self.videos_todo = self.todo + pending, self.videos_todo + bool(pending)
        if self._settings.max_clips is not None:
            self.done_before = self.output.totals(self.output.share(self._finished, self._settings.part)).done

    def _clear_away(self) -> None:
        """Remove what is in a shard, and was left behind by a run that was ended just then."""
        left = files_by_id(self._store.folder)
        for clip_id in [each for each in left if self._store.knew(each) and each not in self._store.done]:
            # Not taken away whole. What no line ever knew is not ours to remove.
            self._forget(clip_id, left.pop(clip_id))
        if not left:
            return
        further = [number for number in self._finished if number >= self.output.count]
        written = frozenset[str]().union(*map(self.output.done_in, further))
        for shard in cut(self._clips, self._settings.samples_per_shard):
            if shard.number in self._finished and any(clip.id in left for clip in shard.clips):
                there = written | self.output.done_in(shard.number)
                for clip in shard.clips:
                    if clip.id in there:
                        self._forget(clip.id, left.get(clip.id, ()))

    def _forget(self, clip_id: str, files: Iterable[Path]) -> None:
        for path in files:
            path.unlink(missing_ok=True)
        self._lines.pop(clip_id, None)
        self._store.done.pop(clip_id, None)

    def _mine(self) -> Iterator[Clip]:
        for shard in self._shards:
            yield from shard.clips

    @property
    def unfinished(self) -> int:
        """How many of the list's shards that are this run's are not there."""
        return self.output.missing(self.output.finished(), self._settings.part)

    # -- the main thread -----------------------------------------------------------------------------------

    def videos(self) -> Iterator[Video]:
        """What is to be fetched, shard by shard, as it is taken."""
        self._thread.start()
        for shard in self._shards:
            todo = [clip for clip in shard.clips if self._store.may_come(clip)]
            self._open[shard.number] = _Open(shard, {clip.id for clip in todo})
            self._shard_of |= {clip.id: shard.number for clip in todo}
            self._see(shard.number)
            yield from by_video(todo, self._listing.url_of)

    def settle(self, outcome: Outcome) -> None:
        """A clip's last outcome."""
        line = line_of(outcome)
        if outcome.status == "done":
            self._lines[outcome.clip.id] = line
            if outcome.asked:
                self._have_faith(self._site_of(outcome.clip))
        if (number := self._shard_of.get(outcome.clip.id)) is None:
            return
        shard = self._open[number]
        shard.left.discard(outcome.clip.id)
        if outcome.status != "done" and not outcome.permanent:
            shard.doubtful[outcome.clip.id] = self._site_of(outcome.clip)
        self._see(number)

    def taken_back(self, clip_ids: Iterable[str]) -> None:
        """These are tried again."""
        for clip_id in clip_ids:
            if (number := self._shard_of.get(clip_id)) is not None:
                self._open[number].left.add(clip_id)
                self._open[number].doubtful.pop(clip_id, None)

    def check(self) -> None:
        """Raise what the writing thread could not keep to itself."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def finish(self) -> None:
        """Write what is complete; returns when all of it is there. Stopped, RunError."""
        self._have_faith()
        self._queue.put(None)
        while self._thread.is_alive():
            self._thread.join(0.2)
            self._clock.check()
        self.check()
        self.output.let_go()

    def _have_faith(self, site: str | None = None) -> None:
        """Something came of a site: what failed before there did so by itself, and will not be taken back."""
        for number in [number for number, shard in self._open.items() if shard.doubtful]:
            doubtful = self._open[number].doubtful
            for clip_id in [each for each, where in doubtful.items() if site in (None, where)]:
                del doubtful[clip_id]
            self._see(number)

    def _site_of(self, clip: Clip) -> str:
        return site_of(self._listing.url_of(clip.video))

    def _see(self, number: int) -> None:
        """Hand a shard over when nothing of it is left, or in doubt."""
        if self._open[number].left or self._open[number].doubtful:
            return
        shard = self._open.pop(number).shard
        samples = []
        for clip in shard.clips:
            self._shard_of.pop(clip.id, None)
            line = self._lines.pop(clip.id, None) if clip.id in self._store.done else None
            samples.append(sample_of(clip, line, self._store))
        self._queue.put((shard, samples))

    # -- the writing thread --------------------------------------------------------------------------------

    def _write_all(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                self._write(*item)
        except BaseException as error:  # the outermost call of a thread: the main one raises it
            self._error = error

    def _write(self, shard: Shard, samples: Sequence[Sample]) -> None:
        samples = self.output.fitting(samples, self._store.folder)
        patience, name = self._settings.give_up_after, self.output.name(shard.number)
        until = self._clock.now() + patience
        while not write_until_it_is_there(self.output, shard.number, samples, self._store, self._clock, patience):
            if self.output.is_finished(shard.number):
                log.warning("shard %s was written by another run: what it lacks is kept here", name)
                there = self.output.done_in(shard.number)
                samples = [sample for sample in samples if sample.clip.id in there]
                break
            if self._clock.now() > until:
                raise GaveUp(f"another run was at shard {name} for so long", "the same command goes on")
            self._clock.sleep(WRITE_AGAIN)
        log.info("shard %s is written", name)
        for sample in samples:
            self._take_away(sample)

    def _take_away(self, sample: Sample) -> None:
        folder = self._store.folder
        for path in (*sample.files(folder).values(), *sample.beside(folder)):
            path.unlink(missing_ok=True)


class ShardReport(Report):
    """A report that tells the shards, too."""

    def __init__(self, sharded: ShardedRun, *args: Any) -> None:
        super().__init__(*args)
        self._sharded = sharded

    def outcome(self, outcome: Outcome, retry_in: float | None) -> None:
        super().outcome(outcome, retry_in)
        if retry_in is None:
            self._sharded.settle(outcome)

    def tick(self, pacers: Sequence[Pacer], paused: str | None) -> None:
        super().tick(pacers, paused)
        self._sharded.check()

    def taken_back(self, clip_ids: Sequence[str]) -> None:
        super().taken_back(clip_ids)
        self._sharded.taken_back(clip_ids)
