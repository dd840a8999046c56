"""Files that appear complete or not at all.

Knows files and folders, not what is in them. Its errors are the system's own (OSError) and, for JSON that
does not parse, RunError with line and column.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

from .errors import RunError

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.#-]{0,199}")

_JSON = json.JSONEncoder(ensure_ascii=False)

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


def is_plain_name(name: str) -> bool:
    """Whether an id from a stranger may become part of a file name."""
    return _PLAIN_NAME.fullmatch(name) is not None


def exactly(seconds: float) -> Fraction:
    """The decimal number that was written, not the binary one next to it."""
    return Fraction(repr(seconds))


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` survive a power loss, where the file system knows how."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def whole(path: Path) -> Iterator[IO[str]]:
    """Write a UTF-8 text file that takes ``path``'s place only when the block ends well."""
    # Two hosts may have the same pid.
    temp = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.tmp")
    try:
        with open(temp, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temp, path)
    except BaseException:
        temp.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def move_whole(source: Path, target: Path) -> None:
    """Publish a finished file: its bytes are on the disk before its name is."""
    with open(source, "rb") as stream:
        os.fsync(stream.fileno())
    os.replace(source, target)
    sync_folder(target.parent)


def write_json(path: Path, value: Any) -> None:
    """Write JSON whole, one entry a line so that it can be read and edited by hand."""
    with whole(path) as stream:
        stream.write(_spread(value, " ") + "\n")


@contextmanager
def whole_object(path: Path) -> Iterator[Callable[[str, Any], None]]:
    """Write a JSON object whole, entry by entry as they are given: it may be of millions."""
    with whole(path) as stream:
        before = "{\n "

        def write(name: str, value: Any) -> None:
            nonlocal before
            stream.write(f"{before}{_JSON.encode(name)}: {_JSON.encode(value)}")
            before = ",\n "

        yield write
        stream.write("{}\n" if before == "{\n " else "\n}\n")


def _spread(value: Any, indent: str) -> str:
    """JSON with a line for each entry, and each entry of a list in it; json's own indent is slow."""
    if not value or not isinstance(value, (dict, list)) or (isinstance(value, dict) and len(indent) > 1):
        return _JSON.encode(value)
    rows: Iterable[str]
    if isinstance(value, list):
        rows, (first, last) = map(_JSON.encode, value), "[]"
    else:
        named = ((_JSON.encode(str(name)), each) for name, each in value.items())
        rows, (first, last) = (f"{name}: {_spread(each, indent + ' ')}" for name, each in named), "{}"
    return f"{first}\n{indent}" + f",\n{indent}".join(rows) + f"\n{indent[1:]}{last}"


def read_json(path: Path, hint: str) -> Any:
    """Read a JSON file; RunError says where it breaks off, and ``hint`` what to do about it."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        message = f"{path} is not whole JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise RunError(message, hint) from error
    except UnicodeDecodeError as error:
        raise RunError(f"{path} is not UTF-8 text: byte {error.start} cannot be read", hint) from error
    except (RecursionError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}", hint) from error
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}", hint) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write to the file system of ``folder``."""
    return shutil.disk_usage(folder).free


def is_full(error: OSError) -> bool:
    """Whether there was no room: it may come back."""
    return error.errno in _NO_ROOM


def is_about_the_disk(error: OSError) -> bool:
    """Whether no other try could write either: a full disk, a quota, a folder that may not be written to."""
    return error.errno in _NO_ROOM | _NO_RIGHT


def as_run_error(error: OSError, folder: Path) -> RunError:
    """Say what a failing write means for the run."""
    if error.errno in _NO_ROOM:
        return RunError(f"no room left in {folder}", "free some space; the same command goes on where it stopped")
    if error.errno in _NO_RIGHT:
        where = error.filename or folder
        return RunError(f"{where} cannot be read or written: {error.strerror}", "check its owner and its mount")
    return RunError(f"trouble with {error.filename or folder}: {error.strerror or error}")
