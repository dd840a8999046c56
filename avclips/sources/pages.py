"""What a page of another site leads to, as yt-dlp tells it: a video on YouTube, several, or none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..core.errors import Gone
from ..core.sites import YOUTUBE, site_of


def leads_to_youtube(found: Mapping[str, Any]) -> bool:
    """Whether a page leads to a video on YouTube; players of others have addresses without a host, kaltura:1:2."""
    url = str(found["url"])
    named = str(found.get("ie_key") or "").startswith("Youtube") or re.fullmatch(r"[\w-]{11}", url)
    return bool(named) or (re.match(r"(?:https?:)?//", url) is not None and site_of(url) == YOUTUBE)


def only_entry(entries: list[Any]) -> Mapping[str, Any]:
    """The one video at an address; Gone where there are several, or none."""
    if len(entries) != 1 or not isinstance(entries[0], dict):
        many = "several videos are" if entries else "no video is"
        raise Gone("unsupported", f"{many} at that address: name the one that is meant")
    return entries[0]
