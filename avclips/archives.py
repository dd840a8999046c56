"""Folders, zips and tars that a user has already: which clips lie in them, and their bytes.

A clip's file is ``<clip id>.mp4``, however deep it lies. Knows names and members, not media. Members are
strangers' words: one with an absolute path, with "..", a link, a bomb, is refused, and no name of a member ever
becomes a path. Workers share one Archives.
"""

from __future__ import annotations

import lzma
import shutil
import stat
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from .errors import RunError, Transient
from .files import is_about_the_disk

ENDING = ".mp4"
PACKED = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
# Bounds for a stranger's member: no clip is so large, and no video shrinks so much.
LARGEST = 8 * 1024**3
RATIO = 100
_PIECE = 1 << 20

# What the readers of the standard library raise at files that are not what they should be.
_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    ValueError,
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

    def read(self, member: Member, target: Path) -> None: ...

    def close(self) -> None: ...


class Archives:
    """Every archive that a run was given, as one."""

    def __init__(self, wanted: Collection[str], spill: Path) -> None:
        """``wanted``: the clips' ids; ``spill``: a folder for what packed tars hold before the clip asked for."""
        self._wanted = wanted
        self._spill = spill
        self._archives: list[Archive] = []
        self._found: dict[str, tuple[int, Member]] = {}
        self._refused: dict[str, str] = {}

    def add(self, path: Path) -> int:
        """Look through a folder (the archives in it too), a zip or a tar; return how many clips it adds.

        RunError where it cannot be read.
        """
        before = len(self._found)
        for archive in _open_all(path, self._spill, self._wanted):
            self._archives.append(archive)
            for member in archive.members():
                self._take(len(self._archives) - 1, member)
        return len(self._found) - before

    def _take(self, number: int, member: Member) -> None:
        clip_id = _clip_id(member.name)
        if clip_id not in self._wanted or clip_id in self._found:
            return
        if member.refusal:
            self._refused.setdefault(clip_id, f"{self._archives[number].path}: {member.name!r} {member.refusal}")
        else:
            self._found[clip_id] = (number, member)

    def holds(self, clip_id: str) -> bool:
        """Whether the clip's file is here and may be tried."""
        return clip_id in self._found

    def place(self, clip_id: str) -> tuple[int, int]:
        """Orders clips as they lie in the archives, those that are in none last."""
        number, member = self._found.get(clip_id, (len(self._archives), None))
        return number, member.at if member else 0

    def refusal(self, clip_id: str) -> str:
        """Why the clip's file was refused; empty where there was none."""
        return self._refused.get(clip_id, "")

    def refuse(self, clip_id: str, why: str) -> None:
        """The clip's file is of no use: it is not offered again."""
        self._found.pop(clip_id, None)
        self._refused[clip_id] = why

    def extract(self, clip_id: str, target: Path) -> str:
        """Write the clip's file to ``target``; return where it came from. Transient where it is broken."""
        number, member = self._found[clip_id]
        archive = self._archives[number]
        origin = f"{archive.path}:{member.name}"
        try:
            archive.read(member, target)
        except OSError as error:
            if is_about_the_disk(error) and error.filename in (None, str(target)):
                raise
            raise Transient("archive", f"{origin}: {error}") from error
        except (RuntimeError, *_BROKEN) as error:
            raise Transient("archive", f"{origin}: {error or type(error).__name__}") from error
        return origin

    def close(self) -> None:
        """Let go of the files; their clips are no longer offered."""
        for archive in self._archives:
            archive.close()
        self._found.clear()


def _clip_id(name: str) -> str:
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() == ENDING else ""


def _open_all(path: Path, spill: Path, wanted: Collection[str]) -> Iterator[Archive]:
    if path.is_dir():
        yield _Folder(path)
        for packed in sorted(each for each in path.rglob("*") if each.name.lower().endswith(PACKED)):
            if packed.is_file():
                yield _open(packed, spill, wanted)
    elif path.is_file():
        yield _open(path, spill, wanted)
    else:
        raise RunError(f"--archives {path}: there is no such file or folder", "name a folder, a zip or a tar")


def _open(path: Path, spill: Path, wanted: Collection[str]) -> Archive:
    """The reader that fits the file's bytes, whatever its name; RunError says what is wrong with it."""
    try:
        with open(path, "rb") as stream:
            begin = stream.read(512)
        if begin.lstrip().lower().startswith((b"<!doctype", b"<html")):
            raise RunError(
                f"{path} is a web page, not an archive (Google Drive sends one when too many fetched the file)",
                "look at it in a browser; fetch the file again later, or by hand while signed in",
            )
        if begin.startswith(b"PK"):
            return _Zip(path)
        return _Tar(path) if _is_plain_tar(path) else _PackedTar(path, spill, wanted)
    except (OSError, *_BROKEN) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> RunError:
    if isinstance(error, OSError) and error.strerror:
        return RunError(f"{path} cannot be read: {error.strerror}", "check its owner and its mount")
    return RunError(
        f"{path} is not a whole zip or tar: {error or type(error).__name__}",
        "fetch it again, or leave it out of --archives",
    )


