"""From a command line to an exit code: options, logging, signals, and the one way through.

The only room that parses arguments, and with ``report`` the only one that prints.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.cookiejar import CookieJar
from pathlib import Path
from types import FrameType
from typing import Any

from tqdm import tqdm

from .clip import Clip, Settings
from .dataset import Dataset, fetch_annotations
from .engine import Desk, Engine, by_video
from .errors import RunError, Stopped
from .examine import compare_all, examine
from .files import free_bytes, is_plain_name, write_json
from .media import Ffmpeg, find_ffmpeg
from .options import make_parser, read_settings
from .pace import Clock
from .pacer import make_pacer
from .report import Report, say, summary
from .store import Store
from .worker import Worker
from .youtube import YouTube, describe_versions, load_cookies, who
from .ytdlp_args import parse_ytdlp_args

log = logging.getLogger("avclips")

MORE_MAY_COME = 3
MANY_WORKERS = 8
# About what a clip of ten seconds takes of a stream at 360p and its sound, with fragments of five seconds.
CLIP_BYTES = 1_000_000
# Bytes of a second of picture, generously, by quality: (encoded anew, copied). The sound is its PCM.
_PICTURE = {360: (120_000, 80_000), 480: (220_000, 150_000), 720: (500_000, 320_000)}


def main(dataset: Dataset, argv: Sequence[str] | None = None) -> int:
    """Run one dataset's script; return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A node's locale may know no other letters than ASCII.
            stream.reconfigure(errors="backslashreplace")
    settings, chosen = read_settings(make_parser(dataset), argv)
    signals = _Signals()
    try:
        clock = Clock()
        signals.clock = clock
        if chosen.status:
            return _status(dataset, settings, clock)
        if chosen.verify:
            return _verify(dataset, settings, clock, chosen.repair)
        return _Run(dataset, settings, clock, chosen.log_level).run(signals)
    except Stopped:
        print(f"Stopped by {signals.name}; what was done is kept, the same command goes on.", file=sys.stderr)
        return signals.leave()
    except RunError as error:
        return _complain(error)
    except OSError as error:
        return _complain(RunError(f"{error.filename or settings.data_dir}: {error.strerror or error}"))
    finally:
        logging.shutdown()


def _complain(error: RunError) -> int:
    log.info("error: %s (%s)", error, error.hint)
    print(f"error: {error}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)
    return error.exit_code


class _Signals:
    """SIGINT, SIGTERM and SIGHUP stop the run; a second one ends the process at once."""

    def __init__(self) -> None:
        self.clock: Clock | None = None
        self.number = 0
        # While the engine runs, its loop sees the stopped clock; an exception would tear what it writes.
        self.gentle = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup SIGHUP is ignored, and stays so.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._came)

    @property
    def name(self) -> str:
        return signal.Signals(self.number).name if self.number else "a signal"

    def _came(self, number: int, frame: FrameType | None) -> None:
        if self.number:
            os._exit(128 + number)
        self.number = number
        if self.clock is not None:
            # In a thread: the one that we interrupt may hold what stop() needs.
            threading.Thread(target=self.clock.stop, daemon=True).start()
        if not self.gentle:
            raise Stopped

    def leave(self) -> int:
        """The exit code; a worker that hangs in a read does not hold the process up."""
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(128 + self.number)


