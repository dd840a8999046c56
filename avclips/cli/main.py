"""From a command line to an exit code: a run, or a look at what a folder holds.

With ``report`` the only module that prints.
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

from ..core.clock import Clock
from ..core.errors import RunError, Stopped
from ..core.files import as_run_error
from ..core.model import Clip
from ..core.redact import plain
from ..core.settings import Settings
from ..core.signals import Signals
from ..datasets.base import Dataset
from ..fetch.shard_output import open_output
from ..media.ffmpeg_trial import find_ffmpeg
from ..progress.console import be_quiet
from ..run.context import MORE_MAY_COME
from ..run.steps import Run
from ..state.shape import check_folder
from ..state.store import Store
from .options import read_settings
from .status import listed, status
from .verify import verify_files, verify_shards

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
    be_quiet(settings.quiet)
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
        return _complain(as_run_error(error, settings.data_dir))
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
    store = Store(settings, dataset.name, clock, audio=dataset.sounds_in(settings.data_dir))
    if not store.metadata.is_dir():
        raise RunError(
            f"{settings.data_dir} holds no download of {dataset.title}", "name the folder with --data-dir"
        )
    check_folder(settings, dataset.name, shape_too=False)
    store.read()
    return store


def _status(dataset: Dataset, settings: Settings, clock: Clock) -> int:
    for line in status(dataset, settings, _read_only(dataset, settings, clock), clock):
        _print(line)
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


def _verify(dataset: Dataset, settings: Settings, clock: Clock, repair: bool) -> int:
    """Look at every file, or into every shard; return 3 when some are bad, or could not be looked at."""
    ffmpeg = find_ffmpeg(settings.ffmpeg, clock)
    if settings.output_format != "files":
        output = open_output(settings, look=True, clock=clock)
        output.look()
        return 0 if verify_shards(output, ffmpeg, settings, repair) else MORE_MAY_COME
    # The whole folder is looked at: no shard may be at work when it is changed.
    settings = replace(settings, part=None)
    store = _read_only(dataset, settings, clock)
    if repair:
        store.open()
    try:
        right = verify_files(store, listed(dataset, settings, store), ffmpeg, settings, repair)
        if repair:
            store.pending(listed(dataset, settings, store))
            store.snapshot(force=True)
    finally:
        if repair:
            store.close()
    return 0 if right else MORE_MAY_COME
