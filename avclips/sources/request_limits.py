"""How long one worker's requests may take, and how many bytes they may bring, whoever answers and however slowly.

A thread cannot be killed, and a time-out of a socket begins anew with each byte: so a request that is over its
time has its connection broken under it, by a thread that watches it meanwhile. Knows connections and clocks, not
who asks: ``ytdlp_network`` puts it in place.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol
from weakref import WeakSet

# Seconds that one page may take, from the first packet to its last byte, and all of one extraction; and the least
# of each in a rehearsal, whose clock makes waits shorter and not the network faster.
PAGE, EXTRACTION = (60.0, 20.0), (300.0, 60.0)
# Seconds in which a body has to bring what its slowest allowed speed makes of them.
STRETCH = (60.0, 5.0)
# The largest page that is read: YouTube's have 3 MB.
PAGE_BYTES = 16 << 20
# What is asked for at once; and at most, of a body that comes so fast that nobody waits for it.
AT_ONCE, MOST_AT_ONCE = 1 << 14, 1 << 18
# Seconds after which whoever watches looks again whether there is anything to watch.
_LOOK = 60.0


class OverBounds(Exception):
    """A request was over its time, or brought too much; the text says which. ``reason``: one of errors.REASONS."""

    def __init__(self, text: str, reason: str = "slow") -> None:
        super().__init__(text)
        self.reason = reason


class Line(Protocol):
    """A connection that can be broken from outside."""

    def cut(self) -> None:
        """Have whoever waits for it fail at once."""
        ...


class Bounds:
    """What the requests of one worker may cost; it makes one at a time."""

    def __init__(self, real: Callable[[float, float], float], slowest: float) -> None:
        """``real``: the seconds that a deadline of so many lasts, and at least (Clock.real).

        ``slowest``: the bytes a second that a body has to bring, in every stretch of it.
        """
        self._real = real
        self._slowest = slowest
        self._lines: WeakSet[Any] = WeakSet()
        self._pages_until = math.inf
        self._media_until: float | None = None
        # The request that is going on, who sees to it that it ends, and when that one looks next.
        self._guard = threading.Lock()
        self._request: Request | None = None
        self._watcher: _Watcher | None = None
        self._looks = math.inf

    # -- what is going on ------------------------------------------------------------------------------------

    def extraction(self) -> None:
        """From here on, pages are asked for."""
        self._pages_until, self._media_until = time.monotonic() + self._real(*EXTRACTION), None

    def media(self, seconds: float = math.inf) -> None:
        """From here on, bodies are asked for, which may take so many real seconds together."""
        self._media_until = time.monotonic() + seconds

    def add(self, line: Line) -> None:
        """A connection was made for the request that is going on."""
        self._lines.add(line)

    # -- one request -----------------------------------------------------------------------------------------

    def begin(self) -> Request:
        """A request begins, and the one before is over."""
        if self._media_until is not None:
            request: Request = _Body(self._media_until, self._real(*STRETCH), self._slowest)
        else:
            request = _Page(min(time.monotonic() + self._real(*PAGE), self._pages_until))
        with self._guard:
            self._request = request
            if self._watcher is None:
                self._looks = -math.inf
                self._watcher = _Watcher(self.look)
            elif request.until < self._looks:
                self._watcher.wake.set()
        return request

    def end(self, request: Request | None = None) -> None:
        """Nothing is asked for any more; ``request``: it is over, and another may be going on by now."""
        with self._guard:
            if request in (None, self._request):
                self._request = None

    def look(self) -> float | None:
        """Break the connections of a request whose time is over; the seconds until another look, None for none."""
        with self._guard:
            left = 0.0 if self._request is None else self._request.until - time.monotonic()
            if left > 0:
                left = min(left, _LOOK)
                self._looks = time.monotonic() + left
                return left
            if self._request is not None:
                for line in list(self._lines):
                    line.cut()
            self._watcher = None
            return None


class Request:
    """One request: until when it may go on, and what it brought. ``in_parts``: its reader takes what there is."""

    in_parts = False

    def __init__(self, until: float) -> None:
        self.until = until
        self.got = 0

    def check(self) -> None:
        """Raise OverBounds where it is over its bounds."""
        if time.monotonic() >= self.until:
            raise OverBounds(f"a page that took too long: {self.got} bytes came")

    def came(self, count: int) -> None:
        """So many bytes of the answer came. OverBounds."""
        self.got += count
        self.check()


class _Page(Request):
    """A page, which is read whole into memory."""

    def came(self, count: int) -> None:
        super().came(count)
        if self.got > PAGE_BYTES:
            raise OverBounds(f"a page that goes on behind {PAGE_BYTES} bytes")


class _Body(Request):
    """A body, of which every stretch has to be fast enough."""

    in_parts = True

    def __init__(self, until: float, stretch: float, slowest: float) -> None:
        super().__init__(until)
        self._whole = until
        self._stretch = stretch
        self._slowest = slowest
        self._next()

    def _next(self) -> None:
        """Another stretch begins."""
        self._since, self._before = time.monotonic(), self.got
        self.until = min(self._whole, self._since + self._stretch)

    def check(self) -> None:
        now = time.monotonic()
        if now >= self._whole:
            raise OverBounds("a clip that took too long: its time goes by --max-whole-file and --rate-limit")
        came, passed = self.got - self._before, now - self._since
        if passed >= self._stretch and came < passed * self._slowest:
            raise OverBounds(f"less than {self._slowest:.0f} bytes a second for a minute", "network")

    def came(self, count: int) -> None:
        super().came(count)
        if self.got - self._before >= self._stretch * self._slowest:
            self._next()


class _Watcher(threading.Thread):
    """Looks whether a worker's request is over its time, until none is going on.

    It outlasts a request, as the next one comes soon: a thread for each costs more than most of their answers.
    """

    def __init__(self, look: Callable[[], float | None]) -> None:
        super().__init__(name="deadline", daemon=True)
        self.wake = threading.Event()
        self._look = look
        self.start()

    def run(self) -> None:
        while (left := self._look()) is not None:
            if self.wake.wait(left):
                self.wake.clear()


def cut_socket(line: Any) -> None:
    """End both directions of a socket, also under TLS: whoever reads it in another thread finds its end."""
    with suppress(OSError, TypeError):
        socket.socket.shutdown(getattr(line, "socket", line), socket.SHUT_RDWR)
