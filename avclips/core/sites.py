"""Whom a URL asks.

Addresses that only yt-dlp knows to be YouTube's are asked of it. It is imported when the first one comes: that
takes longer than all that a look at a folder needs.
"""

from __future__ import annotations

import functools
import re
from urllib.parse import urlsplit

YOUTUBE = "YouTube"
_YOUTUBES = re.compile(r"(?:[\w-]+\.)*(?:youtube(?:-nocookie)?\.com|youtu\.be)")


def watch_url(video: str) -> str:
    """The page of a YouTube video."""
    return f"https://www.youtube.com/watch?v={video}"


# An engine asks again and again of all that it has before it.
@functools.lru_cache(maxsize=4096)
def site_of(url: str | None) -> str:
    """Whom a URL asks: YouTube, or the name of another host."""
    try:
        host = (urlsplit(url).hostname or "") if url else ""
    except ValueError:
        # Whoever is asked for it says what is wrong.
        return "an address that cannot be read"
    if not url or not host or _YOUTUBES.fullmatch(host):
        return YOUTUBE
    from yt_dlp.extractor.youtube import YoutubeIE

    # Others' addresses of the same site.
    return YOUTUBE if YoutubeIE.suitable(url) else host.removeprefix("www.")
