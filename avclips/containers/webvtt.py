"""WebVTT, cut to the seconds of a clip (https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_TIME = r"(?:(\d{2,5}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_CUE = re.compile(rf"{_TIME}[ \t]*-->[ \t]*{_TIME}(.*)")
# Within a cue, when a word is spoken.
_INSIDE = re.compile(rf"<{_TIME}>")
# Of a piece of HLS: which time of the stream's clock is which of its own.
_MAP = re.compile(r"X-TIMESTAMP-MAP=([^\n]*)")
_LOCAL = re.compile(rf"LOCAL:{_TIME}")


def joined_vtt(pieces: Sequence[str], zero: float) -> str:
    """One WebVTT of the pieces that HLS has it in, on the video's time. ValueError where one is no WebVTT.

    ``zero``: the second of the stream's clock at which the video begins; a piece says by that clock where its own
    times begin (RFC 8216, 3.5), or counts from the video's beginning.
    """
    blocks: list[str] = []
    for piece in pieces:
        head, *rest = _blocks(piece)
        told = _MAP.search(head)
        shift = 0
        if told is not None:
            local = _LOCAL.search(told[1])
            mpeg = re.search(r"MPEGTS:(\d{1,20})", told[1])
            counted = _thousandths(*local.groups()) if local else 0
            shift = round((int(mpeg[1]) / 90_000 - zero) * 1000) - counted if mpeg else 0
        # A cue that goes on over the border of two pieces stands in both.
        blocks += [block for block in (_later(block, shift) for block in rest) if block not in blocks]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def _later(block: str, shift: int) -> str:
    found = _CUE.search(block)
    if found is None:
        return block
    first, last = (_thousandths(*found.groups()[at : at + 4]) + shift for at in (0, 4))
    words = _INSIDE.sub(lambda at: f"<{_clock(max(0, _thousandths(*at.groups()) + shift))}>", block[found.end() :])
    return f"{block[: found.start()]}{_clock(max(0, first))} --> {_clock(max(0, last))}{found[9]}{words}"


def _blocks(text: str) -> list[str]:
    """The header of a WebVTT, and the blocks behind it; ValueError where it is none."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    blocks = re.split(r"\n{2,}", plain)
    if not re.match(r"WEBVTT(?:[ \t\n]|$)", blocks[0]):
        raise ValueError("not a WebVTT file")
    return blocks


def cut_vtt(text: str, start: float, end: float | None) -> str:
    """The cues that overlap ``start``..``end`` (None: to the end), at their times from the start; "" for none.

    What is not a cue (the header, styles, notes) stays. ValueError where the text is no WebVTT.
    """
    blocks = _blocks(text)
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
