"""The cells of a list as values: which video, which seconds, which pairs of them.

Knows how people write these. A ValueError says in plain words what a cell is instead.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re
import warnings
from typing import Any
from urllib.parse import urlsplit

Span = tuple[float, float]

# Eleven days: whatever is later was meant as something else.
_MOST_SECONDS = 1_000_000
_NUMBER = re.compile(r" *[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})? *")
_PYTHONS_TO_JSON = str.maketrans("'()", '"[]')

_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_YOUTUBE = r"(?i:(?:https?://)?(?:[a-z]+\.)?(?:youtube(?:-nocookie)?\.com|youtu\.be))"
_URL = re.compile(
    rf"{_YOUTUBE}(?:(?i:(?<=com))/(?:watch/?\?(?:.*&)?v=|shorts/|embed/|live/|v/)|(?i:(?<=be))/)([A-Za-z0-9_-]{{11}})"
    r"(?![A-Za-z0-9_-]).*"
)
_ON_YOUTUBE = re.compile(rf"{_YOUTUBE}(?:[:/?#].*)?")
# Host and path, without who signs in and what is asked.
_ADDRESS = re.compile(r"https?://(?:[^\s/?#@]*@)?([^\s/?#@]+[^\s?#]*)\S*", re.IGNORECASE)
_LONGEST_NAME = 60
# 42, 42s, 1m5s, 1h2m3s; a unit that is there needs its number.
_AT = re.compile(r"[?&#](?:t|start)=(?=\d)(?:(\d{1,2})h)?(?:(\d{1,3})m)?(?:(\d{1,5})s?)?(?![\w.])")


def clock_time(text: str) -> float:
    """Seconds from ``75``, ``75.5``, ``1:15`` or ``0:01:15``; ValueError says what it is instead."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(re.fullmatch(r"[0-9]{1,6}", part) for part in parts[:-1]):
        raise ValueError(f"{text[:60]!r} is not a time such as 75, 1:15 or 0:01:15")
    if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", parts[-1]):
        raise ValueError(f"{text[:60]!r} is not a time such as 75, 1:15 or 0:01:15")
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + float(part)
    return seconds


def seconds(cell: Any) -> float:
    """The time of a cell, a number or a clock's; to the microsecond, so that sums and ids stay short."""
    value = cell
    if isinstance(cell, str):
        value = float(cell) if _NUMBER.fullmatch(cell) else clock_time(cell)
    elif isinstance(cell, bool) or not isinstance(cell, (int, float)):
        raise ValueError(f"{_shown(cell)} is not a time such as 75, 1:15 or 0:01:15")
    if not 0 <= value < _MOST_SECONDS:
        raise ValueError(f"{_shown(cell)} is not a time between 0 and {_MOST_SECONDS} seconds")
    return round(float(value), 6)


def span(start: float, end: float) -> Span:
    """Two times, the second after the first."""
    if end <= start:
        raise ValueError(f"the end {short(end)} is not after the start {short(start)}")
    return start, end


def spans(cell: Any) -> list[Span]:
    """The spans of ``[[0, 9.5], ["0:10", "0:20"]]`` or of ``[0, 9.5]``: a list, or its text in JSON or Python."""
    pairs = list_of(cell.translate(_PYTHONS_TO_JSON) if isinstance(cell, str) else cell)
    if pairs and not any(isinstance(each, (list, tuple)) for each in pairs):
        pairs = [pairs]
    if not pairs or not all(isinstance(each, (list, tuple)) and len(each) == 2 for each in pairs):
        raise ValueError(f"{_shown(cell)} is not a list of clips such as [[0, 9.5], [20, 30]]")
    return [span(seconds(start), seconds(end)) for start, end in pairs]


def list_of(cell: Any) -> list[Any] | None:
    """A list, whether it comes as one or as its text in JSON or Python; None where it is none."""
    if isinstance(cell, str):
        cell = _literal(cell.strip())
    return list(cell) if isinstance(cell, (list, tuple)) else None


def _literal(text: str) -> Any:
    if not text.startswith(("[", "(")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def short(number: float) -> str:
    """Seconds as a person writes them: 69, 13.28, 0.00001."""
    return str(int(number)) if number.is_integer() else f"{number:.6f}".rstrip("0")


def youtube_id(text: str) -> str | None:
    """The id of a video on YouTube, from itself or from an address in any of its usual forms."""
    if _ID.fullmatch(text):
        return text
    found = _URL.fullmatch(text)
    return found[1] if found else None


def start_in(address: Any) -> float | None:
    """The second that a YouTube address begins at: ``t=42``, ``start=42``, ``t=1m5s``; None: it does not say."""
    found = _AT.search(address) if isinstance(address, str) and _ON_YOUTUBE.fullmatch(address.strip()) else None
    if found is None:
        return None
    hours, minutes, rest = (int(each or 0) for each in found.groups())
    return float(hours * 3600 + minutes * 60 + rest)


def is_address(text: str) -> bool:
    """Whether it is an http(s) address of something that is not on YouTube."""
    try:
        has_host = bool(urlsplit(text).hostname)
    except ValueError:
        return False
    return has_host and _ADDRESS.fullmatch(text) is not None and not _ON_YOUTUBE.fullmatch(text)


def video_of(cell: Any) -> tuple[str, str | None]:
    """A video's name here, and its address where it is not on YouTube."""
    text = cell.strip() if isinstance(cell, str) else ""
    on_youtube = youtube_id(text)
    if on_youtube:
        return on_youtube, None
    if is_address(text):
        return _name(text), text
    if cell is None or (isinstance(cell, str) and not text):
        raise ValueError("no video")
    raise ValueError(f"{_shown(cell)} is neither a YouTube id nor the address of a video")


def _name(url: str) -> str:
    """A short plain name, another for each address."""
    found = _ADDRESS.fullmatch(url)
    words = re.sub(r"[^A-Za-z0-9_]+", "-", found[1].removeprefix("www.") if found else "").strip("-")
    digest = hashlib.sha256(url.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    return f"{words[:_LONGEST_NAME].strip('-')}-{digest}".removeprefix("-")


def as_json(value: Any) -> Any:
    """A cell as JSON can hold it: parquet has dates and bytes, and NaN is no JSON."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1e300 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [as_json(each) for each in value]
    if isinstance(value, dict):
        return {str(name): as_json(each) for name, each in value.items()}
    return str(value)


def _shown(cell: Any) -> str:
    return repr(cell[:60] if isinstance(cell, str) else cell)[:80]
