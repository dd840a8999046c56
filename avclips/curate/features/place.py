"""What PyAV is given of a clip's file: a name, or a file in memory."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ...catalog.places import is_file, read
from ...catalog.sample import Place


def source_of(place: Place) -> Any:
    """What PyAV opens to read. Unreadable where its bytes cannot be read, or not all of them are there."""
    if is_file(place):
        # PyAV takes a name with a colon for a protocol.
        return f"file:{Path(place.path).absolute()}"
    return io.BytesIO(read(place))
