"""What yt-dlp says on its way: its logger, which keeps what stands in no error and in no result.

The true cause of some errors stands in its warnings alone, and so does why a video came without the formats that
it has. Knows nothing of yt-dlp but what it calls on a logger.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from .format_choice import offers_streams
from .messages import withheld

_log = logging.getLogger("avclips.yt_dlp")


class Heard:
    """A logger for one YoutubeDL. ``warnings``: those of the video, or the read, that is going on."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        # What it says where faults are looked for.
        self._asides: list[str] = []
        # By address, why formats were left out: it is said once of each video.
        self._why: dict[str | None, str] = {}

    def clear(self) -> None:
        """Something else begins: what was said so far is not about it."""
        self.warnings.clear()
        self._asides.clear()

    def forget(self) -> None:
        """Another YoutubeDL says everything anew."""
        self._why.clear()

    def why_so_few(self, url: str | None, offered: Iterable[Mapping[str, Any]]) -> str:
        """Why a video came without streams of its own for picture and sound; empty where it has some.

        ``offered``: the formats that were found. "sabr" or "po_token", as far as yt-dlp says it.
        """
        self._why[url] = withheld(self.warnings, self._asides) or self._why.get(url, "")
        return "" if offers_streams(offered) else self._why[url]

    def debug(self, message: str) -> None:
        _log.debug("%s", message)

    def info(self, message: str) -> None:
        _log.debug("%s", message)

    def warning(self, message: str) -> None:
        self.warnings.append(message)
        _log.debug("%s", message)

    def error(self, message: str) -> None:
        _log.debug("%s", message)

    def aside(self, message: str, only_once: bool = False) -> None:
        """In place of YoutubeDL.write_debug: what a logger gets only where faults are looked for."""
        self._asides.append(message)
        _log.debug("%s", message)
