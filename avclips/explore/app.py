"""The page's server: routes over a Session. Starlette; imported only once ``extras`` has seen that it is there.

Every answer is the same for every path a browser can think of: a clip is named by its number, a file by its kind.
"""

from __future__ import annotations

import json
import logging
import re
import secrets

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import answers, query
from .index import FACETS
from .map_points import points
from .media import STATIC, NotServed
from .query import Filter
from .session import Session
from .thumbnails import AT_ONCE

COOKIE = "avclips_token"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self' data:; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# Bytes of an id and a mark, generously.
_MOST_SAID = 64 * 1024


class Guard:
    """Lets in who knows the token, or, without one, who asks this machine by its own name.

    A page on the web can make a browser ask 127.0.0.1, by a name of its own that leads there.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: frozenset[str]) -> None:
        self._app = app
        self._token = token
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        host = re.sub(r":\d+$", "", request.headers.get("host", "").lower())
        given = request.query_params.get("token") or request.cookies.get(COOKIE, "")
        known = bool(self._token) and secrets.compare_digest(given.encode(), self._token.encode())
        if not known and (self._token or host not in self._hosts):
            refused = PlainTextResponse("Open the address that `avclips explore` printed.\n", 403)
            await refused(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(12)
        scope["nonce"] = nonce

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = _HEADERS | {"Content-Security-Policy": _POLICY.format(nonce=nonce)}
                if known and request.query_params.get("token"):
                    extra["Set-Cookie"] = f"{COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path=/"
                message["headers"] = [
                    *message["headers"],
                    *((name.lower().encode(), value.encode()) for name, value in extra.items()),
                ]
            await send(message)

        await self._app(scope, receive, send_on)


class Pages:
    """The routes, over one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        # The threads that make pictures, apart from those that answer: what waits for its turn holds none.
        self._making: anyio.CapacityLimiter | None = None

    def page(self, request: Request) -> Response:
        text = (STATIC / "index.html").read_text(encoding="utf-8")
        return HTMLResponse(text.replace("{{nonce}}", request.scope["nonce"]))

    def summary(self, request: Request) -> Response:
        session = self._session
        total = query.count(session.database(), Filter())
        return JSONResponse(
            {"source": session.source, "total": total, "live": session.live is not None}
            | {"laying_out": session.laying_out, **session.state}
        )

    def clips(self, request: Request) -> Response:
        wanted, order = filter_of(request), request.query_params.get("order", "list")
        offset, limit = (_whole(request, name, usual) for name, usual in (("offset", 0), ("limit", 60)))
        database = self._session.database()
        cards = query.clips(database, wanted, order, offset, limit)
        for card in cards:
            card["mark"] = self._session.marks.of(card["id"])
        # Of the first page; whoever goes on knows it.
        total = None if offset else query.count(database, wanted)
        return JSONResponse({"total": total, "clips": cards})

    def facets(self, request: Request) -> Response:
        return JSONResponse(query.facets(self._session.database(), filter_of(request)))

    def ids(self, request: Request) -> Response:
        found = query.ids(self._session.database(), filter_of(request), request.query_params.get("order", "list"))
        head = {"Content-Disposition": 'attachment; filename="ids.txt"'}
        return StreamingResponse(
            (f"{each}\n" for each in found), media_type="text/plain; charset=utf-8", headers=head
        )

    def clip(self, request: Request) -> Response:
        number = query.number_of(self._session.database(), request.query_params.get("id", ""))
        if number is None:
            raise NotServed("there is no such clip")
        return JSONResponse(self._session.clip(number))

    def media(self, request: Request) -> Response:
        blob = self._session.blob(request.path_params["number"], request.path_params["kind"])
        return answers.media(blob, request.method, request.headers)

    async def thumbnail(self, request: Request) -> Response:
        # A limiter belongs to the loop that runs.
        self._making = self._making or anyio.CapacityLimiter(AT_ONCE)
        number = request.path_params["number"]
        path = await run_in_threadpool(self._session.made_thumbnail, number)
        if path is None:
            path = await anyio.to_thread.run_sync(self._session.thumbnail, number, limiter=self._making)
        return answers.picture(path, request.headers)

    def map(self, request: Request) -> Response:
        return JSONResponse(points(self._session, filter_of(request)))

    def live(self, request: Request) -> Response:
        return JSONResponse(self._session.live.look() if self._session.live else {})

    async def mark(self, request: Request) -> Response:
        # A form of another page can send no such type without being asked first.
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return JSONResponse({"error": "not JSON"}, 415)
        try:
            content = b""
            async for chunk in request.stream():
                content += chunk
                if len(content) > _MOST_SAID:
                    return JSONResponse({"error": "too long"}, 413)
            said = json.loads(content)
            clip_id, mark = str(said["id"]), str(said["mark"])
            if query.number_of(self._session.database(), clip_id) is None:
                raise NotServed("there is no such clip")
            await run_in_threadpool(self._session.marks.set, clip_id, mark)
        except ClientDisconnect:
            # Nobody reads it.
            return Response(status_code=400)
        except (ValueError, KeyError, TypeError, RecursionError):
            return JSONResponse({"error": "not an id and a mark"}, 400)
        return JSONResponse({"id": clip_id, "mark": mark})


def filter_of(request: Request) -> Filter:
    """The filter that a query string means: ``q``, a value for each facet as often as there are, ``least``."""
    said = request.query_params
    chosen = {kind: values for kind in FACETS if (values := said.getlist(kind))}
    try:
        least = float(said["least"]) if said.get("least") else None
    except ValueError:
        least = None
    return Filter(said.get("q", "")[:500], chosen, least)


def _whole(request: Request, name: str, usual: int) -> int:
    said = request.query_params.get(name, "")
    return int(said) if re.fullmatch(r"\d{1,9}", said) else usual


async def not_served(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 404)


def make_app(session: Session, token: str, hosts: frozenset[str]) -> Starlette:
    """The application of a server, which is uvicorn.

    ``token``: what an address must hold, "" where ``hosts`` alone are looked at.
    """
    logging.getLogger("uvicorn.error").addFilter(answers.is_told)
    pages = Pages(session)
    routes = [
        Route("/", pages.page),
        Route("/api/summary", pages.summary),
        Route("/api/clips", pages.clips),
        Route("/api/facets", pages.facets),
        Route("/api/ids", pages.ids),
        Route("/api/clip", pages.clip),
        Route("/api/live", pages.live),
        Route("/api/map", pages.map),
        Route("/api/mark", pages.mark, methods=["POST"]),
        Route("/media/{number:int}/{kind}", pages.media),
        Route("/thumbnail/{number:int}", pages.thumbnail),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    guard = Middleware(Guard, token=token, hosts=hosts)
    return Starlette(routes=routes, middleware=[guard], exception_handlers={NotServed: not_served})
