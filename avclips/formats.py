"""Which of a video's formats to fetch: the picture that fits, and the original sound.

Reads format dicts as yt-dlp makes them, and asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .clip import Media


def smaller_side(format: Mapping[str, Any]) -> int:
    """The side that gives a format its name: a 360p portrait video is 360 wide and 640 high."""
    return min(format.get("width") or 0, format.get("height") or 0) or format.get("height") or 0


# H.264 and AAC first, since every reader takes them; then whatever else YouTube has; then what a site does not
# name at all.
_Codecs = tuple[str, ...] | None
_PLAIN: tuple[_Codecs, _Codecs] = (("avc1",), ("mp4a",))
_ANY: tuple[_Codecs, _Codecs] = (("av01", "vp9", "vp09", "avc1"), ("opus", "mp4a"))
_WHATEVER: tuple[_Codecs, _Codecs] = (None, None)
_IN_ONE = ("https", "http")
_IN_PIECES = ("m3u8_native", "m3u8", "http_dash_segments")


def choose(formats: Iterable[Mapping[str, Any]], quality: int, media: Media = "both") -> list[dict[str, Any]]:
    """The formats to fetch, of what yt-dlp found (worst first): the largest picture up to ``quality``.

    A picture and a sound, or one file with both where there is no such pair: H.264 and AAC, then other codecs,
    then in pieces (HLS, DASH), then what has no name. ``media`` "audio": one sound, or where it does not come
    alone, the smallest picture with it. Empty where none fits, which yt-dlp reports as "Requested format is not
    available".
    """
    usable = [f for f in formats if not f.get("has_drm")]
    direct = [f for f in usable if f.get("protocol") in _IN_ONE]
    pieces = [f for f in usable if f.get("protocol") in _IN_PIECES]
    ways = [(direct, _PLAIN), (direct, _ANY), (pieces, _ANY), (direct, _WHATEVER), (pieces, _WHATEVER)]
    if media == "audio":
        return _heard_alone(ways) or _heard_at_all(ways)
    heard = any(_sound(f) not in (None, "none") for f in usable)
    chosen = (_of(offered, *codecs, quality=quality, heard=heard) for offered, codecs in ways)
    return next(filter(None, chosen), [])


_Ways = Sequence[tuple[Sequence[Mapping[str, Any]], tuple[_Codecs, _Codecs]]]


def _heard_alone(ways: _Ways) -> list[dict[str, Any]]:
    for offered, (_, codecs) in ways:
        if sounds := [f for f in offered if f.get("vcodec") == "none" and _rank(_sound(f), codecs)]:
            return [dict(_best_sound(sounds, codecs))]
    return []


def _heard_at_all(ways: _Ways) -> list[dict[str, Any]]:
    for offered, (_, codecs) in ways:
        if together := [f for f in offered if _rank(_sound(f), codecs)]:
            return [dict(sorted(together, key=_burden)[0])]
    # Without any sound: what it is, the extraction says.
    return [dict(offered[0]) for offered, _ in ways if offered][:1]


def _burden(format: Mapping[str, Any]) -> tuple[int, int]:
    """What a picture that nobody wants costs; the original sound all the same."""
    return -_original(format)[0], smaller_side(format) or 1 << 30


def _of(
    offered: Sequence[Mapping[str, Any]],
    picture_codecs: _Codecs,
    sound_codecs: _Codecs,
    *,
    quality: int,
    heard: bool,
) -> list[dict[str, Any]]:
    # What has no name has no size either, often: it is measured when it is there.
    smallest = 0 if picture_codecs is None else 1
    pictures = [f for f in offered if _rank(f.get("vcodec"), picture_codecs)]
    pictures = [f for f in pictures if smallest <= smaller_side(f) <= quality]
    alone = [f for f in pictures if f.get("acodec") == "none"]
    sounds = [f for f in offered if f.get("vcodec") == "none" and _rank(_sound(f), sound_codecs)]
    together = [f for f in pictures if _rank(_sound(f), sound_codecs)]
    if alone and (sounds or not heard):
        picture = _best(alone, picture_codecs)
        return [_merged(picture, _best_sound(sounds, sound_codecs)) if sounds else dict(picture)]
    return [dict(_best(together, picture_codecs))] if together else []


def _sound(format: Mapping[str, Any]) -> str | None:
    """The codec of a format's sound, "none" or None for not known. HLS renditions of sound do not name theirs."""
    codec = format.get("acodec")
    if codec is None and format.get("vcodec") == "none" and str(format.get("protocol")).startswith("m3u8"):
        return "mp4a"
    return None if codec is None else str(codec)


def _rank(codec: str | None, known: _Codecs) -> int:
    """The place of a codec among those that are taken, the last being the best; 0 where it is none of them."""
    if codec == "none":
        return 0
    if known is None:
        return 1
    return next((place for place, name in enumerate(known, 1) if str(codec).startswith(name)), 0)


def _best_sound(sounds: Sequence[Mapping[str, Any]], codecs: _Codecs) -> Mapping[str, Any]:
    def worth(pair: tuple[int, Mapping[str, Any]]) -> Any:
        return _original(pair[1]), _rank(_sound(pair[1]), codecs), pair[0]

    return max(enumerate(sounds), key=worth)[1]


def _best(pictures: Sequence[Mapping[str, Any]], codecs: _Codecs) -> Mapping[str, Any]:
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
