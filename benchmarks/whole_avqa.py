"""The whole AVQA in fast time: ``whole_avqa TREE VIDEOS-PER-HOUR [CLIPS]``, in the current folder.

The real engine, store, pacer and retries, over 57,015 clips of some 45,000 videos. The workers are scripted:
sizes, faults and blocks are as people report them, by dice that fall the same way each time. The run is ended
three times in the middle, as a node's time is, and goes on. Prints a JSON object: simulated seconds and where they
went, what came, what was lost, and the memory of the process.
"""

from __future__ import annotations

import json
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])

from engine_alone import FACTS
from fast_clock import FastClock

from avclips.core.clock import Clock
from avclips.core.model import Clip, Outcome, Video
from avclips.core.settings import Identity, Settings
from avclips.datasets.general_avqa import GENERAL_AVQA
from avclips.fetch.plan import at_a_site, make_plan
from avclips.fetch.scheduler import Engine, Slot
from avclips.pacing.pace import Ticket, rest
from avclips.pacing.pacer import Pacer, make_pacer
from avclips.sources.archives import Archives
from avclips.state.store import Store

CLIPS, SHARED = 57_015, 45_000
WORKERS, RATE = 4, 50 * 1024
# Of 360p with its sound, ten seconds and what the fragments around them hold.
USUAL_BYTES, SPREAD = 0.95e6, 0.5
EXTRACTION = 2.5
# Of a hundred videos of VGG-Sound, six years later: what they end in for good. The rest can be had.
GONE = {"removed": 8.0, "private": 5.0, "terminated": 2.0, "unavailable": 1.0, "country": 0.5, "age": 1.0}
# Of a hundred that can be had: what their first tries fail with.
AT_FIRST = {"http": 2.0, "network": 1.0, "challenge": 0.5, "forbidden": 0.3}
# Extractions after which YouTube has had enough, about, and for how many hours.
PATIENCE, REFUSES = (2_000, 9_000), (0.3, 3.0)
# The network of the node is down for so many seconds of each so many.
OUTAGE, EVERY = 2_400.0, 60 * 3600.0
ENDS = 3


class Killed(BaseException):
    """The node's time is over."""


class Site:
    """YouTube as scripted: how each video ends, and whom it refuses when."""

    def __init__(self, clock: FastClock) -> None:
        self.clock = clock
        self.tries: Counter[str] = Counter()
        self.extractions = self.refusals = self.bytes = 0
        self._dice = random.Random(1)
        self._guard = threading.Lock()
        self._asked, self._most, self._until = 0, self._dice.randint(*PATIENCE), 0.0

    def fate(self, video: str) -> tuple[str, str]:
        """What a video ends in for good, and what its first try fails with; "" for nothing."""
        dice = random.Random(video)
        return _drawn(dice, GONE), _drawn(dice, AT_FIRST)

    def answer(self, video: str) -> tuple[str, str]:
        """A status and a reason: what the next try of a video comes to."""
        with self._guard:
            if self.clock.now() % EVERY > EVERY - OUTAGE:
                return "unheard", "network"
            self.extractions += 1
            self._asked += 1
            if self._asked >= self._most:
                self._asked, self._most = 0, self._dice.randint(*PATIENCE)
                self._until = self.clock.now() + 3600 * self._dice.uniform(*REFUSES)
            if self.clock.now() < self._until:
                self.refusals += 1
                return "blocked", "bot_check"
            self.tries[video] += 1
            gone, at_first = self.fate(video)
            if at_first and self.tries[video] == 1:
                return "failed", at_first
            return ("gone", gone) if gone else ("done", "")

    def size(self, clip_id: str) -> float:
        """The bytes of a clip."""
        return random.Random(clip_id).lognormvariate(0.0, SPREAD) * USUAL_BYTES


def _drawn(dice: random.Random, shares: dict[str, float]) -> str:
    at = dice.uniform(0, 100)
    for name, share in shares.items():
        at -= share
        if at < 0:
            return name
    return ""


class Hand:
    """A worker: it takes as long as its bytes do at the rate limit, and tells its pacer what a worker tells."""

    def __init__(self, site: Site, store: Store, pacer: Pacer, settings: Settings) -> None:
        self._site, self._store, self._pacer, self._settings = site, store, pacer, settings

    def can_adopt(self, video: Video) -> bool:
        return False

    def adopt(self, video: Video) -> Iterator[Outcome]:
        return iter(())

    def close(self) -> None:
        pass

    def run(self, video: Video, ticket: Ticket) -> Iterator[Outcome]:
        clock = self._site.clock
        clock.sleep(EXTRACTION)
        status, reason = self._site.answer(video.id)
        if status == "done":
            yield from self._fetch(video, self._pacer.answered(ticket, success=True))
            return
        if status == "blocked":
            self._pacer.blocked(ticket, reason)
        elif status == "gone":
            self._pacer.answered(ticket, success=False)
        else:
            self._pacer.undecided(ticket)
        for clip in video.clips:
            if status == "blocked":
                yield Outcome(clip, "blocked", reason, "words")
            else:
                whose = "guest" if reason == "age" else None
                heard = status != "unheard"
                yield Outcome(clip, "failed", reason, "words", status == "gone", reached=heard, identity=whose)
        clock.sleep(rest(self._settings.sleep))

    def _fetch(self, video: Video, ticket: Ticket) -> Iterator[Outcome]:
        for clip in video.clips:
            size = self._site.size(clip.id)
            self._site.clock.sleep(size / RATE)
            self._site.bytes += round(size)
            files = self._store.files.paths(clip.id)
            for path in files:
                path.touch()
            names = [path.relative_to(self._store.folder).as_posix() for path in files]
            self._pacer.worked(ticket)
            facts = {**FACTS, "video": names[0], "audio": names[1], "bytes": round(size)}
            yield Outcome(clip, "done", facts=facts)
            self._site.clock.sleep(rest(self._settings.sleep))


