"""Folders, zips and tars that a user has already: which clips lie in them, and their bytes.

A clip's file is ``<clip id>.mp4``, or has another ending of a film or a sound, however deep it lies. Knows names
and members, not media. Members are untrusted: one with an absolute path, with "..", a link, a bomb, is
refused, and no name of a member ever becomes a path. Workers share one Archives.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import logging
import lzma
import os
import re
import shutil
import stat
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Protocol

from ..core.errors import RunError, Transient
from ..core.files import is_about_the_disk, is_full

log = logging.getLogger("avclips.sources.archives")

# What a clip's film, and its sound alone, may be called; of several in one archive, the first of these is taken.
FILMS = (".mp4", ".mkv", ".webm")
SOUNDS = (".wav", ".flac", ".m4a")
ENDINGS = frozenset(FILMS + SOUNDS)
_MANIFEST = re.compile(r"manifest(\.[0-9]+-of-[0-9]+)?\.jsonl")
PACKED = (".zip", ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz")
# Bounds for an untrusted member: no clip is so large, and no video shrinks so much.
LARGEST = 8 * 1024**3
RATIO = 100
_PIECE = 1 << 20
# Zeros behind the end of a tar, at most: tar fills up its last record.
_PADDING = 1 << 24

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
    OverflowError,
    RecursionError,
)

# What opens a compressed file, by its first bytes: of several streams one behind the other, too.
_UNPACKERS: dict[bytes, Callable[[Path], IO[bytes]]] = {
    b"\x1f\x8b": gzip.open,  # type: ignore[dict-item]
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}


@dataclass(frozen=True)
class Member:
    """One file in an archive. ``at``: its place there; ``refusal``: why it is not taken, empty where it is."""

    name: str
    size: int
    at: int
    refusal: str = ""


@dataclass(frozen=True)
class Exact:
    """Files of a clip that are right as they are: the line of their manifest, and "video", "audio" as members."""

    number: int
    line: Mapping[str, Any]
    members: Mapping[str, Member]


class Archive(Protocol):
    """One folder, zip or tar."""

    path: Path

    def members(self) -> Iterable[Member]: ...

    def read(self, member: Member, target: Path, due: Callable[[Member], bool]) -> None:
        """Write a member to ``target``; ``due``: whether another one will be asked for."""

    def close(self) -> None: ...


class Archives:
    """Every archive that a run was given, as one."""

    def __init__(self, wanted: Collection[str], spill: Path, endings: Sequence[str] = FILMS) -> None:
        """``wanted``: the clips' ids; ``spill``: a folder for what packed tars hold before the clip asked for.

        ``endings``: of the files that can be a clip's, the best first.
        """
        self._wanted = wanted
        self.spill = spill
        self._endings = endings
        # By the name in its archive, every file that is called as a clip that is wanted.
        self._named: dict[tuple[int, str], Member] = {}
        # Manifests that were met, for whoever can read them; and the clips that are right as they are.
        self.manifests: list[tuple[int, Member]] = []
        self.exact: dict[str, Exact] = {}
        self._archives: list[Archive] = []
        self._found: dict[str, tuple[int, Member]] = {}
        self._refused: dict[str, str] = {}
        # Of the archive that was added last: its films and sounds that no clip is called after.
        self.others = 0
        self.other = ""

    def add(self, path: Path) -> int:
        """Look through a folder (the archives in it too), a zip or a tar; return how many clips it adds.

        RunError where it cannot be read.
        """
        before, self.others = len(self._found), 0
        for archive in _open_all(path, self.spill):
            self._archives.append(archive)
            for member in archive.members():
                self._take(len(self._archives) - 1, member)
        return len(self._found) - before

    def _take(self, number: int, member: Member) -> None:
        clip_id = _clip_id(member.name)
        if _MANIFEST.fullmatch(_path(member.name).name):
            self.manifests.append((number, member))
        if clip_id not in self._wanted:
            if clip_id:
                self.others, self.other = self.others + 1, self.other if self.others else member.name
            return
        self._named.setdefault((number, member.name), member)
        if _ending(member.name) not in self._endings or not self._is_better(clip_id, number, member):
            return
        if member.refusal:
            why = f"{self._archives[number].path}: {member.name!r} {member.refusal}"
            log.warning("%s is not taken from the archives: %s", clip_id, why)
            self._refused.setdefault(clip_id, why)
        else:
            self._found[clip_id] = (number, member)

    def _is_better(self, clip_id: str, number: int, member: Member) -> bool:
        """Whether a file is to be taken before the one that was found: of one archive, by its ending."""
        if clip_id not in self._found:
            return True
        where, found = self._found[clip_id]
        rank = self._endings.index
        return where == number and rank(_ending(member.name)) < rank(_ending(found.name)) and not member.refusal

    def member(self, number: int, name: str) -> Member | None:
        """The file of this name in an archive, of those that are called as a clip that is wanted."""
        return self._named.get((number, name))

    def holds(self, clip_id: str) -> bool:
        """Whether the clip's file is here and may be tried."""
        return clip_id in self._found or clip_id in self.exact

    def ending(self, clip_id: str) -> str:
        """What the name of the clip's file ends with; empty where none is taken but as it is."""
        found = self._found.get(clip_id)
        return _ending(found[1].name) if found else ""

    def place(self, clip_id: str) -> tuple[int, int]:
        """Orders clips as they lie in the archives, those that are in none last."""
        number, member = self._found.get(clip_id, (len(self._archives), None))
        if member is None and (exact := self.exact.get(clip_id)) is not None:
            number, member = exact.number, next(iter(exact.members.values()))
        return number, member.at if member else 0

    def refusal(self, clip_id: str) -> str:
        """Why the clip's file was refused; empty where there was none."""
        return self._refused.get(clip_id, "")

    @property
    def refusals(self) -> Mapping[str, str]:
        """The clips whose file was not taken so far, and why."""
        return self._refused

    def refuse(self, clip_id: str, why: str) -> None:
        """The clip's file is of no use: it is not offered again."""
        self._found.pop(clip_id, None)
        self._refused[clip_id] = why

    def extract(self, clip_id: str, target: Path) -> str:
        """Write the clip's file to ``target``; return where it came from. Transient where it is broken."""
        number, member = self._found[clip_id]
        return self.read(number, member, target)

    def read(self, number: int, member: Member, target: Path) -> str:
        """Write a file of an archive to ``target``; return where it came from. Transient where it is broken."""
        archive = self._archives[number]
        origin = f"{archive.path}:{member.name}"

        def due(other: Member) -> bool:
            clip_id = _clip_id(other.name)
            if (exact := self.exact.get(clip_id)) is not None and exact.number == number:
                return other in exact.members.values()
            return self._found.get(clip_id) == (number, other)

        try:
            archive.read(member, target, due)
        except OSError as error:
            if is_full(error) or (is_about_the_disk(error) and error.filename != str(archive.path)):
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
        self.exact.clear()


