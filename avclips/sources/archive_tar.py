"""A tar, member by member, and what all readers of tars must see to. Knows tarfile.

The headers are untrusted: none of a great length is read whole, none leads back, and what breaks off in
the middle is an error where tarfile takes it for the end.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .archive_member import BROKEN, PIECE, Member, refusal_of, unreadable


class BoundedInfo(tarfile.TarInfo):
    """A header of a tar; tarfile would read a name of gigabytes whole."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        if self.type in _LONG_NAMES and self.size > PIECE:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return super()._proc_member(tar)  # type: ignore[misc]


_LONG_NAMES = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


def is_plain_tar(path: Path) -> bool:
    """Whether a file is a tar that is not compressed."""
    try:
        tarfile.open(path, "r:", tarinfo=BoundedInfo).close()
    except tarfile.ReadError:
        return False
    return True


def member_of(info: tarfile.TarInfo, packed: int) -> Member:
    """A header as a member; ``packed``: the bytes that it takes in the archive."""
    refusal = refusal_of(info.name, info.size, packed, info.isreg() and not info.issparse())
    return Member(info.name, info.size, info.offset_data, refusal)


class Tar:
    """A tar as it is: a member is the bytes at its place."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def members(self) -> Iterator[Member]:
        try:
            with tarfile.open(self.path, "r:", tarinfo=BoundedInfo) as tar:
                for info in forward(tar):
                    yield member_of(info, info.size)
        except (OSError, *BROKEN) as error:
            raise unreadable(self.path, error) from error

    def read(self, member: Member, target: Path, due: Callable[[Member], bool]) -> None:
        with open(self.path, "rb") as tar, open(target, "wb") as sink:
            tar.seek(member.at)
            left = member.size
            while left and (piece := tar.read(min(PIECE, left))):
                sink.write(piece)
                left -= len(piece)
        if left:
            raise EOFError(f"breaks off {left} bytes before its end")

    def close(self) -> None:
        pass


def forward(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of a tar, which tarfile would otherwise all remember; an error where it ends in the middle."""
    while (info := tar.next()) is not None:
        tar.members = []  # type: ignore[attr-defined]
        if info.size < 0:
            # tarfile would go back by so much, and find this member again.
            raise tarfile.ReadError(f"{info.name!r} says that it has {info.size} bytes")
        if not info.isdir():
            yield info
    # Behind the last member are two empty blocks, or nothing. tarfile takes a broken header for the end.
    with suppress(EOFError):
        if tar.fileobj.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise tarfile.ReadError("a broken header, and more behind it")
