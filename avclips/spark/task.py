"""One shard on one machine of a cluster: what a task of Spark's does.

All that a task is given can be pickled, and all that it leaves behind is the shard. Until then its clips are kept
on the machine, under its host's name: a task that is tried again there goes on where it ended.
"""

from __future__ import annotations

import logging
import shutil
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..core.clock import Clock
from ..core.errors import GaveUp, RunError, Stopped
from ..core.files import is_local
from ..core.model import Outcome
from ..core.settings import Settings
from ..fetch.plan import by_video
from ..fetch.pool import Pool
from ..fetch.scheduler import Engine
from ..fetch.shard_output import see_what_is_needed
from ..fetch.shard_writing import sample_of, write_until_it_is_there
from ..media.ffmpeg_trial import find_ffmpeg
from ..pacing.pacer import Pacer
from ..shards.layout import Output
from ..shards.members import Layout
from ..shards.shard import Shard
from ..shards.storage import Remote, StoreLost
from ..sources.archives import Archives
from ..state.store import Store

log = logging.getLogger("avclips.spark.task")

# A machine that is refused for so many seconds hands its shard back, for another to take.
BLOCKED_PATIENCE = 60.0
# What another task is at, on this machine or another, is waited for so long; how often it is looked at.
OTHERS_PATIENCE = 600.0
LOOK_EVERY = 5.0
# Seconds after which a store that is away is looked for again.
LOST_WAIT = 30.0

# there: it is written; refused, busy: others may have more luck; failed: nobody will, until something is mended.
State = Literal["there", "refused", "busy", "failed"]


@dataclass(frozen=True)
class Job:
    """What all tasks of a run have in common. ``url``, ``count``, ``layout``: of the shards to be."""

    settings: Settings
    dataset: str
    audio_folder: str
    url: str
    count: int
    layout: Layout | None = None

    @property
    def folder(self) -> Path:
        """Where unfinished shards lie, on each machine or on all."""
        return self.settings.data_dir / "spark"

    def output(self, clock: Clock | None = None) -> Output:
        """The folder of finished shards, as it is reached from here."""
        assert self.settings.output_format != "files"
        output = Output(Remote(self.url, clock=clock), self.settings.output_format, self.count, clock)
        output.layout = self.layout
        return output


@dataclass(frozen=True)
class Result:
    """How a task ended; ``error`` and ``hint`` say what is to be mended."""

    number: int
    state: State
    host: str
    error: str = ""
    hint: str = ""


def do_shard(job: Job, shard: Shard, urls: Mapping[str, str | None]) -> Result:
    """Fetch a shard's clips and write it. Never raises what a user could mend: that is in the Result."""
    clock = Clock()
    host = socket.gethostname()
    try:
        state = _do_shard(job, shard, urls, clock, host)
    except GaveUp:
        state = "refused"
    except StoreLost as error:
        log.warning("%s", error)
        clock.sleep(LOST_WAIT)
        state = "refused"
    except Stopped:
        raise
    except Exception as error:  # the outermost call of a task: Spark would only try the same again
        log.error("shard %d failed", shard.number, exc_info=error)
        words = str(error) if isinstance(error, (RunError, OSError)) else repr(error)
        return Result(shard.number, "failed", host, words, getattr(error, "hint", ""))
    return Result(shard.number, state, host)


