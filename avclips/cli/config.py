"""--config: the options of a TOML file, as the words of a command line that says the same.

Knows how a value of TOML is written as a word. What a word may hold, the options' own readers say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from ..core.suggest import did_you_mean

# What a file cannot say of itself.
_NOT_HERE = ("config", "help", "list-presets", "requirements")


def read_config(path: Path) -> dict[str, Any]:
    """The file's keys, as options are called (``max-clips``), and their values; UsageError where it is none."""
    try:
        with open(path, "rb") as stream:
            read = tomllib.load(stream)
    except OSError as error:
        raise UsageError(f"--config {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--config {path} is not TOML: {error}", 'such as workers = 8 or splits = ["train"]'
        ) from error
    found: dict[str, Any] = {}
    for key, value in read.items():
        name = key.replace("_", "-")
        if isinstance(value, dict):
            raise UsageError(f"--config {path}: [{key}] is a table; the options stand by themselves, KEY = VALUE")
        if name in found:
            raise UsageError(f"--config {path}: {name} is there twice, with - and with _")
        found[name] = value
    return found


def words_of(
    path: Path, values: Mapping[str, Any], options: Mapping[str, Any], places: Mapping[str, Any]
) -> list[str]:
    """The words of a command line for the values of a file.

    ``options``: argparse's actions by the names of their options, without dashes; ``places``: those that have no
    dashes. UsageError names the key that is none, or whose value is of another kind.
    """
    words: list[str] = []
    first: list[str] = []
    known = [name for name in (*options, *places) if name not in _NOT_HERE]
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"--config {path}: unknown key {name}{_meant(name, known, places)}")
        try:
            if name in places:
                first += [_word(each) for each in (value if isinstance(value, list) else [value])]
            else:
                words += _words(f"--{name}", value, options[name])
        except ValueError as error:
            raise UsageError(f"--config {path}: {name} {error}") from None
    return [*first, *words]


# What a list may be called by who has read of LIST in the help alone.
_LISTS = (
    "list",
    "lists",
    "clip-list",
    "clips",
    "csv",
    "file",
    "files",
    "input",
    "inputs",
    "input-list",
    "path",
    "url",
)


def _meant(name: str, known: Sequence[str], places: Mapping[str, Any]) -> str:
    if name.casefold() in _LISTS:
        # A path or a column would be nearer by its letters.
        return ': the list is list = "my_list.csv"' if "list" in places else ": this script has a list of its own"
    return did_you_mean(name, known)


def _words(option: str, value: Any, action: Any) -> list[str]:
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise ValueError("is true or false")
        return [option] if value else []
    if action.nargs in ("+", "*"):
        if value is True and action.nargs == "*":
            return [option]
        return [option, *(_word(each) for each in (value if isinstance(value, list) else [value]))]
    if isinstance(value, list) and isinstance(action.default, list):
        # May be given several times.
        return [f"{option}={_word(each)}" for each in value]
    return [f"{option}={_word(value)}"]


def _word(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        kind = {bool: "true or false", list: "a list", dict: "a table"}.get(type(value), "a date or a time")
        raise ValueError(f"takes a text or a number, not {kind}")
    return str(value)
