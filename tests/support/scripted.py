"""Workers that do what a script says, and an engine to run them in."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from avclips.core.clock import Clock
from avclips.core.model import Clip, Outcome, Video
from avclips.core.settings import Identity, Settings
from avclips.fetch.plan import by_video
from avclips.fetch.roles import Slot
from avclips.fetch.scheduler import Engine
from avclips.pacing.pace import Ticket
from avclips.pacing.pacer import Pacer, make_pacer
from avclips.state.store import Store

Said = str | BaseException


class Script:
    """Workers that say of each clip what stands in its row, try by try; behind the row's end it is done.

    A word is "done", a reason, "-reason" for a permanent one, "!reason" for a refusal, "?reason" where nobody was
    reached, "~reason" where others were just then; an exception is raised. ``calls``: the clips of each run;
    ``adopted``: those of each adoption.
    """

    def __init__(self, rows: dict[str, list[Said]], default: Said = "done") -> None:
        self.rows = rows
        self.default = default
        self.calls: list[list[str]] = []
        self.callers: list[Pacer] = []
        self.adopted: list[list[str]] = []
        self.closed = 0
        self.on_call: Callable[[Video], object] = lambda video: None
        self.lock = threading.Lock()
        self._retries: Counter[str] = Counter()

    def outcome(self, clip: Clip) -> Outcome:
        """What the row says of the clip's next try."""
        with self.lock:
            number = self._retries[clip.id]
            self._retries[clip.id] += 1
        row = self.rows.get(clip.id, [])
        said = row[number] if number < len(row) else self.default
        if isinstance(said, BaseException):
            raise said
        if said == "done":
            return Outcome(clip, "done")
        if said.startswith("!"):
            return Outcome(clip, "blocked", said[1:], "words")
        permanent, online = said.startswith("-"), said.startswith("~")
        reached = not said.startswith(("?", "~"))
        return Outcome(clip, "failed", said.lstrip("-?~"), "words", permanent, reached=reached, online=online)


class Hand:
    """One worker of a script; it tells its pacer what a worker does."""

    def __init__(self, script: Script, store: Store, pacer: Pacer) -> None:
        self._script = script
        self._store = store
        self._pacer = pacer

    def close(self) -> None:
        self._script.closed += 1

    def can_adopt(self, video: Video) -> bool:
        return any(self._store.has_unknown_files(clip) for clip in video.clips)

    def adopt(self, video: Video) -> Iterator[Outcome]:
        """A file that holds "right" is adopted, any other set aside."""
        with self._script.lock:
            self._script.adopted.append([clip.id for clip in video.clips])
        for clip in video.clips:
            if self._store.has_unknown_files(clip):
                if self._store.files.paths(clip.id)[0].read_text() == "right":
                    yield Outcome(clip, "done", asked=False)
                else:
                    self._store.set_aside(clip.id)

    def run(self, video: Video, ticket: Ticket) -> Iterator[Outcome]:
        with self._script.lock:
            self._script.calls.append([clip.id for clip in video.clips])
            self._script.callers.append(self._pacer)
        self._script.on_call(video)
        for clip in video.clips:
            outcome = self._script.outcome(clip)
            if outcome.status == "blocked":
                self._pacer.blocked(ticket, outcome.reason)
            elif outcome.status == "done" or outcome.permanent:
                ticket = self._pacer.answered(ticket, success=outcome.status == "done")
                if outcome.status == "done":
                    self._pacer.worked(ticket)
            else:
                self._pacer.undecided(ticket)
            yield outcome


class Heard:
    """A report that keeps what it hears."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, str, int, float | None]] = []
        self.troubles: list[str] = []
        self.backs: list[int] = []
        # Each state once, in the order in which they came: why there is a pause, and the reasons of the blocks.
        self.pauses: list[str | None] = []
        self.blocks: list[list[str | None]] = []

    def outcome(self, outcome: Outcome, retry_in: float | None) -> None:
        self.said.append((outcome.clip.id, outcome.status, outcome.reason, outcome.attempts, retry_in))

    def tick(self, pacers: Sequence[Pacer], paused: str | None) -> None:
        if [paused] != self.pauses[-1:]:
            self.pauses.append(paused)
        blocks = [pacer.block.reason if pacer.block else None for pacer in pacers]
        if [blocks] != self.blocks[-1:]:
            self.blocks.append(blocks)

    def trouble(self, outcome: Outcome) -> None:
        self.troubles.append(outcome.clip.id)

    def taken_back(self, clip_ids: Sequence[str]) -> None:
        self.backs.append(len(clip_ids))


class Simulated(Clock):
    """A clock on which time passes only while the engine waits and nobody is at work: hours in milliseconds.

    ``step``: the seconds after which the engine looks around at the latest. ``at_work``: whether any worker is.
    """

    def __init__(self, step: float = 1.0) -> None:
        super().__init__(step)
        self.time = 0.0
        self.at_work: Callable[[], object] = lambda: False
        self._passed = 0

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.time

    def real(self, seconds: float, at_least: float = 0.0) -> float:
        if self.at_work():
            # Its thread may begin late on a busy machine. The engine looks around meanwhile.
            return 0.01
        self._passed += 1
        assert self._passed < 20_000, f"the run never ends: it is {self.time:.0f} s old"
        self.time += max(seconds, at_least)
        return 0.0


class Run:
    """An engine over a fresh data folder, its retries due at once (a minute is 60 ns).

    ``pacers``: so many identities without a limit; the workers are spread over them.
    """

    def __init__(
        self, folder: Path, script: Script, clock: Clock | None = None, pacers: int = 1, **settings: Any
    ) -> None:
        base = Settings(folder / "data", workers=2, give_up_after=float("inf"), min_free=0)
        self.settings = replace(base, **settings)
        self.clock = clock or Clock(1e9)
        self.store = Store(self.settings, "test", Clock(1.0))
        self.report = Heard()
        self.script = script
        self.pacers = [make_pacer(Identity(), None, 0, None, self.clock) for _ in range(pacers)]
        spread = [self.pacers[number % pacers] for number in range(self.settings.workers)]
        slots = [Slot(Hand(script, self.store, pacer), pacer) for pacer in spread]
        self.engine = Engine(self.settings, self.clock, self.store, self.report, slots)
        if isinstance(self.clock, Simulated):
            self.clock.at_work = lambda: self.engine._running
        self.store.open()

    def of(self, clip_ids: str) -> Run:
        """Run over these clips: "a1 a2 b1" are two of video a and one of b."""
        return self.over([Clip(name, name[0], 0.0, 10.0) for name in clip_ids.split()])

    def over(self, clips: list[Clip]) -> Run:
        try:
            self.engine.run(by_video(self.store.pending(clips), "https://www.youtube.com/watch?v={}".format))
        finally:
            self.store.close()
        return self

    @property
    def tries(self) -> Counter[str]:
        return Counter(clip for call in self.script.calls for clip in call)
