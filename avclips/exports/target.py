"""The folder that an export is written to: one export's at a time, and nobody else's.

A mark in it says what made it, so that the same command goes on, and another is refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import Timeout

from ..core.errors import RunError, UsageError
from ..core.file_lock import Lock, NoLocks
from ..core.files import UNFINISHED, as_run_error, read_json, write_json

MARK = ".avclips-export.json"
_LOCK = ".avclips-export.lock"


@contextmanager
def exclusive(output: Path, form: str, **about: Any) -> Iterator[Path]:
    """The folder, made and held. UsageError where something else is in it; RunError where another is at it.

    ``about``: what else must be the same to go on with what is there.
    """
    mark = {"form": form, **about}
    if output.is_dir():
        # Nothing is left in a folder that is refused.
        _see_that_it_is_ours(output, mark)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise as_run_error(error, output) from error
    lock = Lock(output / _LOCK)
    try:
        lock.acquire()
    except Timeout as error:
        raise RunError(f"another export is writing {output}", "wait for it, or name another --output") from error
    except NoLocks:
        # Nobody can tell; what is written is whole all the same.
        pass
    try:
        _see_that_it_is_ours(output, mark)
        if not (output / MARK).exists():
            write_json(output / MARK, mark)
        _sweep(output)
        yield output
    finally:
        with suppress(OSError):
            lock.release()


def _sweep(output: Path) -> None:
    """Remove what killed exports left half made, folders too."""
    for path in [path for ending in (UNFINISHED, ".tmp") for path in output.rglob(f".*{ending}")]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _see_that_it_is_ours(output: Path, mark: dict[str, Any]) -> None:
    path = output / MARK
    others = sorted(each.name for each in output.iterdir() if each.name != _LOCK)
    if path.exists():
        if (was := read_json(path, "delete that file, if the folder is an export")) != mark:
            told = was if isinstance(was, dict) else {"form": was}
            said = ", ".join(f"{name} {value}" for name, value in told.items())
            raise UsageError(f"{output} holds another export: {said}", "name another --output")
    elif others:
        seen = next((name for name in others if not name.startswith(".")), others[0])
        raise UsageError(f"{output} is not empty: it has {seen}", "name a new folder with --output")
