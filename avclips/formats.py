"""Which of a video's formats to fetch: the picture that fits, and the original sound.

Reads format dicts as yt-dlp makes them, and asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def smaller_side(format: Mapping[str, Any]) -> int:
    """The side that gives a format its name: a 360p portrait video is 360 wide and 640 high."""
    return min(format.get("width") or 0, format.get("height") or 0) or format.get("height") or 0


# H.264 and AAC first, since every reader takes them; then whatever else YouTube has.
_PLAIN = (("avc1",), ("mp4a",))
_ANY = (("av01", "vp9", "vp09", "avc1"), ("opus", "mp4a"))


def choose(formats: Iterable[Mapping[str, Any]], quality: int) -> list[dict[str, Any]]:
    """The formats to fetch, of what yt-dlp found (worst first): the largest picture up to ``quality``.

    A picture and a sound, or one file with both where there is no such pair: H.264 and AAC, then other codecs,
    then HLS. Empty where none fits, which yt-dlp reports as "Requested format is not available".
    """
    usable = [f for f in formats if not f.get("has_drm")]
    direct = [f for f in usable if f.get("protocol") in ("https", "http")]
    pieces = [f for f in usable if f.get("protocol") in ("m3u8_native", "m3u8")]
    heard = any(_sound(f) for f in usable)
    for offered, codecs in ((direct, _PLAIN), (direct, _ANY), (pieces, _ANY)):
        if found := _of(offered, *codecs, quality=quality, heard=heard):
            return found
    return []


def _of(
    offered: Sequence[Mapping[str, Any]],
    picture_codecs: Sequence[str],
    sound_codecs: Sequence[str],
    *,
    quality: int,
    heard: bool,
) -> list[dict[str, Any]]:
    pictures = [f for f in offered if _rank(f.get("vcodec"), picture_codecs) and 0 < smaller_side(f) <= quality]
    alone = [f for f in pictures if f.get("acodec") == "none"]
    sounds = [f for f in offered if f.get("vcodec") == "none" and _rank(_sound(f), sound_codecs)]
    together = [f for f in pictures if _rank(_sound(f), sound_codecs)]
    if alone and (sounds or not heard):
        picture = _best(alone, picture_codecs)
        if not sounds:
            return [dict(picture)]
        order = enumerate(sounds)
        _, sound = max(order, key=lambda pair: (_original(pair[1]), _rank(_sound(pair[1]), sound_codecs), pair[0]))
        return [_merged(picture, sound)]
    return [dict(_best(together, picture_codecs))] if together else []


def _sound(format: Mapping[str, Any]) -> str | None:
    """The codec of a format's sound; None where it has none. HLS renditions of sound do not name theirs."""
    codec = format.get("acodec")
    if codec is None and format.get("vcodec") == "none" and str(format.get("protocol")).startswith("m3u8"):
        return "mp4a"
    return None if codec in (None, "none") else str(codec)


def _rank(codec: Any, known: Sequence[str]) -> int:
    """The place of a codec among those that are taken, the last being the best; 0 where it is none of them."""
    return next((place for place, name in enumerate(known, 1) if str(codec).startswith(name)), 0)


def _best(pictures: Sequence[Mapping[str, Any]], codecs: Sequence[str]) -> Mapping[str, Any]:
    def worth(pair: tuple[int, Mapping[str, Any]]) -> Any:
        place, format = pair
        return smaller_side(format), _original(format), _rank(format.get("vcodec"), codecs), place

    return max(enumerate(pictures), key=worth)[1]


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
        "acodec": _sound(sound),
        "protocol": f"{picture.get('protocol')}+{sound.get('protocol')}",
    }
