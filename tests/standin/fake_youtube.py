"""A stand-in YouTube on 127.0.0.1, good enough for the real yt-dlp and for whole runs as child processes.

Knows: which host and path means what, which case a video shows at which extraction, and what was asked for.
Knows not: how media are made (fake_media), what the answers say (fake_player), how they travel (fake_proxy).
It never opens a connection to anywhere: an unknown host gets a 502 and is recorded.

    with FakeYouTube(folder, default=FakeVideo()) as youtube:
        YoutubeDL({"proxy": youtube.proxy, "nocheckcertificate": True}).extract_info(...)

Run as a program, it serves until its standard input closes or a SIGTERM comes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from tests.standin import fake_media
from tests.standin.fake_media import Media
from tests.standin.fake_player import (
    CASES,
    MANIFEST_HOST,
    MEDIA_HOST,
    ORIGINAL_AND_DUB,
    AudioTrack,
    Case,
    FakeVideo,
    asked_of,
    caption_text,
    case,
    config_page,
    master_playlist,
    media_playlist,
    player_response,
    watch_page,
)
from tests.standin.fake_proxy import (
    Answer,
    BytesBody,
    Fault,
    Faults,
    FileBody,
    Head,
    Proxy,
    Site,
    plain,
    ranged,
    refusal,
    spoil,
)
from tests.standin.next_release import next_clients
from tests.standin.request_log import Answered, RequestLog

__all__ = [
    "CASES", "MANIFEST_HOST", "MEDIA_HOST", "ORIGINAL_AND_DUB",
    "AudioTrack", "Case", "FakeFile", "FakeVideo", "FakeYouTube", "Fault", "Media", "Request",
]  # fmt: skip

Kind = Literal["watch", "player", "playlist", "media", "caption", "file", "other"]

_HOSTS = ("youtube.com", "youtubei.googleapis.com", "youtu.be")
_BASE_JS = b"var a={signatureTimestamp:20500};"
_IFRAME_API = rb"var scriptUrl='https:\/\/www.youtube.com\/s\/player\/deadbeef\/www-widgetapi.js';"


@dataclass(frozen=True)
class Request(Answered):
    """One request and what became of it.

    `time` is the wall clock's at its arrival. `segment` is the number, from 0, of a segment of HLS that is a file
    of its own. `language` is that of captions: of their translation, if one was asked for. `client` is what asks
    for a player calls itself.
    """

    time: float
    port: int
    host: str
    method: str
    path: str
    kind: Kind
    video: str | None = None
    itag: int | None = None
    user_agent: str = ""
    cookie: str = ""
    segment: int | None = None
    language: str | None = None
    client: str | None = None


@dataclass(frozen=True)
class FakeFile:
    """A file of another site, with faults on order."""

    content: bytes
    faults: tuple[Fault, ...] = ()
    content_type: str = "application/octet-stream"


class FakeYouTube:
    """The stand-in; a context manager.

    `refuse` is asked at every request: a case's name (or a Case) it returns is shown at a watch page or
    player request in place of the video's own; a number such as "429" is the status of any answer; None
    lets it pass. `cookie` is asked at every watch page for the cookie that it sets, "NAME=value".
    `videos`, `files` and `sites` may be changed while it runs. `sites` answer for hosts of their own through
    the same proxy; what is asked of them stands in their logs, not in this one.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        videos: Mapping[str, FakeVideo] | None = None,
        default: FakeVideo | None = None,
        files: Mapping[str, bytes | FakeFile] | None = None,
        latency: float = 0.0,
        rate: float | None = None,
        page_bytes: int = 0,
        ports: int = 1,
        sites: Sequence[Site] = (),
    ) -> None:
        self.folder = Path(folder)
        self.videos = dict(videos or {})
        self.default = default
        self.files = dict(files or {})
        self.rate = rate
        self.page_bytes = page_bytes
        self.sites = tuple(sites)
        self.refuse: Callable[[Request], str | Case | None] = lambda request: None
        self.cookie: Callable[[Request], str] = lambda request: "YSC=fake"
        self.on_request: Callable[[Request], object] = lambda request: None
        self._log = RequestLog[Request](lambda request: self.on_request(request))
        self._unknown: list[str] = []
        self._watched: Counter[str] = Counter()
        self._faults = Faults()
        self._lock = threading.Lock()
        self._proxy = Proxy(self._answer, self._knows, ports)
        self._proxy.latency = latency
        self._private = Path(tempfile.mkdtemp(prefix="fake-youtube-"))
        self._proxy.write_authority(self._private / "ca.pem")

    # What tests ask for

    @property
    def proxy(self) -> str:
        return self.proxies[0]

    @property
    def proxies(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self._proxy.ports]

    @property
    def ca_file(self) -> str:
        return str(self._private / "ca.pem")

    @property
    def latency(self) -> float:
        return self._proxy.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._proxy.latency = seconds

    def environment(self, proxy: str | None = None) -> dict[str, str]:
        """Variables for a child process: it trusts this stand-in, and whatever it asks for comes here.

        `proxy` "" leaves no proxy in the environment, for programs that are to be told by an option.
        """
        where = self.proxy if proxy is None else proxy
        names = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
        proxies = {name: where for lower in names for name in (lower, lower.upper())}
        trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), self.ca_file)
        clients = next_clients.variables() if next_clients.asked_for() else {}
        return proxies | trust | clients | {"no_proxy": "", "NO_PROXY": "", "SSL_CERT_DIR": ""}

    @property
    def log(self) -> list[Request]:
        return self._log()

    @property
    def unknown(self) -> list[str]:
        with self._lock:
            return list(self._unknown)

    def requests(self, kind: Kind | None = None, video: str | None = None) -> list[Request]:
        return [r for r in self.log if kind in (None, r.kind) and video in (None, r.video)]

    def extractions(self, video: str | None = None) -> int:
        """How many watch pages were asked for, of one video or of all."""
        return len(self.requests("watch", video))

    def media_bytes(self, video: str | None = None) -> int:
        return sum(request.sent for request in self.requests("media", video))

    # Life

    def start(self) -> Self:
        """Makes the media first: an encoder must not run while a client's timeout does."""
        for video in [*self.videos.values(), *([self.default] if self.default else [])]:
            if video.ever_plays():
                video.files(self.folder)
        self._proxy.start()
        return self

    def close(self) -> None:
        self._proxy.close()
        shutil.rmtree(self._private, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Answers

    def _knows(self, host: str) -> bool:
        files = {urlsplit(url).hostname for url in list(self.files)}
        known = _is_youtube(host) or host.endswith(".googlevideo.com")
        return known or host in files or self._site(host) is not None

    def _site(self, host: str) -> Site | None:
        return next((site for site in self.sites if site.knows(host)), None)

    def _answer(self, head: Head) -> Answer:
        if site := self._site(head.host.partition(":")[0]):
            return site.answer(head)
        request = self._request(head)
        answer = self._decide(head, request)
        self._log.add(request, answer)
        return answer

    def _request(self, head: Head) -> Request:
        kind, video = _classify(head, self.files)
        asked = _asked_of(head) if kind in ("media", "playlist", "caption") else {}
        return Request(
            head.time, head.port, head.host, head.method, head.path, kind, video,
            itag=int(asked["itag"]) if "itag" in asked else None,
            user_agent=head.headers.get("user-agent", ""), cookie=head.headers.get("cookie", ""),
            segment=int(asked["sq"]) if "sq" in asked else None,
            language=asked.get("tlang") or asked.get("lang"),
            client=_asked_by(head.body) if kind == "player" else None,
        )  # fmt: skip

    def _decide(self, head: Head, request: Request) -> Answer:
        host = head.host.partition(":")[0]
        if head.method == "CONNECT" or not self._knows(host):
            with self._lock:
                self._unknown.append(host)
            return refusal(502)
        refused = self.refuse(request)
        if isinstance(refused, str) and refused.isdigit():
            return refusal(int(refused))
        if request.kind == "media":
            return self._media(head, request)
        if request.kind == "playlist":
            return self._playlist(head, request)
        if request.kind == "caption":
            return self._caption(head, request)
        if request.kind == "file":
            return self._file(head)
        if request.kind in ("watch", "player"):
            return self._page_or_player(request, refused)
        return self._other(request)

    def _page_or_player(self, request: Request, refused: str | Case | None) -> Answer:
        identity = request.video or ""
        if request.kind == "watch":
            with self._lock:
                self._watched[identity] += 1
        video = self._video(identity)
        shown = self._shown(request, refused)
        status = shown.page_status if request.kind == "watch" else shown.api_status
        if status != 200:
            return refusal(status, shown.retry_after)
        if request.kind == "watch":
            page = plain(200, watch_page(identity, video, shown, self.folder, self.page_bytes))
            page.headers["Set-Cookie"] = f"{self.cookie(request)}; Domain=.youtube.com; Path=/; Secure; HttpOnly"
            return page
        return _json(player_response(identity, video, shown, self.folder, request.client))

    def _video(self, identity: str) -> FakeVideo:
        return self.videos.get(identity) or self.default or FakeVideo(case="unavailable")

    def _shown(self, request: Request, refused: str | Case | None) -> Case:
        if refused is not None:
            return case(refused)
        video = self._video(request.video or "")
        with self._lock:
            over = video.case_times is not None and self._watched[request.video or ""] > video.case_times
        return case("ok" if over or (video.login_helps and "LOGIN_INFO=" in request.cookie) else video.case)

    def _media(self, head: Head, request: Request) -> Answer:
        asked = _asked_of(head)
        video = self._video(request.video or "")
        itag, seed = request.itag, int(asked.get("sound", "0"))
        if itag not in [*video.offered(), *video.renditions()] or not video.ever_plays():
            return refusal(404)
        if float(asked.get("expire", "inf")) < time.time():
            return refusal(403)
        hls = itag in video.renditions()
        parts = fake_media.segments(video.rendition(self.folder, itag, seed)) if hls else []
        number = request.segment or 0
        if hls and number >= len(parts):
            return refusal(404)
        path = parts[number] if hls else video.file(self.folder, itag, seed)
        sound = itag in (*fake_media.SOUND_ITAGS, 234)
        kind = "mp2t" if path.suffix == ".ts" else path.suffix[1:]
        answer = ranged(head, FileBody(path), f"{'audio' if sound else 'video'}/{kind}")
        before = sum(part.stat().st_size for part in parts[:number])
        answer = self._spoilt(answer, head, f"video {request.video}", video.faults, itag, before)
        answer.rate = self.rate
        return answer

    def _playlist(self, head: Head, request: Request) -> Answer:
        asked, identity = _asked_of(head), request.video or ""
        video = self._video(identity)
        if not video.renditions() or not video.ever_plays() or request.itag not in [None, *video.renditions()]:
            return refusal(404)
        expire, seed = asked.get("expire", "0"), int(asked.get("sound", "0"))
        if float(expire) < time.time():
            return refusal(403)
        if request.itag is None:
            text = master_playlist(identity, video, expire, self.folder)
        else:
            text = media_playlist(identity, video, expire, request.itag, seed, self.folder)
        return plain(200, text.encode(), "application/vnd.apple.mpegurl")

    def _caption(self, head: Head, request: Request) -> Answer:
        asked, video = _asked_of(head), self._video(request.video or "")
        text = caption_text(video, asked) if video.ever_plays() else None
        if text is None:
            return refusal(404)
        if float(asked.get("expire", "inf")) < time.time():
            return refusal(403)
        answer = plain(200, text.encode(), "text/vtt; charset=UTF-8")
        return self._spoilt(answer, head, f"captions {request.video}", video.caption_faults, None)

    def _file(self, head: Head) -> Answer:
        found = self.files[head.url]
        file = found if isinstance(found, FakeFile) else FakeFile(found)
        answer = ranged(head, BytesBody(file.content), file.content_type)
        return self._spoilt(answer, head, f"file {head.url}", file.faults, None)

    def _spoilt(
        self, answer: Answer, head: Head, owner: str, faults: tuple[Fault, ...], itag: int | None, before: int = 0
    ) -> Answer:
        """The answer with what is ordered for it. `before`: bytes of the same stream in files before this one."""
        if head.method == "HEAD" or answer.status not in (200, 206):
            return answer
        place = range(before + answer.span.start, before + answer.span.stop)
        fault = self._faults.pick(owner, faults, itag, place)
        return spoil(answer, fault) if fault else answer

    def _other(self, request: Request) -> Answer:
        path = request.path.partition("?")[0]
        if path == "/youtubei/v1/next":
            status = self._shown(request, None).api_status
            return _json({"contents": {"x": 1}}) if status == 200 else refusal(status)
        if path.startswith("/youtubei/"):
            return _json({})
        if path.endswith("/base.js"):
            return plain(200, _BASE_JS, "text/javascript")
        if path == "/iframe_api":
            return plain(200, _IFRAME_API, "text/javascript")
        if path.startswith("/embed/"):
            return plain(200, config_page("WEB_EMBEDDED_PLAYER"))
        # Which page a client's configuration stands on is for yt-dlp to know: each has one.
        page = request.method == "GET" and _is_youtube(request.host)
        return plain(200, config_page()) if page else refusal(404)


def _is_youtube(host: str) -> bool:
    return host in _HOSTS or host.endswith(".youtube.com")


def _classify(head: Head, files: Mapping[str, bytes | FakeFile]) -> tuple[Kind, str | None]:
    """What a request is about, and which video."""
    url = urlsplit(head.url)
    if head.url in files:
        return "file", None
    if head.host == MANIFEST_HOST and url.path.startswith("/api/manifest/hls_"):
        return "playlist", _asked_of(head).get("id")
    if head.host.endswith(".googlevideo.com") and re.match(r"/videoplayback(/|$)", url.path):
        return "media", _asked_of(head).get("id")
    if not _is_youtube(head.host):
        return "other", None
    if url.path.startswith("/embed/"):
        return "other", url.path.removeprefix("/embed/")
    if url.path == "/api/timedtext":
        return "caption", _asked_of(head).get("v")
    if url.path == "/watch":
        return "watch", parse_qs(url.query).get("v", [None])[0]
    if url.path.startswith("/youtubei/v1/"):
        return "player" if url.path.endswith("/player") else "other", _asked_video(head.body)
    return "other", None


def _asked_of(head: Head) -> dict[str, str]:
    """What an address of media or of a playlist says, in its query or, with HLS, in its path."""
    url = urlsplit(head.url)
    if "/expire/" in url.path:
        return asked_of(url.path)
    return {name: values[0] for name, values in parse_qs(url.query).items()}


def _asked_video(body: bytes) -> str | None:
    return _text(_body(body).get("videoId"))


def _asked_by(body: bytes) -> str | None:
    """What the client calls itself that asks; a plain question need not say."""
    found: Any = _body(body)
    for name in ("context", "client", "clientName"):
        found = found.get(name) if isinstance(found, dict) else None
    return _text(found)


def _body(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(found: object) -> str | None:
    return None if found is None else str(found)


def _json(content: Mapping[str, Any]) -> Answer:
    return plain(200, json.dumps(content).encode(), "application/json; charset=UTF-8")


def main(arguments: list[str] | None = None) -> int:
    """Serves until standard input closes or a SIGTERM comes."""
    options = _options(arguments)
    videos = {name: FakeVideo(Media(duration=options.duration), shown) for name, shown in options.case}
    files = {url: Path(path).read_bytes() for url, path in options.file}
    youtube = FakeYouTube(
        options.folder, videos, FakeVideo(Media(duration=options.duration)), files,
        options.latency, options.rate, options.page_bytes, options.ports,
    )  # fmt: skip
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    with (options.log or Path(os.devnull)).open("a", buffering=1) as log, youtube:
        youtube.on_request = lambda request: log.write(json.dumps(asdict(request)) + "\n")
        _publish(youtube, options.port_file)
        sys.stdin.read()
    return 0


def _publish(youtube: FakeYouTube, port_file: Path) -> None:
    """The ports, one a line, appear whole; the file's being there says that the stand-in is ready."""
    part = port_file.with_name(port_file.name + ".part")
    part.write_text("".join(f"{proxy.rpartition(':')[2]}\n" for proxy in youtube.proxies))
    os.replace(part, port_file)
    print(youtube.proxy)
    print(youtube.ca_file, flush=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A stand-in YouTube: an intercepting proxy on 127.0.0.1.")
    parser.add_argument("--folder", required=True, help="where media are kept")
    parser.add_argument(
        "--port-file", required=True, type=Path, help="written when it is ready: ports, one a line"
    )
    parser.add_argument("--log", type=Path, help="append each request as a line of JSON")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--rate", type=float, help="bytes a second and connection for media")
    parser.add_argument("--page-bytes", type=int, default=0, help="size of the watch page")
    parser.add_argument("--ports", type=int, default=1, help="how many ports to listen on")
    parser.add_argument("--duration", type=float, default=60.0, help="length of every video in seconds")
    parser.add_argument(
        "--case", nargs=2, action="append", default=[], metavar=("VIDEO", "CASE"),
        help=f"what is said of a video: {', '.join(CASES)}",
    )  # fmt: skip
    parser.add_argument(
        "--file", nargs=2, action="append", default=[], metavar=("URL", "PATH"), help="what else it serves"
    )
    chosen = parser.parse_args(arguments)
    for _, named in chosen.case:
        if named not in CASES:
            parser.error(f"there is no case {named!r}: one of {', '.join(CASES)}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
