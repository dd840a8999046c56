"""Where what several runs share is kept: paces, and blocks."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from pathlib import Path

from .files import UNFINISHED, new_file


def default_state_dir() -> Path:
    """The user's cache folder for this program."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "avclips"
    except RuntimeError:
        # A container's user without a home: all of it on this machine share one.
        return Path(tempfile.gettempdir()) / f"avclips-{os.getuid()}"


def private_folder(path: Path, by_default: bool) -> str | None:
    """Make a folder for what is this user's alone; None, or why it is not to be trusted.

    ``by_default``: its name was not chosen by the user, but known to everybody beforehand. OSError where it
    cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) and found.st_uid not in _ours(path):
        return "it is a link that somebody else made"
    found = path.stat()
    if found.st_uid not in _ours(path) and (by_default or os.getuid()):
        return "it is somebody else's"
    if by_default and stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o700)
    return None


def _ours(folder: Path) -> set[int]:
    """The owners that what we make there has: a file server may know us by another number."""
    trial = folder / f".{secrets.token_hex(8)}{UNFINISHED}"
    handle = new_file(trial, 0o600)
    try:
        return {os.getuid(), os.fstat(handle).st_uid}
    finally:
        os.close(handle)
        trial.unlink(missing_ok=True)
