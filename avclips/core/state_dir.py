"""Where what several runs share is kept: paces, and blocks."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def default_state_dir() -> Path:
    """The user's cache folder for this program."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "avclips"
    except RuntimeError:
        # A container's user without a home: all of it on this machine share one.
        return Path(tempfile.gettempdir()) / f"avclips-{os.getuid()}"
