"""Clips of YouTube videos for research datasets, fetched by their byte ranges.

``download`` runs what a script runs and returns a ``Result``; ``open_dataset`` and ``samples`` look at what is
there; ``Settings`` says how, ``Clip`` is what a list is made of. Importing this package imports nothing else:
where something is not installed, or Python is old, a script says so in one line.

docs/api.md has all of it. docs/architecture.md draws the packages; tests/unit/test_imports.py says which may
import which.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .api.downloading import Result, download
    from .api.opened import OpenedDataset, open_dataset
    from .catalog.qa import questions
    from .catalog.sample import Place, Sample
    from .catalog.source import samples
    from .core.errors import AvclipsError, GaveUp, RunError, Stopped, UsageError
    from .core.model import Clip
    from .core.settings import Columns, Identity, Settings
    from .progress.update import Progress

__version__ = "0.2.0"
__all__ = [
    "AvclipsError",
    "Clip",
    "Columns",
    "GaveUp",
    "Identity",
    "OpenedDataset",
    "Place",
    "Progress",
    "Result",
    "RunError",
    "Sample",
    "Settings",
    "Stopped",
    "UsageError",
    "__version__",
    "download",
    "open_dataset",
    "questions",
    "samples",
]

_MODULES = {
    "avclips.api.downloading": ("Result", "download"),
    "avclips.api.opened": ("OpenedDataset", "open_dataset"),
    "avclips.catalog.qa": ("questions",),
    "avclips.catalog.sample": ("Place", "Sample"),
    "avclips.catalog.source": ("samples",),
    "avclips.core.errors": ("AvclipsError", "GaveUp", "RunError", "Stopped", "UsageError"),
    "avclips.core.model": ("Clip",),
    "avclips.core.settings": ("Columns", "Identity", "Settings"),
    "avclips.progress.update": ("Progress",),
}
_PLACES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    # A notebook completes names that nobody has used yet, too.
    return sorted({*globals(), *__all__})
