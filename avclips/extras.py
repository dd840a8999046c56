"""Packages that only some runs need: what is missing is said in one line."""

from __future__ import annotations

import importlib
from typing import Any

from .errors import UsageError


def extra(module: str, what: str) -> Any:
    """Import ``module`` for ``what``, in words; UsageError says what to install."""
    package = module.partition(".")[0]
    try:
        importlib.import_module(module)
        return importlib.import_module(package)
    except ImportError as error:
        # What it needs itself may be what is missing.
        missing = (error.name or package).partition(".")[0]
        inner = "" if missing == package else f" (it lacks {missing})"
        raise UsageError(f"{what} by {package}, which is not here{inner}", f"pip install {package}") from error
