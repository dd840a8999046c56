"""One run, step by step: what is needed, the folder, the list; then into files, into shards, or on Spark."""

from __future__ import annotations

import gc
from dataclasses import replace
from http.cookiejar import CookieJar
from typing import Any

from ..core.clock import Clock
from ..core.errors import UsageError
from ..core.logs import log_to
from ..core.settings import Settings
from ..core.signals import Signals
from ..core.suggest import near_path
from ..datasets.annotation_files import fetch_annotations
from ..datasets.base import Dataset, Listing
from ..fetch.pool import Pool
from ..fetch.requirements import needs_of
from ..fetch.shard_output import see_what_is_needed
from ..media.ffmpeg_trial import find_ffmpeg
from ..progress.console import say
from ..progress.update import Watch
from ..sources.versions import describe_versions
from ..spark.driver import NEEDS, see_java
from ..state.first_settings import as_folder
from ..state.last_settings import remember
from ..state.store import Store
from .context import Ended, RunContext, log_file, uses_drive
from .into_files import into_files
from .into_shards import into_shards
from .on_spark import SENT, on_spark
from .words import greet, tell_listing


class Run:
    """One run of one dataset's script."""

    def __init__(
        self,
        dataset: Dataset,
        settings: Settings,
        clock: Clock,
        log_level: str,
        session: Any = None,
        watch: Watch | None = None,
    ) -> None:
        """``session``: of Spark, where there is one already; ``watch`` is told how far it is."""
        self._dataset = dataset
        self._session = session
        self._settings = settings
        self._clock = clock
        self._log_level = log_level
        self._watch = watch
        # Filled in when it ends.
        self.ended = Ended()

    def run(self, signals: Signals) -> int:
        """All steps; returns the exit code. UsageError, RunError, Stopped."""
        self._check_what_is_named()
        if self._settings.output_format == "files":
            self._settings = as_folder(self._settings)
        settings, clock = self._settings, self._clock
        self._see_what_is_needed()
        ffmpeg = find_ffmpeg(settings.ffmpeg, clock)
        pool = Pool(settings, clock, ffmpeg)
        versions, hint = describe_versions(ffmpeg.version)
        # Of shards, their plan decides which pictures are encoded, and not this machine's folder.
        noted = settings if settings.output_format == "files" else replace(settings, encode=None)
        sounds = self._dataset.sounds_in(settings.data_dir)
        store = Store(noted, self._dataset.name, clock, pool.whose, sounds)
        # What is read now lives to the end: a collector would look at each of a million objects again and again.
        gc.disable()
        try:
            listing = self._own_list(store)
            store.open()
            remember(settings, pool.paces)
            log_to(log_file(self._dataset, settings), self._log_level)
            greet(self._dataset, settings, versions, hint)
            if listing is None:
                listing = self._published_list(store, pool.cookies)
            tell_listing(listing, store.metadata)
            words = hint or versions
            run = RunContext(self._dataset, settings, clock, store, signals, words, self._watch, self.ended)
            if settings.engine == "spark":
                return on_spark(run, listing, self._session)
            if settings.output_format != "files":
                return into_shards(run, listing, pool)
            return into_files(run, listing, pool)
        finally:
            gc.enable()
            store.close()

    def _check_what_is_named(self) -> None:
        """UsageError where a path is not there, or options do not go together."""
        settings = self._settings
        for path in (*settings.archives, *filter(None, (settings.id_map,))):
            if not path.exists():
                option, near = "--id-map" if path == settings.id_map else "--archives", near_path(path)
                advice = f"did you mean {near}?" if near else "is its path right, and its disk mounted?"
                raise UsageError(f"{option} {path}: there is no such file or folder", advice)
        if settings.output_format != "files" and uses_drive(self._dataset, settings):
            raise UsageError(
                f"the archives of {self._dataset.title} are fetched with --output-format files",
                "fetch them so, or name those that are here with --archives",
            )

    def _see_what_is_needed(self) -> None:
        """UsageError where something is to be installed first."""
        settings, opens = self._settings, self._settings.engine == "spark" and self._session is None
        wandb = {"wandb": SENT} if settings.wandb else {}
        # Those of the list and of the store besides, so that one command brings all.
        see_what_is_needed(settings, {**wandb, **needs_of(settings), **(NEEDS if opens else {})})
        if opens and (told := see_java()):
            say(told)

    def _own_list(self, store: Store) -> Listing | None:
        """What a user's own list names, None for a published one.

        It is read before anything is made: a folder that a mistaken command had claimed would refuse the next one.
        """
        own = not self._dataset.annotations(self._settings)
        return self._dataset.read_clips(store.metadata, self._settings) if own else None

    def _published_list(self, store: Store, cookies: CookieJar | None) -> Listing:
        """The annotation files, and the ids that they name."""
        for line in fetch_annotations(self._dataset, self._settings, store.metadata, self._clock, cookies):
            say(line, matters=True)
        return self._dataset.read_clips(store.metadata, self._settings)
