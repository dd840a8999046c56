"""How the tests of the stand-in ask it: through yt-dlp, and as a plain HTTP client."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import yt_dlp

from tests.standin.fake_youtube import FakeYouTube, Media
from tests.support.ytdlp_logger import Warnings

ID = "abc-_DEF123"
FORMAT = "bv[height<=360][vcodec^=avc1]+ba[ext=m4a]"
MEDIA = Media(duration=20, gop_seconds=2)
TWELVE = Media(duration=12)
CSV = "https://raw.githubusercontent.com/hche11/VGGSound/master/data/vggsound.csv"
Serve = Callable[..., FakeYouTube]


def downloader(youtube: FakeYouTube, **params: Any) -> yt_dlp.YoutubeDL:
    given = {"proxy": youtube.proxy, "nocheckcertificate": True, "logger": Warnings(), "format": FORMAT}
    return yt_dlp.YoutubeDL(given | params)


def extract(youtube: FakeYouTube, **params: Any) -> dict[str, Any]:
    with downloader(youtube, **params) as ydl:
        found = ydl.extract_info(f"https://www.youtube.com/watch?v={ID}", download=False)
    return dict(found)


def url_of(youtube: FakeYouTube, itag: int) -> str:
    formats = extract(youtube, format="all")["formats"]
    return str(next(f["url"] for f in formats if f["format_id"] == str(itag)))


def through(session: requests.Session, youtube: FakeYouTube) -> requests.Session:
    session.proxies = {"http": youtube.proxy, "https": youtube.proxy}
    session.verify = youtube.ca_file
    return session


def download(youtube: FakeYouTube, folder: Path, format: str = "134", **params: Any) -> None:
    given = {"format": format, "outtmpl": str(folder / "%(id)s.%(ext)s"), "fixup": "never"}
    with downloader(youtube, **given, **params) as ydl:
        ydl.extract_info(f"https://www.youtube.com/watch?v={ID}")
