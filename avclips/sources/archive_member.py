"""One file in an archive: what its name says, whether it is taken, and how its bytes are copied.

What all kinds of archives have in common. Members are untrusted: one with an absolute path, with "..", a link, a
bomb, is refused. Knows neither a format of archives nor which clips are wanted.
"""

from __future__ import annotations

import errno
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from ..core.errors import RunError

# What a clip's film, and its sound alone, may be called; of several in one archive, the first of these is taken.
FILMS = (".mp4", ".mkv", ".webm")
SOUNDS = (".wav", ".flac", ".m4a")
ENDINGS = frozenset(FILMS + SOUNDS)
_MANIFEST = re.compile(r"manifest(\.[0-9]+-of-[0-9]+)?\.jsonl")

# Bounds for an untrusted member: no clip is so large, and no video shrinks so much.
LARGEST = 8 * 1024**3
RATIO = 100
PIECE = 1 << 20

# What the readers of the standard library raise at files that are not what they should be.
BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    ValueError,
    OverflowError,
    RecursionError,
)


@dataclass(frozen=True)
class Member:
    """One file in an archive. ``at``: its place there; ``refusal``: why it is not taken, empty where it is."""

    name: str
    size: int
    at: int
    refusal: str = ""


class Archive(Protocol):
    """One folder, zip or tar."""

    path: Path

    def members(self) -> Iterable[Member]: ...

    def read(self, member: Member, target: Path, due: Callable[[Member], bool]) -> None:
        """Write a member to ``target``; ``due``: whether another one will be asked for."""

    def close(self) -> None: ...


def path_in(name: str) -> PurePosixPath:
    """A member's name as a path within its archive."""
    # Some programs write a zip with the other slash.
    return PurePosixPath(name.replace("\\", "/"))


def clip_id_of(name: str) -> str:
    """The clip that a member is called after; empty where it is neither a film nor a sound."""
    path = path_in(name)
    return path.stem if path.suffix.lower() in ENDINGS else ""


def ending_of(name: str) -> str:
    """What a member's name ends with, in small letters: ".mp4"."""
    return path_in(name).suffix.lower()


def is_manifest(name: str) -> bool:
    """Whether a file is called as a manifest of ours, or as a partition's."""
    return _MANIFEST.fullmatch(name) is not None


def refusal_of(name: str, size: int, packed: int, is_file: bool) -> str:
    """Why a member is not taken; empty where it is."""
    path = path_in(name)
    if path.is_absolute() or ".." in path.parts or name[1:3] == ":\\":
        return "has a path that leads out of the archive"
    if not is_file:
        return "is a link or a device, not a file"
    if size > LARGEST:
        return f"says that it has {size / 1e9:.0f} GB"
    if size > RATIO * max(packed, 1) and size > PIECE:
        return f"says that it unpacks to {size / max(packed, 1):.0f} times its size"
    return ""


def copy_member(source: IO[bytes], target: Path, member: Member) -> None:
    """Copy a member, whose size is only what its header says: not a byte more is written, none may be missing."""
    left = member.size
    with open(target, "wb") as sink:
        while piece := source.read(min(PIECE, left + 1)):
            left -= len(piece)
            if left < 0:
                raise EOFError(f"holds more than the {member.size} bytes that it names")
            sink.write(piece)
    if left:
        raise EOFError(f"breaks off {left} bytes before its end")


def unreadable(path: Path, error: Exception) -> RunError:
    """What to say of an archive that cannot be read, or is not whole."""
    if isinstance(error, OSError) and error.errno != errno.EINVAL and error.strerror:
        return RunError(f"{path} cannot be read: {error.strerror}", "check its owner and its mount")
    why = str(error).partition("\n")[0] or type(error).__name__
    return RunError(
        f"{path} is not a whole zip or tar: {why}",
        "fetch it again, or leave it out of --archives",
    )
