"""SIGINT, SIGTERM and SIGHUP: how a run is asked to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from .clock import Clock
from .errors import Stopped

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def held_signals() -> Iterator[None]:
    """Signals that ask this program to stop are told when the block ends: nothing in it is left half begun."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = {each: signal.getsignal(each) for each in STOPPING}
    # One that is ignored stays so, as under nohup.
    taken = {each: handler for each, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for each in taken:
        signal.signal(each, lambda number, _: held.append(number))
    try:
        yield
    finally:
        for each, handler in taken.items():
            signal.signal(each, handler)
        for number in held:
            signal.raise_signal(number)


class Signals:
    """SIGINT, SIGTERM and SIGHUP stop the run; a second one ends the process at once."""

    def __init__(self, take: bool = True) -> None:
        """``take``: False in a program that has handlers of its own."""
        self.clock: Clock | None = None
        self.number = 0
        # While the engine runs, its loop sees the stopped clock; an exception would tear what it writes.
        self.gentle = False
        for number in STOPPING if take else ():
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
        for stream in (sys.stdout, sys.stderr):
            # A terminal that was closed takes no more.
            with suppress(OSError):
                stream.flush()
        os._exit(128 + self.number)
