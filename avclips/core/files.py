"""Files that appear complete or not at all.

Knows files and folders, not what is in them. Its errors are the system's own (OSError) and, for JSON that
does not parse, RunError with line and column.
"""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
import re
import secrets
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, cast

from .errors import RunError, UsageError

PLAIN_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.#-]{0,199}"
_PLAIN_NAME = re.compile(PLAIN_NAME)

_JSON = json.JSONEncoder(ensure_ascii=False)
_ROWS = json.JSONEncoder(ensure_ascii=False, separators=(",\n ", ": "))
# How the names of files end that are being made.
UNFINISHED = ".part"

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}


def is_plain_name(name: str) -> bool:
    """Whether an id from outside may become part of a file name."""
    return _PLAIN_NAME.fullmatch(name) is not None


def is_local(source: str | os.PathLike[str]) -> bool:
    """Whether it is a path on this machine, rather than an address or a chain of them that fsspec opens."""
    word = os.fspath(source)
    # A folder may have a name such as that of a chain, simplecache::/path.
    return "://" not in word and ("::" not in word or os.path.exists(word))  # noqa: PTH110


def as_utf8(text: str) -> str:
    """Text that can be written: half a letter, which JSON may name as "\\ud800", is no UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


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


def new_file(path: Path, mode: int = 0o666) -> int:
    """A descriptor of a file that was not there: what somebody put under its name is removed, never followed."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)


