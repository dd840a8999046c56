"""What yt-dlp is told at its start: how it reads, and what it leaves to us."""

from __future__ import annotations

import io
import os
from typing import Any

from ..core.settings import Settings
from .request_limits import AT_ONCE


def parameters(settings: Settings, proxy: str | None, jar: io.StringIO | None) -> dict[str, Any]:
    """The parameters of a YoutubeDL by our settings; ``jar``: the text of cookies, which it writes back."""
    # yt-dlp divides by it.
    rate = settings.rate_limit or None
    found: dict[str, Any] = {
        "noprogress": True,
        # Nor is it to be put into words, a thousand times a clip.
        "progress_delta": 1e9,
        "quiet": True,
        "noplaylist": True,
        "overwrites": True,
        "updatetime": False,
        "ratelimit": rate,
        # Retries of a whole try are ours, by due time; these resume a read that broke off in the middle.
        "retries": 2,
        "extractor_retries": 0,
        "skip_unavailable_fragments": False,
        # None: as the environment says; the empty string: none, whatever it says.
        "proxy": proxy,
        "cookiefile": jar,
    }
    if rate is not None:
        # HttpFD doubles its blocks and sleeps after each: a short read would end in one large burst.
        found |= {"noresizebuffer": True, "buffersize": max(512, min(2048, rate // 20))}
    else:
        # Its first block, which is doubled: of one kilobyte, five blocks would bring what a packet of TLS does.
        found["buffersize"] = AT_ONCE
    return found


def with_environment(settled: dict[str, Any]) -> dict[str, Any]:
    """The same where the user trusts another authority (an institute's proxy, say)."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        # yt-dlp would only ask certifi's.
        return {**settled, "compat_opts": {*settled.get("compat_opts", ()), "no-certifi"}}
    return settled
