"""A folder for results, on this machine or in an object store (file://, s3://, gs://, hdfs://, ... by fsspec).

Knows fsspec, whose drivers raise whatever their own libraries do: what leaves is a RunError.
"""

from __future__ import annotations

import itertools
import logging
import os
import random
import re
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from ..core.clock import Clock
from ..core.errors import RunError, Stopped, UsageError
from ..core.extras import extra, install
from ..core.file_lock import is_running
from ..core.files import UNFINISHED, create_whole, sync_folder
from ..core.redact import one_line, without_password

log = logging.getLogger("avclips.shards.storage")

# Stores in which a file appears when its last byte is there; in others it is renamed into place.
_OBJECTS = frozenset(("s3", "s3a", "gs", "gcs", "abfs", "az", "adl", "oss"))
# What stores answer that do not know "only if it is new", by HTTP's numbers.
_KNOW_NO_CONDITION = (400, 405, 501)
# Many who ask for one name at once are told to come again (409): so often, and so long between two tries at first.
_CONFLICTS = 8
_CONFLICT_WAIT, _CONFLICT_MOST = 0.2, 5.0
# Whose an unfinished file is: HOST-PID, and more where one process makes several.
_MAKER = re.compile(r"\.(?P<host>[^/]+)-(?P<pid>[0-9]{1,10})(?:-[0-9a-f]{8})?" + re.escape(UNFINISHED))


class StoreLost(RunError):
    """The folder cannot be reached now; it may be later."""


class Remote:
    """One folder, of which this program reads and writes whole files."""

    def __init__(self, url: str, look: bool = False, clock: Clock | None = None) -> None:
        """``url``: a path, or what fsspec takes; ``look``: nothing is to be made there.

        UsageError where no driver knows it, or one is missing.
        """
        self.url = re.sub(r"(?<=[^/:])/+$", "", url)
        # As it may be told to people and logs.
        self.shown = without_password(self.url)
        self._fs, self._path = filesystem_of(self.url)
        self._local = bool({"file", "local"}.intersection(_protocols(self._fs)))
        self._renames = not _OBJECTS.intersection(_protocols(self._fs))
        self._clock = clock or Clock()
        # Whether the store is asked to make a file only if it is new: until it says that it does not know that.
        self._conditions = True
        if self._renames and not look:
            with self._talk():
                self._fs.makedirs(self._path, exist_ok=True)

    def names(self) -> frozenset[str]:
        """The names of the files in it, as they are now."""
        with self._talk():
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(self._path, detail=False)
            except FileNotFoundError:
                return frozenset()
        return frozenset(str(path).rstrip("/").rpartition("/")[2] for path in found)

    def has(self, name: str) -> bool:
        """Whether a file is there now."""
        with self._talk():
            self._fs.invalidate_cache()
            return bool(self._fs.exists(f"{self._path}/{name}"))

    def read(self, name: str) -> bytes:
        """All of a file."""
        with self._talk():
            return bytes(self._fs.cat_file(f"{self._path}/{name}"))

    def put(self, file: Path, name: str) -> None:
        """Have a local file there under ``name``, whole or not at all; what was there before is replaced.

        ``file`` may be gone after that, whether it is there or not: what is moved need not be copied.
        """
        target = f"{self._path}/{name}"
        with self._talk():
            if not self._renames:
                self._fs.put_file(str(file), target)
                return
            part = f"{self._path}/.{name}.{socket.gethostname()}-{os.getpid()}{UNFINISHED}"
            try:
                if not (self._local and _is_moved(file, Path(part))):
                    self._fs.put_file(str(file), part)
                if self._local:
                    # What it is made of is taken away next: it has to outlive a power loss.
                    _sync(Path(part))
                try:
                    self._fs.mv(part, target)
                except FileExistsError:
                    # Some do not replace.
                    self._fs.rm_file(target)
                    self._fs.mv(part, target)
                if self._local:
                    sync_folder(Path(target).parent)
            except BaseException:
                with suppress(Exception):
                    self._fs.rm_file(part)
                raise

    def create(self, name: str, content: bytes) -> bool:
        """Make a small file that is not there, whole; False where it is. Stores that cannot tell replace it."""
        path = f"{self._path}/{name}"
        with self._talk():
            if self._local:
                return create_whole(Path(path), content)
            for tried in range(1, _CONFLICTS + 1):
                made = self._create_if_new(path, content, last=tried == _CONFLICTS)
                if made is not None:
                    return made
                # One of those who ask at once gets it; the others find that out when they ask again.
                self._clock.sleep(random.uniform(0, min(_CONFLICT_WAIT * 2**tried, _CONFLICT_MOST)))
        raise AssertionError("the last try raises")

    def _create_if_new(self, path: str, content: bytes, last: bool) -> bool | None:
        """Whether the file was made; None: ask again."""
        if not self._conditions:
            self._fs.pipe_file(path, content)
            return True
        try:
            self._fs.pipe_file(path, content, mode="create")
            return True
        except FileExistsError:
            return False
        except (NotImplementedError, TypeError, ValueError):
            self._conditions = False
        except OSError as error:
            status = _http_status(error)
            # Not every store says in its answer which condition it was that failed.
            if status == 412:
                return False
            if status == 409 and not last:
                return None
            if status not in _KNOW_NO_CONDITION:
                raise
            log.info("%s does not know of files that are made only if they are new", self.shown)
            self._conditions = False
        return self._create_if_new(path, content, last)

    def replace(self, name: str, content: bytes) -> None:
        """Have a small file there with this content, whatever was there."""
        with self._talk():
            self._fs.pipe_file(f"{self._path}/{name}", content)

    def put_new(self, file: Path, name: str) -> bool:
        """Have a small local file there under a name that nobody has; False where somebody has it."""
        if self._local:
            return self.create(name, file.read_bytes())
        # Also for stores that would replace it.
        if self.has(name):
            return False
        if not self._renames:
            return self.create(name, file.read_bytes())
        self.put(file, name)
        return True

    def clear(self, start: str) -> None:
        """Remove the unfinished files whose names begin so."""
        for name in self.names() if self._renames else ():
            if name.startswith(f".{start}") and name.endswith(UNFINISHED):
                self.remove(name)

    def clear_dead(self) -> None:
        """Remove the unfinished files of processes of this host that are gone."""
        for name in self.names() if self._renames else ():
            maker = _MAKER.search(name) if name.startswith(".") else None
            if maker is None or not maker["host"].endswith(socket.gethostname()):
                continue
            if not is_running(int(maker["pid"])):
                self.remove(name)

    def size(self, name: str) -> int | None:
        """How many bytes a file has; None where it is not there."""
        with self._talk():
            self._fs.invalidate_cache()
            try:
                return int(self._fs.size(f"{self._path}/{name}"))
            except FileNotFoundError:
                return None

    def new_folder(self, name: str) -> str:
        """A name for a folder in it that is not there yet: this one, or with a number behind it."""
        with self._talk():
            for number in itertools.count():
                new = f"{name}.{number}" if number else name
                if not self._fs.exists(f"{self._path}/{new}"):
                    if self._renames:
                        self._fs.makedirs(f"{self._path}/{new}", exist_ok=True)
                    return new
        raise AssertionError("numbers do not end")

    def move(self, name: str, target: str) -> None:
        """Have a file there under another name."""
        with self._talk():
            self._fs.mv(f"{self._path}/{name}", f"{self._path}/{target}")

    @contextmanager
    def open(self, name: str) -> Iterator[Any]:
        """A file to read, of which only what is read is fetched."""
        with self._talk(), self._fs.open(f"{self._path}/{name}", "rb") as file:
            yield file

    def remove(self, name: str) -> None:
        """Have a file no longer there."""
        with self._talk(), suppress(FileNotFoundError):
            self._fs.rm_file(f"{self._path}/{name}")

    def _talk(self) -> AbstractContextManager[None]:
        return talking(self.shown)


