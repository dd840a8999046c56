"""The stand-in YouTube as a program of its own: it serves, and obeys a line of JSON at a time on standard input.

    {"set": {"latency": 0.05, "rate": 2e6, "page_bytes": 0}}    -> {}
    {"forget": true}                                            -> {}: counting begins anew
    {"count": true}                                             -> what was asked for since
    {"covering": [["m0000000001", 17.0], ...]}                  -> {"bytes": of the fragments that hold them}

Videos whose names begin with "h" last three hours, with "t" twenty minutes, with "m" ten. "open_rate": bytes a
second of an answer to a request that does not say where it ends, as ffmpeg's for a section.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.standin import fake_youtube
from tests.standin.fake_proxy import Answer, Head, Proxy
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Request

from .media import TEN_MINUTES, THREE_HOURS, TWENTY_MINUTES, covering_bytes


class Distant(Proxy):
    """A proxy that is as far away as a site would be: a round trip to connect, and another one for TLS."""

    def _converse(self, sock: Any, port: int) -> None:
        self.stopping.wait(2 * self.latency)
        super()._converse(sock, port)


class ByLetter(dict[str, FakeVideo]):
    """Videos by the first letter of their names."""

    def get(self, name: str, default: Any = None) -> Any:
        """The video of that name."""
        return super().get(name[:1], default)


class Throttling(FakeYouTube):
    """A stand-in that can be slow to who does not say how much is wanted."""

    open_rate: float | None = None

    def _media(self, head: Head, request: Request) -> Answer:
        answer = super()._media(head, request)
        if self.open_rate and not re.fullmatch(r"bytes=\d+-\d+", head.headers.get("range", "")):
            answer.rate = self.open_rate
        return answer


class Server:
    """A stand-in, and what was asked of it since it was last told to forget."""

    def __init__(self, youtube: FakeYouTube, folder: Path) -> None:
        self._youtube = youtube
        self._folder = folder
        self._before = 0

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Do what a line asks for."""
        if "set" in order:
            for name, value in order["set"].items():
                setattr(self._youtube, name, value)
        if "forget" in order:
            self._before = len(self._youtube.log)
        if "covering" in order:
            return {"bytes": sum(self._covering(name, start) for name, start in order["covering"])}
        return self._counted() if "count" in order else {}

    def _covering(self, name: str, start: float) -> int:
        video = self._youtube.videos[name[0]]
        return sum(covering_bytes(video.file(self._folder, itag), start) for itag in video.itags)

    def _counted(self) -> dict[str, Any]:
        log = self._youtube.log[self._before :]
        media = [request for request in log if request.kind == "media"]
        return {
            "media_bytes": sum(request.sent for request in media),
            "media_requests": len(media),
            "bytes": sum(request.sent for request in log),
            "requests": len(log),
            "extractions": sum(request.kind == "watch" for request in log),
            "first": min((request.time for request in log if request.kind == "watch"), default=None),
            "refused": sum(request.status >= 400 for request in log),
            "unknown": self._youtube.unknown,
        }


def main() -> None:
    """Serve until standard input closes: ``serve FOLDER CORE``."""
    folder, core = Path(sys.argv[1]), int(sys.argv[2])
    if core >= 0:
        with suppress(AttributeError, OSError):
            os.sched_setaffinity(0, {core})
    fake_youtube.Proxy = Distant  # type: ignore[attr-defined]
    youtube = Throttling(folder)
    youtube.videos = ByLetter({"h": THREE_HOURS, "t": TWENTY_MINUTES, "m": TEN_MINUTES})
    with youtube:
        ready = {"proxy": youtube.proxy, "environment": youtube.environment(proxy="")}
        print(json.dumps(ready), flush=True)
        server = Server(youtube, folder)
        for line in sys.stdin:
            print(json.dumps(server.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
