"""Which files a user means by the words behind a script's name, and their bytes, unpacked.

A word is a file, a folder, a pattern such as ``parts/*.csv``, or ``-`` for standard input; what is none of these
may be an address or an id, which somebody else knows.
"""

from __future__ import annotations

import bz2
import codecs
import glob
import gzip
import io
import lzma
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from ..core.errors import UsageError
from ..core.extras import extra
from ..core.redact import one_line
from ..core.suggest import near_path

ENDINGS = ("csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet")
_PACKED = ("gz", "zst", "zstd", "bz2", "xz")
# What those files begin with, whatever they are called.
_MAGIC = {b"\x1f\x8b": "gz", b"(\xb5/\xfd": "zst", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}
_LONGEST_MAGIC = 6
_OPENERS: dict[str, Callable[[BinaryIO], Any]] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}


@dataclass(frozen=True)
class Source:
    """One file of a list: ``name`` as the user called it, ``ending`` of what is in it when it is unpacked."""

    name: str
    path: Path
    ending: str
    # Keeps what came from standard input on the disk as long as it is wanted.
    _keeper: Any = field(default=None, repr=False, compare=False)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Its bytes, unpacked. UsageError where it cannot be read, or unpacked."""
        way = ""
        try:
            with open(self.path, "rb") as raw:
                way = _way(raw)
                with _unpacked(raw, way) as stream:
                    yield stream
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise self._not_to_be_unpacked(way, error) from error
        except OSError as error:
            if way and error.strerror is None:
                # Arrow's and bz2's own words.
                raise self._not_to_be_unpacked(way, error) from error
            why = error.strerror or error
            raise UsageError(f"{self.name} cannot be read: {why}", "is it there, and yours to read?") from error

    def _not_to_be_unpacked(self, way: str, error: Exception) -> UsageError:
        return UsageError(
            f"{self.name} cannot be unpacked ({way}): {one_line(error, 200)}", "is it whole? fetch it again"
        )

    @contextmanager
    def open_text(self, codec: str) -> Iterator[IO[str]]:
        """Its text; lines keep their ends."""
        with self.open() as stream, io.TextIOWrapper(stream, encoding=codec, newline="") as text:
            yield text

    @property
    def is_compressed(self) -> bool:
        with open(self.path, "rb") as raw:
            return bool(_way(raw))


def _way(raw: BinaryIO) -> str:
    begin = raw.read(_LONGEST_MAGIC)
    raw.seek(0)
    return next((way for magic, way in _MAGIC.items() if begin.startswith(magic)), "")


@contextmanager
def _unpacked(raw: BinaryIO, way: str) -> Iterator[BinaryIO]:
    if not way:
        yield raw
    elif way == "zst":
        arrow = extra("pyarrow", "zst files are unpacked")
        # Closing one of these closes what is below it. Lines of Arrow's own streams come one letter at a time.
        stream = arrow.CompressedInputStream(arrow.PythonFile(raw, mode="r"), "zstd")
        yield cast(BinaryIO, io.BufferedReader(stream, 1 << 20))
    else:
        with _OPENERS[way](raw) as stream:
            yield stream


# -- text ----------------------------------------------------------------------------------------------------


def codec_of(encoding: str) -> str:
    """Python's name of an encoding; UsageError for none of text."""
    try:
        # Python knows some that do not make text of bytes.
        b"x".decode(encoding, "ignore")
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        hint = "say one such as utf-8, utf-16, latin-1 or cp1252"
        raise UsageError(f"--encoding {encoding!r} is none that Python knows", hint) from error
    return "utf-8-sig" if name == "utf-8" else name


@contextmanager
def text_of(source: Source, codec: str) -> Iterator[IO[str]]:
    """A source's text, unpacked; lines end as they do in the file."""
    try:
        with source.open_text(codec) as stream:
            yield stream
    except UnicodeError as error:
        name = codec.removesuffix("-sig")
        hint = f"save it as UTF-8, or say what it is: --encoding {_likely(source)}"
        where = f"line {_broken_line(source, codec)}"
        raise UsageError(f"{source.name}, {where}: not {name} text", hint) from error


def _likely(source: Source) -> str:
    """What it may be that is not UTF-8: a mark in front tells one, the rest is a guess."""
    with source.open() as stream:
        return "utf-16" if stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "latin-1"


