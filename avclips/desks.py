"""The workers of a run, spread over its identities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from http.cookiejar import CookieJar

from .archives import Archives
from .beacons import Beacons
from .clip import Settings
from .engine import Desk
from .journal import video_of
from .media import Ffmpeg
from .pace import Clock
from .pacer import make_pacer
from .store import Store
from .worker import Worker
from .youtube import YouTube, load_cookies, who
from .ytdlp_args import parse_ytdlp_args


class Staff:
    """Who asks, and how: what is read once, before anything is made. UsageError, RunError."""

    def __init__(self, settings: Settings, clock: Clock, ffmpeg: Ffmpeg) -> None:
        self._settings = settings
        self._clock = clock
        self._ffmpeg = ffmpeg
        self._asked_for = parse_ytdlp_args(settings.ytdlp_args)
        cookies = [load_cookies(each.cookies) if each.cookies else None for each in settings.identities]
        self._texts = [each[0] if each else None for each in cookies]
        # Those of the first identity, for the annotation files.
        self.cookies: CookieJar | None = cookies[0][1] if cookies[0] else None

    @property
    def whose(self) -> frozenset[str]:
        """The identities, by whose cookies they have."""
        return frozenset(map(who, self._texts))

    def desks(self, store: Store, archives: Archives, url_of: Callable[[str], str | None]) -> Sequence[Desk]:
        """The workers, each with the pacer of its identity; ``url_of``: the address of a video."""
        settings, clock = self._settings, self._clock
        pacers = [
            make_pacer(identity, text, settings.videos_per_hour, settings.state_dir, clock)
            for identity, text in zip(settings.identities, self._texts, strict=True)
        ]
        names = [pacer.name for pacer in pacers]
        for number, pacer in enumerate(pacers):
            if names.count(pacer.name) > 1:
                pacer.name = f"{names[number]} (identity {number + 1})"

        def earlier() -> Iterator[str | None]:
            return (url_of(video_of(line)) for line in store.done_lines())

        beacons = [Beacons(earlier) for _ in pacers]
        desks = []
        for number in range(settings.workers):
            which = number % len(pacers)
            youtube = YouTube(settings, clock, settings.identities[which], self._texts[which], self._asked_for)
            around = beacons[which]
            worker = Worker(settings, clock, pacers[which], youtube, self._ffmpeg, store, archives, around)
            desks.append(Desk(worker, pacers[which]))
        return desks