@contextmanager
def talking(shown: str) -> Iterator[None]:
    """Translate what a driver raises into StoreLost: the one seam at which anything may come.

    ``shown``: the address, as it may be told to people.
    """
    try:
        yield
    except (RunError, Stopped):
        raise
    except Exception as error:
        raise StoreLost(
            f"{shown} cannot be used now: {one_line(error)}", "is it there, and yours to write?"
        ) from error


def filesystem_of(url: str, what: str = "shards are written") -> tuple[Any, str]:
    """The driver of an address, and its path there; ``what``: for what, where fsspec is missing. UsageError."""
    core = extra("fsspec.core", what).core
    try:
        fs, path = core.url_to_fs(url)
    except ImportError as error:
        missing = re.search(r"[Ii]nstall ([\w-]+)", str(error))
        hint = install(missing[1]) if missing else "install what it names"
        raise UsageError(without_password(f"{url}: {error}"), hint) from error
    except (ValueError, OSError) as error:
        words = without_password(f"{url} is no place for results: {error}")
        raise UsageError(words, "name a folder, or s3://bucket/folder") from error
    return fs, str(path)


def _is_moved(file: Path, part: Path) -> bool:
    """Move a file, where both names are of one file system: what is written once need not be copied."""
    try:
        os.replace(file, part)
    except OSError:
        return False
    return True


def _sync(path: Path) -> None:
    with open(path, "rb+") as stream:
        os.fsync(stream.fileno())


def _http_status(error: BaseException) -> int | None:
    """The number that an object store answered with, where a driver's error, or what it was made of, knows one."""
    cause: BaseException | None = error
    while cause is not None:
        response = getattr(cause, "response", None)
        if isinstance(response, dict):
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if isinstance(status, int):
                return status
        cause = cause.__cause__
    return None


def _protocols(fs: Any) -> set[str]:
    known = fs.protocol
    return {known} if isinstance(known, str) else set(known)