def appended(path: Path, mode: int = 0o666) -> int:
    """A descriptor that appends to a file of ours. UsageError where a link stands under its name."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise is_a_link(path) from error
        raise


def is_a_link(path: Path) -> UsageError:
    """What is said of a link that stands where only this program writes."""
    return UsageError(f"{path} is a symbolic link, and is not followed", "remove it, or name another folder")


def see_that_it_is_a_folder(source: str | os.PathLike[str]) -> None:
    """RunError where a path on this machine names no folder."""
    if not Path(source).is_dir():
        raise RunError(f"{os.fspath(source)} is no folder", "is its path right, and its disk mounted?")


def beside(path: Path, ending: str = UNFINISHED) -> Path:
    """A name in the same folder that no other process takes, on whatever host: two may have the same pid."""
    return path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}{ending}")


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """A file to write to, by its name, which takes ``path``'s place only when the block ends well."""
    part = beside(path)
    try:
        # A link of that name would be followed.
        os.close(new_file(part))
        yield part
        move_whole(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def whole(path: Path, mode: int = 0o666) -> Iterator[IO[str]]:
    """Write a UTF-8 text file that takes ``path``'s place only when the block ends well."""
    temp = beside(path, ".tmp")
    try:
        with open(new_file(temp, mode), "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temp, path)
    except BaseException:
        temp.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def mapped(path: Path) -> Iterator[bytes]:
    """A file's content, which is read like bytes and takes no memory of its own."""
    with open(path, "rb") as stream:
        if not os.fstat(stream.fileno()).st_size:
            yield b""
            return
        with mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as content:
            yield cast(bytes, content)


def move_whole(source: Path, target: Path) -> None:
    """Publish a finished file: its bytes are on the disk before its name is."""
    with open(source, "rb") as stream:
        os.fsync(stream.fileno())
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # The folder of results is a link to another disk.
        _copy_whole(source, target)
    sync_folder(target.parent)


def _copy_whole(source: Path, target: Path) -> None:
    temp = beside(target, ".tmp")
    try:
        with open(source, "rb") as stream, open(new_file(temp), "wb") as copy:
            shutil.copyfileobj(stream, copy)
            copy.flush()
            os.fsync(copy.fileno())
        os.replace(temp, target)
    except OSError as error:
        temp.unlink(missing_ok=True)
        # It is not the disk of the data folder that is full.
        error.filename = error.filename or str(target)
        raise
    source.unlink()


def create_whole(path: Path, content: bytes) -> bool:
    """Make a small file under its final name, whole, for one of many who try at once; False where one is there.

    Also on NFS, where a link is made by the server.
    """
    part = beside(path, f"-{secrets.token_hex(4)}{UNFINISHED}")
    with open(new_file(part), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(part, path, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError:
        # Not every file system has them.
        try:
            with open(path, "xb") as stream:
                stream.write(content)
        except FileExistsError:
            return False
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def server_time(path: Path) -> float:
    """The time of whoever keeps the file ``path``, in seconds: the same for all nodes that share it.

    The kernel's own clock on a local disk, the server's over NFS. Some parallel file systems (Lustre) take the
    node's.
    """
    os.utime(path, follow_symlinks=False)
    return path.lstat().st_mtime_ns / 1e9


def write_json(path: Path, value: Any) -> None:
    """Write JSON whole, one entry a line so that it can be read and edited by hand."""
    with whole(path) as stream:
        stream.write(as_json(value))


def as_json(value: Any) -> str:
    """JSON as ``write_json`` writes it."""
    return _spread(value, " ") + "\n"


@contextmanager
def whole_object(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Write a JSON object whole, some entries at a time as they are given: it may be of millions."""
    with _whole_rows(path, "{", "}") as write:
        yield lambda entries: write(_rows(entries))


@contextmanager
def whole_list(path: Path) -> Iterator[Callable[[Sequence[Any]], None]]:
    """The same of a JSON list."""
    with _whole_rows(path, "[", "]") as write:
        yield lambda values: write(_rows(values))


@contextmanager
def _whole_rows(path: Path, first: str, last: str) -> Iterator[Callable[[str], None]]:
    with whole(path) as stream:
        before = first

        def write(rows: str) -> None:
            nonlocal before
            if rows:
                stream.write(f"{before}\n {rows}")
                before = ","

        yield write
        stream.write(f"{first}{last}\n" if before == first else f"\n{last}\n")


def _rows(entries: Mapping[str, Any] | Sequence[Any]) -> str:
    """A line for each entry, without the brackets."""
    if all(type(value) is str for value in (entries.values() if isinstance(entries, Mapping) else entries)):
        # All in one call: of a million short texts, the calls would take most of the time.
        return _ROWS.encode(entries)[1:-1]
    if isinstance(entries, Mapping):
        return ",\n ".join(f"{_JSON.encode(name)}: {_JSON.encode(value)}" for name, value in entries.items())
    return ",\n ".join(map(_JSON.encode, entries))


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


def has_space(folder: Path, size: int) -> bool:
    """Whether ``size`` bytes find room in a folder now: free space says nothing of a quota, nor of inodes."""
    trial = folder / f".room-{secrets.token_hex(8)}.tmp"
    try:
        with open(new_file(trial), "wb") as stream:
            stream.write(bytes(size))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        return False
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)
    return True


def is_full(error: OSError) -> bool:
    """Whether there was no room: it may come back."""
    return error.errno in _NO_SPACE


def is_about_the_disk(error: OSError) -> bool:
    """Whether no other try could write either: a full disk, a quota, a folder that may not be written to."""
    return error.errno in _NO_SPACE | _NO_RIGHT


@contextmanager
def run_errors(folder: Path) -> Iterator[None]:
    """A failing write within the block says what it means for the run. RunError."""
    try:
        yield
    except OSError as error:
        raise as_run_error(error, folder) from error


def as_run_error(error: OSError, folder: Path) -> RunError:
    """Say what a failing write means for the run."""
    where = error.filename or folder
    if error.errno in _NO_SPACE:
        return RunError(f"no room left in {folder}", "free some space; the same command goes on where it stopped")
    if error.errno in _NO_RIGHT:
        return RunError(f"{where} cannot be read or written: {error.strerror}", "check its owner and its mount")
    if error.errno in _IN_THE_WAY:
        return RunError(f"{where}: {error.strerror}", "a file stands where a folder should be: name another one")
    return RunError(
        f"trouble with {where}: {error.strerror or error}",
        "its disk, or the server that has it, may be in trouble; what was done is kept, the same command goes on",
    )
