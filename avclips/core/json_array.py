"""A long JSON array of objects in little memory: some elements at a time, and of each only what is wanted.

What it takes, json takes too, and it means the same; with msgspec, where it is installed, in a fifth of the time.
"""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Letters that are looked at together.
_AT_ONCE = 1 << 20
# JSON's own, and no others.
_BLANKS = " \t\r\n"


def values_in(path: Path, name: str, whole: Callable[[], list[Any]]) -> Iterator[list[Any]]:
    """The value called ``name`` of each element of a file's array, some at a time, in their order.

    None of an element that is no object, or has none of this name. ``whole()``: the array as it is read whole,
    where it is to be read so: it is broken, or of some other form.
    """
    decode, count = _decoder(name), 0
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            for piece in _pieces(stream.read):
                values = decode(piece)
                if not values:
                    raise _OtherForm
                count += len(values)
                yield values
    except (OSError, ValueError, RecursionError):
        yield [_value(element, name) for element in whole()[count:]]


class _OtherForm(ValueError):
    """Not what a file of many objects is like."""


def _pieces(read: Callable[[int], str]) -> Iterator[str]:
    """An array's text as several arrays. ValueError where it does not begin as one.

    They are cut between an object and the next, wherever that seems to be: a piece that is an array by itself was
    cut rightly, as its begin is where an element begins.
    """
    held = read(_AT_ONCE).lstrip(_BLANKS)
    if not held.startswith("["):
        raise _OtherForm
    held = held[1:]
    while more := read(_AT_ONCE):
        held += more
        cut = held.rfind("},")
        if cut >= 0:
            yield f"[{held[: cut + 1]}]"
            held = held[cut + 2 :]
    yield f"[{held}"


def _value(element: Any, name: str) -> Any:
    return element.get(name) if isinstance(element, dict) else None


def _decoder(name: str) -> Callable[[str], list[Any]]:
    def slowly(text: str) -> list[Any]:
        return [_value(element, name) for element in json.loads(text)]

    try:
        msgspec = importlib.import_module("msgspec")
    except ImportError:
        return slowly
    record: Any = msgspec.defstruct("Record", [(name, str)])
    decode = msgspec.json.Decoder(list.__class_getitem__(record)).decode
    return functools.partial(_quickly, decode, name, msgspec.MsgspecError, slowly)


def _quickly(
    decode: Callable[[str], list[Any]],
    name: str,
    other: type[Exception],
    slowly: Callable[[str], list[Any]],
    text: str,
) -> list[Any]:
    try:
        return [getattr(record, name) for record in decode(text)]
    except other:
        return slowly(text)
