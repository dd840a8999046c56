"""Nothing in a test goes online: whoever connects to anything but this machine's loopback gets an error."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


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
    for name in ("IMAGEIO_FFMPEG_EXE", "AVCLIPS_TIME_SCALE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def media_folder() -> Path:
    """Where the stand-in keeps the videos it makes; they stay for the next run."""
    folder = ROOT / ".cache" / "standin"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# Those that take longest, and mostly wait: begun first, they do not keep the others waiting at the end.
LONGEST = ("spark", "packed_run", "exact", "clips_run", "run", "music_run", "bad_input", "identities", "signals")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the longest files begin first."""
    places = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
