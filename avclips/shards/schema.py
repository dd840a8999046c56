"""What kind of cells a column has, of any that a list may hold: all of its rows, so that all tables agree.

Kinds: truth, whole, large (a whole number that no fraction is), number, text, "list of ..." one of these, and
object for what has no column of its own: it is written as text. A column of lists and of single values is one of
lists: for all of its rows, or for none.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..core.files import as_utf8

# By Arrow's names.
KINDS = {"string": "text", "double": "number", "int64": "whole", "bool": "truth"}
_LARGE, _HUGE = 53, 63
_LIST = "list of "


class Schema:
    """The kinds of all columns, cell by cell."""

    def __init__(self) -> None:
        self._found: dict[str, set[str]] = {}
        self._rows = 0
        self._full: Counter[str] = Counter()
        self._holed: set[str] = set()

    def add(self, cells: Mapping[str, Any]) -> None:
        """See a row."""
        self._rows += 1
        for name, value in cells.items():
            self._found.setdefault(name, set()).add(_kind(value))
            if value is not None:
                self._full[name] += 1
                if isinstance(value, list) and _has_holes(value):
                    self._holed.add(name)

    def add_all(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """See rows, of which millions may have no cell."""
        for cells in rows:
            if cells:
                self.add(cells)
            else:
                self._rows += 1

    def found(self) -> dict[str, str]:
        """Each column, in the order of their first rows, and its kind."""
        return {name: _common(kinds - {""}) for name, kinds in self._found.items()}

    def missing(self) -> frozenset[str]:
        """The columns that some rows have nothing in."""
        return frozenset(name for name in self._found if self._full[name] < self._rows)

    def holed(self) -> frozenset[str]:
        """The columns in which a list has nothing in it, or nothing in one of its places."""
        return frozenset(self._holed)


def _has_holes(value: list[Any]) -> bool:
    return not value or any(each is None or (isinstance(each, list) and _has_holes(each)) for each in value)


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
    lists = {kind for kind in kinds if kind.startswith(_LIST)}
    if lists:
        inner = _common({kind.removeprefix(_LIST) for kind in kinds} - {""})
        # Beside lists of lists, nobody can say what a single value is to be.
        mixed = inner == "object" or (lists != kinds and inner.startswith(_LIST))
        return "object" if mixed else _LIST + inner
    if kinds <= {"whole", "large"} and kinds:
        return "whole"
    if kinds == {"whole", "number"}:
        return "number"
    return "object" if len(kinds) > 1 else next(iter(kinds), "text")


def fits(now: str, begun: str) -> bool:
    """Whether cells of a kind can go on in a column that was begun with another, each as ``cell`` makes it."""
    if begun in ("text", "object") or _common({now, begun}) == begun:
        return True
    return now.startswith(_LIST) and not begun.startswith(_LIST) and fits(now.removeprefix(_LIST), begun)


def cell(value: Any, kind: str) -> Any:
    """A value as a column of the kind has it; of a list, a column of single values has the first."""
    if value is None:
        return None
    if kind.startswith(_LIST):
        inner = kind.removeprefix(_LIST)
        return [cell(each, inner) for each in (value if isinstance(value, list) else [value])]
    if isinstance(value, list) and kind != "object":
        return cell(next((each for each in value if each is not None), None), kind)
    if kind in ("text", "object"):
        return text_of(value)
    return float(value) if kind == "number" else value


def plain(value: Any, kind: str, sparse: bool) -> Any:
    """A value for the JSON of a column's clips: never null, and of one type for all of them.

    Readers that take the types from the first few clips (Hugging Face) refuse what is typed later, and a whole
    output for it. So what is missing of a text is "", and a ``sparse`` column of anything else, of which some
    clips have nothing, is text: "" or JSON.
    """
    made = cell(value, kind)
    if kind in ("text", "object") or sparse:
        return "" if made is None else text_of(made)
    return made


def arrow_type(kind: str, pyarrow: Any) -> Any:
    """The type of a column of a kind."""
    if kind.startswith(_LIST):
        return pyarrow.list_(arrow_type(kind.removeprefix(_LIST), pyarrow))
    aliases = {known: alias for alias, known in KINDS.items()}
    return pyarrow.type_for_alias(aliases.get(kind, "string"))


def kind_of(type_: Any, pyarrow: Any) -> str:
    """The kind of a column that has a type: what ``arrow_type`` made it of."""
    if pyarrow.types.is_list(type_) or pyarrow.types.is_large_list(type_):
        return _LIST + kind_of(type_.value_type, pyarrow)
    return KINDS.get(str(type_), "text")


def text_of(value: Any) -> str:
    """A text as it is, anything else as JSON; half a letter, which a list may hold, is no UTF-8."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return as_utf8(text)
