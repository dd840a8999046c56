"""Which library finds the centres. Needs none of them to be installed."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Literal

from ...core.errors import UsageError
from ...core.extras import extra

Backend = Literal["faiss", "sklearn", "torch"]
BACKENDS: tuple[Backend, ...] = ("faiss", "sklearn", "torch")
WHAT = "clusters are found"


def choose_backend(asked: str = "auto") -> Backend:
    """The library that trains: the one that is asked for, or the first that is here. UsageError where none is.

    torch only where it sees a GPU, or is asked for: on a CPU faiss is faster.
    """
    if asked != "auto":
        found = next((each for each in BACKENDS if each == asked), None)
        if found is None:
            raise UsageError(f"there is no {asked!r} for k-means", f"there are auto, {', '.join(BACKENDS)}")
        extra(found, WHAT)
        return found
    if importlib.util.find_spec("torch") is not None and importlib.import_module("torch").cuda.is_available():
        return "torch"
    if importlib.util.find_spec("faiss") is None and importlib.util.find_spec("sklearn") is not None:
        return "sklearn"
    extra("faiss", WHAT)
    return "faiss"
