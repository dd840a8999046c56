"""The lines of finished clips by msgspec, where it is installed: in less than half the time of a start's reading.

What it takes, ``manifest_line.is_right`` takes too, and it means the same; whatever it does not take is left to
that. So a start is the same without it.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Annotated, Any, Literal

from ..core.files import is_plain_name
from .manifest_line import COUNTS, MOST, MOST_TURNS, NUMBERS, files_of

Found = tuple[str, str, str, int, str, str, int, str]
"""A clip's id; how picture and sound end; attempts; folder; what was withheld; turn; how the frame ends."""

# In place of an id: no letter of one, nor of a folder.
_ID = "*"


def quick_reader() -> Callable[[bytes], Found | None]:
    """Reads a line of a manifest; None of a line that has to be read otherwise."""
    try:
        msgspec = importlib.import_module("msgspec")
    except ImportError:
        return lambda raw: None
    return functools.partial(_read, _decoder(msgspec), msgspec.MsgspecError)


def _decoder(msgspec: Any) -> Callable[[str], Any]:
    """Of lines whose values are what they have to be; what nobody reads of them is passed over."""
    count = Annotated[int, msgspec.Meta(ge=0, lt=MOST)]
    # msgspec makes a float of an integer of any size.
    number = Annotated[float, msgspec.Meta(gt=-MOST, lt=MOST)]
    fields: list[Any] = [
        ("id", str),
        ("status", Literal["done"]),
        ("youtube_id", str | None, None),
        ("source", str, ""),
        ("asked", tuple[number, number | None] | msgspec.UnsetType, msgspec.UNSET),
        ("attempts", count, 0),
        ("time", str, ""),
        ("meta", dict[str, Any] | msgspec.UnsetType, msgspec.UNSET),
        ("turn", Annotated[int, msgspec.Meta(ge=1, le=MOST_TURNS)], 1),
        ("withheld", str | None, None),
        ("subtitles_seen", list[str] | msgspec.UnsetType, msgspec.UNSET),
        ("flags", dict[str, Any] | msgspec.UnsetType, msgspec.UNSET),
        ("subtitles_error", dict[str, Any] | msgspec.UnsetType, msgspec.UNSET),
        *((name, str | None, None) for name in ("video", "audio", "info", "frame")),
        ("subtitles", dict[str, str | None] | None, None),
    ]
    fields += [(name, count | None, None) for name in sorted(COUNTS - {"attempts"})]
    fields += [(name, number | None, None) for name in NUMBERS]
    decode: Callable[[str], Any] = msgspec.json.Decoder(msgspec.defstruct("Line", fields)).decode
    return decode


def _read(decode: Callable[[str], Any], broken: type[Exception], raw: bytes) -> Found | None:
    try:
        # Of what it passes over, msgspec does not see whether it is UTF-8.
        line = decode(raw.decode("utf-8"))
    except (broken, UnicodeDecodeError, RecursionError):
        return None
    clip_id, picture, sound = line.id, line.video, line.audio
    files = None
    if picture and sound and len(clip_id) > 1 and line.info is line.subtitles is line.frame is None:
        # Most clips' files are named alike but for the id: a pattern of names is looked at once.
        pattern = picture.replace(clip_id, _ID, 1), sound.replace(clip_id, _ID, 1)
        # It is so much shorter only where the id is in both names.
        if len(pattern[0]) + len(pattern[1]) == len(picture) + len(sound) - 2 * len(clip_id) + 2:
            files = _alike(*pattern)
    files = files or files_of(clip_id, picture, sound, line.info, line.subtitles, line.frame)
    if files is None or not is_plain_name(clip_id):
        return None
    folder, video, audio, frame = files
    return clip_id, video, audio, line.attempts, folder, line.withheld or "", line.turn, frame


@functools.lru_cache(maxsize=4096)
def _alike(picture: str, sound: str) -> tuple[str, str, str, str] | None:
    """Where files lie whose names have ``_ID`` in place of their clip's id."""
    return files_of(_ID, picture, sound, None, None, None)
