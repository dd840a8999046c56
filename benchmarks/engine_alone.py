"""Engine and store without YouTube or ffmpeg: ``engine_alone TREE CLIPS``, in the current folder.

Four workers say "done" of every clip at once, with all that a manifest line says; nothing is fetched, no file of
media is written. Prints the seconds that the run took, from the first video to the last line of the journal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])

from avclips.core.clock import Clock
from avclips.core.model import Clip, Outcome, Video
from avclips.core.settings import Identity, Settings
from avclips.fetch.plan import by_video
from avclips.fetch.roles import Slot
from avclips.fetch.scheduler import Engine
from avclips.pacing.pace import Ticket
from avclips.pacing.pacer import Pacer, make_pacer
from avclips.state.store import Store

FACTS = {
    "video": "videos/abcdefghijk_000010.mp4",
    "audio": "audio/abcdefghijk_000010.wav",
    "settings": {"quality": 360, "cut": "copy", "video_format": "mp4", "audio_format": "wav"},
    "bytes": 612345,
    "sha256": "0" * 64,
    "audio_sha256": "f" * 64,
    "duration": 10.0,
    "pictures": 250,
    "width": 640,
    "height": 360,
    "fps": 25.0,
    "samples": 441000,
    "sample_rate": 44100,
    "channels": 2,
    "formats": "134+140",
    "yt_dlp": "2026.08.19",
    "bytes_fetched": 1012345,
}


class Ready:
    """A worker that has everything already."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer

    def can_adopt(self, video: Video) -> bool:
        return False

    def adopt(self, video: Video) -> Iterator[Outcome]:
        return iter(())

    def run(self, video: Video, ticket: Ticket) -> Iterator[Outcome]:
        ticket = self._pacer.answered(ticket, success=True)
        for clip in video.clips:
            self._pacer.worked(ticket)
            yield Outcome(clip, "done", facts=FACTS)

    def close(self) -> None:
        pass


class Silence:
    """A report that nobody reads."""

    def outcome(self, outcome: Outcome, retry_in: float | None) -> None:
        pass

    def tick(self, pacers: Sequence[Pacer], paused: str | None) -> None:
        pass

    def trouble(self, outcome: Outcome) -> None:
        raise AssertionError(outcome)

    def taken_back(self, clip_ids: Sequence[str]) -> None:
        pass


def seconds(count: int) -> float:
    """How long a run over so many clips takes."""
    clock = Clock(1.0)
    settings = Settings(Path("data"), min_free=0)
    store = Store(settings, "bench", clock)
    store.open()
    pacer = make_pacer(Identity(), None, 0, None, clock)
    slots = [Slot(Ready(pacer), pacer) for _ in range(4)]
    clips = [_clip(number) for number in range(count)]
    report: Any = Silence()
    engine = Engine(settings, clock, store, report, slots)
    started = time.perf_counter()
    engine.run(by_video(store.pending(clips), "https://www.youtube.com/watch?v={}".format))
    store.snapshot(force=True)
    took = time.perf_counter() - started
    assert len(store.done) == count
    store.close()
    return took


def _clip(number: int) -> Clip:
    return Clip(f"b{number:010d}_000010", f"b{number:010d}", 10.0, 20.0, {"splits": ["train"], "label": "a label"})


if __name__ == "__main__":
    print(seconds(int(sys.argv[2])))
