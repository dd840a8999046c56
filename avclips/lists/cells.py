"""The cells of a list as values: which seconds, which pairs of them, what JSON can hold.

Knows how people write these. A ValueError says in plain words what a cell is instead.
"""

from __future__ import annotations

import ast
import datetime
import decimal
import json
import math
import re
import warnings
from collections.abc import Callable
from typing import Any

from .column_names import ENDS, STARTS, plain
from .parquet import Unreadable

# The seconds of a clip, from and to; None: to the end of its video.
Interval = tuple[float, float | None]

# Eleven days: whatever is later was meant as something else.
_MOST_SECONDS = 1_000_000
_NUMBER = re.compile(r" *\+?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})? *")
_COMMA = re.compile(r" *\+?([0-9]*),([0-9]+) *")
_PYTHONS_TO_JSON = str.maketrans("'()", '"[]')
# What an object calls the pair of its times, in small letters and digits alone.
_PAIRS = ("span", "segment", "timestamp", "timestamps", "interval", "clip")
# How programs write that there is nothing.
_NOTHING = frozenset(("", "nan", "null", "none", "nat", "na", "n/a", "<na>", "nil", "\\n"))


class StartAlone(ValueError):
    """An address that says where a clip starts, and nothing says where it ends."""


def clock_time(text: str) -> float:
    """Seconds from ``75``, ``75.5``, ``1:15``, ``0:01:15``, ``0:01:15,5``; ValueError says what it is instead."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(re.fullmatch(r"[0-9]{1,6}", part) for part in parts[:-1]):
        raise ValueError(f"{text[:60]!r} is not a time such as 75, 1:15 or 0:01:15")
    last = parts[-1].replace(",", ".") if len(parts) > 1 else parts[-1]
    if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", last):
        raise ValueError(f"{text[:60]!r} is not a time such as 75, 1:15 or 0:01:15")
    seconds = 0.0
    for part in (*parts[:-1], last):
        seconds = seconds * 60 + float(part)
    return seconds


def seconds(cell: Any, per: float = 1.0, comma: bool = False) -> float:
    """The time of a cell, a number or a clock's; to the microsecond, so that sums and ids stay short.

    ``per``: how many of a number's units make a second. ``comma``: whether ``1,500`` is one and a half; otherwise
    it may be as much as fifteen hundred, and is refused. A number with another comma can only be a decimal one.
    """
    value = cell
    if isinstance(cell, str):
        text = _with_point(cell, comma)
        value = float(text) / per if _NUMBER.fullmatch(text) else clock_time(text)
    elif isinstance(cell, datetime.timedelta):
        value = cell.total_seconds()
    elif isinstance(cell, datetime.time):
        value = cell.hour * 3600 + cell.minute * 60 + cell.second + cell.microsecond / 1e6
    elif isinstance(cell, bool) or not isinstance(cell, (int, float, decimal.Decimal)):
        raise ValueError(f"{shown(cell)} is not a time such as 75, 1:15 or 0:01:15")
    elif not (isinstance(cell, int) and abs(cell) > 1e300):
        value = float(cell) / per
    if not 0 <= value < _MOST_SECONDS:
        raise ValueError(f"{shown(cell)} is not a time between 0 and {_MOST_SECONDS} seconds")
    return round(float(value), 6)


def _with_point(text: str, comma: bool) -> str:
    if "," not in text or _COMMA.fullmatch(text) is None:
        return text
    if not comma and is_doubtful(text):
        raise ValueError(f"{text[:60]!r} is not a time: write it with a point, or without a comma")
    return text.replace(",", ".")


def is_doubtful(text: str) -> bool:
    """Whether a number's comma may stand between thousands: 1,500."""
    found = _COMMA.fullmatch(text)
    return found is not None and len(found[2]) == 3 and 1 <= len(found[1]) <= 3 and not found[1].startswith("0")


def has_decimal_comma(cell: Any) -> bool:
    """Whether a cell is a number with a comma that can only be a decimal one."""
    return isinstance(cell, str) and _COMMA.fullmatch(cell) is not None and not is_doubtful(cell)


def is_missing(cell: Any) -> bool:
    """Whether there is nothing in a cell, as programs write it: NaN is no number."""
    if isinstance(cell, str):
        return cell.strip().lower() in _NOTHING
    if isinstance(cell, decimal.Decimal):
        return cell.is_nan()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def interval(start: float, end: float) -> tuple[float, float]:
    """Two times, the second after the first."""
    if end <= start:
        raise ValueError(f"the end {short(end)} is not after the start {short(start)}")
    return start, end


def intervals(cell: Any, time: Callable[[Any], float] = seconds) -> list[tuple[float, float]]:
    """The spans of ``[[0, 9.5], ["0:10", "0:20"]]`` or of ``[0, 9.5]``: a list, or its text in JSON or Python.

    In place of a pair there may be an object: ``{"span": [0, 9.5]}``, ``{"start": 0, "end": 9.5}``. ``time``: what
    makes seconds of each of the two.
    """
    found = _literal(cell.translate(_PYTHONS_TO_JSON).strip()) if isinstance(cell, str) else cell
    found = [found] if isinstance(found, dict) else found
    pairs = list(map(_pair, found)) if isinstance(found, (list, tuple)) else []
    if pairs and not any(isinstance(each, (list, tuple)) for each in pairs):
        pairs = [pairs]
    if not pairs or not all(isinstance(each, (list, tuple)) and len(each) == 2 for each in pairs):
        raise ValueError(f"{shown(cell)} is not a list of clips such as [[0, 9.5], [20, 30]]")
    return [interval(time(start), time(end)) for start, end in pairs]


def _pair(each: Any) -> Any:
    """The pair of times that an object names; anything else as it is."""
    if not isinstance(each, dict):
        return each
    named = {plain(str(name)): value for name, value in reversed(each.items())}
    whole = [named[name] for name in _PAIRS if name in named]
    start, end = ([named[name] for name in names if name in named] for names in (STARTS, ENDS))
    return whole[0] if whole else [start[0], end[0]] if start and end else each


def list_of(cell: Any) -> list[Any] | None:
    """A list, whether it comes as one or as its text in JSON or Python; None where it is none."""
    if isinstance(cell, str):
        cell = _literal(cell.strip())
    return list(cell) if isinstance(cell, (list, tuple)) else None


def _literal(text: str) -> Any:
    if not text.startswith(("[", "(", "{")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def short(number: float) -> str:
    """Seconds as a person writes them: 69, 13.28, 0.00001."""
    return str(int(number)) if number.is_integer() else f"{number:.6f}".rstrip("0")


def as_json(value: Any) -> Any:
    """A cell as JSON can hold it: parquet has dates, decimals and bytes, and NaN is no JSON.

    ValueError for a cell that could not be read.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1e300 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, decimal.Decimal):
        return _of_decimal(value)
    if isinstance(value, (list, tuple)):
        return [as_json(each) for each in value]
    if isinstance(value, dict):
        return {str(name): as_json(each) for name, each in value.items()}
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, Unreadable):
        raise ValueError(str(value))
    return str(value)


def _of_decimal(value: decimal.Decimal) -> int | float | None:
    if not value.is_finite():
        return None
    return int(value) if value == value.to_integral_value() and abs(value) < 2**63 else float(value)


def shown(cell: Any) -> str:
    """A cell in a message."""
    return repr(cell[:60] if isinstance(cell, (str, bytes)) else cell)[:80]
