"""What a decoder is given of a file: a path that it opens itself, or the bytes of a tar, a table or a store."""

from __future__ import annotations

from ..catalog.places import is_file, read
from ..catalog.sample import Place

# What a decoder opens: a local path, or all bytes of a file.
Source = str | bytes


def source_of(place: Place) -> Source:
    """A local file by its path; anything else as bytes. RunError where it cannot be read."""
    return place.path if is_file(place) else read(place)


def path_of(place: Place | None) -> str | None:
    """The path of a file that is one by itself on this machine; None for any other."""
    return place.path if place is not None and is_file(place) else None
