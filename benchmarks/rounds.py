"""The ways, taken in turns under each setting: samples of what they cost.

A round runs every way once, each round begins with another one, so that whatever else this machine does strikes
all of them. One way runs at a time.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import child
from .child import Cost
from .standin import Standin
from .ways import Clip, Place, Way, complete, film_bytes

# Seconds of a video, by the letter that its name begins with (serve.py).
LASTS = {"m": 600, "t": 1200, "h": 3 * 3600}


@dataclass(frozen=True)
class Setting:
    """How far away the stand-in is, and what its videos are like; ``batches``: clips of a batch, by way.

    ``video``: the letter of its videos; ``open_rate``: bytes a second of an answer whose end was not asked for.
    ``once``: ways whose waits are so long that one batch in all is enough.
    """

    name: str
    title: str
    batches: Mapping[str, int]
    rounds: int
    video: str = "m"
    latency: float = 0.0
    rate: float | None = None
    page_bytes: int = 0
    once: frozenset[str] = frozenset()
    open_rate: float | None = None


@dataclass(frozen=True)
class Sample:
    """One batch of one way: its costs, and those of its start alone, which are a part of them."""

    setting: str
    way: str
    round: int
    clips: int
    cost: Cost
    start: Cost
    bytes: int
    media_bytes: int
    media_requests: int
    requests: int
    extractions: int
    covering: int
    films: int = 0


class Bench:
    """A place for batches, beside a running stand-in."""

    def __init__(self, standin: Standin, base: Path, tree: Path, ffmpeg: Path, can_check: bool) -> None:
        """``tree``: where the script that is measured lies; ``ffmpeg``: the one that all ways use."""
        self.standin = standin
        self.tree = tree
        self._base = base
        self._can_check = can_check
        self._numbers = itertools.count()
        tools = base / "bin"
        tools.mkdir(parents=True)
        (tools / "ffmpeg").symlink_to(ffmpeg)
        home = base / "home"
        home.mkdir()
        # As in an activated environment; no setting of the user's reaches a way.
        path = [str(tools), str(Path(sys.prefix) / "bin"), os.environ.get("PATH", "")]
        self.environment = {"PATH": os.pathsep.join(path), "HOME": str(home), "LANG": "C.UTF-8"}
        self.environment |= standin.environment

    def place(self) -> Place:
        """A fresh folder for a batch."""
        folder = Path(tempfile.mkdtemp(prefix="batch-", dir=self._base))
        return Place(folder, self.tree, self.standin.proxy, self._can_check)

    def clips(self, count: int, setting: Setting) -> list[Clip]:
        """Clips of so many videos that nobody has asked for yet: at the start, in the middle, at the end."""
        duration = LASTS[setting.video]
        # The same places for every way, and others in each batch of one.
        dice = random.Random(count)
        found = []
        for number in range(count):
            # Never where one of the minutes of a video meets the next (media.py): sound breaks off there.
            start = (0, duration // 2, duration - 60)[number % 3] + dice.randrange(8, 42)
            found.append(Clip(f"{setting.video}{next(self._numbers):010d}", start))
        return found

    def sample(self, way: Way, setting: Setting, number: int) -> Sample:
        """Run one batch of a way."""
        clips = self.clips(setting.batches[way.name], setting)
        place = self.place()
        self.standin.be(setting.latency, setting.rate, setting.page_bytes, setting.open_rate)
        self.standin.forget()
        cost = child.run_all(way.commands(clips, place), self.environment, place.folder)
        counted = self.standin.count()
        for clip in clips:
            if not complete(clip, place.folder):
                raise child.Failed(f"{way.title}: {clip.id} did not come")
        films = sum(film_bytes(clip, place.folder) for clip in clips)
        start = Cost()
        if way.start:
            start = child.run_all(way.start(clips, place), self.environment, place.folder)
        shutil.rmtree(place.folder)
        return Sample(
            setting.name, way.name, number, len(clips), cost, start,
            counted["bytes"], counted["media_bytes"], counted["media_requests"], counted["requests"],
            counted["extractions"], self.standin.covering([(clip.video, clip.start) for clip in clips]),
            films,
        )  # fmt: skip

    def rounds(self, ways: Sequence[Way], setting: Setting, say: Callable[[str], None]) -> Iterator[Sample]:
        """All rounds of a setting."""
        wanted = [way for way in ways if way.name in setting.batches]
        for number in range(setting.rounds):
            turn = number % len(wanted)
            for way in (*wanted[turn:], *wanted[:turn]):
                if number and way.name in setting.once:
                    continue
                sample = self.sample(way, setting, number)
                each = sample.cost.cpu / sample.clips
                say(f"{setting.title}, round {number + 1}: {way.title}: {each:.3f} s of CPU a clip")
                yield sample
