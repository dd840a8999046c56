"""What a line of metadata says of a video: ACAV100M's own tables, or what ``--info`` and ``yt-dlp -j`` write.

ID or address <tab> {"LatestDAFeature": {"Title", "Description", "YouTubeCategory", "VideoLength"},
                     "MediaVersionList": [{"Duration"}]}
ID or address <tab> {"title", "description", "categories", "duration", "language"}
{"id" or "url" or "webpage_url", "title", ...}
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")
# Bytes of a line, at most.
LONGEST_LINE = 16 << 20


class Unreadable(ValueError):
    """A line that names no video, or says nothing of one: it is dropped before any rule looks at it.

    Its text is what was found; ``reason``:

    fields        not an id, a tab and an object
    json          its object is not whole JSON
    too_long      longer than LONGEST_LINE
    no_features   its object says nothing of a video
    no_video      no id or address
    no_category   it has no category (--compat acav)
    """

    def __init__(self, reason: str, evidence: str) -> None:
        super().__init__(evidence)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """One video: ``video``, its id or address as it is written; ``seconds``, None where no length is told.

    ``categories`` in lower case; ``language``: as the site names it ("en" of "en-US"), "" where it does not.
    ``has_category``: whether the line has a place for one.
    """

    video: str
    title: str
    description: str
    seconds: float | None
    categories: tuple[str, ...]
    language: str = ""
    has_category: bool = True


def read_line(line: bytes) -> Row:
    """The video of a line; Unreadable."""
    if len(line) > LONGEST_LINE:
        raise Unreadable("too_long", f"{len(line)} bytes")
    fields = line.strip(b"\r\n").split(b"\t")
    if len(fields) == 1 and fields[0].startswith(b"{"):
        said = _object(fields[0])
        video = next((said[name] for name in ("webpage_url", "url", "id") if _text(said, name)), "")
    elif len(fields) == 2:
        video, said = fields[0].decode("utf-8", "backslashreplace"), _object(fields[1])
    else:
        raise Unreadable("fields", f"{len(fields)} fields" if fields != [b""] else "an empty line")
    if not (video := video.strip()):
        raise Unreadable("no_video", "its first field is empty")
    return _of_bing(video, said) if "LatestDAFeature" in said else _of_info(video, said)


def _object(text: bytes) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable("json", str(error)[:200]) from None
    if not isinstance(said, dict):
        raise Unreadable("json", f"{type(said).__name__} where an object should be")
    return said


def _of_bing(video: str, said: Mapping[str, Any]) -> Row:
    features = said["LatestDAFeature"]
    if not isinstance(features, dict):
        raise Unreadable("no_features", "LatestDAFeature is no object")
    # There, VideoLength is a second more than the video has.
    seconds = _seconds(features.get("VideoLength"))
    if seconds is not None:
        seconds -= 1
    else:
        versions = said.get("MediaVersionList")
        first = versions[0] if isinstance(versions, list) and versions else None
        seconds = _seconds(first.get("Duration")) if isinstance(first, dict) else None
    category = _text(features, "YouTubeCategory").lower().strip()
    return Row(
        video,
        _text(features, "Title"),
        _text(features, "Description"),
        seconds,
        (category,) if category else (),
        has_category="YouTubeCategory" in features,
    )


def _of_info(video: str, said: Mapping[str, Any]) -> Row:
    if not said.keys() & {"title", "description", "duration", "categories"}:
        raise Unreadable("no_features", f"its object has only {', '.join(list(said)[:5]) or 'nothing'}")
    named = said.get("categories")
    categories = [each for each in named if isinstance(each, str)] if isinstance(named, list) else []
    return Row(
        video,
        _text(said, "title"),
        _text(said, "description"),
        _seconds(said.get("duration")),
        tuple(each.lower().strip() for each in categories),
        _text(said, "language").lower().partition("-")[0],
        "categories" in said,
    )


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _seconds(value: Any) -> float | None:
    """A length as a number or its digits; None for what is none."""
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
