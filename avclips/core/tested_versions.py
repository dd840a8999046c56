"""Which yt-dlp and which ffmpeg the tests were run with: data, and what follows for the one that is here.

The one place that names them: ``make test-versions`` runs through this list, and a start speaks of it. The oldest
yt-dlp is the lower bound in requirements.txt. Nothing is imported here, so that any Python can read it.
"""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """One program: its tested versions, oldest first, and how a user comes to the newest."""

    name: str
    versions: tuple[str, ...]
    upgrade: str

    def remark(self, version: str) -> str:
        """What to say beside ``version``: nothing, or up to where the tests went. A newer one is no fault."""
        number, newest = numbers(version), self.versions[-1]
        return f" (newest tested: {newest})" if number and number > numbers(newest) else ""

    def warning(self, version: str) -> str | None:
        """What to do about a ``version`` that is older than the oldest tested, else None."""
        number, oldest = numbers(version), self.versions[0]
        if not number or number >= numbers(oldest):
            return None
        return f"{self.name} {version} is older than {oldest}, the oldest that is tested: {self.upgrade}"


def numbers(version: str) -> tuple[int, ...]:
    """What a version counts: (9, 0, 2) of n9.0.2-17-g2a57; () where it names a commit, as N-118193-g5f38 does."""
    found = re.match(r"n?(\d+(?:\.\d+)*)", version)
    return tuple(map(int, found[1].split("."))) if found else ()


# Of the Python that runs here: that of a PATH may be another.
_UPGRADE = f"{shlex.quote(sys.executable or 'python3')} -m pip install --upgrade"

YT_DLP = Program("yt-dlp", ("2026.8.19", "2026.10.21", "2026.10.26"), f"{_UPGRADE} 'yt-dlp[default,deno]'")

# By the version of imageio-ffmpeg whose wheel carries it; None: a system's own (Debian 12's is 5.1).
FFMPEG_FROM: dict[str, str | None] = {"5.1": None, "7.0.2": "0.6.0", "9.0.2": "0.8.1"}
FFMPEG = Program("ffmpeg", tuple(FFMPEG_FROM), f"{_UPGRADE} imageio-ffmpeg, or name another with --ffmpeg PATH")
