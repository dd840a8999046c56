"""What kind of cells a column has, of any that a list may hold: all of its rows, so that all tables agree.

Kinds: truth, whole, large (a whole number that no fraction is), number, text, "list of ..." one of these, and
object for what has no column of its own: it is written as text.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

# By Arrow's names.
KINDS = {"string": "text", "double": "number", "int64": "whole", "bool": "truth"}
_LARGE, _HUGE = 53, 63
_LIST = "list of "


class Kinds:
    """The kinds of all columns, cell by cell."""

    def __init__(self) -> None:
        self._found: dict[str, set[str]] = {}

    def add(self, cells: Mapping[str, Any]) -> None:
        """See a row."""
        for name, value in cells.items():
            self._found.setdefault(name, set()).add(_kind(value))

    def found(self) -> dict[str, str]:
        """Each column, in the order of their first rows, and its kind."""
        return {name: _common(kinds - {""}) for name, kinds in self._found.items()}


def _kind(value: Any) -> str:
    """ "" for nothing; "list of " for a list of nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int):
        size = abs(value)
        return "whole" if not size >> _LARGE else "large" if not size >> _HUGE else "object"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        inner = {_kind(each) for each in value} - {""}
        common = _common(inner) if inner else ""
        return "object" if common == "object" else _LIST + common
    return "object"


def _common(kinds: Collection[str]) -> str:
    """The kind of a column with cells of these kinds."""
    kinds = set(kinds)
    if all(kind.startswith(_LIST) for kind in kinds) and kinds:
        inner = _common({kind.removeprefix(_LIST) for kind in kinds} - {""})
        return "object" if inner == "object" else _LIST + inner
    if kinds <= {"whole", "large"} and kinds:
        return "whole"
    if kinds == {"whole", "number"}:
        return "number"
    return "object" if len(kinds) > 1 else next(iter(kinds), "text")


def cell(value: Any, kind: str) -> Any:
    """A value as a column of the kind has it."""
    if value is None:
        return None
    if kind.startswith(_LIST):
        return [cell(each, kind.removeprefix(_LIST)) for each in value]
    if kind in ("text", "object"):
        return text_of(value)
    return float(value) if kind == "number" else value


def arrow_type(kind: str, pyarrow: Any) -> Any:
    """The type of a column of a kind."""
    if kind.startswith(_LIST):
        return pyarrow.list_(arrow_type(kind.removeprefix(_LIST), pyarrow))
    aliases = {known: alias for alias, known in KINDS.items()}
    return pyarrow.type_for_alias(aliases.get(kind, "string"))


def text_of(value: Any) -> str:
    """A text as it is, anything else as JSON; half a letter, which a list may hold, is no UTF-8."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "backslashreplace").decode()
