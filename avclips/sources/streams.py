"""What of a video can be read: its streams, and what the site says of it.

Reads dicts as yt-dlp makes them, and asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from ..core.errors import Transient
from .format_choice import smaller_side


@dataclass(frozen=True)
class Stream:
    """One format of a video, as far as reading its bytes needs it. ``size`` in bytes, where known.

    ``pieces``: the URLs of the fragments that it comes in, and their seconds. ``named``: whether the site says
    what is in it; else that is seen when it is there. ``codec``: the picture's, or where there is none the
    sound's; ``sound``: the sound's as the site names it, "mp4a.40.2".
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    format_id: str
    ext: str
    protocol: str
    size: int | None
    available_at: float
    codec: str
    sample_rate: int | None = None
    pieces: tuple[tuple[str, float | None], ...] | None = field(default=None, repr=False)
    named: bool = True
    sound: str | None = None


@dataclass(frozen=True)
class Streams:
    """Picture and sound of one video: the same where one file has both, None for what it lacks or nobody wants.

    ``duration`` in whole seconds, as YouTube gives it; ``about``: what the site says of the video;
    ``subtitles``: WebVTT in the languages asked for, as far as there is any; where some are asked for,
    ``languages`` are all that it has; ``elsewhere``: not on YouTube;
    ``withheld``: why the better formats are not among those that it was chosen from, "sabr" or "po_token".
    ``unseen``: the picture that nobody wants of a sound that comes alone; where it begins, the video does.
    """

    picture: Stream | None
    sound: Stream | None
    format_id: str
    duration: float | None
    about: Mapping[str, Any] = field(default_factory=dict)
    subtitles: Mapping[str, Stream] = field(default_factory=dict)
    elsewhere: bool = False
    withheld: str = ""
    unseen: Stream | None = None
    languages: tuple[str, ...] = ()


def stream_of(format: Mapping[str, Any]) -> Stream:
    """What reading needs of a format as yt-dlp describes it; Transient for an address that is not http(s)."""
    if not re.match(r"https?://", format["url"]):
        raise Transient("formats", f"format {format.get('format_id')} is not at an http(s) address")
    return Stream(
        url=format["url"],
        headers=dict(format.get("http_headers") or {}),
        format_id=str(format.get("format_id")),
        ext=ending_of(format.get("ext")),
        protocol=format["protocol"],
        size=format.get("filesize"),
        available_at=float(format.get("available_at") or 0),
        sample_rate=format.get("asr") or None,
        pieces=_pieces(format) if "dash_segments" in format["protocol"] else None,
        named=_is_named(format),
        codec=str(format.get("vcodec") if format.get("vcodec") != "none" else format.get("acodec")),
        sound=None if format.get("acodec") == "none" else format.get("acodec"),
    )


def ending_of(said: Any) -> str:
    """What a file's name ends in, as a site or a header of its server says it; "mp4" for what is no ending."""
    return said if isinstance(said, str) and re.fullmatch(r"[A-Za-z0-9]{1,10}", said) else "mp4"


def subtitles_in(info: Mapping[str, Any], language: str) -> Stream | None:
    """Subtitles in a language, or one of its countries: by people, else of what is heard; never translated."""
    written, heard = info.get("subtitles") or {}, info.get("automatic_captions") or {}
    offered = [
        (written, name) for name in (language, *(each for each in written if each.startswith(f"{language}-")))
    ]
    offered += [(heard, f"{language}-orig"), (heard, language)]
    for book, name in offered:
        for entry in book.get(name) or ():
            if _is_original(entry):
                headers = dict(entry.get("http_headers") or {})
                return Stream(entry["url"], headers, f"subtitles {name}", "vtt", "https", None, 0.0, "webvtt")
    return None


def languages_in(info: Mapping[str, Any]) -> tuple[str, ...]:
    """The languages in which a video has subtitles as ``subtitles_in`` takes them, those by people first."""
    books = (info.get("subtitles") or {}, info.get("automatic_captions") or {})
    names = (name for book in books for name, entries in book.items() if any(map(_is_original, entries or ())))
    # What a page calls its languages goes into a manifest.
    return tuple(dict.fromkeys(str(name).removesuffix("-orig")[:40] for name in names))


def _is_original(entry: Mapping[str, Any]) -> bool:
    """Whether it is a WebVTT that can be read, and no translation."""
    url = entry.get("url") or ""
    return entry.get("ext") == "vtt" and re.match(r"https?://", url) is not None and "tlang=" not in url


def _is_named(format: Mapping[str, Any]) -> bool:
    if format.get("vcodec") == "none":
        return True
    return None not in (format.get("vcodec"), format.get("acodec")) and smaller_side(format) > 0


def _pieces(format: Mapping[str, Any]) -> tuple[tuple[str, float | None], ...]:
    base = format.get("fragment_base_url") or ""
    fragments = list(format.get("fragments") or ())
    return tuple((each.get("url") or urljoin(base, each["path"]), each.get("duration")) for each in fragments)
