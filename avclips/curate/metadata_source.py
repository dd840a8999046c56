"""Where the lines of metadata come from: a table, packed or not, or the info files of a data folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..core.errors import UsageError
from ..lists.files import Source as File
from ..lists.files import find_sources, no_such_file
from .metadata import LONGEST_LINE

# Of a table, so many bytes at both ends tell it from others.
_ENDS = 1 << 20


@dataclass(frozen=True)
class Source:
    """``files``: of a table, one behind the other; ``folder``: in their place, the data folder with info/."""

    files: tuple[File, ...] = ()
    folder: Path | None = None

    def fingerprint(self) -> str:
        """The same for the same bytes, as far as names, sizes and both ends of each file tell."""
        told = hashlib.sha256()
        for path in [file.path for file in self.files] or self._infos():
            size = path.stat().st_size
            told.update(f"{size}\n".encode())
            with open(path, "rb") as stream:
                told.update(stream.read(_ENDS))
                stream.seek(max(0, size - _ENDS))
                told.update(stream.read(_ENDS))
        return told.hexdigest()[:16]

    def chunks(self, lines: int) -> Iterator[list[bytes]]:
        """All lines with their ends, so many together. UsageError where a file cannot be read."""
        chunk: list[bytes] = []
        for line in self._lines():
            chunk.append(line)
            if len(chunk) == lines:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _lines(self) -> Iterator[bytes]:
        if self.folder is not None:
            yield from map(_line_of, self._infos())
        for file in self.files:
            with file.open() as stream:
                yield from _lines_of(stream)

    def _infos(self) -> list[Path]:
        assert self.folder is not None
        return sorted(path for path in (self.folder / "info").rglob("*.json") if path.is_file())


def find(word: str) -> Source:
    """What a user names: a table, a pattern of tables, or a data folder. UsageError where it is none."""
    path = Path(word)
    if path.is_dir():
        source = Source(folder=path)
        if not source._infos():
            raise UsageError(
                f"{path} has no info/ID.json", "a data folder has them with --info; else name a table"
            )
        return source
    if word == "-":
        raise UsageError("metadata cannot be read from -", "a run that goes on reads it again: name a file")
    files = find_sources(word)
    if not files:
        raise no_such_file(word)
    return Source(tuple(files))


def _lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream. Of one that is too long, the beginning."""
    while line := stream.readline(LONGEST_LINE + 2):
        yield line
        while not line.endswith(b"\n") and (line := stream.readline(1 << 20)):
            pass


def _line_of(path: Path) -> bytes:
    """An info file as a line: an address, a tab, the object."""
    text = path.read_bytes()
    try:
        said = json.loads(text)
        video = said.get("url") or said.get("id") or path.stem
        return f"{video}\t{json.dumps(said, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace")
    except (ValueError, AttributeError, RecursionError):
        # As it is, in one line: it is dropped with what is wrong with it.
        return path.stem.encode() + b"\t" + b" ".join(text.split())[:LONGEST_LINE] + b"\n"
