"""Where what is measured lies: this tree, or another commit's, unpacked for as long as it is needed.

A commit is unpacked, not checked out: git keeps no record of the folder, so that none can be left in it.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_RUN = re.compile(r"run-(\d+)-.*")


class Missing(Exception):
    """A tree does not have what is to be measured; the text says what it lacks."""


@contextmanager
def scratch(media: Path) -> Iterator[Path]:
    """A folder for one run, beside the videos; it goes away however the run ends, or at the next one's start."""
    media.mkdir(parents=True, exist_ok=True)
    for path in media.glob("run-*"):
        owner = _RUN.fullmatch(path.name)
        if owner is None or not _is_alive(int(owner[1])):
            shutil.rmtree(path, ignore_errors=True)
    base = Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=media))
    try:
        with _every_signal_raises():
            yield base
    finally:
        shutil.rmtree(base, ignore_errors=True)


def full_name(repository: Path, commit: str) -> str:
    """The full hash of a commit, by whatever names it; Missing where there is none."""
    # An option is no commit.
    asked = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}")
    if asked.returncode:
        raise Missing(f"{commit} is no commit of {repository}")
    return asked.stdout.decode().strip()


def unpack(repository: Path, commit: str, folder: Path) -> Path:
    """All files of a commit, into ``folder``, which is made; Missing where there is no such commit."""
    archived = _git(repository, "archive", "--format=tar", full_name(repository, commit))
    if archived.returncode:
        raise Missing(f"{commit} cannot be unpacked: {archived.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def compile_all(tree: Path) -> None:
    """Compile a tree's modules: else the first start of a fresh one costs more than any other."""
    package = tree / "avclips"
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(package)], stdout=subprocess.DEVNULL)


def program(tree: Path, name: str, *words: str) -> list[str]:
    """The command for a program of a tree's own benchmarks, which imports its modules by their names there.

    Every such program is told the tree first. Missing where this one has none of that name.
    """
    found = sorted((tree / "benchmarks").rglob(name))
    if not found:
        raise Missing(f"there is no {name} in its benchmarks")
    return [sys.executable, str(found[0]), str(tree), *words]


def script(tree: Path, name: str) -> Path:
    """A script of a tree."""
    path = tree / name
    if not path.is_file():
        raise Missing(f"there is no {name}")
    return path


def _git(repository: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(repository), *words], capture_output=True)


def _is_alive(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


@contextmanager
def _every_signal_raises() -> Iterator[None]:
    """As Ctrl-C does: what is cleaned up then, is."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {each: signal.signal(each, leave) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
