"""How a run that a program started is stopped, and how the program's process is left as it was.

A script owns its process; a program, or a notebook, does not belong to us: its log, its signals and its garbage
collector are given back when the run is over.
"""

from __future__ import annotations

import gc
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..core.clock import Clock
from ..core.errors import Stopped
from ..core.signals import Signals
from ..progress.console import be_quiet, is_quiet

# Seconds between two looks at the caller's event.
_LOOK_EVERY = 0.1


@contextmanager
def stoppable(clock: Clock, signals: Signals, stop: threading.Event | None) -> Iterator[None]:
    """While the block runs, Ctrl-C and ``stop`` end it at a moment at which what was done is kept.

    Ctrl-C becomes KeyboardInterrupt, as everywhere in Python, also where the block ended by itself before it could
    be stopped; ``stop`` becomes Stopped. A second Ctrl-C does not wait. A handler of the caller's own stays in
    place, and outside the main thread nothing is handled.
    """
    over = threading.Event()
    watcher = threading.Thread(target=_wait_for, args=(stop, over, clock), daemon=True) if stop else None
    if watcher is not None:
        watcher.start()
    interrupted = False

    def came(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        again, interrupted = interrupted, True
        # In a thread: the one that is interrupted may hold what stop() needs.
        threading.Thread(target=clock.stop, daemon=True).start()
        if again or not signals.gentle:
            raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    ours = in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, came)
    try:
        yield
    except Stopped:
        if interrupted:
            raise KeyboardInterrupt from None
        raise
    else:
        if interrupted:
            raise KeyboardInterrupt
    finally:
        over.set()
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if watcher is not None:
            watcher.join()


def _wait_for(stop: threading.Event, over: threading.Event, clock: Clock) -> None:
    while not over.is_set():
        if stop.wait(_LOOK_EVERY):
            clock.stop()
            return


@contextmanager
def a_guest(quiet: bool) -> Iterator[None]:
    """While the block runs, its log, and whether it prints, are the run's; then they are what they were."""
    logger, loud, was_quiet = logging.getLogger("avclips"), logging.raiseExceptions, is_quiet()
    before = logger.handlers, logger.level, logger.propagate
    frozen, collects = gc.get_freeze_count(), gc.isenabled()
    be_quiet(quiet)
    try:
        yield
    finally:
        be_quiet(was_quiet)
        for handler in logger.handlers:
            if handler not in before[0]:
                handler.close()
        logger.handlers, logger.propagate, logging.raiseExceptions = before[0], before[2], loud
        logger.setLevel(before[1])
        if not frozen:
            # A run freezes its list; it is the caller's garbage now.
            gc.unfreeze()
        if not collects:
            gc.disable()
