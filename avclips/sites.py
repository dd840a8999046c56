"""Whom a URL asks."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

YOUTUBE = "YouTube"
_YOUTUBES = re.compile(r"(?:[\w-]+\.)*(?:youtube(?:-nocookie)?\.com|youtu\.be)")


def site_of(url: str | None) -> str:
    """Whom a URL asks: YouTube, or the name of another host."""
    host = (urlsplit(url).hostname or "") if url else ""
    return YOUTUBE if not host or _YOUTUBES.fullmatch(host) else host.removeprefix("www.")
