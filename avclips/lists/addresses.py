"""Cells that name a video: ids and addresses, in any of the forms that people and programs write them.

A ValueError says in plain words what a cell is instead.
"""

from __future__ import annotations

import hashlib
import html
import re
from typing import Any
from urllib.parse import urlsplit

from .cells import seconds, shown

_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_YOUTUBE = r"(?i:(?:(?:https?:)?//)?(?:[a-z]+\.)?(?:youtube(?:-nocookie)?\.com|youtu\.be)\.?(?::443|:80)?)"
_URL = re.compile(
    rf"{_YOUTUBE}(?:(?i:(?<!be)(?<!be:80)(?<!be:443))/(?:watch/?\?(?:.*&)?v=|watch/|shorts/|embed/|live/|v/|e/)"
    r"|(?i:(?:(?<=be)|(?<=be:443)|(?<=be:80)))/)([A-Za-z0-9_-]{11})(?![A-Za-z0-9_-]).*"
)
_ON_YOUTUBE = re.compile(rf"{_YOUTUBE}(?:[:/?#].*)?")
# Host and path, without who signs in and what is asked.
_ADDRESS = re.compile(r"https?://(?:[^\s/?#@]*@)?([^\s/?#@]+[^\s?#]*)\S*", re.IGNORECASE)
_LONGEST_NAME = 60
_TOLD = re.compile(r"[?&#;](t|start|time_continue|end)=([^&#;\s]*)")
# 42, 42.5, 42s, 1m5s, 1h2m3s; a unit that is there needs its number.
_AT = re.compile(r"(?=\d)(?:(\d{1,2})h)?(?:(\d{1,4})m)?(?:(\d{1,6}(?:\.\d{1,9})?)s?)?")
# Letters that nobody sees: they come along when an address is copied from a page.
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_EATEN = re.compile(r"#(?:NAME|REF|VALUE|NUM|DIV/0|N/A)[?!]?", re.IGNORECASE)


def cleaned(cell: Any) -> str:
    """A cell's text without what nobody sees; "" for what is no text."""
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", "backslashreplace")
    if not isinstance(cell, str):
        return ""
    # Nearly all are plain, and there may be millions.
    return cell.strip() if cell.isascii() else _UNSEEN.sub("", cell).strip()


def youtube_id(text: str) -> str | None:
    """The id of a video on YouTube, from itself or from an address in any of its usual forms."""
    if _ID.fullmatch(text):
        return text
    if "&amp;" in text:
        text = html.unescape(text)
    found = _URL.fullmatch(text)
    return found[1] if found else None


def times_in(address: Any) -> tuple[float | None, float | None]:
    """The seconds at which a YouTube address begins and ends: ``t=42``, ``t=1m5s``, ``start=3&end=9``, ``#t=3,9``.

    None for what it does not say, or not so that it can be read.
    """
    text = cleaned(address)
    if not _ON_YOUTUBE.fullmatch(text):
        return None, None
    # The first of each name, of several names the player's own.
    told = dict(reversed(_TOLD.findall(text)))
    start = next((told[name] for name in ("start", "t", "time_continue") if told.get(name)), "")
    begin, _, until = start.partition(",")
    return _at(begin), _at(told.get("end") or until)


def _at(text: str) -> float | None:
    """Seconds as an address has them."""
    try:
        if (found := _AT.fullmatch(text)) is None:
            return seconds(text) if ":" in text else None
        hours, minutes, rest = (float(each or 0) for each in found.groups())
        return seconds(hours * 3600 + minutes * 60 + rest)
    except ValueError:
        return None


def is_address(text: str) -> bool:
    """Whether it is an http(s) address of something that is not on YouTube."""
    try:
        has_host = bool(urlsplit(text).hostname)
    except ValueError:
        return False
    return has_host and _ADDRESS.fullmatch(text) is not None and not _ON_YOUTUBE.fullmatch(text)


def video_of(cell: Any) -> tuple[str, str | None]:
    """A video's name here, and its address where it is not on YouTube."""
    text = cleaned(cell)
    on_youtube = youtube_id(text)
    if on_youtube:
        return on_youtube, None
    if is_address(text):
        return _name(text), text
    if cell is None or (isinstance(cell, (str, bytes)) and not text):
        raise ValueError("no video")
    if _EATEN.fullmatch(text):
        raise ValueError(
            f"{text} is what a spreadsheet made of an id that begins with '-': take the list as it was published"
        )
    raise ValueError(f"{shown(cell)} is neither a YouTube id nor the address of a video")


def _name(url: str) -> str:
    """A short plain name, another for each address."""
    found = _ADDRESS.fullmatch(url)
    words = re.sub(r"[^A-Za-z0-9_]+", "-", found[1].removeprefix("www.") if found else "").strip("-")
    digest = hashlib.sha256(url.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    return f"{words[:_LONGEST_NAME].strip('-')}-{digest}".removeprefix("-")