def _do_shard(job: Job, shard: Shard, urls: Mapping[str, str | None], clock: Clock, host: str) -> State:
    see_what_is_needed(job.settings)
    output = job.output(clock)
    name = output.name(shard.number)
    clean_up(job, output, host)
    if output.is_finished(shard.number):
        return "there"
    settings = replace(
        job.settings, data_dir=job.folder / host / name, give_up_after=BLOCKED_PATIENCE, output_format="files"
    )
    ffmpeg = find_ffmpeg(settings.ffmpeg, clock)
    pool = Pool(settings, clock, ffmpeg)
    store = Store(settings, job.dataset, clock, pool.whose, job.audio_folder)
    if (user := store.user()) is not None:
        log.info("shard %s is being fetched by %s", name, user)
        state = _wait_for_others(output, shard.number, clock, lambda: store.user() is not None)
        return _do_shard(job, shard, urls, clock, host) if state is None else state
    store.open()
    try:
        _let_others_go(shard, store)
        _fetch(shard, urls, settings, clock, pool, store)
        lines = store.finished()
        samples = [sample_of(clip, lines.get(clip.id), store) for clip in shard.clips]
        samples = output.fitting(samples, store.folder)
        while not write_until_it_is_there(output, shard.number, samples, store, clock, OTHERS_PATIENCE):
            state = _wait_for_others(output, shard.number, clock, lambda: not output.is_free(shard.number))
            if state is not None:
                return state
    finally:
        store.close()
    shutil.rmtree(store.folder, ignore_errors=True)
    return "there"


def _fetch(
    shard: Shard, urls: Mapping[str, str | None], settings: Settings, clock: Clock, pool: Pool, store: Store
) -> None:
    archives = Archives(frozenset(), store.spill)
    pending = store.pending(shard.clips)
    slots = pool.slots(store, archives, urls.get)
    try:
        Engine(settings, clock, store, Silent(clock), slots).run(by_video(pending, urls.get))
    finally:
        store.snapshot(force=True)
        archives.close()


def _let_others_go(shard: Shard, store: Store) -> None:
    """What a shard of this number held for another list is not ours."""
    wanted = {clip.id: (clip.video, [clip.start, clip.end]) for clip in shard.clips}
    for line in list(store.done_lines()):
        if wanted.get(line["id"]) != (line.get("source") or line.get("youtube_id"), line.get("asked")):
            store.set_aside(line["id"])
            store.forget(line["id"])


def _wait_for_others(output: Output, number: int, clock: Clock, alive: Callable[[], bool]) -> State | None:
    """Wait for whoever is at the same shard; None when it is no longer ``alive``."""
    until = clock.now() + OTHERS_PATIENCE
    while clock.now() < until:
        if output.is_finished(number):
            return "there"
        if not alive():
            return None
        clock.sleep(LOOK_EVERY)
    return "busy"


def clean_up(job: Job, output: Output, host: str) -> None:
    """Remove from this machine what is left of shards that are there by now: another one overtook its task."""
    for path in (job.folder / host).glob("*"):
        settings = replace(job.settings, data_dir=path)
        if (
            path.name.isdigit()
            and output.is_finished(int(path.name))
            and Store(settings, job.dataset, Clock()).user() is None
        ):
            shutil.rmtree(path, ignore_errors=True)


def absolute(settings: Settings) -> Settings:
    """The settings with the paths that are meant here: other machines' programs stand elsewhere."""

    def meant(path: Path | None) -> Path | None:
        return path and path.absolute()

    output = settings.output
    if output is not None and is_local(output):
        output = str(Path(output).absolute())
    identities = tuple(replace(each, cookies=meant(each.cookies)) for each in settings.identities)
    return replace(
        settings,
        data_dir=settings.data_dir.absolute(),
        output=output,
        identities=identities,
        ffmpeg=meant(settings.ffmpeg),
        state_dir=meant(settings.state_dir),
    )


class Silent:
    """A report that tells nobody: the driver looks at what is written. GaveUp where there is no room for long."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._paused_at: float | None = None

    def outcome(self, outcome: Outcome, retry_in: float | None) -> None: ...

    def tick(self, pacers: Sequence[Pacer], paused: str | None) -> None:
        now = self._clock.now()
        self._paused_at = None if paused is None else self._paused_at or now
        if self._paused_at is not None and now - self._paused_at > BLOCKED_PATIENCE:
            raise GaveUp(f"{paused}", "make room, or use other machines")

    def trouble(self, outcome: Outcome) -> None: ...

    def taken_back(self, clip_ids: Sequence[str]) -> None: ...
