"""Which yt-dlp, JavaScript runtime and ffmpeg are here, in the words of a run's first line."""

from __future__ import annotations

import importlib.metadata
from datetime import UTC, datetime

from ..core.tested_versions import FFMPEG, YT_DLP
from .youtube import YTDLP_VERSION, javascript_runtime

# yt-dlp that is older than this no longer knows YouTube as it is: the first cause of failures.
OLD_AFTER_DAYS = 60


def describe_versions(ffmpeg: str) -> tuple[str, str | None]:
    """What is used, "yt-dlp 2026.10.26, deno 2.9.8, ffmpeg 9.0.2", and what should be mended first, if anything.

    ``ffmpeg``: its version. What is newer than the newest tested is said beside it and is no fault: users are told
    to upgrade.
    """
    ytdlp, runtime = importlib.metadata.version("yt-dlp"), javascript_runtime()
    words = (
        f"yt-dlp {ytdlp}{YT_DLP.remark(ytdlp)}",
        runtime or "no JavaScript runtime",
        f"ffmpeg {ffmpeg}{FFMPEG.remark(ffmpeg)}",
    )
    return ", ".join(words), _mend_first(ytdlp, runtime, ffmpeg)


def _mend_first(ytdlp: str, runtime: str | None, ffmpeg: str) -> str | None:
    if warning := YT_DLP.warning(ytdlp):
        return warning
    if runtime is None:
        return f"no JavaScript runtime for yt-dlp: {YT_DLP.upgrade}"
    if warning := FFMPEG.warning(ffmpeg):
        return warning
    age = _age_in_days()
    if age is not None and age > OLD_AFTER_DAYS:
        return f"yt-dlp is {age} days old; if videos fail: {YT_DLP.upgrade}"
    return None


def _age_in_days() -> int | None:
    try:
        released = datetime.strptime(".".join(YTDLP_VERSION.split(".")[:3]), "%Y.%m.%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return (datetime.now(UTC) - released).days
