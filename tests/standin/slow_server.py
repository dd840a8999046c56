"""A server on 127.0.0.1 whose answers do not come to an end, or hardly move. It ends by itself, after a while.

Knows the ways in which an answer can keep its reader waiting; not who asks.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

# Pieces of a drip, and the seconds between them: all of it takes so long that no deadline of a test is near.
PIECES, PAUSE = 400, 0.05
# What goes out at once of what has no end, and how often at most.
MUCH, TIMES = bytes(1 << 16), 4000

PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"
FILE = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 100000000\r\n\r\n\0"
AWAY = b"HTTP/1.1 302 Found\r\nLocation: /gone\r\n\r\n"
# What each address answers: at once, then again and again, in drips or as fast as it goes.
ANSWERS: dict[str, tuple[bytes, bytes, bool]] = {
    "status": (b"HTTP/1.1 200 ", b"O", True),
    "header": (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"o", True),
    "page": (PAGE, b" ", True),
    "error": (b"HTTP/1.1 403 Forbidden\r\n\r\n", b" ", True),
    "endless": (PAGE, MUCH, False),
    "endless-redirect": (AWAY, MUCH, False),
    "endless-chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 1000, False),
    "body": (FILE, b" ", True),
    "slow": (FILE, bytes(20_000), True),
    "gone": (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b"", False),
}
# A handshake of which a byte comes now and then, and a proxy that says yes for ever.
HANDSHAKE = (b"\x16\x03\x03\x40\x00\x02", b"\x00", True)
TUNNEL = (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"o", True)


class SlowServer:
    """Answers by the first word of the path; a handshake and a CONNECT never come to an end."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> SlowServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None,
                 ) -> None:  # fmt: skip
        self.over.set()
        self._socket.close()

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/{path}"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            asked = line.recv(1 << 16)
            if asked[:1] == b"\x16":
                self._keep_on(line.sendall, *HANDSHAKE)
            elif asked.startswith(b"CONNECT"):
                self._keep_on(line.sendall, *TUNNEL)
            elif asked.startswith(b"HEAD"):
                head, _, _ = _answer_to(asked)[0].partition(b"\r\n\r\n")
                line.sendall(head + b"\r\n\r\n")
            else:
                self._keep_on(line.sendall, *_answer_to(asked))

    def _keep_on(self, send: Callable[[bytes], object], first: bytes, again: bytes, slowly: bool) -> None:
        send(first)
        for _ in range(PIECES if slowly else TIMES):
            if not again or (slowly and self.over.wait(PAUSE)) or self.over.is_set():
                return
            send(again)


def _answer_to(asked: bytes) -> tuple[bytes, bytes, bool]:
    word = asked.split()[1].decode().strip("/").partition("/")[0].partition(".")[0]
    return ANSWERS.get(word, ANSWERS["gone"])
