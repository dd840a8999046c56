"""A data folder over several runs, for the tests of the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from avclips.core.model import Clip, Outcome
from avclips.core.settings import Settings
from avclips.state.store import Store
from tests.support.fake_clock import FakeClock

Start = Callable[..., Store]


def clip(name: str) -> Clip:
    return Clip(name, name[0], 0.0, 10.0)


A, B, C = clip("a"), clip("b"), clip("c")


@contextmanager
def runs(folder: Path) -> Iterator[Start]:
    """Opens the data folder as a new run would; the run before is over."""
    running: list[Store] = []

    def start(dataset: str = "test", whose: tuple[str, ...] = ("guest",), **settings: Any) -> Store:
        while running:
            running.pop().close()
        running.append(Store(replace(Settings(folder), **settings), dataset, FakeClock(), frozenset(whose)))
        running[0].open()
        return running[0]

    try:
        yield start
    finally:
        while running:
            running.pop().close()


def finish(store: Store, clip: Clip, sound: bool = True, **more: Any) -> None:
    """Publish and record a clip, as worker and engine do."""
    with store.files.scratch(clip) as folder:
        mp4, wav = folder / "x.mp4", folder / "x.wav"
        mp4.write_bytes(b"picture")
        wav.write_bytes(b"sound")
        store.files.publish(clip, mp4, wav if sound else None)
    audio = f"audio/{clip.id}.wav" if sound else None
    facts = {"video": f"videos/{clip.id}.mp4", "audio": audio, **more}
    store.record(Outcome(clip, "done", attempts=1, facts=facts))


def fail(
    store: Store, clip: Clip, reason: str = "removed", permanent: bool = True, identity: str | None = None
) -> None:
    outcome = Outcome(clip, "failed", reason, f"words of {reason}", permanent, attempts=1, identity=identity)
    store.record(outcome)


def read(store: Store, name: str) -> Any:
    return json.loads((store.folder / name).read_text(encoding="utf-8"))


def edit_failures(store: Store, *without: str) -> None:
    left = {key: value for key, value in read(store, "failed_downloads.json").items() if key not in without}
    (store.folder / "failed_downloads.json").write_text(json.dumps(left, indent=4))


def ids(clips: list[Clip]) -> list[str]:
    return [clip.id for clip in clips]
