"""Python's csv readers, with room for a cell of any length.

The library refuses a cell of more than 131,072 letters, and its message blames the field. A transcript is longer.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # It has no name at run time.
    from _csv import Reader

# What a C long holds everywhere.
_LONGEST_CELL = 2**31 - 1


def reader(lines: Iterable[str], **form: Any) -> Reader:
    """``csv.reader``; ``form`` is its own: delimiter, strict, ..."""
    # The limit is one of the whole process, and anybody may have set it meanwhile.
    csv.field_size_limit(_LONGEST_CELL)
    return csv.reader(lines, **form)


def dict_reader(lines: Iterable[str], **form: Any) -> csv.DictReader[str]:
    """``csv.DictReader``, likewise."""
    csv.field_size_limit(_LONGEST_CELL)
    return csv.DictReader(lines, **form)
