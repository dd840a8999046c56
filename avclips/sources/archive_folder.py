"""A folder of files that a user has already, read as an archive."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ..core.errors import RunError
from .archive_member import Member, clip_id_of, copy_member, is_manifest


class Folder:
    """A folder of the user's own; links in it are theirs, and followed to files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def members(self) -> Iterator[Member]:
        found = sorted(
            each for each in files_beneath(self.path) if clip_id_of(each.name) or is_manifest(each.name)
        )
        for at, path in enumerate(found):
            yield Member(str(path.relative_to(self.path)), path.stat().st_size, at)

    def read(self, member: Member, target: Path, due: Callable[[Member], bool]) -> None:
        with open(self.path / member.name, "rb") as source:
            copy_member(source, target, member)

    def close(self) -> None:
        pass


def files_beneath(folder: Path) -> Iterator[Path]:
    """Every file beneath a folder; RunError where one of its folders cannot be read: it would seem empty."""

    def fail(error: OSError) -> None:
        raise RunError(f"{error.filename} cannot be read: {error.strerror}", "check its owner and its mount")

    for inside, _, names in os.walk(folder, onerror=fail):
        yield from (path for name in names if (path := Path(inside, name)).is_file())
