"""When the next request may start.

Clock is the only way to the time: waits end at once when the run is stopped, tests pass one of their own, and
AVCLIPS_TIME_SCALE=k, for rehearsals and tests alone, divides every wait and deadline by k.

Pacer holds one identity's block: who is refused reports it, everybody waits, one probes. Knows nothing of
threads' work, of sites or of clips.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import Stopped, UsageError

# Seconds to wait after the first refusal; each further one in a row doubles it, up to LONGEST_WAIT.
# A rate-limited session is said to last up to an hour (yt-dlp's wiki); bot checks have lasted days.
FIRST_WAIT = {"rate_limited": 3600.0, "bot_check": 1800.0}
OTHER_WAIT = 300.0
LONGEST_WAIT = 6 * 3600.0
# How long after a refusal a vague answer is still laid to it.
SUSPECT_FOR = 3600.0


class Clock:
    """The time, and waits that a stop ends."""

    def __init__(self, scale: float | None = None) -> None:
        self.scale = _scale_asked_for() if scale is None else scale
        self._stopped = threading.Event()
        self._on_stop: list[Callable[[], None]] = []

    def now(self) -> float:
        """Seconds since some moment, never going back."""
        return time.monotonic() * self.scale

    def sleep(self, seconds: float) -> None:
        """Wait, or raise Stopped as soon as the run is stopped."""
        if self._stopped.wait(max(0.0, seconds) / self.scale):
            raise Stopped

    def real(self, seconds: float, at_least: float = 0.0) -> float:
        """What to hand to a function with a time-out of its own; work does not get faster by scaling."""
        return max(seconds / self.scale, at_least)

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def check(self) -> None:
        """Raise Stopped if the run is stopped."""
        if self._stopped.is_set():
            raise Stopped

    def on_stop(self, action: Callable[[], None]) -> None:
        """Have ``action`` called when the run is stopped: it ends what no sleep of ours can."""
        self._on_stop.append(action)

    def stop(self) -> None:
        """Wake every sleeper."""
        self._stopped.set()
        for action in self._on_stop:
            action()


def _scale_asked_for() -> float:
    text = os.environ.get("AVCLIPS_TIME_SCALE", "1")
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale < float("inf"):
        raise UsageError(f"AVCLIPS_TIME_SCALE={text} is not a number above 0")
    return scale


@dataclass(frozen=True)
class Ticket:
    """Leave to make one extraction. Reports on a ticket of an earlier round say nothing new."""

    round: int
    probe: bool = False


@dataclass(frozen=True)
class Block:
    """Why nobody starts anything, and until when (Clock seconds)."""

    reason: str
    until: float
    waits: int


class Pacer:
    """One identity's leave to ask.

    Many threads share it. Eight workers refused at once count once: all hold tickets of the same round, and
    the first report opens a new one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._round = 0
        self._probing = False
        self._block: Block | None = None
        self._refused_at: float | None = None

    @property
    def suspected(self) -> bool:
        """Whether we were refused lately, so that a vague answer need not be the truth."""
        refused = self._refused_at
        return refused is not None and self._clock.now() - refused < SUSPECT_FOR

    @property
    def block(self) -> Block | None:
        """The block that holds now, or None."""
        return self._block

    def wait(self) -> Ticket:
        """Wait until an extraction may start; raises Stopped."""
        while True:
            with self._lock:
                if self._block is None:
                    return Ticket(self._round)
                left = self._block.until - self._clock.now()
                if left <= 0 and not self._probing:
                    self._probing = True
                    return Ticket(self._round, probe=True)
            # While another worker probes, its answer comes within seconds.
            self._clock.sleep(left if left > 0 else 1.0)

    def succeeded(self, ticket: Ticket) -> Ticket:
        """YouTube answered honestly: the video, or that there is none. Returns the ticket to go on with."""
        with self._lock:
            if ticket.round != self._round or self._block is None:
                return ticket
            self._open_round(None)
            return Ticket(self._round)

    def undecided(self, ticket: Ticket) -> None:
        """The answer says nothing about us (the network broke off, say): another may probe."""
        with self._lock:
            if ticket.round == self._round and ticket.probe:
                self._probing = False

    def blocked(self, ticket: Ticket, reason: str, retry_after: float | None = None) -> None:
        """We were refused: everybody waits, twice as long with each refusal in a row."""
        with self._lock:
            self._refused_at = self._clock.now()
            if ticket.round != self._round:
                return
            waits = self._block.waits + 1 if self._block else 1
            wait = wait_after(reason, waits, retry_after)
            # Clusters start many runs at once: they should not all probe in the same second.
            wait *= random.uniform(1.0, 1.1)
            self._open_round(Block(reason, self._clock.now() + wait, waits))

    def _open_round(self, block: Block | None) -> None:
        self._round += 1
        self._probing = False
        self._block = block


def wait_after(reason: str, waits: int, retry_after: float | None) -> float:
    """Seconds to wait after the ``waits``-th refusal in a row."""
    first = retry_after if retry_after is not None else FIRST_WAIT.get(reason, OTHER_WAIT)
    return float(min(first * 2 ** min(waits - 1, 20), LONGEST_WAIT))


def rest(seconds: float, jitter: float = 2.0) -> float:
    """How long a worker rests between two downloads: ``seconds`` and up to ``jitter`` more."""
    return seconds + random.uniform(0.0, jitter) if seconds > 0 else 0.0


def retry_delay(attempts: int) -> float:
    """Seconds until the next try after ``attempts`` failed ones: exponential, full jitter.

    Full jitter spreads retries best (M. Brooker, "Exponential Backoff And Jitter", 2015).
    """
    return random.uniform(0.0, min(10.0 * 2**attempts, 3600.0))
