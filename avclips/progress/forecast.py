"""How long what is left takes, by whatever binds: the pace of extractions, the rate, the rests, or the machine.

Pure arithmetic. The limits say what cannot be faster, before anything was tried; what was done lately says what
this machine and this network make of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..core.settings import Settings
from ..pacing.pacer import Pacer

# About what a clip of ten seconds takes of a stream at 360p and its sound, with fragments of five seconds, and
# what the sound takes, with fragments of ten.
CLIP_BYTES = {"both": 1_000_000, "audio": 330_000}
_FRAGMENT = 5.0
# Bytes of a second of picture, generously, by quality: (encoded anew, copied).
_PICTURE = {360: (120_000, 80_000), 480: (220_000, 150_000), 720: (500_000, 320_000), 1080: (1_000_000, 640_000)}
# What is left of PCM, at most.
_SOUND = {"wav": 1.0, "flac": 0.8, "m4a": 0.1}
# So many of the last clips say how fast it goes now.
RECENT = 200
# Of what was tried: fewer say nothing.
ENOUGH = 5


@dataclass(frozen=True)
class Work:
    """What a run has to do, and what makes it take long.

    ``listed``: clips of the whole list, ``failed``: those of them that failed and are not tried; ``todo``: those
    that are, of which a site is asked for ``asked``, in ``videos``. ``most``: clips to be done in all, None for no
    limit. ``pacers``: whose pace counts, ``workers`` in all. ``seconds``: of a clip, on average.
    """

    listed: int
    failed: int
    todo: int
    asked: int
    videos: int
    most: int | None
    workers: int
    settings: Settings
    seconds: float = 10.0


def ways(
    videos: float, clips: float, pacers: Iterable[Pacer], workers: int, settings: Settings, seconds: float = 10.0
) -> dict[str, float]:
    """The least seconds by each option that limits a run; ``videos``, ``clips``: what a site is asked for.

    ``seconds``: of a clip, on average. Of a pace, what may start at once is not waited for.
    """
    found = {"--sleep": clips * (settings.sleep + 1.0 if settings.sleep else 0.0) / workers}
    pacers = list(pacers)
    limits = [pacer.per_hour for pacer in pacers]
    if limits and all(limits):
        at_once = sum(max(0.0, pacer.tokens) for pacer in pacers)
        an_hour = sum(limit * pacer.speed for limit, pacer in zip(limits, pacers, strict=True) if limit)
        found["--videos-per-hour"] = max(0.0, videos - at_once) / an_hour * 3600
    if settings.rate_limit:
        # What is read reaches over both ends of a clip, by half a fragment on average.
        longer = (seconds + _FRAGMENT) / (10.0 + _FRAGMENT)
        found["--rate-limit"] = clips * longer * CLIP_BYTES[settings.media] / settings.rate_limit / workers
    return found


class Lately:
    """How fast clips come to an end: the last of them, by a clock that stands while nothing may be tried."""

    def __init__(self, now: float) -> None:
        self._ends = deque([now], maxlen=RECENT + 1)
        self._idle = 0.0
        self._idle_since: float | None = None

    def idle(self, now: float, is_idle: bool) -> None:
        """Whether nobody may start anything, from now on."""
        if is_idle and self._idle_since is None:
            self._idle_since = now
        elif not is_idle and self._idle_since is not None:
            self._idle += now - self._idle_since
            self._idle_since = None

    def ended(self, now: float) -> None:
        """A clip was tried for the last time."""
        self._ends.append(self._at_work(now))

    def taken_back(self, count: int) -> None:
        """So many of the last were no ends."""
        for _ in range(min(count, self.count)):
            self._ends.pop()

    def _at_work(self, now: float) -> float:
        return (now if self._idle_since is None else self._idle_since) - self._idle

    @property
    def count(self) -> int:
        return len(self._ends) - 1

    def a_second(self, now: float) -> float:
        """Clips a second; 0 before there was one."""
        lasted = self.lasted(now)
        return self.count / lasted if lasted > 0 else 0.0

    def lasted(self, now: float) -> float:
        """The seconds in which they came to their ends."""
        return self._at_work(now) - self._ends[0]


def time_left(
    work: Work, left: int, pacers: Iterable[Pacer], lately: Lately, now: float
) -> tuple[float, str] | None:
    """The seconds until ``left`` clips are done, and the option that makes it so, if any; None: not known yet."""
    share = left / work.todo if work.todo else 0.0
    found = ways(work.videos * share, work.asked * share, pacers, work.workers, work.settings, work.seconds)
    binds = max(found, key=lambda name: found[name])
    measured = left / speed if (speed := lately.a_second(now)) and lately.count >= ENOUGH else 0.0
    if measured > found[binds]:
        return measured, ""
    return (found[binds], binds) if found[binds] or measured or not left else None


def clip_bytes(settings: Settings, seconds: float) -> int:
    """About how much room one clip takes."""
    anew, copied = _PICTURE[settings.quality]
    sound = (settings.audio_rate or 44_100) * (settings.audio_channels or 2) * 2 * _SOUND[settings.audio_format]
    picture = 0 if settings.media == "audio" else anew if settings.cut == "exact" else copied
    return int(seconds * (picture + sound))


def expectation(
    videos: int, clips: int, pacers: Sequence[Pacer], workers: int, settings: Settings, seconds: float = 10.0
) -> str:
    """How long a run should take, and which limit makes it so.

    ``videos``, ``clips``: what is to be fetched; ``seconds``: of a clip, on average.
    """
    found = ways(videos, clips, pacers, workers, settings, seconds)
    limits = {name: least / 3600 for name, least in found.items()}
    binds = max(limits, key=lambda name: limits[name])
    if limits[binds] < 0.1:
        return f"{clips} clips of {videos} videos: a matter of minutes."
    took = f"{limits[binds] / 24:.1f} days" if limits[binds] >= 48 else f"{limits[binds]:.1f} hours"
    return f"{clips} clips of {videos} videos: at least {took}, by {binds}."
