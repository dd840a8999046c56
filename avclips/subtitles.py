"""WebVTT, cut to the seconds of a clip (https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TIME = r"(?:(\d{2,5}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_CUE = re.compile(rf"{_TIME}[ \t]*-->[ \t]*{_TIME}(.*)")
# Within a cue, when a word is spoken.
_INSIDE = re.compile(rf"<{_TIME}>")


def cut_vtt(text: str, start: float, end: float | None) -> str:
    """The cues that overlap ``start``..``end`` (None: to the end), at their times from the start; "" for none.

    What is not a cue (the header, styles, notes) stays. ValueError where the text is no WebVTT.
    """
    blocks = re.split(r"\n{2,}", text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").strip("\n"))
    if not re.match(r"WEBVTT(?:[ \t\n]|$)", blocks[0]):
        raise ValueError("not a WebVTT file")
    since, until = round(start * 1000), None if end is None else round(end * 1000)
    kept = list(_cut(blocks[1:], since, until))
    return "\n\n".join([blocks[0], *kept]) + "\n" if any(map(_CUE.search, kept)) else ""


def _cut(blocks: list[str], since: int, until: int | None) -> Iterator[str]:
    for block in blocks:
        found = _CUE.search(block)
        if found is None:
            yield block
            continue
        first, last = _thousandths(*found.groups()[:4]), _thousandths(*found.groups()[4:8])
        if last <= since or (until is not None and first >= until):
            continue
        first, last = max(first, since), last if until is None else min(last, until)
        times = f"{_clock(first - since)} --> {_clock(last - since)}{found[9]}"
        words = _INSIDE.sub(lambda at: _moved(_thousandths(*at.groups()), since), block[found.end() :])
        yield block[: found.start()] + times + words


def _moved(at: int, since: int) -> str:
    return f"<{_clock(at - since)}>" if at >= since else ""


def _thousandths(hours: str | None, minutes: str, seconds: str, rest: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(rest)


def _clock(thousandths: int) -> str:
    seconds, rest = divmod(thousandths, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{rest:03d}"
