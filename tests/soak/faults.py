"""A stand-in YouTube on a bad line, for the soak test: whatever can go wrong with an answer does, at random.

Knows: which fault strikes which answer (a seed, the video and the number of the request decide it, so that a
seed is reproducible as far as threads allow), and stretches that a test orders: a block, a lost connection.
Knows not: who asks, nor what should come of it.
"""

from __future__ import annotations

import random
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.standin.fake_proxy import Answer, Fault, Head, Proxy, _read_head, plain, refusal, spoil
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Request

# How many of the answers are spoilt, and of the connections.
SHARE, LINE_SHARE = 0.3, 0.15
# A body slower than this is given up by the program; the tail of the body is: the whole would take minutes.
SLOW_RATE, SLOW_TAIL = 3000.0, 9000
# What the programs under test are told to wait for an answer, and what a stalled one lets them wait.
SOCKET_TIMEOUT, STALL_SECONDS = "3", 5.0
# A video that were refused again and again, whatever the others get, would rightly be set aside.
MOST_429 = 2

# Kind of fault -> how often, in parts. Stalls cost seconds each, and are rare for that alone.
_PAGE_FAULTS = {"reset": 8, "truncate": 6, "5xx": 8, "slow": 2, "stall": 1}
_FILE_FAULTS = {"reset": 8, "truncate": 8, "5xx": 8}
_MEDIA_FAULTS = _PAGE_FAULTS | {"corrupt": 6, "403": 3, "429": 2}
_LINE_FAULTS = {"dns": 1, "tls": 1}


class Weather:
    """What goes wrong when. ``hits``: kind of fault -> answers it struck."""

    def __init__(self, seed: int, share: float = SHARE) -> None:
        self.share = share
        self.hits: Counter[str] = Counter()
        self.answers = 0
        self.connections = 0
        self._seed = seed
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        # (Case, seconds) of the blocks to come, the first under way; and since when it has refused anybody.
        self._blocks: list[tuple[str, float]] = []
        self._refusing_since: float | None = None
        self._silent_until = self._lost_until = 0.0

    # Stretches that a test orders

    def block(self, case: str, seconds: float) -> None:
        """Answer each extraction with ``case``, for ``seconds`` from the first on; one block after the other."""
        with self._lock:
            self._blocks.append((case, seconds))

    def lose_connection(self, silent: float, refused: float) -> None:
        """Nothing answers for ``silent`` seconds; then connections break at once, for ``refused`` more."""
        now = time.monotonic()
        self._silent_until, self._lost_until = now + silent, now + silent + refused

    def blocked(self) -> str | None:
        """The case that this extraction is answered with, whatever its video is."""
        now = time.monotonic()
        with self._lock:
            if self._refusing_since is not None and now >= self._refusing_since + self._blocks[0][1]:
                self._blocks.pop(0)
                self._refusing_since = None
            if not self._blocks:
                return None
            if self._refusing_since is None:
                self._refusing_since = now
            case = self._blocks[0][0]
            self.hits["block: " + case] += 1
            return case

    def lost(self) -> bool:
        """Whether the connection is lost now, and is counted as such."""
        if time.monotonic() >= self._lost_until:
            return False
        self._hit("connection lost")
        return True

    @property
    def silent_for(self) -> float:
        """Seconds for which nothing answers yet."""
        return max(0.0, self._silent_until - time.monotonic())

    # Faults at random

    def for_answer(self, request: Request) -> Fault | None:
        """The fault of this answer, or None."""
        kinds = {"media": _MEDIA_FAULTS, "file": _FILE_FAULTS}.get(request.kind, _PAGE_FAULTS)
        what = request.video if request.kind in ("watch", "player", "media") else request.path.partition("?")[0]
        rng = self._rng(f"{request.kind}/{what}")
        kind = self._draw(rng, kinds, self.share)
        if kind == "429" and not self._may_refuse(str(request.video)):
            kind = "5xx"
        return _fault(kind, rng) if kind else None

    def for_connection(self) -> str | None:
        """What becomes of the next connection: "lost", "dns", "tls", or None."""
        with self._lock:
            self.connections += 1
        if self.lost():
            return "lost"
        kind = self._draw(self._rng("connection"), _LINE_FAULTS, LINE_SHARE if self.share else 0.0)
        if kind:
            self._hit(kind)
        return kind

    def answer(self, struck: str | None) -> None:
        """Count an answer and what struck it."""
        with self._lock:
            self.answers += 1
        if struck:
            self._hit(struck)

    def _rng(self, key: str) -> random.Random:
        with self._lock:
            number = self._asked[key]
            self._asked[key] += 1
        return random.Random(f"{self._seed}/{key}/{number}")

    def _may_refuse(self, video: str) -> bool:
        with self._lock:
            self._refused[video] += 1
            return self._refused[video] <= MOST_429

    def _hit(self, kind: str) -> None:
        with self._lock:
            self.hits[kind] += 1

    @staticmethod
    def _draw(rng: random.Random, kinds: Mapping[str, int], share: float) -> str | None:
        if rng.random() >= share:
            return None
        return rng.choices(list(kinds), list(kinds.values()))[0]


