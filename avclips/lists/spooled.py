"""A list of clips on the disk: as long as it likes to be, with those of a video together, in hardly any memory.

The rows go into a small database as they come, and come out in the order of each video's first row: SQLite's, or
for long lists DuckDB's, where it is installed. Both give the same, row by row.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from ..core.errors import RunError
from ..core.files import beside
from ..core.model import Clip
from .plain_lines import LEAST_BYTES, NotPlain, PlainLines
from .sorted_spool import Row, is_here, read_ordered, write_ordered, write_plain

# From so many rows on, the faster way is worth its start.
LONG = 100_000
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
        self._ordered = path.with_suffix(".parquet")
        self._made = made

    def fill(self, rows: Iterable[Row]) -> None:
        """Take all rows in place of what was there. RunError where the disk does not take them."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        coming = iter(rows)
        first = list(itertools.islice(coming, LONG))
        every = itertools.chain(first, coming)
        if len(first) == LONG and is_here():
            self._put(self._ordered, self._path, lambda part: write_ordered(part, every))
        else:
            self._put(self._path, self._ordered, lambda part: _write(part, every))

    def fill_plain(self, lines: PlainLines, video: str, length: float) -> int | None:
        """Take all of a long list's rows at once, where they are plain and DuckDB is here.

        How many there are; None where ``fill`` has to take them. ``video``, ``length``: as write_plain has them.
        """
        if lines.source.path.stat().st_size < LONG * LEAST_BYTES or not is_here():
            return None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        count = 0

        def write(part: Path) -> None:
            nonlocal count
            count = write_plain(part, lines, video, length)

        try:
            self._put(self._ordered, self._path, write)
        except NotPlain:
            return None
        return count

    def _put(self, path: Path, other: Path, write: Callable[[Path], None]) -> None:
        # Several may do so at a time: each takes its own in place of the others', and all are the same.
        part = beside(path)
        part.unlink(missing_ok=True)
        try:
            write(part)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
        other.unlink(missing_ok=True)

    def remove(self) -> None:
        """Have nothing there, nor its folders, if nothing else is in them."""
        self._path.unlink(missing_ok=True)
        self._ordered.unlink(missing_ok=True)
        with suppress(OSError):
            self._path.parent.rmdir()
            self._path.parent.parent.rmdir()

    def __iter__(self) -> Iterator[Clip]:
        rows = read_ordered(self._ordered) if self._ordered.exists() else _read(self._path)
        made, of_video, last, ids = self._made, None, "", set[str]()
        for video, start, end in rows:
            clip = made(video, start, end)
            if video != of_video:
                # Most have one clip.
                of_video, last = video, clip.id
                ids.clear()
            elif clip.id == last or clip.id in ids:
                continue
            else:
                ids.add(clip.id)
            yield clip


def _write(part: Path, rows: Iterable[Row]) -> None:
    # What is sorted is as large as the list: it has its room here, not in /tmp.
    os.environ.setdefault("SQLITE_TMPDIR", str(part.parent.absolute()))
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
    except sqlite3.Error as error:
        raise RunError(f"{part} cannot be written: {error}", "is there room?") from error


def _read(path: Path) -> Iterator[Row]:
    try:
        with _opened(path) as base:
            yield from base.execute("SELECT video, start, stop FROM clips ORDER BY rowid")
    except sqlite3.Error as error:
        raise RunError(f"{path} cannot be read: {error}", "delete it, and run again") from error


def _opened(path: Path) -> closing[sqlite3.Connection]:
    base = sqlite3.connect(path)
    base.execute(f"PRAGMA cache_size=-{_CACHE}")
    # ``with`` on one of sqlite's own only commits.
    return closing(base)