def _path(name: str) -> PurePosixPath:
    # Some programs write a zip with the other slash.
    return PurePosixPath(name.replace("\\", "/"))


def _clip_id(name: str) -> str:
    path = _path(name)
    return path.stem if path.suffix.lower() in ENDINGS else ""


def _ending(name: str) -> str:
    return _path(name).suffix.lower()


def _open_all(path: Path, spill: Path) -> Iterator[Archive]:
    if path.is_dir():
        yield _Folder(path)
        for packed in sorted(each for each in _files(path) if each.name.lower().endswith(PACKED)):
            yield _open(packed, spill)
    elif path.is_file():
        yield _open(path, spill)
    else:
        raise RunError(f"--archives {path}: there is no such file or folder", "name a folder, a zip or a tar")


def _open(path: Path, spill: Path) -> Archive:
    """The reader that fits the file's bytes, whatever its name; RunError says what is wrong with it."""
    try:
        with open(path, "rb") as stream:
            begin = stream.read(512)
        if begin.lstrip().lower().startswith((b"<!doctype", b"<html")):
            raise RunError(
                f"{path} is a web page, not an archive (Google Drive sends one when too many fetched the file)",
                "look at it in a browser; fetch the file again later, or by hand while signed in",
            )
        # A tar begins with a name, which may begin with PK.
        if begin.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return _Zip(path)
        return _Tar(path) if _is_plain_tar(path) else _CompressedTar(path, spill)
    except (OSError, *_BROKEN) as error:
        raise _unreadable(path, error) from error


def _files(folder: Path) -> Iterator[Path]:
    """Every file beneath a folder; RunError where one of its folders cannot be read: it would seem empty."""

    def fail(error: OSError) -> None:
        raise RunError(f"{error.filename} cannot be read: {error.strerror}", "check its owner and its mount")

    for inside, _, names in os.walk(folder, onerror=fail):
        yield from (path for name in names if (path := Path(inside, name)).is_file())


