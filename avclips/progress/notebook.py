"""Which progress bar fits where we run: a terminal's, or a notebook's."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs us: its output is no terminal, and shows a bar all the same."""
    # IPython is there already where it is what runs us.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def bar_here() -> type[Any]:
    """The class of the bar: tqdm's own choice in a notebook, which is a widget where ipywidgets are there."""
    if not in_notebook():
        return tqdm
    from tqdm.auto import tqdm as auto

    return auto
