"""An S3 store on localhost as some have theirs: moto's, behind a door that answers conditional PUTs itself."""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

CODES = {
    400: "InvalidArgument",
    403: "AccessDenied",
    409: "ConditionalRequestConflict",
    412: "PreconditionFailed",
    501: "NotImplemented",
}


class Quiet(WSGIRequestHandler):
    """moto's requests, unsaid."""

    def log(self, type: str, message: str, *args: Any) -> None: ...


class Door(http.server.ThreadingHTTPServer):
    """Lets all requests through but PUTs that are only for what is new: of these, ``times`` get ``status``."""

    daemon_threads = True

    def __init__(self, behind: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.behind = behind
        self.status, self.times = 501, 0
        self.asked: list[str] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, status: int, times: int = 1_000_000) -> None:
        """How the next conditional PUTs are answered."""
        self.status, self.times = status, times
        self.asked.clear()

    def refuses(self, path: str) -> bool:
        with self.lock:
            self.asked.append(path)
            self.times -= 1
            return self.times >= 0


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Door

    def log_message(self, format: str, *args: Any) -> None: ...

    def handle_any(self) -> None:
        body = self._body()
        if self.command == "PUT" and self.headers.get("If-None-Match") and self.server.refuses(self.path):
            words = f"<Error><Code>{CODES[self.server.status]}</Code><Message>not so</Message></Error>"
            self._send(self.server.status, [("Content-Type", "application/xml")], words.encode())
            return
        connection = http.client.HTTPConnection(*self.server.behind)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THE_WAY}
        connection.request(self.command, self.path, body, kept | {"Content-Length": str(len(body))})
        answer = connection.getresponse()
        content = answer.read()
        headers = [pair for pair in answer.getheaders() if pair[0].lower() not in _OF_THE_WAY]
        size = answer.getheader("Content-Length") if self.command == "HEAD" else None
        connection.close()
        self._send(answer.status, headers, content, size)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any  # noqa: N815 - their names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status: int, headers: list[tuple[str, str]], content: bytes, size: str | None = None) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", size or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


_OF_THE_WAY = ("content-length", "transfer-encoding", "connection")


@contextmanager
def picky_store() -> Iterator[Door]:
    """The store, with an empty bucket called "bucket"."""
    moto = make_server(
        "127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True, request_handler=Quiet
    )
    door = Door(("127.0.0.1", moto.server_port))
    threads = [threading.Thread(target=each.serve_forever) for each in (moto, door)]
    for thread in threads:
        thread.start()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", moto.server_port)
        connection.request("PUT", "/bucket", headers={"Host": "s3.amazonaws.com"})
        assert connection.getresponse().status == 200
        connection.close()
        yield door
    finally:
        for each in (door, moto):
            each.shutdown()
            each.server_close()
        for thread in threads:
            thread.join(30)
