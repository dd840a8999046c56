"""Reading the tables that stages wrote: of one that is torn or gone, people are told what makes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from ..core.errors import RunError
from ..core.redact import one_line


@contextmanager
def reading(path: Path, hint: str) -> Iterator[None]:
    """RunError for whatever keeps a table from being read, until the block ends. ``hint``: what to do about it."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{path} cannot be read: {one_line(error)}", hint) from error
