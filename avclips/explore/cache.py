"""Where the explorer keeps what it makes once: its index, thumbnails, coordinates."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..core.errors import RunError
from ..core.files import is_local
from ..core.state_dir import default_state_dir

NAME = ".explore"


def cache_folder(source: str) -> Path:
    """The folder for a source's cache: in the data folder, or in the user's own where that cannot be written.

    ``source``: a data folder, or an output of shards by its path or address. RunError where neither can be.
    """
    inside = Path(source) / NAME
    if Path(source).is_dir() and os.access(source, os.W_OK) and not inside.is_symlink():
        inside.mkdir(exist_ok=True)
        return inside
    named = hashlib.sha256(os.path.abspath(source).encode() if is_local(source) else source.encode())  # noqa: PTH100
    outside = default_state_dir() / "explore" / named.hexdigest()[:16]
    try:
        outside.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"neither {source} nor {outside} can be written: {error.strerror}", "name a --cache"
        ) from error
    return outside
