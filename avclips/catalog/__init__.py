"""What a data folder or an output of shards holds: a Sample a clip of its list, tables of them, coverage.

Reads what runs wrote; needs neither torch nor numpy. Loaders, exports, curation, explorer and report see a
download through this package alone.
"""

from __future__ import annotations

from .sample import Place, Sample

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .qa import questions
    from .source import samples

__all__ = ["Place", "Sample", "questions", "samples"]

_PLACES = {"questions": "qa", "samples": "source"}


def __getattr__(name: str) -> object:
    # A look at a folder imports what it needs, and no more.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
