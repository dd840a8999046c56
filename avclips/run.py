"""One download run, step by step: annotation files, ids, clips, state, summary."""

from __future__ import annotations

import gc
import itertools
import logging
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from http.cookiejar import CookieJar
from typing import Any, NamedTuple

from .core.clock import Clock
from .core.errors import MORE_MAY_COME, RunError, UsageError
from .core.extras import extra
from .core.files import free_bytes, write_json
from .core.logs import log_to
from .core.model import Clip, Video
from .core.redact import in_units, without_passwords
from .core.settings import Settings
from .core.signals import Signals
from .core.suggest import near_path
from .datasets.annotation_files import fetch_annotations
from .datasets.base import LEFT_OUT, Dataset, Finished, Listing
from .datasets.google_drive import DriveFolder
from .fetch.kept import look_for_exact
from .fetch.plan import Plan, Share, at_a_site, by_video, make_plan, see_that_they_are_the_same, standing
from .fetch.pool import Pool
from .fetch.requirements import endings_of, needs_of
from .fetch.roles import Slot
from .fetch.scheduler import Engine
from .fetch.shard_output import open_output, plan_shards, see_what_is_needed, summary_of
from .fetch.shard_todo import Todo
from .fetch.sharded import ShardedRun, ShardReport
from .media.ffmpeg_trial import find_ffmpeg
from .progress.console import Report, say, summary, without_better
from .progress.forecast import Work, clip_bytes, expectation
from .shards.layout import Output
from .sources.archives import Archives
from .sources.versions import describe_versions
from .spark.driver import NEEDS, Cluster, drop_package, open_session, see_java
from .spark.monitor import Monitor
from .spark.task import Job, absolute
from .state.first_settings import as_folder, as_shards
from .state.last_settings import remember
from .state.partition import named
from .state.store import Store
from .state.subtitle_counts import without_subtitles

log = logging.getLogger("avclips.run")

MANY_WORKERS = 8
SENT = "--wandb: progress is sent"


def _nobody(video: str) -> None:
    """No page is asked for a video that is to come from an archive, should its file be of no use."""


def _called_otherwise(archives: Archives, wanted: Collection[str], held: int) -> str:
    """What to say of an archive none of whose files is called as a clip; nothing of any other."""
    if held or not archives.others or not wanted:
        return ""
    return (
        f" It has {archives.others} films and sounds, which are called otherwise ({archives.other!r}, ...): a "
        f"clip's file is called by its id ({min(wanted)!r} is one), with any ending of a film or a sound."
    )


class Batch(NamedTuple):
    """Clips that come by one way, and how many there are; ``asks``: whether a site is asked for them."""

    clips: int
    videos: Iterable[Video]
    asks: bool = False


