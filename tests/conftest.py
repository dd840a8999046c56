"""Nothing in a test goes online: whoever connects to anything but this machine's loopback gets an error."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.standin.next_release import next_clients

if next_clients.asked_for():
    next_clients.install()

ROOT = Path(__file__).resolve().parent.parent

# The ffmpeg to test, where it is not the wheel's: this is how imageio-ffmpeg is told of another, here and in
# every child. Set before it is first asked, as it remembers its answer.
OTHER_FFMPEG = os.environ.get("AVCLIPS_TEST_FFMPEG")
os.environ.pop("IMAGEIO_FFMPEG_EXE", None)
if OTHER_FFMPEG:
    os.environ["IMAGEIO_FFMPEG_EXE"] = str(Path(OTHER_FFMPEG).resolve(strict=True))


# What numba compiled is kept for the next run, and for the other workers of this one.
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".cache" / "numba"))

# Runs in tests keep the default of --min-free, 2 GB: with less than that they wait for room until they are
# stopped, one after the other, and none of the failures says why.
ROOM = 4_000_000_000


def pytest_sessionstart(session: pytest.Session) -> None:
    """End at once, with one line, where the disk is so full that runs would wait for room."""
    place = session.config.option.basetemp or tempfile.gettempdir()
    there = next(folder for folder in (Path(place), *Path(place).absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < ROOM:
        pytest.exit(f"{free / 1e9:.1f} GB are free in {there}; the tests need {ROOM / 1e9:.0f} GB", returncode=3)


class Online(AssertionError):
    """A test tried to reach another machine."""


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a local socket
    return str(address[0]) in ("localhost", "::1") or str(address[0]).startswith("127.")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection and name look-up that leaves the machine, in this process."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connect_here(self: socket.socket, address: Any) -> None:
        if not _is_here(address):
            raise Online(f"a test tried to connect to {address}")
        connect(self, address)

    def look_up_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None and not _is_here((host,)):
            raise Online(f"a test tried to look up {host}")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)


@pytest.fixture(autouse=True)
def no_inherited_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tester's own proxies, authorities and ffmpeg are not the test's."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("AVCLIPS_TIME_SCALE", raising=False)


@pytest.fixture(scope="session")
def media_folder() -> Path:
    """Where the stand-in keeps the videos it makes; they stay for the next run."""
    folder = ROOT / ".cache" / "standin"
    if OTHER_FFMPEG:
        # The name of a system's ffmpeg does not tell its version.
        said = subprocess.run([OTHER_FFMPEG, "-version"], capture_output=True, text=True, check=True).stdout
        folder /= said.split()[2]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# Those that take longest, and mostly wait: begun first, they do not keep the others waiting at the end.
LONGEST = (
    "matrix",
    "spark",
    "packed_run",
    "exact",
    "clips_run",
    "run",
    "music_run",
    "bad_input",
    "identities",
    "signals",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the longest files begin first."""
    places = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