def _broken_line(source: Source, codec: str) -> int:
    """The line with the bytes that are no text: the stream had read ahead of it."""
    decoder = codecs.getincrementaldecoder(codec)()
    number = 0
    with source.open() as stream, suppress(UnicodeError):
        for line in stream:
            number += 1
            decoder.decode(line)
    return number


# -- words ---------------------------------------------------------------------------------------------------


def find_sources(word: str) -> list[Source]:
    """The files that a word means, none where it names no file. UsageError where it cannot be one."""
    if word == "-":
        return [_standard_input()]
    path = Path(word)
    if path.is_dir():
        return _in_folder(path)
    if path.exists():
        return [_source(path)]
    if any(letter in word for letter in "*?[") and "://" not in word:
        found = [Path(each) for each in sorted(glob.glob(word, recursive=True))]  # noqa: PTH207
        if not found:
            raise UsageError(f"no file is called like {word}", "is the pattern right, and the folder?")
        return [_source(each) for each in found if not each.is_dir() and not each.name.startswith("_")]
    return []


def no_such_file(word: str) -> UsageError:
    """What to say of a word that is nothing."""
    if _ending(Path(word)) in ENDINGS and "://" in word:
        return UsageError(f"{word} is on another machine", "fetch it first, and name the file")
    hint = "is it there, and yours to read?"
    if "://" not in word and (near := near_path(Path(word))) is not None:
        hint = f"did you mean {near}?"
    elif _ending(Path(word)) not in ENDINGS and ("://" in word or Path(word).parent.exists()):
        hint = "name a list, a folder or a pattern of lists, - for standard input, an address or an id"
        hint += "; the folder for the clips is --data-dir PATH"
    return UsageError(f"{word} cannot be read: No such file or directory", hint)


def _in_folder(folder: Path) -> list[Source]:
    """The lists in a folder and below; what begins with "_" or "." is a program's own: _SUCCESS, .crc."""
    if (folder / "metadata" / "folder.json").exists():
        raise UsageError(f"{folder} is a data folder, not a list", f"name it with --data-dir {folder}")
    parts = sorted(path for path in folder.rglob("*") if path.is_file())
    parts = [path for path in parts if not path.name.startswith(("_", ".")) and _ending(path) in ENDINGS]
    endings = sorted({_ending(path) for path in parts})
    if not parts:
        raise UsageError(f"{folder} is a folder without a list", f"known: {_known()}")
    if len(endings) > 1:
        raise UsageError(
            f"{folder} holds lists of several kinds: {', '.join(f'.{each}' for each in endings)}",
            f'say which: "{folder}/*.{endings[0]}"',
        )
    return [_source(path) for path in parts]


def _source(path: Path) -> Source:
    ending = _ending(path)
    if ending not in ENDINGS:
        raise UsageError(
            f"{path}: no list that can be read ends in {path.suffix or 'nothing'!r}", f"known: {_known()}"
        )
    return Source(str(path), path, ending)


def _known() -> str:
    return f"{', '.join(f'.{each}' for each in ENDINGS)}, each also with .gz, .zst, .bz2 or .xz"


def _ending(path: Path) -> str:
    """What the file is when it is unpacked."""
    suffixes = [suffix.lower().removeprefix(".") for suffix in path.suffixes]
    while suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _standard_input() -> Source:
    """What comes is gone through several times: it lies on the disk meanwhile."""
    # Closed, and gone, with the last who reads it.
    kept = tempfile.NamedTemporaryFile(prefix="avclips-list-")  # noqa: SIM115
    shutil.copyfileobj(sys.stdin.buffer, kept)
    kept.flush()
    source = Source("standard input", Path(kept.name), "", kept)
    with source.open() as stream:
        begin = stream.read(1 << 16)
    if not begin:
        raise UsageError("standard input is empty", "it should have a line for each clip")
    return Source("standard input", Path(kept.name), _by_content(begin), kept)


def _by_content(begin: bytes) -> str:
    """What a file without a name is: the first bytes tell."""
    text = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin.startswith(b"PAR1"):
        return "parquet"
    if text.startswith(b"["):
        return "json"
    if text.startswith(b"{"):
        # An object that ends with its line is one of many.
        return "jsonl" if text.partition(b"\n")[0].rstrip().endswith(b"}") else "json"
    return "tsv" if b"\t" in text.partition(b"\n")[0] else "csv"


def words_of(lists: str | Path | Sequence[str | Path] | None) -> list[str]:
    """The words that name a list, however a program says them."""
    if lists is None:
        return []
    return [str(lists)] if isinstance(lists, (str, Path)) else [str(each) for each in lists]
