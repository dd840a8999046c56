"""A list of clips on the disk: as long as it likes to be, with those of a video together, in hardly any memory.

The rows go into a small database as they come, and come out in the order of each video's first row.
"""

from __future__ import annotations

import itertools
import os
import socket
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from ..clip import Clip
from ..errors import RunError

# (video, start, end) in seconds.
Row = tuple[str, float, float]
# Kilobytes of the database that are in memory at a time.
_CACHE = 32_000
_SORT = """
    INSERT INTO clips SELECT video, start, stop FROM (
        SELECT rowid AS place, video, start, stop, min(rowid) OVER (PARTITION BY video) AS first FROM rows
    ) ORDER BY first, place
"""


class OnDisk:
    """Clips in a file at ``path``, to be gone through again and again; ``made(*row)`` makes one of a row.

    Of rows that make the same id, which have to be of one video, the first counts.
    """

    def __init__(self, path: Path, made: Callable[[str, float, float], Clip]) -> None:
        self._path = path
        self._made = made

    def fill(self, rows: Iterable[Row]) -> None:
        """Take all rows in place of what was there. RunError where the disk does not take them."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Several may do so at a time: each takes its own in place of the others', and all are the same.
        part = self._path.with_name(f".{self._path.name}.{socket.gethostname()}-{os.getpid()}.part")
        part.unlink(missing_ok=True)
        # What is sorted is as large as the list: it has its room here, not in /tmp.
        os.environ.setdefault("SQLITE_TMPDIR", str(self._path.parent.absolute()))
        try:
            with _opened(part) as base:
                # A half-made one is made anew: nothing here needs to outlive a crash.
                base.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
                for name in ("rows", "clips"):
                    base.execute(f"CREATE TABLE {name} (video TEXT, start REAL, stop REAL)")
                base.executemany("INSERT INTO rows VALUES (?, ?, ?)", rows)
                base.execute(_SORT)
                base.execute("DROP TABLE rows")
                base.commit()
            os.replace(part, self._path)
        except sqlite3.Error as error:
            raise RunError(f"{self._path} cannot be written: {error}", "is there room?") from error
        finally:
            part.unlink(missing_ok=True)

    def remove(self) -> None:
        """Have nothing there, nor its folders, if nothing else is in them."""
        self._path.unlink(missing_ok=True)
        with suppress(OSError):
            self._path.parent.rmdir()
            self._path.parent.parent.rmdir()

    def __iter__(self) -> Iterator[Clip]:
        try:
            with _opened(self._path) as base:
                rows = base.execute("SELECT video, start, stop FROM clips ORDER BY rowid")
                for _, group in itertools.groupby(rows, key=lambda row: row[0]):
                    clips: dict[str, Clip] = {}
                    for row in group:
                        clip = self._made(*row)
                        clips.setdefault(clip.id, clip)
                    yield from clips.values()
        except sqlite3.Error as error:
            raise RunError(f"{self._path} cannot be read: {error}", "delete it, and run again") from error


def _opened(path: Path) -> closing[sqlite3.Connection]:
    base = sqlite3.connect(path)
    base.execute(f"PRAGMA cache_size=-{_CACHE}")
    # ``with`` on one of sqlite's own only commits.
    return closing(base)