def _unreadable(path: Path, error: Exception) -> RunError:
    if isinstance(error, OSError) and error.errno != errno.EINVAL and error.strerror:
        return RunError(f"{path} cannot be read: {error.strerror}", "check its owner and its mount")
    why = str(error).partition("\n")[0] or type(error).__name__
    return RunError(
        f"{path} is not a whole zip or tar: {why}",
        "fetch it again, or leave it out of --archives",
    )


def _refusal(name: str, size: int, packed: int, is_file: bool) -> str:
    """Why a member is not taken; empty where it is."""
    path = _path(name)
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
        found = sorted(each for each in _files(self.path) if _clip_id(each.name) or _MANIFEST.fullmatch(each.name))
        for at, path in enumerate(found):
            yield Member(str(path.relative_to(self.path)), path.stat().st_size, at)

    def read(self, member: Member, target: Path, due: Callable[[Member], bool]) -> None:
        with open(self.path / member.name, "rb") as source:
            _pour(source, target, member)

    def close(self) -> None:
        pass


class _Zip:
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
            refusal = _refusal(info.filename, info.file_size, info.compress_size, is_file)
            self._infos.setdefault(info.header_offset, info)
            yield Member(info.filename, info.file_size, info.header_offset, refusal)

    def read(self, member: Member, target: Path, due: Callable[[Member], bool]) -> None:
        with self._zip.open(self._infos[member.at]) as source:
            _pour(source, target, member)

    def close(self) -> None:
        self._zip.close()


class _Bounded(tarfile.TarInfo):
    """A header of a tar; tarfile would read a name of gigabytes whole."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        if self.type in _NAMES and self.size > _PIECE:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return super()._proc_member(tar)  # type: ignore[misc]


_NAMES = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


def _is_plain_tar(path: Path) -> bool:
    try:
        tarfile.open(path, "r:", tarinfo=_Bounded).close()
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
            with tarfile.open(self.path, "r:", tarinfo=_Bounded) as tar:
                for info in _forward(tar):
                    yield _tar_member(self.path, info, info.size)
        except (OSError, *_BROKEN) as error:
            raise _unreadable(self.path, error) from error

    def read(self, member: Member, target: Path, due: Callable[[Member], bool]) -> None:
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


class _CompressedTar:
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
        self._stream: _Unpacked | None = None
        self._tar: tarfile.TarFile | None = None
        # How far the tar was read.
        self._at = 0

    def members(self) -> Iterator[Member]:
        packed = self.path.stat().st_size
        try:
            with _Unpacked(self.path) as stream, tarfile.open(fileobj=stream, mode="r|", tarinfo=_Bounded) as tar:  # type: ignore[call-overload]
                for info in _forward(tar):
                    # The ratio of the whole: a compressed tar does not tell that of its members.
                    yield _tar_member(self.path, info, packed)
                stream.read_on()
        except (OSError, *_BROKEN) as error:
            raise _unreadable(self.path, error) from error

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
            self._stream = _Unpacked(self.path)
            self._tar = tarfile.open(fileobj=self._stream, mode="r|", tarinfo=_Bounded)  # type: ignore[call-overload]  # noqa: SIM115
        packed = self.path.stat().st_size
        for info in _forward(self._tar):
            here = _tar_member(self.path, info, packed)
            self._at = here.at
            if here == member:
                self._pour(info, target, here)
                return
            if here.at not in self._kept and here.at not in self._given and due(here):
                self._spill.mkdir(parents=True, exist_ok=True)
                path = self._spill / f"{id(self)}-{here.at}"
                try:
                    self._pour(info, path, here)
                except BaseException:
                    path.unlink(missing_ok=True)
                    raise
                self._kept[here.at] = path
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
        if self._stream is not None:
            self._stream.close()
        self._stream, self._tar, self._at = None, None, 0


class _Unpacked:
    """The bytes of a compressed file, from front to back.

    Whoever reads on and on behind their end gets an error: tarfile would, for a size that is a lie.
    """

    def __init__(self, path: Path) -> None:
        with open(path, "rb") as stream:
            begin = stream.read(6)
        opener = next((each for magic, each in _UNPACKERS.items() if begin.startswith(magic)), None)
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
        left = _PADDING
        while left > 0 and (piece := self._stream.read(_PIECE)):
            left -= len(piece)

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> _Unpacked:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _forward(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
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
