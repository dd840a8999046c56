"""An HTTPS-intercepting proxy on 127.0.0.1, with ranges, slow lines and faults on order.

Knows: HTTP/1.1 with keep-alive, CONNECT, ending TLS with a certificate made on the spot, byte ranges, and
how an answer can go wrong on its way.
Knows not: any site. A handler is asked for every answer; a host the handler does not know is never contacted,
since nothing here ever opens a connection to anywhere.
"""

from __future__ import annotations

import os
import re
import select
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO, Literal, Protocol

import trustme

FaultKind = Literal["reset", "truncate", "stall", "slow", "status", "corrupt", "ignore_range"]

_PIECE = 64 * 1024
_BREAKING = ("reset", "truncate", "stall")
_CORRUPT_EVERY = 997


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with an answer.

    `itag` limits it to one stream and `beyond` to answers that reach past that byte of the file (so that
    reading the head goes well); `times` to the first n answers it fits. `after` bytes of the body go out
    before it strikes; an answer that is not longer than that is left alone. `rate` (bytes/s) belongs to
    slow, `status` and `retry_after` to status, `seconds` to stall (None: until the client hangs up).
    """

    kind: FaultKind
    itag: int | None = None
    times: int | None = None
    after: int = 0
    beyond: int = 0
    rate: float = 1000.0
    status: int = 403
    retry_after: int | None = None
    seconds: float | None = None


class Faults:
    """Counts how often each fault has struck."""

    def __init__(self) -> None:
        self._struck: dict[tuple[str, int, Fault], int] = {}
        self._lock = threading.Lock()

    def pick(self, owner: str, faults: Sequence[Fault], itag: int | None, span: range) -> Fault | None:
        """The first fault of `owner` that fits these bytes and has strikes left; never more than one."""
        with self._lock:
            for number, fault in enumerate(faults):
                struck = self._struck.get((owner, number, fault), 0)
                if _fits(fault, itag, span) and (fault.times is None or struck < fault.times):
                    self._struck[owner, number, fault] = struck + 1
                    return fault
        return None


def _fits(fault: Fault, itag: int | None, span: range) -> bool:
    return fault.itag in (None, itag) and span.stop > fault.beyond and len(span) > fault.after


class Body(Protocol):
    """Bytes to answer with, read piece by piece."""

    size: int
    tag: str

    def read(self, first: int, count: int) -> bytes: ...


class Site(Protocol):
    """Something that answers for hosts of its own, and keeps its own log."""

    def knows(self, host: str) -> bool: ...

    def answer(self, head: Head) -> Answer: ...


class BytesBody:
    """A body held in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)
        self.tag = f'"{zlib.crc32(content):x}-{self.size:x}"'

    def read(self, first: int, count: int) -> bytes:
        return self._content[first : first + count]


class FileBody:
    """A body on disk: videos of hours must not sit in memory once a connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size
        self.tag = f'"{path.name}"'

    def read(self, first: int, count: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(first)
            return file.read(count)


class CorruptBody:
    """Another body with bytes flipped; in an mp4 only inside mdat, so that head and index stay readable."""

    def __init__(self, body: Body, first: int) -> None:
        self._body = body
        self.size = body.size
        self.tag = body.tag
        self._spoilt = [range(max(r.start, first), r.stop) for r in _payloads(body)]

    def read(self, first: int, count: int) -> bytes:
        content = bytearray(self._body.read(first, count))
        for spoilt in self._spoilt:
            start = -(-max(spoilt.start, first) // _CORRUPT_EVERY) * _CORRUPT_EVERY
            for at in range(start, min(spoilt.stop, first + len(content)), _CORRUPT_EVERY):
                content[at - first] ^= 0xFF
        return bytes(content)


def _payloads(body: Body) -> list[range]:
    """Where the mdat payloads are; a file that is no mp4 is payload altogether."""
    if body.read(4, 4) != b"ftyp":
        return [range(body.size)]
    found, at = [], 0
    while at + 8 <= body.size:
        size, kind = struct.unpack(">I4s", body.read(at, 8))
        size = size if size >= 8 else body.size - at
        if kind == b"mdat":
            found.append(range(at + 8, at + size))
        at += size
    return found


@dataclass(frozen=True)
class Head:
    """One request as it arrived; header names in lower case."""

    port: int
    method: str
    scheme: str
    host: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    time: float = 0.0

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}"


@dataclass
class Answer:
    """What goes back: `span` of `body`. `on_sent` hears the count of body bytes before a piece goes out."""

    status: int
    body: Body
    span: range
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    rate: float | None = None
    on_sent: Callable[[int], None] = lambda total: None
    on_end: Callable[[], None] = lambda: None


def plain(status: int, content: bytes = b"", content_type: str = "text/html; charset=utf-8") -> Answer:
    """An answer without ranges."""
    return Answer(status, BytesBody(content), range(len(content)), {"Content-Type": content_type})


def refusal(status: int, retry_after: int | None = None) -> Answer:
    """A bare error page."""
    answer = plain(status, b"<!DOCTYPE html><html><title>Sorry...</title></html>")
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def ranged(head: Head, body: Body, content_type: str) -> Answer:
    """An answer that honours Range, If-Range and If-None-Match."""
    headers = {"Content-Type": content_type, "Accept-Ranges": "bytes", "ETag": body.tag}
    if head.headers.get("if-none-match") == body.tag:
        return Answer(304, body, range(0), headers)
    span = _asked(head, body)
    if span is None:
        return Answer(200, body, range(body.size), headers)
    if not span:
        return Answer(416, body, range(0), headers | {"Content-Range": f"bytes */{body.size}"})
    headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{body.size}"
    return Answer(206, body, span, headers)


def _asked(head: Head, body: Body) -> range | None:
    """The bytes a request asks for: None means all, an empty range that it cannot be satisfied."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", head.headers.get("range", "").strip())
    if not match or head.headers.get("if-range", body.tag) != body.tag:
        return None
    first = int(match[1])
    last = int(match[2]) if match[2] else body.size - 1
    if match[2] and last < first:
        return None
    return range(first, min(last + 1, body.size)) if first < body.size else range(0)


