"""A compressed tar, which can be read from front to back alone. Knows gzip, bzip2 and xz."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from .archive_member import BROKEN, PIECE, Member, copy_member, unreadable
from .archive_tar import BoundedInfo, forward, member_of

# Zeros behind the end of a tar, at most: tar fills up its last record.
_MOST_PADDING = 1 << 24
# What opens a compressed file, by its first bytes: of several streams one behind the other, too.
_OPENERS: dict[bytes, Callable[[Path], IO[bytes]]] = {
    b"\x1f\x8b": gzip.open,  # type: ignore[dict-item]
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}


class CompressedTar:
    """A compressed tar: read once to know what it holds, and once more, from front to back, for its members.

    What is due and lies before the member asked for is kept beside it until it is asked for: to go back
    would be to unpack all of it again. That is done only for a member that was taken already, or lost to a full
    disk.
    """

    def __init__(self, path: Path, spill: Path) -> None:
        self.path = path
        self._spill = spill
        self._kept: dict[int, Path] = {}
        self._given: set[int] = set()
        self._lock = threading.Lock()
        self._stream: Decompressed | None = None
        self._tar: tarfile.TarFile | None = None
        # How far the tar was read.
        self._at = 0

    def members(self) -> Iterator[Member]:
        packed = self.path.stat().st_size
        try:
            with Decompressed(self.path) as stream, _open_tar(stream) as tar:
                for info in forward(tar):
                    # The ratio of the whole: a compressed tar does not tell that of its members.
                    yield member_of(info, packed)
                stream.read_on()
        except (OSError, *BROKEN) as error:
            raise unreadable(self.path, error) from error

    def read(self, member: Member, target: Path, due: Callable[[Member], bool]) -> None:
        with self._lock:
            if (kept := self._kept.pop(member.at, None)) is not None:
                shutil.move(kept, target)
            else:
                try:
                    self._read_on(member, target, due)
                except BaseException:
                    # Somewhere within a member: the next one begins at the front.
                    self.close()
                    raise
            self._given.add(member.at)

    def _read_on(self, member: Member, target: Path, due: Callable[[Member], bool]) -> None:
        if self._tar is None or self._at >= member.at:
            self.close()
            self._stream = Decompressed(self.path)
            self._tar = _open_tar(self._stream)
        packed = self.path.stat().st_size
        for info in forward(self._tar):
            here = member_of(info, packed)
            self._at = here.at
            if here == member:
                self._copy(info, target, here)
                return
            if here.at not in self._kept and here.at not in self._given and due(here):
                self._spill.mkdir(parents=True, exist_ok=True)
                path = self._spill / f"{id(self)}-{here.at}"
                try:
                    self._copy(info, path, here)
                except BaseException:
                    path.unlink(missing_ok=True)
                    raise
                self._kept[here.at] = path
        raise EOFError("is not where it was")

    def _copy(self, info: tarfile.TarInfo, target: Path, member: Member) -> None:
        assert self._tar is not None
        source = self._tar.extractfile(info)
        assert source is not None
        with source:
            copy_member(source, target, member)

    def close(self) -> None:
        if self._tar is not None:
            self._tar.close()
        if self._stream is not None:
            self._stream.close()
        self._stream, self._tar, self._at = None, None, 0


class Decompressed:
    """The bytes of a compressed file, from front to back.

    Whoever reads on and on behind their end gets an error: tarfile would, for a size that is a lie.
    """

    def __init__(self, path: Path) -> None:
        with open(path, "rb") as stream:
            begin = stream.read(6)
        opener = next((each for magic, each in _OPENERS.items() if begin.startswith(magic)), None)
        if opener is None:
            raise tarfile.ReadError("neither a zip nor a tar, compressed or not")
        self._stream = opener(path)
        self._ends = 0

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._ends += not piece
        if self._ends > 3:
            raise EOFError("breaks off")
        return piece

    def read_on(self) -> None:
        """To the end, where the sums are: what follows a tar is padding."""
        left = _MOST_PADDING
        while left > 0 and (piece := self._stream.read(PIECE)):
            left -= len(piece)

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Decompressed:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _open_tar(stream: Decompressed) -> tarfile.TarFile:
    found: tarfile.TarFile
    found = tarfile.open(fileobj=stream, mode="r|", tarinfo=BoundedInfo)  # type: ignore[call-overload]  # noqa: SIM115
    return found
