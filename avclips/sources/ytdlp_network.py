"""YoutubeDL whose requests end: what ``request_limits`` allows, put into yt-dlp's own ways to the network.

Each answer that yt-dlp reads goes by the bounds of its worker, and each JavaScript runtime has a time-out. What of
yt-dlp is reached into is looked for, and passed over where a release has it otherwise: then answers are bounded as
they are read, and what drips before the first byte is left to the time-out of its socket.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import yt_dlp
from yt_dlp.extractor import gen_extractor_classes
from yt_dlp.networking.common import Response
from yt_dlp.networking.exceptions import HTTPError, TransportError
from yt_dlp.utils import Popen

from .request_limits import AT_ONCE, MOST_AT_ONCE, Bounds, OverBounds, Request, cut_socket

# Real seconds that a JavaScript runtime may take for one page; solving takes about one.
RUNTIME = 60.0
# A redirect's own body is read, to use the connection again, up to so many bytes.
_SHORT = 1 << 16
# Seconds in which a block of a body came at once: the next one may be twice as large.
_SOON = 0.02


class BoundedYoutubeDL(yt_dlp.YoutubeDL):  # type: ignore[misc]
    """A YoutubeDL that asks within bounds."""

    def __init__(self, parameters: Mapping[str, Any], bounds: Bounds) -> None:
        self._bounds = bounds
        super().__init__(dict(parameters))

    def add_default_info_extractors(self) -> None:
        """All that yt-dlp knows. It looks each of 1,700 names up in a list of them all: 30 ms a worker."""
        if "allowed_extractors" in self.params:
            super().add_default_info_extractors()
            return
        for extractor in {each.IE_NAME.lower(): each for each in gen_extractor_classes()}.values():
            if getattr(extractor, "_ENABLED", True):
                self.add_info_extractor(extractor)

    def urlopen(self, request: Any) -> Any:
        """What yt-dlp and its extractors ask for anything with."""
        going_on = self._bounds.begin()
        try:
            going_on.check()
            try:
                return _Bounded(super().urlopen(request), going_on, self._bounds)
            except HTTPError as error:
                error.response = _Bounded(error.response, going_on, self._bounds)
                raise
            except TransportError:
                going_on.check()
                raise
        except OverBounds as error:
            raise _told(error, going_on) from error

    def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
        """Where the connections are made: each is known to the bounds."""
        director = super().build_request_director(handlers, preferences)
        for handler in director.handlers.values():
            if (create := getattr(handler, "_create_instance", None)) is not None:
                handler._create_instance = _breakable_sessions(create, self._bounds)
        return director

    def _forceprint(self, key: str, info_dict: Any) -> None:
        """yt-dlp's own words all formats as tables for what is printed, twice a video, where nothing is."""
        if any(self.params.get(name, {}).get(key) for name in ("forceprint", "print_to_file")):
            super()._forceprint(key, info_dict)


def _breakable_sessions(create: Callable[..., Any], bounds: Bounds) -> Callable[..., Any]:
    """Makes sessions of ``requests`` whose connections can be broken, and leaves others as they are."""

    def made(*words: Any, **more: Any) -> Any:
        session = create(*words, **more)
        if not hasattr(session, "adapters"):
            return session
        session.hooks["response"].append(_without_long_body)
        for adapter in session.adapters.values():
            adapter.get_connection_with_tls_context = _breakable(adapter.get_connection_with_tls_context, bounds)
        return session

    return made


def _without_long_body(answer: Any, *_: Any, **__: Any) -> Any:
    """Of an answer that only leads elsewhere, nothing long is read: ``requests`` would, to its end."""
    told = answer.headers.get("Content-Length", "")
    if answer.is_redirect and not (told.isdigit() and int(told) <= _SHORT):
        answer._content, answer._content_consumed = b"", True
        answer.raw.close()
    return answer


def _breakable(find: Callable[..., Any], bounds: Bounds) -> Callable[..., Any]:
    """Finds pools whose connections are known to ``bounds``."""

    def found(*words: Any, **more: Any) -> Any:
        pool = find(*words, **more)
        if not issubclass(pool.ConnectionCls, _Breakable):
            base = pool.ConnectionCls
            pool.ConnectionCls = type(base.__name__, (_Breakable, base), {"bounds": bounds})
        return pool

    return found


class _Breakable:
    """A connection that another thread may break, from its first packet on."""

    bounds: Bounds
    _line: Any = None

    def _new_conn(self) -> Any:
        line = super()._new_conn()  # type: ignore[misc]
        # TLS takes the socket over while it begins: until then, another handle of the same connection.
        self._line = line.dup()
        self.bounds.add(self)
        return line

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        finally:
            handle, self._line = self._line, getattr(self, "sock", None)
            if handle is not None:
                handle.close()

    def cut(self) -> None:
        """Have whoever waits for it fail at once."""
        cut_socket(self._line)


def _told(error: OverBounds, request: Request) -> Exception:
    """Of a page, as extractors expect it: they may do without. Of a body, as it is, or yt-dlp would ask again."""
    return error if request.in_parts else TransportError(str(error))


class _Bounded(Response):  # type: ignore[misc]
    """An answer that is read within bounds."""

    def __init__(self, answer: Any, request: Request, bounds: Bounds) -> None:
        super().__init__(answer.fp, answer.url, {}, answer.status, answer.reason, answer.extensions)
        self.headers = answer.headers
        self._answer = answer
        self._request = request
        self._bounds = bounds
        self._at_once = AT_ONCE

    def read(self, amt: int | None = None) -> bytes:
        """The next bytes, fewer than asked for only at the end of a page, or anywhere in a body."""
        try:
            blocks: list[bytes] = []
            while amt is None or amt > 0:
                block = self._some(self._at_once if amt is None else min(amt, self._at_once))
                blocks.append(block)
                if not block:
                    break
                amt = None if amt is None else amt - len(block)
                if self._request.in_parts:
                    break
            return b"".join(blocks)
        except OverBounds as error:
            self.close()
            raise _told(error, self._request) from error

    def _some(self, amount: int) -> bytes:
        began = time.monotonic()
        try:
            block: bytes = self._answer.read(amount)
        except TransportError:
            self._request.check()
            raise
        soon = time.monotonic() - began < _SOON
        self._at_once = min(2 * self._at_once, MOST_AT_ONCE) if soon else AT_ONCE
        self._request.came(len(block))
        if not block:
            self._bounds.end(self._request)
        return block

    def close(self) -> None:
        self._bounds.end(self._request)
        self._answer.close()
        super().close()


# -- JavaScript runtimes ---------------------------------------------------------------------------------------

_here = threading.local()
_wait = Popen.communicate_or_kill


def _communicate_or_kill(self: Any, *words: Any, **more: Any) -> Any:
    """yt-dlp's own, which waits for ever; where a worker of ours asks, what takes too long is ended."""
    if not getattr(_here, "asks", False):
        return _wait(self, *words, **more)
    timer = threading.Timer(RUNTIME, self.kill)
    timer.daemon = True
    timer.start()
    try:
        return _wait(self, *words, **more)
    finally:
        timer.cancel()


Popen.communicate_or_kill = _communicate_or_kill


def bound_runtimes() -> None:
    """From now on, what this thread has yt-dlp run is waited for no longer than RUNTIME."""
    _here.asks = True
