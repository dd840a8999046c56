"""Clips of YouTube videos for research datasets, fetched by their byte ranges.

``download`` runs what a script runs, ``Settings`` says how, ``Clip`` is what a list is made of. Importing this
package imports nothing else: where something is not installed, or Python is old, a script says so in one line.

docs/architecture.md draws the packages; tests/unit/test_imports.py says which may import which.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .api import download
    from .catalog.source import samples
    from .core.model import Clip
    from .core.settings import Identity, Settings

__version__ = "0.2.0"
__all__ = ["Clip", "Identity", "Settings", "__version__", "download", "samples"]

_PLACES = {
    "download": "avclips.api",
    "Clip": "avclips.core.model",
    "Identity": "avclips.core.settings",
    "Settings": "avclips.core.settings",
    "samples": "avclips.catalog.source",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)
