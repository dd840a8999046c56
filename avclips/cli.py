"""From a command line to an exit code: a run, or a look at what a folder holds.

The only room that parses arguments, and with ``report`` the only one that prints.
"""

from __future__ import annotations

import io
import itertools
import logging
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from .clip import Clip, Settings
from .dataset import Dataset
from .errors import RunError, Stopped
from .files import read_json
from .options import read_settings
from .pace import Clock
from .packed import open_output, summary_of
from .plan import Share, standing
from .report import summary, without_better
from .run import LEFT_OUT, MORE_MAY_COME, Run
from .signals import Signals
from .store import Store
from .trial import find_ffmpeg
from .verify import verify_files, verify_packs
from .words import plain

log = logging.getLogger("avclips")

# How many clips, and how many records that are left out, --dry-run shows.
_SHOWN = 10


def main(dataset: Dataset, argv: Sequence[str] | None = None) -> int:
    """Run one dataset's script; return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A node's locale may know no other letters than ASCII.
            stream.reconfigure(errors="backslashreplace")
    settings, chosen = read_settings(dataset, argv)
    signals = Signals()
    try:
        clock = Clock()
        signals.clock = clock
        if getattr(chosen, "dry_run", False):
            return _show(dataset, settings)
        if chosen.status:
            return _status(dataset, settings, clock)
        if chosen.verify:
            return _verify(dataset, settings, clock, chosen.repair)
        return Run(dataset, settings, clock, chosen.log_level).run(signals)
    except Stopped:
        _say_error(f"Stopped by {signals.name}; what was done is kept, the same command goes on.")
        return signals.leave()
    except RunError as error:
        return _complain(error)
    except OSError as error:
        return _complain(RunError(f"{error.filename or settings.data_dir}: {error.strerror or error}"))
    finally:
        logging.shutdown()


def _complain(error: RunError) -> int:
    log.info("error: %s (%s)", error, error.hint)
    _say_error(f"error: {error}")
    if error.hint:
        _say_error(f"  {error.hint}")
    return error.exit_code


def _say_error(text: str) -> None:
    # A terminal that was closed does not keep the process from leaving.
    with suppress(OSError):
        print(plain(text), file=sys.stderr, flush=True)


def _print(text: str) -> None:
    print(plain(text))


# -- no download ---------------------------------------------------------------------------------------------


def _read_only(dataset: Dataset, settings: Settings, clock: Clock) -> Store:
    """The folder as it stands, without holding it."""
    store = Store(settings, dataset.name, clock, audio=dataset.audio_folder)
    if not store.metadata.is_dir():
        raise RunError(
            f"{settings.data_dir} holds no download of {dataset.title}", "name the folder with --data-dir"
        )
    store.see_that_it_is_ours(shape_too=False)
    store.read()
    return store


def _status(dataset: Dataset, settings: Settings, clock: Clock) -> int:
    store = _read_only(dataset, settings, clock)
    if settings.output_format != "files":
        return _status_of_packs(settings, store)
    done, count, failed, videos, withheld = standing(store, _listed(dataset, settings, store))
    for line in (*summary(done, count, failed, count - done - len(failed)), *without_better(videos, withheld)):
        _print(line)
    if (others := len(store.done) - done) > 0:
        _print(f"{others} more clips are done that these options do not ask for.")
    left_out = store.metadata / LEFT_OUT
    if left_out.exists() and (count := len(read_json(left_out, "the next run writes it anew"))):
        _print(f"{count} records of the list are left out: see {left_out}.")
    if user := store.user():
        _print(f"The folder is in use by {user}.")
    return 0


def _status_of_packs(settings: Settings, store: Store) -> int:
    output = open_output(settings, look=True)
    output.look()
    finished = output.finished()
    for line in summary_of(output, output.totals(finished), output.missing(finished, None)):
        _print(line)
    if store.done:
        _print(f"{len(store.done)} clips more are in {store.folder}, until their shards are complete.")
    return 0


def _show(dataset: Dataset, settings: Settings) -> int:
    """The first clips of a list as they are understood; nothing is written."""
    with tempfile.TemporaryDirectory() as folder:
        listing = dataset.read_clips(Path(folder), settings)
        for line in (*listing.remarks, *(f"left out: {each}" for each in listing.skipped[:_SHOWN])):
            _print(line)
        clips = videos = 0
        for _, group in itertools.groupby(listing.clips, key=lambda clip: clip.video):
            videos += 1
            for clip in group:
                clips += 1
                if clips <= _SHOWN:
                    _show_clip(clip, listing.url_of(clip.video))
    if listing.rows not in (0, clips + len(listing.skipped)):
        _print(f"{listing.rows} rows were read.")
    _print(f"{clips} clips of {videos} videos, {len(listing.skipped)} records left out. Nothing was fetched.")
    return 0


def _show_clip(clip: Clip, url: str | None) -> None:
    until = "the end" if clip.end is None else f"{clip.end:g} s"
    if clip.end is not None and clip.end >= 60:
        # A wrong unit is seen at once.
        until += f" ({_clock(clip.start)} to {_clock(clip.end)})"
    kept = {name: value for name, value in clip.meta.items() if name not in ("url", "youtube_id")}
    _print(f"{clip.id}: {url} from {clip.start:g} to {until} {kept or ''}".rstrip())


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _with_what_is_there(dataset: Dataset, settings: Settings, metadata: Path) -> Settings:
    """The settings for a look: the splits of which the folder has the annotation files."""
    files = {each.split: each.name for each in dataset.annotations(settings) if each.split}
    there = tuple(split for split in settings.splits if split not in files or (metadata / files[split]).exists())
    return replace(settings, splits=there) if there else settings


def _listed(dataset: Dataset, settings: Settings, store: Store) -> Share:
    """All clips that are asked for, of every shard."""
    settings = _with_what_is_there(dataset, settings, store.metadata)
    return Share(dataset.read_clips(store.metadata, settings).clips, None)


def _verify(dataset: Dataset, settings: Settings, clock: Clock, repair: bool) -> int:
    """Look at every file, or into every shard; return 3 when some are bad, or could not be looked at."""
    ffmpeg = find_ffmpeg(settings.ffmpeg, clock)
    if settings.output_format != "files":
        output = open_output(settings, look=True, clock=clock)
        output.look()
        return 0 if verify_packs(output, ffmpeg, settings, repair) else MORE_MAY_COME
    # The whole folder is looked at: no shard may be at work when it is changed.
    settings = replace(settings, shard=None)
    store = _read_only(dataset, settings, clock)
    if repair:
        store.open()
    try:
        right = verify_files(store, _listed(dataset, settings, store), ffmpeg, settings, repair)
        if repair:
            store.pending(_listed(dataset, settings, store))
            store.snapshot(force=True)
    finally:
        if repair:
            store.close()
    return 0 if right else MORE_MAY_COME
