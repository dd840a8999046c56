"""Something that is fuzzed, and how bytes become a file for it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """Something that reads what strangers wrote; ``allowed`` is what it may raise."""

    name: str
    seeds: list[bytes]
    read: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...]


def in_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    """A reader of bytes out of a reader of files."""
    path = Path(tempfile.mkdtemp(prefix="avclips-fuzz-")) / name

    def through_file(data: bytes) -> None:
        path.write_bytes(data)
        read(path)

    return through_file