class Counting:
    """A report that counts, and ends the run when it is told to."""

    def __init__(self, clock: FastClock, ends_at: float) -> None:
        self._clock, self._ends_at = clock, ends_at
        self.blocked = 0.0
        self._seen = clock.now()

    def outcome(self, outcome: Outcome, retry_in: float | None) -> None:
        pass

    def tick(self, pacers: Sequence[Pacer], paused: str | None) -> None:
        now = self._clock.now()
        if any(pacer.block for pacer in pacers):
            self.blocked += now - self._seen
        self._seen = now
        if now >= self._ends_at:
            raise Killed

    def trouble(self, outcome: Outcome) -> None:
        pass

    def taken_back(self, clip_ids: Sequence[str]) -> None:
        pass


def write_lists(metadata: Path, count: int) -> None:
    """The files of a list as AVQA's: so many clips, of which up to four share a video."""
    dice = random.Random(2)
    videos = [f"v{number:010d}" for number in range(max(1, count * SHARED // CLIPS))]
    names = [f"{video}_{dice.randrange(30):06d}" for video in videos]
    while len(names) < count:
        names.append(f"{dice.choice(videos)}_{30 + len(names):06d}")
    metadata.mkdir(parents=True)
    for split, some in (("train", names[: count * 7 // 10]), ("val", names[count * 7 // 10 :])):
        records = [{"id": number, "video_name": name} for number, name in enumerate(some)]
        (metadata / f"{split}_qa.json").write_text(json.dumps(records))


def run_once(site: Site, settings: Settings, ends_at: float) -> tuple[bool, float, list[Clip], Store]:
    """One start of the program; whether it came to its end, how long it was blocked, its list, and the folder."""
    clock = site.clock
    # Its lock is touched in a thread that knows no simulated time.
    store = Store(settings, "general_avqa", Clock(1.0))
    store.open()
    clips = list(GENERAL_AVQA.read_clips(store.metadata, settings).clips)
    pacer = make_pacer(Identity(), None, settings.videos_per_hour, None, clock)
    slots = [Slot(Hand(site, store, pacer, settings), pacer) for _ in range(WORKERS)]
    report = Counting(clock, ends_at)
    engine = Engine(settings, clock, store, report, slots)
    clock.out = lambda: len(engine._running)
    plan = make_plan(clips, _url_of, Archives(frozenset(), store.spill), store)
    try:
        engine.run(at_a_site(clips, plan, _url_of, store))
        store.snapshot(force=True)
    except Killed:
        return False, report.blocked, clips, store
    finally:
        store.close()
    return True, report.blocked, clips, store


def _url_of(video: str) -> str:
    return f"https://www.youtube.com/watch?v={video}"


def whole(per_hour: int, count: int) -> dict[str, Any]:
    """The whole of it, with all its starts."""
    settings = Settings(Path("data"), splits=("train", "val"), min_free=0, videos_per_hour=per_hour)
    settings = replace(settings, give_up_after=float("inf"))
    write_lists(Path("data/metadata"), count)
    site = Site(FastClock())
    rough = count * SHARED / CLIPS / (per_hour or 800) * 3600
    ends = [rough * (number + 1) / (ENDS + 1) for number in range(ENDS)]
    starts, blocked = 0, 0.0
    while True:
        starts += 1
        ended, some, clips, store = run_once(site, settings, ends[starts - 1] if starts <= ENDS else float("inf"))
        blocked += some
        hours = site.clock.now() / 3600, blocked / 3600
        print(f"start {starts}: {hours[0]:.1f} h, {hours[1]:.1f} h of them blocked", file=sys.stderr)
        left = [clip for clip in clips if store.may_come(clip)]
        if ended and (not left or starts >= ENDS + 5):
            break
        site.clock = FastClock(site.clock.now())
    return {
        "clips": len(clips),
        "seconds": site.clock.now(),
        "blocked": blocked,
        "starts": starts,
        "extractions": site.extractions,
        "refusals": site.refusals,
        "bytes": site.bytes,
        "done": len(store.done),
        "gone": sum(line["permanent"] for line in store.failed.values()),
        "open": len(left),
        "lost": lost(site, clips, settings),
        "peak": peak(),
    }


def lost(site: Site, clips: Sequence[Clip], settings: Settings) -> int:
    """How many clips are neither here, of those that can be had, nor known for what they are, of the others."""
    store = Store(settings, "general_avqa", Clock(1.0))
    store.read()
    found = 0
    for clip in clips:
        gone, _ = site.fate(clip.video)
        reason = store.failed[clip.id]["reason"] if clip.id in store.failed else ""
        found += reason != gone if gone else clip.id not in store.done
    return found


def peak() -> float:
    """The largest memory of this process so far, in MB; Linux alone says it."""
    said = Path("/proc/self/status").read_text()
    return int(next(line for line in said.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    print(json.dumps(whole(int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else CLIPS)))
