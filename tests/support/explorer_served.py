"""An ASGI application on a port of localhost, and a client that sends a path as it is written."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """Asks a server at ``port`` of localhost; ``host``: what it says that it asks."""

    def __init__(self, port: int, host: str = "") -> None:
        self.port = port
        self._host = host or f"127.0.0.1:{port}"
        self._cookie = ""

    def get(self, path: str, params: Mapping[str, str] = {}, headers: Mapping[str, str] = {}) -> Answer:
        return self._ask("GET", f"{path}?{urllib.parse.urlencode(params)}" if params else path, None, headers)

    def post(self, path: str, content: bytes, kind: str = "application/json") -> Answer:
        return self._ask("POST", path, content, {"Content-Type": kind})

    def ask(self, method: str, path: str, headers: Mapping[str, str] = {}) -> Answer:
        return self._ask(method, path, None, headers)

    def _ask(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = {"Host": self._host, **headers} | ({"Cookie": self._cookie} if self._cookie else {})
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            self._cookie = found.get("set-cookie", self._cookie).split(";")[0]
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()


@contextmanager
def served(app: Any) -> Iterator[int]:
    """Serve ``app`` within the block; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
