"""A zip, member by member. Knows zipfile."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ..core.errors import RunError
from .archive_member import Member, copy_member, refusal_of


class Zip:
    """A zip; its directory is at its end, so one that was cut off does not open. Each member's sum is checked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = zipfile.ZipFile(path)
        # By place: two members may have one name.
        self._infos: dict[int, zipfile.ZipInfo] = {}

    def members(self) -> Iterator[Member]:
        for info in self._zip.infolist():
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise RunError(
                    f"{self.path} is protected by a password",
                    "unpack it with its password, and give the folder to --archives",
                )
            is_file = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)
            refusal = refusal_of(info.filename, info.file_size, info.compress_size, is_file)
            self._infos.setdefault(info.header_offset, info)
            yield Member(info.filename, info.file_size, info.header_offset, refusal)

    def read(self, member: Member, target: Path, due: Callable[[Member], bool]) -> None:
        with self._zip.open(self._infos[member.at]) as source:
            copy_member(source, target, member)

    def close(self) -> None:
        self._zip.close()