class _Run:
    """One download run, step by step."""

    def __init__(self, dataset: Dataset, settings: Settings, clock: Clock, log_level: str) -> None:
        self._dataset = dataset
        self._settings = settings
        self._clock = clock
        self._log_level = log_level

    def run(self, signals: _Signals) -> int:
        """All steps; returns the exit code."""
        settings = self._settings
        asked_for = parse_ytdlp_args(settings.ytdlp_args)
        cookies = [load_cookies(each.cookies) if each.cookies else None for each in settings.identities]
        ffmpeg = Ffmpeg(find_ffmpeg(settings.ffmpeg), self._clock)
        versions, hint = describe_versions()
        versions = f"{versions}, ffmpeg {ffmpeg.version}"
        texts = [each[0] if each else None for each in cookies]
        store = Store(settings, self._dataset.name, self._clock, frozenset(map(who, texts)))
        store.open()
        try:
            _log_to(settings.data_dir / self._dataset.log_name, self._log_level)
            self._greet(versions, hint)
            clips = self._clips(store, cookies[0][1] if cookies[0] else None)
            todo = store.pending(clips)
            self._see_room(todo, store)
            desks = self._desks(texts, asked_for, ffmpeg, store)
            self._tell_pace(todo, len(store.done), desks)
            report = Report(self._clock, len(todo), len(store.done), hint or versions)
            self._download(store, todo, desks, report, signals)
            return self._conclude(store, clips)
        finally:
            store.close()

    def _desks(
        self, cookies: Sequence[str | None], asked_for: Mapping[str, Any], ffmpeg: Ffmpeg, store: Store
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
            desks.append(Desk(Worker(settings, clock, pacers[which], youtube, ffmpeg, store), pacers[which]))
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

    def _clips(self, store: Store, cookies: CookieJar | None) -> list[Clip]:
        """Steps 1 and 2: the annotation files, and the ids that they name."""
        for line in fetch_annotations(self._dataset, self._settings, store.metadata, self._clock, cookies):
            say(line)
        listing = self._dataset.read_clips(store.metadata, self._settings.splits)
        for line in listing.skipped:
            log.warning("skipped: %s", line)
        clips = [clip for clip in listing.clips if is_plain_name(clip.id)]
        if listing.skipped:
            say(f"{len(listing.skipped)} records are left out (the log names them); first {listing.skipped[0]}")
        write_json(store.metadata / "required_video_ids.json", [clip.id for clip in clips])
        write_json(store.metadata / "video_url_mapping.json", {clip.id: watch_url(clip.video) for clip in clips})
        return clips

    def _see_room(self, todo: Sequence[Clip], store: Store) -> None:
        """Step 5: whether what is asked for fits on the disk, before the first byte."""
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

    def _download(
        self, store: Store, todo: Sequence[Clip], desks: Sequence[Desk], report: Report, signals: _Signals
    ) -> None:
        """Steps 3 and 4: the clips, and what became of them."""
        engine = Engine(self._settings, self._clock, store, report, desks)
        signals.gentle = True
        try:
            engine.run(by_video(todo, watch_url))
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


def watch_url(video: str) -> str:
    """The page of a YouTube video."""
    return f"https://www.youtube.com/watch?v={video}"


def clip_bytes(settings: Settings, seconds: float) -> int:
    """About how much room one clip takes."""
    anew, copied = _PICTURE[settings.quality]
    sound = (settings.audio_rate or 44_100) * (settings.audio_channels or 2) * 2
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


class _OneLine(logging.Formatter):
    """Log lines cannot be forged: what comes from strangers stays in its line."""

    def format(self, record: logging.LogRecord) -> str:
        # Our own tracebacks have lines of their own, but none that could be taken for an entry.
        lines = super().format(record).split("\n")
        return "\n    | ".join("".join(c if c.isprintable() else repr(c)[1:-1] for c in line) for line in lines)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return super().formatMessage(record).replace("\n", "\\n").replace("\r", "\\r")


class _AboveTheBar(logging.Handler):
    """Warnings for the eye, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        short = logging.makeLogRecord({**record.__dict__, "exc_info": None, "exc_text": None})
        with suppress(OSError):
            tqdm.write(self.format(short), file=sys.stderr)


def _log_to(path: Path, level: str) -> None:
    # On a full disk the log may lose lines, but it does not fill the terminal with tracebacks.
    logging.raiseExceptions = False
    file = logging.FileHandler(path, encoding="utf-8")
    file.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    file.setLevel(level)
    eye = _AboveTheBar()
    eye.setFormatter(_OneLine("%(levelname)s: %(message)s"))
    eye.setLevel(logging.ERROR)
    root = logging.getLogger("avclips")
    root.handlers = [file, eye]
    root.setLevel(min(logging.getLevelName(level), logging.INFO))
    root.propagate = False


# -- no download ---------------------------------------------------------------------------------------------


def _read_only(dataset: Dataset, settings: Settings, clock: Clock) -> Store:
    """The folder as it stands, without holding it."""
    store = Store(settings, dataset.name, clock)
    if not store.metadata.is_dir():
        raise RunError(
            f"{settings.data_dir} holds no download of {dataset.title}", "name the folder with --data-dir"
        )
    store.see_that_it_is_ours(shape_too=False)
    store.read()
    return store


def _status(dataset: Dataset, settings: Settings, clock: Clock) -> int:
    store = _read_only(dataset, settings, clock)
    clips = _listed(dataset, settings, store)
    failed = {clip.id: store.failed[clip.id] for clip in clips if clip.id in store.failed}
    done = sum(clip.id in store.done for clip in clips)
    for line in summary(done, len(clips), failed, len(clips) - done - len(failed)):
        print(line)
    if user := store.user():
        print(f"The folder is in use by {user}.")
    return 0


def _listed(dataset: Dataset, settings: Settings, store: Store) -> list[Clip]:
    listing = dataset.read_clips(store.metadata, settings.splits)
    return [clip for clip in listing.clips if is_plain_name(clip.id)]


def _verify(dataset: Dataset, settings: Settings, clock: Clock, repair: bool) -> int:
    """Check every file; return 3 when some are bad."""
    ffmpeg = Ffmpeg(find_ffmpeg(settings.ffmpeg), clock)
    store = _read_only(dataset, settings, clock)
    if repair:
        store.open()
    try:
        bad = dict(compare_all(store.finished(), store.folder, settings.workers))
        for clip in _listed(dataset, settings, store):
            if store.has_strangers(clip):
                complaint = examine(clip, *store.paths(clip.id), ffmpeg, settings).complaint
                if complaint is not None:
                    bad[clip.id] = complaint
        for clip_id, complaint in bad.items():
            print(f"{clip_id}: {complaint}")
            if repair:
                for moved in store.set_aside(clip_id):
                    print(f"  moved to {moved}")
                store.forget(clip_id)
        print(f"{len(store.done.keys() - bad.keys())} clips are right, {len(bad)} are bad.")
        if repair:
            store.pending(_listed(dataset, settings, store))
            store.snapshot(force=True)
    finally:
        if repair:
            store.close()
    return MORE_MAY_COME if bad else 0
