"""Stand-ins that are started for a test, and whoever asks them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.standin.client import ID, MEDIA, Serve
from tests.standin.fake_youtube import FakeVideo, FakeYouTube


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture
def serve(folder: Path) -> Iterator[Serve]:
    """Starts stand-ins, and holds each to having met no unknown host."""
    running: list[FakeYouTube] = []

    def start(video: FakeVideo | None = None, **more: Any) -> FakeYouTube:
        running.append(FakeYouTube(folder, {ID: video or FakeVideo(MEDIA)}, **more).start())
        return running[-1]

    yield start
    for youtube in running:
        youtube.close()
        assert youtube.unknown == []


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session
