"""One download run, step by step: annotation files, ids, clips, state, summary."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar
from typing import Any

from .archives import Archives
from .clip import Clip, Settings, Video
from .dataset import Dataset, Listing, fetch_annotations
from .drive import DriveFolder
from .engine import Desk, Engine, by_video
from .errors import RunError, UsageError
from .files import free_bytes, is_plain_name, write_json
from .logs import log_to
from .media import Ffmpeg, find_ffmpeg
from .pace import Clock
from .pacer import make_pacer
from .report import Report, say, summary
from .shards import is_in, named
from .signals import Signals
from .store import Store
from .worker import Worker
from .youtube import YouTube, describe_versions, load_cookies, who
from .ytdlp_args import parse_ytdlp_args

log = logging.getLogger("avclips.run")

MORE_MAY_COME = 3
MANY_WORKERS = 8
# About what a clip of ten seconds takes of a stream at 360p and its sound, with fragments of five seconds.
CLIP_BYTES = 1_000_000
# Bytes of a second of picture, generously, by quality: (encoded anew, copied).
_PICTURE = {360: (120_000, 80_000), 480: (220_000, 150_000), 720: (500_000, 320_000)}
# What is left of PCM, at most.
_SOUND = {"wav": 1.0, "flac": 0.8, "m4a": 0.1}


@dataclass
class _Ways:
    """The clips of a run by how they may be had.

    ``rescued``: failed for good elsewhere, and lie in the archives; ``here``: on this machine; ``asked``: a site
    is asked for them; ``left``: no site is known to ask.
    """

    rescued: list[Clip]
    here: list[Clip] = field(default_factory=list)
    asked: list[Clip] = field(default_factory=list)
    left: list[Clip] = field(default_factory=list)


def _nobody(video: str) -> None:
    """No page is asked for a video that is to come from an archive, should its file be of no use."""


class Run:
    """One run of one dataset's script."""

    def __init__(self, dataset: Dataset, settings: Settings, clock: Clock, log_level: str) -> None:
        self._dataset = dataset
        self._settings = settings
        self._clock = clock
        self._log_level = log_level

    def run(self, signals: Signals) -> int:
        """All steps; returns the exit code."""
        settings = self._settings
        for path in (*settings.archives, *filter(None, (settings.id_map,))):
            if not path.exists():
                raise UsageError(f"{path}: there is no such file or folder", "see --archives and --id-map")
        asked_for = parse_ytdlp_args(settings.ytdlp_args)
        cookies = [load_cookies(each.cookies) if each.cookies else None for each in settings.identities]
        ffmpeg = Ffmpeg(find_ffmpeg(settings.ffmpeg), self._clock)
        versions, hint = describe_versions()
        versions = f"{versions}, ffmpeg {ffmpeg.version}"
        texts = [each[0] if each else None for each in cookies]
        store = Store(settings, self._dataset.name, self._clock, frozenset(map(who, texts)))
        # What is read now lives to the end: a collector would look at each of a million objects again and again.
        gc.disable()
        try:
            store.open()
            log_to(named(settings.data_dir / self._dataset.log_name, settings.shard), self._log_level)
            self._greet(versions, hint)
            listing = self._listing(store, cookies[0][1] if cookies[0] else None)
            pending = store.pending(listing.clips)
            # What failed for good elsewhere may lie there, too.
            archives = Archives({clip.id for clip in listing.clips if clip.id not in store.done}, store.spill)
            for path in settings.archives:
                say(f"{archives.add(path)} clips are in {path}.")
            ways = self._ways(pending, listing, archives, store)
            self._see_room(
                [*ways.rescued, *ways.here, *ways.asked, *(ways.left if self._uses_drive else [])], store
            )
            gc.freeze()
            gc.enable()
            desks = self._desks(texts, asked_for, ffmpeg, store, archives)
            self._tell_pace(ways.asked, len(store.done), desks)
            for videos in self._batches(ways, listing, archives, store):
                count = sum(len(video.clips) for video in videos)
                report = Report(self._clock, count, len(store.done), hint or versions)
                self._download(store, videos, desks, report, signals)
            archives.close()
            return self._conclude(store, listing.clips)
        finally:
            gc.enable()
            store.close()

    def _desks(
        self,
        cookies: Sequence[str | None],
        asked_for: Mapping[str, Any],
        ffmpeg: Ffmpeg,
        store: Store,
        archives: Archives,
    ) -> list[Desk]:
        """The workers, spread over the identities."""
        settings, clock = self._settings, self._clock
        pacers = [
            make_pacer(identity, text, settings.videos_per_hour, settings.state_dir, clock)
            for identity, text in zip(settings.identities, cookies, strict=True)
        ]
        names = [pacer.name for pacer in pacers]
        for number, pacer in enumerate(pacers):
            if names.count(pacer.name) > 1:
                pacer.name = f"{names[number]} (identity {number + 1})"
        desks = []
        for number in range(settings.workers):
            which = number % len(pacers)
            youtube = YouTube(settings, clock, settings.identities[which], cookies[which], asked_for)
            worker = Worker(settings, clock, pacers[which], youtube, ffmpeg, store, archives)
            desks.append(Desk(worker, pacers[which]))
        return desks

    def _tell_pace(self, todo: Sequence[Clip], done: int, desks: Sequence[Desk]) -> None:
        """Which limit binds, and how long that takes."""
        most = self._settings.max_videos
        share = 1.0 if most is None or not todo else min(1.0, max(0, most - done) / len(todo))
        clips, videos = round(len(todo) * share), round(len({clip.video for clip in todo}) * share)
        if clips:
            say(expectation(videos, clips, desks, self._settings))

    def _greet(self, versions: str, hint: str | None) -> None:
        say(f"{self._dataset.title} -> {self._settings.data_dir}: {versions}")
        if hint:
            say(f"Hint: {hint}")
        if self._settings.workers > MANY_WORKERS:
            say(f"Warning: {self._settings.workers} workers: YouTube dislikes so many downloads from one address.")

    def _listing(self, store: Store, cookies: CookieJar | None) -> Listing:
        """Steps 1 and 2: the annotation files, and the ids that they name; of a shard, its share of them."""
        for line in fetch_annotations(self._dataset, self._settings, store.metadata, self._clock, cookies):
            say(line)
        listing = self._dataset.read_clips(store.metadata, self._settings)
        for line in listing.skipped:
            log.warning("skipped: %s", line)
        if listing.skipped:
            say(f"{len(listing.skipped)} records are left out (the log names them); first {listing.skipped[0]}")
        for line in listing.remarks:
            say(line)
        clips = [clip for clip in listing.clips if is_plain_name(clip.id)]
        urls = {clip.id: listing.url_of(clip.video) for clip in clips}
        files = {"required_video_ids.json": [clip.id for clip in clips], "video_url_mapping.json": urls}
        for name, value in {**files, **listing.files}.items():
            write_json(store.metadata / name, value)
        if self._settings.shard is not None:
            everyone = len(clips)
            clips = [clip for clip in clips if is_in(self._settings.shard, clip.video)]
            say("Shard {} of {}: ".format(*self._settings.shard) + f"{len(clips)} of {everyone} clips.")
        return replace(listing, clips=clips)

    def _see_room(self, todo: Sequence[Clip], store: Store) -> None:
        """Whether what is asked for fits on the disk, before the first byte."""
        count = len(todo)
        if self._settings.max_videos is not None:
            count = max(0, min(count, self._settings.max_videos - len(store.done)))
        each = clip_bytes(self._settings, self._dataset.clip_seconds)
        needed, free = count * each / 1e9, free_bytes(store.folder) / 1e9
        say(f"{len(store.done)} clips are done, {count} to go: about {needed:.1f} GB; {free:.1f} GB are free.")
        if needed > free:
            fits = len(store.done) + int(free * 1e9 / each)
            raise RunError(
                f"{count} clips need about {needed:.1f} GB, and {store.folder} has {free:.1f} GB free",
                "name another --data-dir, make the files smaller (--quality, --audio-rate 16000, "
                f"--audio-channels 1){f', or begin with --max-videos {fits}' if fits else ''}",
            )

    def _ways(self, pending: Sequence[Clip], listing: Listing, archives: Archives, store: Store) -> _Ways:
        """Sort the clips by how they may be had; those in archives as they lie there."""
        tried = {clip.id for clip in pending}
        ways = _Ways([clip for clip in listing.clips if archives.holds(clip.id) and clip.id not in tried])
        for clip in sorted(pending, key=lambda clip: archives.place(clip.id)):
            if archives.holds(clip.id) or store.has_strangers(clip):
                ways.here.append(clip)
            else:
                (ways.left if listing.url_of(clip.video) is None else ways.asked).append(clip)
        return ways

    def _batches(self, ways: _Ways, listing: Listing, archives: Archives, store: Store) -> Iterator[list[Video]]:
        """The videos in the order of their ways; last, those in the dataset's own archives, each fetched first."""
        if ways.rescued:
            yield by_video(ways.rescued, _nobody)
        first = [*ways.here, *ways.asked]
        if self._dataset.drive is None or not self._uses_drive:
            yield by_video([*first, *ways.left], listing.url_of)
            return
        yield by_video(first, listing.url_of)
        drive = DriveFolder(self._dataset.drive, store.folder / "archives", self._settings, self._clock)
        troubles: list[RunError] = []
        # What stood here and was not right may be in the archives all the same.
        here = (clip for clip in ways.here if listing.url_of(clip.video) is None and store.may_come(clip))
        left = [*ways.left, *here]
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
                    say(f"error: {error}")
                    troubles.append(error)
                    continue
                yield by_video(sorted(wanted, key=lambda clip: archives.place(clip.id)), _nobody)
                archives.close()
                drive.finished_with(path, [clip.id for clip in wanted if store.may_come(clip)])
        if troubles:
            raise troubles[0]

    @property
    def _uses_drive(self) -> bool:
        """Whether the dataset's own archives are fetched: with --archives given, those are all there is."""
        return self._dataset.drive is not None and not self._settings.archives

    def _enough(self, store: Store) -> bool:
        most = self._settings.max_videos
        return most is not None and len(store.done) >= most

    def _download(
        self, store: Store, videos: Sequence[Video], desks: Sequence[Desk], report: Report, signals: Signals
    ) -> None:
        """Steps 3 and 4: the clips, and what became of them."""
        engine = Engine(self._settings, self._clock, store, report, desks)
        signals.gentle = True
        try:
            engine.run(videos)
        finally:
            report.close()
            store.snapshot(force=True)
            signals.gentle = False

    def _conclude(self, store: Store, clips: Sequence[Clip]) -> int:
        failed = {clip.id: store.failed[clip.id] for clip in clips if clip.id in store.failed}
        done = sum(clip.id in store.done for clip in clips)
        untried = len(clips) - done - len(failed)
        for line in summary(done, len(clips), failed, untried):
            say(line)
        limit = self._settings.max_videos
        if limit is not None and len(store.done) >= limit:
            return 0
        return MORE_MAY_COME if untried or any(not line["permanent"] for line in failed.values()) else 0