def spoil(answer: Answer, fault: Fault) -> Answer:
    """The answer as a fault leaves it; faults that strike on the way are only noted."""
    if fault.kind == "status":
        return refusal(fault.status, fault.retry_after)
    if fault.kind == "ignore_range" and answer.status == 206:
        headers = {name: value for name, value in answer.headers.items() if name != "Content-Range"}
        return Answer(200, answer.body, range(answer.body.size), headers)
    if fault.kind == "corrupt":
        answer.body = CorruptBody(answer.body, answer.span.start + fault.after)
    answer.fault = fault
    return answer


class Proxy:
    """Listens on `ports` ephemeral ports; a thread for each connection; ends with `close()`."""

    def __init__(self, answer: Callable[[Head], Answer], knows: Callable[[str], bool], ports: int = 1) -> None:
        self.latency = 0.0
        self.stopping = threading.Event()
        self._answer = answer
        self._knows = knows
        self._authority = trustme.CA()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._live: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._listeners = [self._listen() for _ in range(ports)]
        self.ports = [listener.getsockname()[1] for listener in self._listeners]

    def write_authority(self, path: Path) -> None:
        """Writes the certificate that clients have to trust."""
        self._authority.cert_pem.write_to_path(os.fspath(path))

    def start(self) -> None:
        for listener in self._listeners:
            self._thread(self._accept, listener)

    def close(self) -> None:
        """Breaks off what is under way and waits for every thread."""
        self.stopping.set()
        with self._lock:
            live, threads = list(self._live), list(self._threads)
        for sock in [*self._listeners, *live]:
            # Not SSLSocket.shutdown: that takes the TLS state from under the thread that reads.
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)
        for listener in self._listeners:
            listener.close()

    def _context(self, host: str) -> ssl.SSLContext:
        with self._lock:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host).configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]

    @staticmethod
    def _listen() -> socket.socket:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        # Small, so that bytes counted as sent are not far ahead of bytes received.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PIECE)
        listener.settimeout(0.25)  # where shutdown() does not wake accept()
        return listener

    def _thread(self, target: Callable[..., None], *arguments: object) -> None:
        def run() -> None:
            try:
                target(*arguments)
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, daemon=True, name="fake-proxy")
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._thread(self._serve, sock, listener.getsockname()[1])

    def _serve(self, sock: socket.socket, port: int) -> None:
        with self._lock:
            self._live.add(sock)
        # A client may hang up at any moment; that is its right and no news.
        with sock, suppress(OSError):
            self._converse(sock, port)
        with self._lock:
            self._live = {live for live in self._live if live.fileno() != -1}

    def _converse(self, sock: socket.socket, port: int) -> None:
        """Ends TLS if the client asks for a tunnel, then answers request after request."""
        with sock.makefile("rb") as reader:
            head = _read_head(sock, reader, port, "http", "")
            if not head or head.method != "CONNECT":
                self._answer_all(sock, reader, head)
                return
        if not self._knows(head.host):
            _send(sock, head, self._ask(head), self.stopping)
            return
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with (
            self._context(head.host).wrap_socket(sock, server_side=True) as tls,
            tls.makefile("rb") as reader,
        ):
            with self._lock:
                self._live.add(tls)
            self._answer_all(tls, reader, _read_head(tls, reader, port, "https", head.host))

    def _answer_all(self, sock: socket.socket, reader: IO[bytes], head: Head | None) -> None:
        while head and not self.stopping.wait(self.latency):
            if not _send(sock, head, self._ask(head), self.stopping):
                return
            head = _read_head(sock, reader, head.port, head.scheme, head.host)

    def _ask(self, head: Head) -> Answer:
        """The handler's answer. Its own OSErrors (a media file is gone) must not pass for a hang-up."""
        try:
            return self._answer(head)
        except OSError as error:
            raise RuntimeError(f"no answer to {head.method} {head.url}") from error


