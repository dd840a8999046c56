"""Which of a video's formats to fetch: the picture that fits, and the original sound.

Reads format dicts as yt-dlp makes them, and asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def smaller_side(format: Mapping[str, Any]) -> int:
    """The side that gives a format its name: a 360p portrait video is 360 wide and 640 high."""
    return min(format.get("width") or 0, format.get("height") or 0) or format.get("height") or 0


def choose(formats: Iterable[Mapping[str, Any]], quality: int) -> list[dict[str, Any]]:
    """The formats to fetch, of what yt-dlp found (worst first): the largest picture up to ``quality``.

    H.264 and AAC, since ``--cut copy`` and every reader take them. One file with both where there is no pair.
    Empty where none fits, which yt-dlp reports as "Requested format is not available".
    """
    usable = [f for f in formats if f.get("protocol") in ("https", "http") and not f.get("has_drm")]
    pictures = [f for f in usable if str(f.get("vcodec")).startswith("avc1") and 0 < smaller_side(f) <= quality]
    alone = [f for f in pictures if f.get("acodec") == "none"]
    sounds = [f for f in usable if f.get("vcodec") == "none" and str(f.get("acodec")).startswith("mp4a")]
    together = [f for f in pictures if str(f.get("acodec")).startswith("mp4a")]
    heard = any(f.get("acodec") not in (None, "none") for f in usable)
    if alone and (sounds or not heard):
        picture = _best(alone)
        if not sounds:
            return [dict(picture)]
        sound = max(enumerate(sounds), key=lambda pair: (_original(pair[1]), pair[0]))[1]
        return [_merged(picture, sound)]
    return [dict(_best(together))] if together else []


def _best(pictures: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    return max(enumerate(pictures), key=lambda pair: (smaller_side(pair[1]), pair[0]))[1]


def _original(sound: Mapping[str, Any]) -> tuple[int, bool]:
    """How near a sound is to the original: its language first, then no levelled ("DRC") variant."""
    levelled = "drc" in f"{sound.get('format_id')} {sound.get('format_note')}".lower()
    language = sound.get("language_preference")
    return -1 if language is None else language, not levelled


def _merged(picture: Mapping[str, Any], sound: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "requested_formats": [dict(picture), dict(sound)],
        "format": f"{picture.get('format')}+{sound.get('format')}",
        "format_id": f"{picture['format_id']}+{sound['format_id']}",
        "ext": "mp4",
        "vcodec": picture.get("vcodec"),
        "acodec": sound.get("acodec"),
        "protocol": f"{picture.get('protocol')}+{sound.get('protocol')}",
    }
