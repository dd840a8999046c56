"""Folders, zips and tars that a user has already: which clips lie in them, and their bytes.

A clip's file is ``<clip id>.mp4``, or has another ending of a film or a sound, however deep it lies. Knows names
and members, not media, and no name of a member ever becomes a path. Workers share one Archives.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import RunError, Transient
from ..core.files import is_about_the_disk, is_full
from .archive_compressed_tar import CompressedTar
from .archive_folder import Folder, files_beneath
from .archive_member import BROKEN, FILMS, Archive, Member, clip_id_of, ending_of, is_manifest, path_in, unreadable
from .archive_tar import Tar, is_plain_tar
from .archive_zip import Zip

log = logging.getLogger("avclips.sources.archives")

_ARCHIVE_ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz")


@dataclass(frozen=True)
class Exact:
    """Files of a clip that are right as they are: the line of their manifest, and "video", "audio" as members."""

    number: int
    line: Mapping[str, Any]
    members: Mapping[str, Member]


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
        clip_id = clip_id_of(member.name)
        if is_manifest(path_in(member.name).name):
            self.manifests.append((number, member))
        if clip_id not in self._wanted:
            if clip_id:
                self.others, self.other = self.others + 1, self.other if self.others else member.name
            return
        self._named.setdefault((number, member.name), member)
        if ending_of(member.name) not in self._endings or not self._is_better(clip_id, number, member):
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
        return (
            where == number and rank(ending_of(member.name)) < rank(ending_of(found.name)) and not member.refusal
        )

    def member(self, number: int, name: str) -> Member | None:
        """The file of this name in an archive, of those that are called as a clip that is wanted."""
        return self._named.get((number, name))

    @property
    def empty(self) -> bool:
        """Whether it holds no clip's file."""
        return not self._found and not self.exact

    def holds(self, clip_id: str) -> bool:
        """Whether the clip's file is here and may be tried."""
        return clip_id in self._found or clip_id in self.exact

    def ending(self, clip_id: str) -> str:
        """What the name of the clip's file ends with; empty where none is taken but as it is."""
        found = self._found.get(clip_id)
        return ending_of(found[1].name) if found else ""

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
            clip_id = clip_id_of(other.name)
            if (exact := self.exact.get(clip_id)) is not None and exact.number == number:
                return other in exact.members.values()
            return self._found.get(clip_id) == (number, other)

        try:
            archive.read(member, target, due)
        except OSError as error:
            if is_full(error) or (is_about_the_disk(error) and error.filename != str(archive.path)):
                raise
            raise Transient("archive", f"{origin}: {error}") from error
        except (RuntimeError, *BROKEN) as error:
            raise Transient("archive", f"{origin}: {error or type(error).__name__}") from error
        return origin

    def close(self) -> None:
        """Let go of the files; their clips are no longer offered."""
        for archive in self._archives:
            archive.close()
        self._found.clear()
        self.exact.clear()


def _open_all(path: Path, spill: Path) -> Iterator[Archive]:
    if path.is_dir():
        yield Folder(path)
        for packed in sorted(each for each in files_beneath(path) if each.name.lower().endswith(_ARCHIVE_ENDINGS)):
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
            return Zip(path)
        return Tar(path) if is_plain_tar(path) else CompressedTar(path, spill)
    except (OSError, *BROKEN) as error:
        raise unreadable(path, error) from error