def clip_bytes(settings: Settings, seconds: float) -> int:
    """About how much room one clip takes."""
    anew, copied = _PICTURE[settings.quality]
    sound = (settings.audio_rate or 44_100) * (settings.audio_channels or 2) * 2 * _SOUND[settings.audio_format]
    return int(seconds * ((anew if settings.cut == "exact" else copied) + sound))


def expectation(videos: int, clips: int, desks: Sequence[Desk], settings: Settings) -> str:
    """How long a run should take, and which limit makes it so.

    ``videos``, ``clips``: what is to be fetched; a clip is taken for a megabyte.
    """
    pacers = list(dict.fromkeys(desk.pacer for desk in desks))
    limits = [pacer.per_hour for pacer in pacers]
    ways = {"--sleep": clips * (settings.sleep + 1.0 if settings.sleep else 0.0) / len(desks) / 3600}
    if all(limits):
        ways["--videos-per-hour"] = videos / sum(limit for limit in limits if limit)
    if settings.rate_limit:
        ways["--rate-limit"] = clips * CLIP_BYTES / settings.rate_limit / len(desks) / 3600
    binds = max(ways, key=lambda name: ways[name])
    if ways[binds] < 0.1:
        return f"{clips} clips of {videos} videos: a matter of minutes."
    took = f"{ways[binds] / 24:.1f} days" if ways[binds] >= 48 else f"{ways[binds]:.1f} hours"
    return f"{clips} clips of {videos} videos: at least {took}, by {binds}."
