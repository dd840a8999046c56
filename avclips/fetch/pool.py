"""The workers of a run, spread over its identities."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from http.cookiejar import CookieJar

from ..core.clock import Clock
from ..core.settings import Settings
from ..media.ffmpeg import Ffmpeg
from ..pacing.pacer import Pacer, make_pacer, name_of, pace_file
from ..pacing.reachability import Beacons
from ..sources.archives import Archives
from ..sources.cookies import cookies_of, key_of, who
from ..sources.youtube import YouTube
from ..sources.ytdlp_args import parse_ytdlp_args
from ..state.manifest import video_of
from ..state.store import Store
from .roles import Slot
from .worker import Worker

log = logging.getLogger("avclips.fetch.pool")


class Pool:
    """Who asks, and how: what is read once, before anything is made. UsageError, RunError."""

    def __init__(self, settings: Settings, clock: Clock, ffmpeg: Ffmpeg) -> None:
        self._settings = settings
        self._clock = clock
        self._ffmpeg = ffmpeg
        self._asked_for = parse_ytdlp_args(settings.ytdlp_args)
        cookies = [cookies_of(each) for each in settings.identities]
        self._texts = [each[0] if each else None for each in cookies]
        self._keys = [key_of(*each) for each in zip(settings.identities, self._texts, strict=True)]
        # Those of the first identity, for the annotation files.
        self.cookies: CookieJar | None = cookies[0][1] if cookies[0] else None

    @property
    def whose(self) -> frozenset[str]:
        """The identities, by whose cookies they have."""
        return frozenset(map(who, self._keys))

    @property
    def paces(self) -> list[dict[str, str]]:
        """Who asks, and the file that each one's pace is shared in: what a look at the folder goes by."""
        named = zip(self._settings.identities, self._keys, strict=True)
        found = [(name_of(each), pace_file(each, key, self._settings.state_dir)) for each, key in named]
        return [{"name": name, "file": str(file.absolute())} for name, file in found if file is not None]

    def slots(self, store: Store, archives: Archives, url_of: Callable[[str], str | None]) -> Sequence[Slot]:
        """The workers, each with the pacer of its identity; ``url_of``: the address of a video."""
        settings, clock = self._settings, self._clock
        pacers = [
            make_pacer(identity, key, settings.videos_per_hour, settings.state_dir, clock)
            for identity, key in zip(settings.identities, self._keys, strict=True)
        ]
        names = [pacer.name for pacer in pacers]
        for number, pacer in enumerate(pacers):
            if names.count(pacer.name) > 1:
                pacer.name = f"{names[number]} (identity {number + 1})"

        self._log_limits(pacers)

        def earlier() -> Iterator[str | None]:
            return (url_of(video_of(line)) for line in store.done_lines())

        beacons = [Beacons(earlier) for _ in pacers]
        slots = []
        for number in range(settings.workers):
            which = number % len(pacers)
            youtube = YouTube(settings, clock, settings.identities[which], self._texts[which], self._asked_for)
            around = beacons[which]
            worker = Worker(settings, clock, pacers[which], youtube, self._ffmpeg, store, archives, around)
            slots.append(Slot(worker, pacers[which]))
        return slots

    def _log_limits(self, pacers: Sequence[Pacer]) -> None:
        """Who asks, and how often: lines that `avclips report` reads."""
        for pacer, identity, key in zip(pacers, self._settings.identities, self._keys, strict=True):
            file = pace_file(identity, key, self._settings.state_dir)
            # Runs that share its file share the limit.
            shared = f" ({file.stem})" if file else ""
            limit = pacer.most_an_hour
            words = "no limit" if limit is None else f"at most {limit} videos an hour"
            log.info("pace of %s%s: %s", pacer.name, shared, words)