def _read_head(sock: socket.socket, reader: IO[bytes], port: int, scheme: str, host: str) -> Head | None:
    """The next request, or None when the client has hung up. `host` is the tunnel's, if there is one."""
    _acknowledge_quickly(sock)
    words = reader.readline(65536).decode("latin-1").split()
    if len(words) != 3:
        return None
    method, target, _ = words
    headers = {}
    while line := reader.readline(65536).decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    _acknowledge_quickly(sock)
    body = reader.read(int(headers.get("content-length", 0)))
    path = target
    if method == "CONNECT":
        host = target.rpartition(":")[0]
    elif "://" in target:
        rest = target.partition("://")[2]
        host, _, path = rest.partition("/")
        path = "/" + path
    return Head(port, method, scheme, host, path, headers, body, time.time())


def _acknowledge_quickly(sock: socket.socket) -> None:
    """Clients with Nagle on wait for an acknowledgement between a POST's head and its body: 40 ms each."""
    if quick := getattr(socket, "TCP_QUICKACK", None):
        sock.setsockopt(socket.IPPROTO_TCP, quick, 1)


def _send(sock: socket.socket, head: Head, answer: Answer, stopping: threading.Event) -> bool:
    """Sends an answer; whether the connection lives on."""
    try:
        sock.sendall(_head_bytes(answer))
        if head.method != "HEAD":
            _send_body(sock, answer, stopping)
    finally:
        answer.on_end()
    if answer.fault and answer.fault.kind in _BREAKING:
        _break_off(sock, answer.fault, stopping)
        return False
    return head.headers.get("connection", "").lower() != "close" and head.method != "CONNECT"


def _head_bytes(answer: Answer) -> bytes:
    length = [] if answer.status in (204, 304) else [f"Content-Length: {len(answer.span)}"]
    fields = [f"{name}: {value}" for name, value in answer.headers.items()]
    reason = HTTPStatus(answer.status).phrase
    return "\r\n".join([f"HTTP/1.1 {answer.status} {reason}", *fields, *length, "", ""]).encode("latin-1")


def _send_body(sock: socket.socket, answer: Answer, stopping: threading.Event) -> None:
    """Sends the body up to its end, or to where a fault breaks it off, at the pace that was asked for."""
    fault = answer.fault
    span = answer.span
    if fault and fault.kind in _BREAKING:
        span = span[: fault.after]
    sent = 0
    while sent < len(span) and not stopping.is_set():
        slow = fault is not None and fault.kind == "slow" and sent >= fault.after
        rate = fault.rate if fault and slow else answer.rate
        count = max(1, min(_PIECE, int(rate / 50))) if rate else _PIECE
        # A piece ends where the line grows slow.
        stop = fault.after if fault and fault.kind == "slow" and not slow else len(span)
        piece = answer.body.read(span.start + sent, min(count, stop - sent))
        # Said before it is done: a client that has the last byte must find it in the log.
        answer.on_sent(sent + len(piece))
        due = time.monotonic() + (len(piece) / rate if rate else 0)
        try:
            sock.sendall(piece)
        except OSError:
            answer.on_sent(sent)
            raise
        sent += len(piece)
        if rate:
            stopping.wait(max(0.0, due - time.monotonic()))


def _break_off(sock: socket.socket, fault: Fault, stopping: threading.Event) -> None:
    if fault.kind == "stall":
        _stall(sock, fault.seconds, stopping)
    elif fault.kind == "reset":
        # A reset throws away what the client has not read yet: let it read first.
        stopping.wait(0.05)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif isinstance(sock, ssl.SSLSocket):
        # Says goodbye in TLS, without waiting for the client to say it too.
        sock.setblocking(False)
        with suppress(OSError, ValueError):
            sock.unwrap()


def _stall(sock: socket.socket, seconds: float | None, stopping: threading.Event) -> None:
    """Says nothing more until the time is over, the client hangs up, or the proxy closes."""
    until = time.monotonic() + seconds if seconds is not None else float("inf")
    while time.monotonic() < until and not stopping.is_set():
        if select.select([sock], [], [], 0.05)[0]:
            return
