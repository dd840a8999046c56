"""Which of a video's formats to fetch: the picture that fits, and the original sound.

Reads format dicts as yt-dlp makes them, and asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.settings import Media


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
# Pictures are as large as each other within this share: 358 lines of H.264 are not less than 360 of VP9, while
# the next size that sites have is a quarter smaller at least.
_ABOUT = 0.9
# Ten and twelve bits a sample: VP9 (as yt-dlp has called it, too), AV1, and the profile High 10 of H.264.
_DEEP = re.compile(r"vp0?9\.0?[23]\b|vp09\.\d+\.\d+\.1\d|av01\.\d\.\d+\w\.1\d|avc1\.6e", re.IGNORECASE)


def choose(formats: Iterable[Mapping[str, Any]], quality: int, media: Media = "both") -> list[dict[str, Any]]:
    """The formats to fetch, of what yt-dlp found (worst first): the largest picture up to ``quality``.

    A picture and a sound, or one file with both where there is no such pair. Of those of about one size, what has
    the usual colours comes first, then H.264 and AAC, then other codecs, then what comes in pieces (HLS, DASH);
    what a site does not name is for where nothing is named. ``media`` "audio": one sound, or where it does not
    come alone, the smallest picture with it. Empty where none fits, which yt-dlp reports as "Requested format is
    not available".
    """
    usable = [f for f in formats if not f.get("has_drm")]
    # What is spoilt is for where there is nothing else.
    kinds = ([f for f in usable if not _is_spoilt(f)], usable)
    return next(filter(None, (_chosen(kind, quality, media) for kind in kinds)), [])


def _chosen(usable: Sequence[Mapping[str, Any]], quality: int, media: Media) -> list[dict[str, Any]]:
    direct = _without_dubs([f for f in usable if f.get("protocol") in _IN_ONE])
    pieces = _without_dubs([f for f in usable if f.get("protocol") in _IN_PIECES])
    named = [(direct, _PLAIN), (direct, _ANY), (pieces, _ANY)]
    ways = [*named, (direct, _WHATEVER), (pieces, _WHATEVER)]
    if media == "audio":
        return _heard_alone(ways) or _heard_at_all(ways)
    heard = any(_sound(f) not in (None, "none") for f in usable)
    found = [pair for offered, codecs in named if (pair := _of(offered, *codecs, quality=quality, heard=heard))]
    if found:
        largest = max(smaller_side(picture) for picture, _ in found)
        fit = [pair for pair in found if smaller_side(pair[0]) >= _ABOUT * largest]
        # The first of equals: the ways stand in their order.
        return [_taken(*min(fit, key=lambda pair: _has_other_colours(pair[0])))]
    unnamed = (_of(offered, *codecs, quality=quality, heard=heard) for offered, codecs in ways[len(named) :])
    return [_taken(*pair) for pair in filter(None, unnamed)][:1]


def _without_dubs(offered: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The formats without sounds of another language than the most original: no codec makes up for that."""
    best = max((_original(f)[0] for f in offered if f.get("vcodec") == "none"), default=0)
    return [f for f in offered if f.get("vcodec") != "none" or _original(f)[0] == best]


def _is_spoilt(format: Mapping[str, Any]) -> bool:
    """Whether yt-dlp found it to be cut off, or YouTube drew in it what the video does not have."""
    note = str(format.get("format_note"))
    return "DAMAGED" in note or "AI-upscaled" in note


def _has_other_colours(picture: Mapping[str, Any]) -> bool:
    """Whether a picture has more than eight bits a sample, or a range of brightness that few readers know."""
    return picture.get("dynamic_range") not in (None, "SDR") or bool(_DEEP.match(str(picture.get("vcodec"))))


def smallest_video(formats: Iterable[Mapping[str, Any]], sound: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The least picture that comes in the way in which ``sound`` comes alone; None where there is none."""
    if sound.get("vcodec") != "none":
        return None
    ways = (_IN_ONE, _IN_PIECES)
    way = next((way for way in ways if sound.get("protocol") in way), ())
    seen = [f for f in formats if f.get("protocol") in way and f.get("vcodec") not in (None, "none")]
    return min((f for f in seen if not f.get("has_drm") and f.get("url")), key=smaller_side, default=None)


def offers_streams(formats: Iterable[Mapping[str, Any]]) -> bool:
    """Whether pictures or sound come alone, each at an address of its own, as YouTube's better formats do."""
    direct = [f for f in formats if f.get("protocol") in _IN_ONE]
    return any((f.get("vcodec") == "none") != (f.get("acodec") == "none") for f in direct)


_Pair = tuple[Mapping[str, Any], Mapping[str, Any] | None]
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
    video_codecs: _Codecs,
    sound_codecs: _Codecs,
    *,
    quality: int,
    heard: bool,
) -> _Pair | None:
    """The best picture of one way, and the sound beside it: None where its own file has that, or nothing has."""
    # What has no name has no size either, often: it is measured when it is there.
    smallest = 0 if video_codecs is None else 1
    pictures = [f for f in offered if _rank(f.get("vcodec"), video_codecs)]
    pictures = [f for f in pictures if smallest <= smaller_side(f) <= quality]
    sounds = [f for f in offered if f.get("vcodec") == "none" and _rank(_sound(f), sound_codecs)]
    sound = _best_sound(sounds, sound_codecs) if sounds else None
    alone = [f for f in pictures if f.get("acodec") == "none"] if sound or not heard else []
    together = [f for f in pictures if _rank(_sound(f), sound_codecs)]
    if alone and together:
        largest = max(map(smaller_side, pictures))
        alone = [f for f in alone if smaller_side(f) >= _ABOUT * largest]
    if alone:
        return _best(alone, video_codecs), sound
    if not together:
        return None
    picture = _best(together, video_codecs)
    originals = [f for f in offered if f.get("vcodec") == "none" and _original(f)[0] > _original(picture)[0]]
    if not originals:
        return picture, None
    # What one file with both speaks may be a dub.
    return (picture, sound) if sound else None


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
        usual = not _has_other_colours(format)
        rank = _rank(format.get("vcodec"), codecs)
        return usual, smaller_side(format), _original(format), rank, place

    largest = max(map(smaller_side, pictures))
    fit = [f for f in pictures if smaller_side(f) >= _ABOUT * largest]
    return max(enumerate(fit), key=worth)[1]


def _original(sound: Mapping[str, Any]) -> tuple[int, bool]:
    """How near a sound is to the original: its language first, then no levelled ("DRC") variant."""
    levelled = "drc" in f"{sound.get('format_id')} {sound.get('format_note')}".lower()
    language = sound.get("language_preference")
    return -1 if language is None else language, not levelled


def _taken(picture: Mapping[str, Any], sound: Mapping[str, Any] | None) -> dict[str, Any]:
    if sound is None:
        return dict(picture)
    return {
        "requested_formats": [dict(picture), dict(sound)],
        "format": f"{picture.get('format')}+{sound.get('format')}",
        "format_id": f"{picture['format_id']}+{sound['format_id']}",
        "ext": "mp4",
        "vcodec": picture.get("vcodec"),
        "acodec": _sound(sound),
        "protocol": f"{picture.get('protocol')}+{sound.get('protocol')}",
    }
