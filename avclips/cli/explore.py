"""``avclips explore``: a page to look at and listen to a download, on this machine."""

from __future__ import annotations

import argparse
import secrets
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.clock import Clock
from ..core.errors import Stopped, UsageError
from ..core.extras import extras
from ..core.signals import Signals
from .parser import Parser

if TYPE_CHECKING:
    from ..explore.session import Session

LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})
_NEEDS = {"starlette": "the page is served", "uvicorn": "the page is served"}


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser(prog="avclips explore", description="A page to look at and listen to what was downloaded.")
    made.add_argument("source", metavar="DIR_OR_SHARDS", help="a data folder, or an output of shards (s3:// too)")
    made.add_argument("--port", type=int, default=8642, metavar="N", help="0: any that is free [8642]")
    made.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="another asks for a token in the address [127.0.0.1]",
    )
    made.add_argument("--cache", type=Path, metavar="PATH", help="the index and thumbnails [DIR/.explore]")
    made.add_argument("--ffmpeg", type=Path, metavar="PATH", help="another ffmpeg than the wheel's")
    made.add_argument(
        "--projection",
        choices=("pca", "umap"),
        help="of the map; umap needs umap-learn [umap where it is installed, else pca]",
    )
    made.add_argument(
        "--export", type=Path, metavar="OUT", help="write a static page of up to 500 clips, and serve nothing"
    )
    made.add_argument("--search", default="", metavar="WORDS", help="with --export: only clips with these words")
    made.add_argument("--most", type=int, default=500, metavar="N", help="with --export: so many clips [500]")
    return made


def run(options: argparse.Namespace, signals: Signals) -> int:
    """Serve until a signal comes, or write the static page; returns the exit code."""
    if not options.export:
        if options.search or options.most != 500:
            raise UsageError("--search and --most are for --export")
        extras(_NEEDS)
    elif options.projection:
        raise UsageError("--projection is for the page, and --export writes no map")
    if not 0 <= options.port < 65536:
        raise UsageError(f"--port {options.port} is no port", "a number up to 65535")
    from ..explore.opening import open_session

    session, changed = open_session(options.source, options.cache, options.ffmpeg, Clock(), options.projection)
    if options.export:
        from ..explore.gallery import export
        from ..explore.query import Filter

        session.build()
        if session.state["error"]:
            raise UsageError(session.state["error"])
        count = export(session, options.export, Filter(options.search), options.most)
        print(f"{count} clips are in {options.export}: a website can serve it; index.html is its page.")
        return 0
    keeper = threading.Thread(target=session.keep_up, args=(changed,), daemon=True)
    keeper.start()
    try:
        _serve(session, options.host, options.port)
    except Stopped:
        # Ctrl-C is how a server is meant to end.
        return 0
    finally:
        session.stop()
    return 0


def _serve(session: Session, host: str, port: int) -> None:
    import uvicorn

    from ..explore.app import make_app

    listener = _listen(host, port)
    port = listener.getsockname()[1]
    token = "" if host in ("127.0.0.1", "localhost", "::1") else secrets.token_urlsafe(18)
    shown = f"[{host}]" if ":" in host else host
    name = socket.getfqdn() if host in ("0.0.0.0", "::") else shown
    print(f"http://{name}:{port}/" + (f"?token={token}" if token else ""), flush=True)
    if token:
        print(
            "Whoever has this address can see the clips; it is not encrypted on its way.",
            file=sys.stderr,
            flush=True,
        )
    print("Ctrl-C ends it.", file=sys.stderr, flush=True)
    app = make_app(session, token, LOCAL)
    config = uvicorn.Config(
        app, log_level="warning", lifespan="off", access_log=False, timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise UsageError(
            f"nothing can listen at {host}:{port}: {error.strerror}", "name another --port, or --port 0 for any"
        ) from error
    made.listen(128)
    return made
