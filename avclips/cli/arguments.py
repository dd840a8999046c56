"""What a word of a command line may hold: sizes, times, units, addresses, shares; for argparse to complain of."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from ..core import settings_check

_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([KMG]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def size(text: str) -> int:
    """``50K``, ``4.2M``, ``1G`` or plain bytes; each unit is 1024 of the one before."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 50K, 4.2M or 0")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def rate(text: str) -> int | None:
    """A size a second; ``0`` is no limit."""
    value = size(text)
    if 0 < value < 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is below 1K; 50K is 50 KiB a second, 0 is no limit")
    return value or None


def whole_number(lowest: int, highest: int | None = None) -> Callable[[str], int]:
    """A type for argparse: a whole number from ``lowest`` up, or to ``highest``."""
    until = "up" if highest is None else f"to {highest}"

    def read(text: str) -> int:
        number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
        if number < lowest or (highest is not None and number > highest):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {lowest} {until}")
        return number

    return read


def seconds(text: str) -> float:
    """A number of seconds from 0 up."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


def some_seconds(text: str) -> float:
    """A number of seconds above 0."""
    value = seconds(text)
    if not value:
        raise argparse.ArgumentTypeError("0 seconds are no clip")
    return value


def letter(text: str) -> str:
    """What stands between cells."""
    return _checked(settings_check.letter, text)


def time_unit(text: str) -> str:
    """A unit of times."""
    return _checked(settings_check.time_unit, text)


def cell_format(text: str) -> str:
    """How a cell that holds a whole clip is made."""
    return _checked(settings_check.cell_format, text)


def frame_rate(text: str) -> str:
    """Pictures a second."""
    return _checked(settings_check.frame_rate, text)


def frame_size(text: str) -> str:
    """The size of pictures."""
    return _checked(settings_check.frame_size, text)


def _checked(read: Callable[[str], str], text: str) -> str:
    """What a reader of a setting makes of a word."""
    try:
        return read(text)
    except ValueError as error:
        # argparse has words of its own for any other error.
        raise argparse.ArgumentTypeError(str(error)) from error


_BROWSER = re.compile(r"([^+:]+)(?:\+([^:]+))?(?:::?.+)?")


def browser(text: str) -> str:
    """``firefox``, ``chrome+gnomekeyring:Profile 1``, ``firefox::container``; yt-dlp says whether it knows it."""
    if not _BROWSER.fullmatch(text.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is not BROWSER[+KEYRING][:PROFILE][::CONTAINER]")
    return text.strip()


def hours(text: str) -> float:
    """A number of hours, in seconds."""
    try:
        return seconds(text) * 3600
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours") from None


def proxy_url(text: str) -> str:
    """A proxy as yt-dlp and requests take it; empty for ``direct``. Its password is never repeated."""
    if text == "direct":
        return ""
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and not re.search(r"\s", text) and (parts.port is None or parts.port > 0)
        usable = usable and re.fullmatch(r"https?|socks[45][ah]?", parts.scheme) is not None
    except ValueError:
        usable = False
    if not usable:
        raise argparse.ArgumentTypeError("not a proxy such as http://host:port, socks5h://host:port or direct")
    return text


def part(text: str) -> tuple[int, int]:
    """``I/N``: the I-th of N shares, I from 0."""
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if not match or int(match[1]) >= int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with I from 0 to N - 1, such as 0/4")
    return int(match[1]), int(match[2])


# What a task that cannot tell is told.
_SAY = "say --part I/N (task I of N, I from 0), or submit all as --array=0-3"


def partition_of(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """The share of a task in a Slurm job array, None outside of one; ValueError where that cannot be told.

    An array says nothing of arrays that were submitted before it: its tasks are taken for all there are only
    where they begin as a count does.
    """
    task = environment.get("SLURM_ARRAY_TASK_ID")
    if not task:
        return None
    names = ("MIN", "MAX", "COUNT")
    try:
        first, last, count = (int(environment[f"SLURM_ARRAY_TASK_{name}"]) for name in names)
        step = max(int(environment.get("SLURM_ARRAY_TASK_STEP") or 1), 1)
        place, rest = divmod(int(task) - first, step)
    except (KeyError, ValueError):
        raise ValueError(f"Slurm does not say of which array this is task {task}: {_SAY}") from None
    if rest or not 0 <= place < count or (last - first) // step + 1 != count:
        # --array=1,5,9: no telling which shares the others take.
        raise ValueError(f"the numbers of this Slurm array have no common step: {_SAY}")
    if count == 1:
        raise ValueError(f"this Slurm array is task {task} alone, perhaps one of many to be done again: {_SAY}")
    if first not in (0, 1):
        # --array=1000-1999, where a cluster takes no more at a time, or --array=2-3, two of four again.
        raise ValueError(f"this Slurm array is of the tasks {first} to {last}, perhaps some of many: {_SAY}")
    return place, count
