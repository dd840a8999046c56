"""From a command line to an exit code: a run, or a look at what a folder holds.

What only some command lines need is imported when one asks for it: a look or a word of help does not wait for
yt-dlp. With ``progress.console`` the only module that prints.
"""

from __future__ import annotations

import argparse
import gc
import io
import logging
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

from ..core.clock import Clock
from ..core.errors import RunError, Stopped
from ..core.files import as_run_error
from ..core.redact import plain
from ..core.settings import Settings
from ..core.signals import Signals
from ..datasets.base import Dataset
from .options import read_settings

log = logging.getLogger("avclips")


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
        return _do(dataset, settings, chosen, clock, signals, alone=argv is None)
    except Stopped:
        _say_error(f"Stopped by {signals.name}; what was done is kept, the same command goes on.")
        return signals.leave()
    except RunError as error:
        return _complain(error)
    except OSError as error:
        return _complain(as_run_error(error, settings.data_dir))
    finally:
        logging.shutdown()


def _do(
    dataset: Dataset,
    settings: Settings,
    chosen: argparse.Namespace,
    clock: Clock,
    signals: Signals,
    alone: bool,
) -> int:
    """What was asked for, with the modules that this needs; returns the exit code.

    ``alone``: nobody else's objects are in this process.
    """
    if getattr(chosen, "dry_run", False):
        from .dry_run import understood

        return _print(understood(dataset, settings))
    if chosen.status:
        from .status import status

        return _print(status(dataset, settings, clock))
    from ..progress.console import be_quiet

    be_quiet(settings.quiet)
    if chosen.verify:
        from .verify import verify

        return verify(dataset, settings, clock, chosen.repair)
    if alone:
        # What is imported lives to the end: a collector would look for waste in it again and again.
        gc.disable()
    from ..run.steps import Run

    if alone:
        gc.freeze()
        gc.enable()
    return Run(dataset, settings, clock, chosen.log_level).run(signals)


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


def _print(lines: Iterable[str]) -> int:
    for line in lines:
        print(plain(line))
    return 0