class Run:
    """One run of one dataset's script."""

    def __init__(
        self, dataset: Dataset, settings: Settings, clock: Clock, log_level: str, session: Any = None
    ) -> None:
        """``session``: of Spark, where there is one already."""
        self._dataset = dataset
        self._session = session
        self._settings = settings
        self._clock = clock
        self._log_level = log_level

    @property
    def _sounds(self) -> str:
        return self._dataset.sounds_in(self._settings.data_dir)

    def run(self, signals: Signals) -> int:
        """All steps; returns the exit code."""
        settings = self._settings
        for path in (*settings.archives, *filter(None, (settings.id_map,))):
            if not path.exists():
                option, near = "--id-map" if path == settings.id_map else "--archives", near_path(path)
                advice = f"did you mean {near}?" if near else "is its path right, and its disk mounted?"
                raise UsageError(f"{option} {path}: there is no such file or folder", advice)
        if settings.output_format != "files" and self._uses_drive:
            raise UsageError(
                f"the archives of {self._dataset.title} are fetched with --output-format files",
                "fetch them so, or name those that are here with --archives",
            )
        if settings.output_format == "files":
            self._settings = settings = as_folder(settings)
        self._see_what_is_needed()
        ffmpeg = find_ffmpeg(settings.ffmpeg, self._clock)
        pool = Pool(settings, self._clock, ffmpeg)
        versions, hint = describe_versions(ffmpeg.version)
        # Of shards, their plan decides which pictures are encoded, and not this machine's folder.
        noted = settings if settings.output_format == "files" else replace(settings, encode=None)
        store = Store(noted, self._dataset.name, self._clock, pool.whose, self._sounds)
        # What is read now lives to the end: a collector would look at each of a million objects again and again.
        gc.disable()
        try:
            listing = self._own_list(store)
            store.open()
            remember(settings, pool.paces)
            log_to(named(settings.data_dir / self._dataset.log_name, settings.part), self._log_level)
            self._greet(versions, hint)
            if listing is None:
                listing = self._published_list(store, pool.cookies)
            self._tell(listing, store)
            if settings.engine == "spark":
                return self._on_spark(listing, store, signals)
            if settings.output_format != "files":
                return self._in_shards(listing, pool, store, signals, hint or versions)
            clips = Share(listing.clips, settings.part)
            if listing.named:
                see_that_they_are_the_same(clips, store)
            archives = self._archives(clips, store)
            plan = make_plan(clips, listing.url_of, archives, store)
            if settings.part is not None:
                say("Part {} of {}: ".format(*settings.part) + f"{plan.count} of {clips.everyone} clips.")
            self._check_space(plan, store)
            gc.freeze()
            gc.enable()
            slots = pool.slots(store, archives, listing.url_of)
            self._tell_pace(plan, store.done_of_list, slots)
            try:
                failed = plan.count - store.done_of_list - plan.found - len(plan.left)
                for batch in self._batches(plan, clips, listing, archives, store):
                    work = self._work(plan, batch, failed, store, len(slots))
                    report = Report(self._clock, batch.clips, store.done_of_list, hint or versions, work=work)
                    self._download(settings, store, batch.videos, slots, report, signals)
                    failed += report.failed
            finally:
                self._write_tables(store)
            archives.close()
            return self._conclude(store, clips, archives)
        finally:
            gc.enable()
            store.close()

    def _work(self, plan: Plan, batch: Batch, failed: int, store: Store, workers: int) -> Work:
        """One batch as the whole list sees it; ``failed``: clips of the list that failed, and are not tried."""
        return Work(
            listed=plan.count,
            failed=max(0, min(failed, plan.count - store.done_of_list - batch.clips)),
            todo=batch.clips,
            asked=plan.asked if batch.asks else 0,
            videos=plan.videos if batch.asks else 0,
            most=self._settings.max_clips,
            workers=workers,
            settings=self._settings,
            seconds=plan.length(self._dataset.clip_seconds),
        )

    def _see_what_is_needed(self) -> None:
        """UsageError where something is to be installed first."""
        settings, opens = self._settings, self._settings.engine == "spark" and self._session is None
        wandb = {"wandb": SENT} if settings.wandb else {}
        # Those of the list and of the store besides, so that one command brings all.
        see_what_is_needed(settings, {**wandb, **needs_of(settings), **(NEEDS if opens else {})})
        if opens and (told := see_java()):
            say(told)

    def _archives(self, clips: Share, store: Store) -> Archives:
        """What of the clips the user's archives hold; of those, too, that failed for good elsewhere."""
        known = bool(self._settings.archives) or self._uses_drive
        wanted = {clip.id for clip in clips if clip.id not in store.done} if known else frozenset()
        archives = Archives(wanted, store.spill, endings_of(self._settings))
        for path in self._settings.archives:
            held = archives.add(path)
            as_they_are = look_for_exact(archives, self._settings)
            kept = f", {as_they_are} of them exact already: they are kept as they are" if as_they_are else ""
            say(f"{max(held, as_they_are)} clips are in {path}{kept}.{_called_otherwise(archives, wanted, held)}")
        return archives

    def _tell_pace(self, plan: Plan, done: int, slots: Sequence[Slot]) -> None:
        """Which limit binds, and how long that takes."""
        most = self._settings.max_clips
        share = 1.0 if most is None or not plan.asked else min(1.0, max(0, most - done) / plan.asked)
        if clips := round(plan.asked * share):
            pacers = list(dict.fromkeys(slot.pacer for slot in slots))
            videos, seconds = max(1, round(plan.videos * share)), plan.length(self._dataset.clip_seconds)
            say(expectation(videos, clips, pacers, len(slots), self._settings, seconds))

    def _greet(self, versions: str, hint: str | None) -> None:
        say(f"{self._dataset.title} -> {self._settings.data_dir}: {versions}")
        if hint:
            say(f"Warning: {hint}", matters=True)
        if self._settings.workers > MANY_WORKERS:
            say(
                f"Warning: {self._settings.workers} workers: YouTube dislikes so many downloads from one address.",
                matters=True,
            )

    def _own_list(self, store: Store) -> Listing | None:
        """What a user's own list names, None for a published one.

        It is read before anything is made: a folder that a mistaken command had claimed would refuse the next one.
        """
        own = not self._dataset.annotations(self._settings)
        return self._dataset.read_clips(store.metadata, self._settings) if own else None

    def _published_list(self, store: Store, cookies: CookieJar | None) -> Listing:
        """Steps 1 and 2: the annotation files, and the ids that they name."""
        for line in fetch_annotations(self._dataset, self._settings, store.metadata, self._clock, cookies):
            say(line, matters=True)
        return self._dataset.read_clips(store.metadata, self._settings)

    def _tell(self, listing: Listing, store: Store) -> None:
        """Say, and write down, what the list is like."""
        for line in listing.skipped:
            log.warning("skipped: %s", line)
        if listing.skipped:
            first = listing.skipped[0]
            say(
                f"{len(listing.skipped)} records are left out, see metadata/{LEFT_OUT}; first {first}",
                matters=True,
            )
        for line in listing.remarks:
            say(line)
        left_out = store.metadata / LEFT_OUT
        if listing.skipped or left_out.exists():
            write_json(left_out, without_passwords(list(listing.skipped)))
        for name, value in listing.files.items():
            write_json(store.metadata / name, value)

    def _check_space(self, plan: Plan, store: Store) -> None:
        """Whether what is to be tried fits on the disk, before the first byte."""
        count = plan.found + (len(plan.left) if self._uses_drive else 0)
        if self._settings.max_clips is not None:
            count = max(0, min(count, self._settings.max_clips - store.done_of_list))
        each = clip_bytes(self._settings, plan.length(self._dataset.clip_seconds))
        needed, free = count * each, free_bytes(store.folder)
        if not count:
            say(f"{store.done_of_list} clips are done, none is to go.")
            return
        say(
            f"{store.done_of_list} clips are done, {count} to go: about {in_units(needed)}; "
            f"{in_units(free)} are free."
        )
        if needed > free:
            fits = store.done_of_list + int(free / each)
            raise RunError(
                f"{count} clips need about {in_units(needed)}, and {store.folder} has {in_units(free)} free",
                "name another --data-dir, make the files smaller (--quality, --audio-format m4a, or --audio-rate "
                f"16000 --audio-channels 1){f', or begin with --max-clips {fits}' if fits else ''}",
            )

    def _batches(
        self, plan: Plan, clips: Share, listing: Listing, archives: Archives, store: Store
    ) -> Iterator[Batch]:
        """The videos in the order of their ways; last, those in the dataset's own archives, each fetched first."""
        url_of = listing.url_of
        if plan.rescued:
            yield Batch(len(plan.rescued), by_video(plan.rescued, _nobody))
        first = itertools.chain(by_video(plan.here, url_of), at_a_site(clips, plan, url_of, store))
        count = len(plan.here) + plan.asked
        if self._dataset.drive is None or not self._uses_drive:
            yield Batch(count + len(plan.left), itertools.chain(first, by_video(plan.left, url_of)), asks=True)
            return
        yield Batch(count, first, asks=True)
        drive = DriveFolder(self._dataset.drive, store.folder / "archives", self._settings, self._clock)
        troubles: list[RunError] = []
        # What stood here and was not right may be in the archives all the same.
        here = (clip for clip in plan.here if url_of(clip.video) is None and store.may_come(clip))
        left = [*plan.left, *here]
        if left and not self._enough(store):
            drive.gdown()
        for source in self._dataset.drive.archives:
            wanted = [clip for clip in left if source.holds(clip.id)]
            if wanted and not self._enough(store):
                try:
                    path = drive.fetch(source)
                    say(f"{archives.add(path)} clips are in {path}.")
                except RunError as error:
                    # The other archive may be had all the same.
                    say(f"error: {error}", matters=True)
                    troubles.append(error)
                    continue
                yield Batch(
                    len(wanted), by_video(sorted(wanted, key=lambda clip: archives.place(clip.id)), _nobody)
                )
                archives.close()
                drive.finished_with(path, [clip.id for clip in wanted if store.may_come(clip)])
        if troubles:
            raise troubles[0]

    @property
    def _uses_drive(self) -> bool:
        """Whether the dataset's own archives are fetched: with --archives given, those are all there is."""
        return self._dataset.drive is not None and not self._settings.archives

    def _enough(self, store: Store) -> bool:
        most = self._settings.max_clips
        return most is not None and store.done_of_list >= most

    def _in_shards(self, listing: Listing, pool: Pool, store: Store, signals: Signals, versions: str) -> int:
        """The steps from the ids on, where the results go into shards."""
        everyone = Share(listing.clips, None)
        output = open_output(self._settings, clock=self._clock)
        settings = as_shards(self._settings, output.planned(), output.url)
        count = plan_shards(output, everyone, self._dataset.name, settings)
        output.drop_dead_claims()
        if listing.named:
            see_that_they_are_the_same(everyone, store)
        packed = ShardedRun(output, listing, everyone, store, settings, self._clock)
        packed.begin()
        say(f"{count} clips in {output.count} shards, {packed.unfinished} of them unfinished -> {output.url}")
        gc.freeze()
        gc.enable()
        archives = self._archives(everyone, store)
        slots = pool.slots(store, archives, listing.url_of)
        most = settings.max_clips
        if most is not None:
            settings = replace(settings, max_clips=max(0, most - packed.done_before))
        plan = Plan(asked=packed.todo, videos=packed.videos_todo)
        self._tell_pace(plan, packed.done_before + store.done_of_list, slots)
        done = packed.done_before + store.done_of_list
        work = Work(
            *(done + packed.todo, 0, packed.todo, packed.todo, packed.videos_todo),
            *(most, len(slots), settings),
        )
        report = ShardReport(packed, self._clock, packed.todo, done, versions, None, work)
        self._download(settings, store, packed.videos(), slots, report, signals)
        packed.finish()
        archives.close()
        ended = self._conclude_shards(output)
        self._tell_refusals(archives)
        if most is not None and packed.done_before + store.done_of_list >= most:
            if packed.unfinished:
                say(
                    f"--max-clips {most} is reached; what is in no shard yet waits in {store.folder}.",
                    matters=True,
                )
            return 0
        return ended

    def _on_spark(self, listing: Listing, store: Store, signals: Signals) -> int:
        """The steps from the ids on, where Spark's machines do the work."""
        settings, everyone = absolute(self._settings), Share(listing.clips, None)
        wandb = extra("wandb", SENT) if settings.wandb else None
        output = open_output(settings, clock=self._clock)
        settings = as_shards(settings, output.planned(), output.url)
        # Before anything is fixed there.
        session = self._session or open_session(settings.spark_master)
        try:
            count = plan_shards(output, everyone, self._dataset.name, settings)
            output.drop_dead_claims()
            finished = output.finished()
            shards = Todo(output, everyone, settings, finished)
            name, folder = self._dataset.name, self._dataset.audio_folder
            cluster = Cluster(
                session, Job(settings, name, folder, output.address, output.count, output.layout), self._clock
            )
            gc.freeze()
            gc.enable()
            left = output.missing(finished, None) + shards.further
            say(f"{count} clips in {output.count} shards, {left} to go, on {cluster.cores} cores -> {output.url}")
            logged = wandb.init(project="avclips", config={"dataset": name}) if wandb else None
            watch = Monitor(output, left, self._clock, logged)
            signals.gentle = True
            try:
                cluster.run(iter(shards), listing.url_of, output, watch)
                cluster.clean_up()
                output.let_go()
            finally:
                signals.gentle = False
                watch.close()
                if logged is not None:
                    logged.finish()
        finally:
            if self._session is None:
                session.stop()
                drop_package()
        return self._conclude_shards(output)

    def _conclude_shards(self, output: Output) -> int:
        finished, share = output.finished(), self._settings.part
        totals, missing = output.totals(output.share(finished, share)), output.missing(finished, share)
        for line in summary_of(output, totals, missing):
            say(line, matters=True)
        return MORE_MAY_COME if missing or totals.may_come else 0

    def _download(
        self,
        settings: Settings,
        store: Store,
        videos: Iterable[Video],
        slots: Sequence[Slot],
        report: Report,
        signals: Signals,
    ) -> None:
        """Steps 3 and 4: the clips, and what became of them."""
        engine = Engine(settings, self._clock, store, report, slots)
        signals.gentle = True
        try:
            engine.run(videos)
        finally:
            report.close()
            store.snapshot(force=True)
            signals.gentle = False

    def _write_tables(self, store: Store) -> None:
        """What the dataset's users expect besides, of what is there now; however the run ends."""
        if self._dataset.write_tables is None or store.lost:
            return
        try:
            there = store
            if self._settings.part is not None:
                # What the other shards did meanwhile is in the tables, too.
                whole = replace(self._settings, part=None)
                there = Store(whole, self._dataset.name, self._clock, audio=self._sounds)
                there.read()
            finished = Finished(there.folder, there.done_lines, there.file_of)
            self._dataset.write_tables(finished, store.metadata, self._settings)
        except (OSError, RunError) as error:
            say(
                f"The tables of what is there could not be written, the next run writes them: {error}",
                matters=True,
            )

    def _tell_refusals(self, archives: Archives) -> None:
        """How many files of the archives were of no use, and where it says which."""
        if refusals := archives.refusals:
            clip_id, why = next(iter(refusals.items()))
            name = named(self._settings.data_dir / self._dataset.log_name, self._settings.part)
            say(
                f"The archives' files of {len(refusals)} clips were not taken, the first of {clip_id}: {why}. "
                f'For all of them: grep "not taken" {shlex.quote(str(name))}',
                matters=True,
            )

    def _conclude(self, store: Store, clips: Iterable[Clip], archives: Archives) -> int:
        done, count, failed, videos, withheld = standing(store, clips)
        untried = count - done - len(failed)
        limit = self._settings.max_clips
        enough = limit is not None and done >= limit
        for line in summary(done, count, failed, untried, limit if enough else None):
            say(line, matters=True)
        for line in without_better(videos, withheld):
            say(line, matters=True)
        for line in without_subtitles(store.done_lines(), self._settings.subtitles, (clip.id for clip in clips)):
            say(line, matters=True)
        self._tell_refusals(archives)
        if enough:
            return 0
        return MORE_MAY_COME if untried or any(not line["permanent"] for line in failed.values()) else 0
