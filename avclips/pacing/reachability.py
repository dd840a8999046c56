"""Whether it is a host that is gone, or our own connection: who answered this identity before is asked once more.

Nothing here asks anybody; it keeps whom to ask. One for each identity, since each has a way of its own.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from ..core.sites import site_of

# Whoever has a way to the internet reaches it.
KNOWN = "https://www.youtube.com/generate_204"
# So many are asked at most.
_MOST = 3
# How many of those of earlier runs are looked through.
_EARLIER = 1000


class Beacons:
    """Addresses of sites that answered, the last one first. Many threads share it."""

    def __init__(self, earlier: Callable[[], Iterable[str | None]] = tuple) -> None:
        """``earlier``: addresses that answered in earlier runs; called once, when they are needed."""
        self._earlier = earlier
        # By site, in the order in which they answered last.
        self._marks: dict[str, str] = {}
        self._lock = threading.Lock()

    def answered(self, url: str | None) -> None:
        """Somebody answered at this address."""
        if url is not None and (root := _root(url)) is not None:
            with self._lock:
                self._marks.pop(site_of(url), None)
                self._marks[site_of(url)] = root

    def around(self, url: str | None) -> list[str]:
        """Whom to ask where nobody was reached at ``url``: others, and last a site that everybody reaches."""
        with self._lock:
            if not self._marks:
                for each in itertools.islice(self._earlier(), _EARLIER):
                    if each is not None and (root := _root(each)) is not None:
                        self._marks[site_of(each)] = root
            marks = [mark for site, mark in reversed(self._marks.items()) if site != site_of(url)]
        return [*marks[: _MOST - 1], KNOWN]


def _root(url: str) -> str | None:
    """The front page of a site: no video is asked for again."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}/" if parts.scheme in ("http", "https") and parts.netloc else None