def _refusal(name: str, size: int, packed: int, is_file: bool) -> str:
    """Why a member is not taken; empty where it is."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or name[1:3] == ":\\":
        return "has a path that leads out of the archive"
    if not is_file:
        return "is a link or a device, not a file"
    if size > LARGEST:
        return f"says that it has {size / 1e9:.0f} GB"
    if size > RATIO * max(packed, 1) and size > _PIECE:
        return f"says that it unpacks to {size / max(packed, 1):.0f} times its size"
    return ""


def _pour(source: IO[bytes], target: Path, member: Member) -> None:
    """Copy a member, whose size is only what its header says: not a byte more is written, none may be missing."""
    left = member.size
    with open(target, "wb") as sink:
        while piece := source.read(min(_PIECE, left + 1)):
            left -= len(piece)
            if left < 0:
                raise EOFError(f"holds more than the {member.size} bytes that it names")
            sink.write(piece)
    if left:
        raise EOFError(f"breaks off {left} bytes before its end")


class _Folder:
    """A folder of the user's own; links in it are theirs, and followed to files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def members(self) -> Iterator[Member]:
        found = sorted(each for each in self.path.rglob(f"*{ENDING}") if each.is_file())
        for at, path in enumerate(found):
            yield Member(str(path.relative_to(self.path)), path.stat().st_size, at)

    def read(self, member: Member, target: Path) -> None:
        shutil.copyfile(self.path / member.name, target)

    def close(self) -> None:
        pass


class _Zip:
    """A zip; its directory is at its end, so one that was cut off does not open. Each member's sum is checked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = zipfile.ZipFile(path)

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
            refusal = _refusal(info.filename, info.file_size, info.compress_size, is_file)
            yield Member(info.filename, info.file_size, info.header_offset, refusal)

    def read(self, member: Member, target: Path) -> None:
        with self._zip.open(member.name) as source:
            _pour(source, target, member)

    def close(self) -> None:
        self._zip.close()


def _is_plain_tar(path: Path) -> bool:
    try:
        tarfile.open(path, "r:").close()
    except tarfile.ReadError:
        return False
    return True


def _tar_member(path: Path, info: tarfile.TarInfo, packed: int) -> Member:
    refusal = _refusal(info.name, info.size, packed, info.isreg() and not info.issparse())
    return Member(info.name, info.size, info.offset_data, refusal)


class _Tar:
    """A tar as it is: a member is the bytes at its place."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def members(self) -> Iterator[Member]:
        try:
            with tarfile.open(self.path, "r:") as tar:
                for info in tar:
                    if not info.isdir():
                        yield _tar_member(self.path, info, info.size)
        except (OSError, *_BROKEN) as error:
            raise _unreadable(self.path, error) from error

    def read(self, member: Member, target: Path) -> None:
        with open(self.path, "rb") as tar, open(target, "wb") as sink:
            tar.seek(member.at)
            left = member.size
            while left and (piece := tar.read(min(_PIECE, left))):
                sink.write(piece)
                left -= len(piece)
        if left:
            raise EOFError(f"breaks off {left} bytes before its end")

    def close(self) -> None:
        pass


class _PackedTar:
    """A compressed tar: read once to know what it holds, and once more, from front to back, for its members.

    What is wanted and lies before the member asked for is kept beside it until it is asked for: to go back
    would be to unpack all of it again.
    """

    def __init__(self, path: Path, spill: Path, wanted: Collection[str]) -> None:
        self.path = path
        self._wanted = wanted
        self._spill = spill
        self._kept: dict[int, Path] = {}
        self._lock = threading.Lock()
        self._tar: tarfile.TarFile | None = None
        # A trial: what is no tar shows here.
        tarfile.open(path, "r:*").close()

    def members(self) -> Iterator[Member]:
        try:
            with tarfile.open(self.path, "r|*") as tar:
                for info in _forward(tar):
                    # The ratio of the whole: a compressed tar does not tell that of its members.
                    yield _tar_member(self.path, info, self.path.stat().st_size)
        except (OSError, *_BROKEN) as error:
            raise _unreadable(self.path, error) from error

    def read(self, member: Member, target: Path) -> None:
        with self._lock:
            if (kept := self._kept.pop(member.at, None)) is not None:
                shutil.move(kept, target)
                return
            if self._tar is None:
                self._tar = tarfile.open(self.path, "r|*")  # noqa: SIM115 - closed by close()
            for info in _forward(self._tar):
                here = _tar_member(self.path, info, self.path.stat().st_size)
                if here.at == member.at:
                    self._pour(info, target, here)
                    return
                if not here.refusal and _clip_id(here.name) in self._wanted:
                    self._spill.mkdir(parents=True, exist_ok=True)
                    self._kept[here.at] = self._spill / f"{id(self)}-{here.at}{ENDING}"
                    self._pour(info, self._kept[here.at], here)
        raise EOFError("is not where it was")

    def _pour(self, info: tarfile.TarInfo, target: Path, member: Member) -> None:
        assert self._tar is not None
        source = self._tar.extractfile(info)
        assert source is not None
        with source:
            _pour(source, target, member)

    def close(self) -> None:
        if self._tar is not None:
            self._tar.close()


def _forward(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of a stream, which tarfile would otherwise all remember."""
    while (info := tar.next()) is not None:
        tar.members = []  # type: ignore[attr-defined]
        if not info.isdir():
            yield info
