"""Others' words on their way to people: in one line, without control characters and without passwords."""

from __future__ import annotations

import re
from typing import Any

_URL = re.compile(r"(\w://)([^\s'\"]*@)")
_PORT = re.compile(r"(\[[^\]]*\]|[^:]*)(:[0-9]{0,5})?")


def without_password(text: str) -> str:
    """The text with the names and passwords cut out of its URLs.

    A password may hold any letter but blanks and quotes; an @ of a path, as channels have it, is none's.
    """
    return _URL.sub(_without_sign_in, text)


def _without_sign_in(match: re.Match[str]) -> str:
    """``match``: of the text up to its last @."""
    start, rest = match.groups()
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" not in host and _PORT.fullmatch(host):
        return start + rest
    # With a password in it, all before the last @ may be its.
    return start + (rest[host.rindex("@") + 1 :] if "@" in host and ":" not in host else "")


def without_passwords(value: Any) -> Any:
    """The same of all texts of a value of JSON."""
    if isinstance(value, str):
        return without_password(value) if "@" in value else value
    if isinstance(value, list):
        return [without_passwords(each) for each in value]
    if isinstance(value, dict):
        return {name: without_passwords(each) for name, each in value.items()}
    return value


def one_line(error: object, most: int = 300) -> str:
    """What somebody else's error says, in one line of at most so many letters; its class where it says nothing."""
    return without_password(" ".join(str(error).split()))[:most] or type(error).__name__


def plain(text: str) -> str:
    """What may be printed or logged of a text: no letter of it moves a cursor, and none is a password's."""
    return without_password("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))