def _fault(kind: str, rng: random.Random) -> Fault:
    """``after`` is still a part in a million of a body that nobody knows yet."""
    after = rng.randrange(1_000_000)
    if kind == "5xx":
        return Fault("status", status=rng.choice((500, 502, 503)))
    if kind in ("403", "429"):
        return Fault("status", status=int(kind), retry_after=rng.choice((None, 7)))
    if kind == "slow":
        return Fault("slow", rate=SLOW_RATE)
    if kind == "corrupt":
        return Fault("corrupt")
    assert kind in ("reset", "truncate", "stall")
    return Fault(kind, after=after, seconds=STALL_SECONDS)  # type: ignore[arg-type]


def _name(fault: Fault) -> str:
    if fault.kind != "status":
        return fault.kind
    return "5xx" if fault.status >= 500 else f"media {fault.status}"


class RoughProxy(Proxy):
    """A proxy whose connections fail before the first request."""

    def __init__(self, answer: Callable[[Head], Answer], knows: Callable[[str], bool], weather: Weather) -> None:
        super().__init__(answer, knows)
        self._weather = weather

    def _converse(self, sock: socket.socket, port: int) -> None:
        trouble = self._weather.for_connection()
        if trouble is None:
            super()._converse(sock, port)
        elif trouble == "lost":
            self._keep_silent(sock)
        else:
            with sock.makefile("rb") as reader:
                head = _read_head(sock, reader, port, "http", "")
            if head and head.method == "CONNECT":
                self._fail(sock, trouble)

    def _keep_silent(self, sock: socket.socket) -> None:
        """Until the stretch is over or the client hangs up; the request it sent is not read."""
        while (left := self._weather.silent_for) > 0 and not self.stopping.wait(min(left, 0.05)):
            if select.select([sock], [], [], 0)[0] and not sock.recv(1 << 16):
                return

    def _fail(self, sock: socket.socket, trouble: str) -> None:
        if trouble == "dns":
            # As proxies say that they know no such host.
            sock.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        sock.recv(1 << 16)
        sock.sendall(b"This is no TLS record. " * 20)
        sock.shutdown(socket.SHUT_WR)


class RoughYouTube(FakeYouTube):
    """The stand-in under a Weather."""

    def __init__(
        self,
        folder: Path,
        videos: Mapping[str, FakeVideo],
        files: Mapping[str, bytes],
        weather: Weather,
    ) -> None:
        super().__init__(folder, videos, files=files)
        self.weather = weather
        self._proxy.close()
        self._proxy = RoughProxy(self._answer, self._knows, weather)
        self._proxy.write_authority(self._private / "ca.pem")
        self.refuse = lambda request: weather.blocked() if request.kind in ("watch", "player") else None

    def _decide(self, head: Head, request: Request) -> Answer:
        if self.weather.lost():
            self._proxy.stopping.wait(self.weather.silent_for)
            return spoil(plain(200, b"nobody"), Fault("reset"))
        fault = self.weather.for_answer(request)
        if fault is not None and fault.kind == "status":
            self.weather.answer(_name(fault))
            return refusal(fault.status, fault.retry_after)
        answer = super()._decide(head, request)
        spoilt = fault is not None and answer.status in (200, 206) and len(answer.span) > 1
        self.weather.answer(_name(fault) if fault is not None and spoilt else None)
        return spoil(answer, _placed(fault, len(answer.span))) if fault is not None and spoilt else answer


def _placed(fault: Fault, size: int) -> Fault:
    """The fault at its place in a body of ``size`` bytes."""
    if fault.kind == "slow":
        return Fault("slow", rate=fault.rate, after=max(0, size - SLOW_TAIL))
    return Fault(fault.kind, after=fault.after * size // 1_000_000, seconds=fault.seconds)
