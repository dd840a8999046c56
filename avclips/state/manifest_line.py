"""What a line of a manifest may say: a folder of data may have been made by anybody.

Its ids and names become paths, and its numbers are counted: a line whose words are not what a run writes is not
taken for one.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..core.files import PLAIN_NAME, is_plain_name

# Where a clip's picture, its sound and what is known of it lie, each beneath a folder of its kind.
_KINDS = (("videos",), ("audio", "wavs"), ("info",), ("frames",))
# KIND/FOLDER, with any number of folders.
_FOLDERS = re.compile(rf"([a-z]+)((?:/{PLAIN_NAME})*)")
_ENDING = re.compile(r"[a-z0-9]{1,8}")
_LANGUAGE = re.compile(r"[A-Za-z0-9_-]{1,40}")
MOST = 1 << 53
# More than anybody tries a clip.
MOST_TURNS = 10**9

Test = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    if isinstance(value, int):
        # One of hundreds of digits is no float.
        return not isinstance(value, bool) and -MOST < value < MOST
    return isinstance(value, float) and math.isfinite(value)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST


def _interval(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    return _number(value[0]) and (value[1] is None or _number(value[1]))


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _or_nothing(test: Test) -> Test:
    return lambda value: value is None or test(value)


# What is read of a line, where it is there.
_EITHER: dict[str, Test] = {
    "youtube_id": _or_nothing(_text),
    "source": _text,
    "asked": _interval,
    "attempts": _count,
    "time": _text,
    "meta": lambda value: isinstance(value, dict),
    "turn": lambda value: _count(value) and 1 <= value <= MOST_TURNS,
}
COUNTS = frozenset(
    ("attempts", "bytes", "bytes_fetched", "pictures", "width", "height", "samples", "sample_rate", "channels")
)
_DONE = _EITHER | dict.fromkeys(COUNTS - _EITHER.keys(), _or_nothing(_count))
NUMBERS = ("duration", "fps")
_DONE |= dict.fromkeys(NUMBERS, _or_nothing(_number))
_DONE |= {"flags": lambda value: isinstance(value, dict)}
_DONE |= {"subtitles_seen": _texts, "subtitles_error": lambda value: isinstance(value, dict)}
_FAILED: dict[str, Test] = _EITHER | {
    "reason": _text,
    "permanent": lambda value: isinstance(value, bool),
    "error": _text,
    "identities": _texts,
}
_NEEDED = frozenset(("reason", "permanent", "attempts", "error", "time"))


def is_right(line: Any) -> bool:
    """Whether a value out of a manifest is a line as a run writes them."""
    if not isinstance(line, dict) or not isinstance(line.get("id"), str) or not is_plain_name(line["id"]):
        return False
    status = line.get("status")
    if status == "done":
        return _fits(line, _DONE) and _names_its_files(line)
    if status == "failed":
        return line.keys() >= _NEEDED and _fits(line, _FAILED)
    return status == "forgotten" and _fits(line, _EITHER)


def _fits(line: Mapping[str, Any], tests: Mapping[str, Test]) -> bool:
    # There may be millions: what is there is looked at, not what could be.
    for name, value in line.items():
        test = tests.get(name)
        if test is not None and not test(value):
            return False
    return True


def _names_its_files(line: Mapping[str, Any]) -> bool:
    return (
        files_of(line["id"], *(line.get(kind) for kind in ("video", "audio", "info", "subtitles", "frame")))
        is not None
    )


def files_of(
    clip_id: str, video: Any, audio: Any, info: Any, subtitles: Any, frame: Any = None
) -> tuple[str, str, str, str] | None:
    """Where a finished clip's files lie beneath those of all clips, and how picture, sound and frame end.

    None where a file is not called after the clip, or not in a folder of results.
    """
    places = set()
    endings = []
    for path, kinds in zip((video, audio, info, frame), _KINDS, strict=True):
        if path is None:
            endings.append("")
            continue
        place, ending = _read(path, kinds, clip_id)
        if not _is_ending(ending):
            return None
        places.add(place)
        endings.append(f".{ending}")
    if len(places) > 1 or (subtitles and not _are_subtitles(clip_id, subtitles)):
        return None
    return (places.pop() if places else ""), endings[0], endings[1], endings[3]


def _are_subtitles(clip_id: str, subtitles: Any) -> bool:
    return isinstance(subtitles, dict) and all(
        _LANGUAGE.fullmatch(language)
        and (path is None or _read(path, ("subtitles",), clip_id)[1] == f"{language}.vtt")
        for language, path in subtitles.items()
    )


def _read(path: Any, kinds: tuple[str, ...], clip_id: str) -> tuple[str, str]:
    """The folders, and what follows ``ID.``, of ``KIND/FOLDERS/ID.ENDING``; nothing of a path that is none."""
    folders, _, name = path.rpartition("/") if isinstance(path, str) else ("", "", "")
    kind, place = _place(folders)
    if kind not in kinds or not name.startswith(f"{clip_id}."):
        return "", ""
    return place, name[len(clip_id) + 1 :]


# Most files lie in one of a few folders, and end in one of a few ways.
@functools.lru_cache(maxsize=4096)
def _place(folders: str) -> tuple[str, str]:
    """The kind, and the folders beneath its own, of ``KIND/FOLDERS``; nothing of what is none."""
    match = _FOLDERS.fullmatch(folders)
    return (match[1], match[2][1:]) if match else ("", "")


@functools.lru_cache(maxsize=64)
def _is_ending(text: str) -> bool:
    return _ENDING.fullmatch(text) is not None
