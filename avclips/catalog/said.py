"""What a list says of a clip, by what it is: splits, labels, captions, and the rest.

Lists call these otherwise: a published one as its authors did, a user's own as he pleased.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..lists.column_names import LABELS, plain

_SPLITS = ("splits", "split", "subset")
_CAPTIONS = ("captions", "caption")


class Said(NamedTuple):
    """``rest``: the columns that are none of these, by their own names."""

    splits: tuple[str, ...]
    labels: tuple[str, ...]
    captions: tuple[str, ...]
    rest: Mapping[str, Any]


def said_of(meta: Mapping[str, Any]) -> Said:
    """Sort what a list says of a clip. Of several columns of splits, or of labels, the first with any counts."""
    splits = next((name for name in _SPLITS if _texts(meta.get(name))), "")
    named = [name for name in meta if _is_of_labels(name)]
    # Ids of classes stand beside their names.
    named.sort(key=lambda name: name not in ("labels", "label"))
    labels = next((name for name in named if _texts(meta[name])), "")
    captions = next((name for name in _CAPTIONS if _texts(meta.get(name))), "")
    known = {splits, labels, *_SPLITS[:2], *_CAPTIONS}
    rest = {name: value for name, value in meta.items() if name not in known}
    return Said(_texts(meta.get(splits)), _texts(meta.get(labels)), _texts(meta.get(captions)), rest)


@functools.lru_cache(maxsize=4096)
def _is_of_labels(name: str) -> bool:
    return plain(name) in LABELS


def _texts(value: Any) -> tuple[str, ...]:
    """The words of a cell, or of a list of cells; none of what is nothing."""
    if value is None or value == "":
        return ()
    if isinstance(value, (list, tuple)):
        # A clip that several rows name has what each of them says.
        return tuple(dict.fromkeys(each for inner in value for each in _texts(inner)))
    return (value if isinstance(value, str) else str(value),)
