"""The soak test's nodes: clocks that differ, a neighbour that is suspended, and a store whose listing is late.

Knows: runs of the script beside each other, the pace they share, and shards in a store. Every function returns
what is wrong, a line each.
"""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import fsspec

from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.fetch.shard_todo import Todo
from avclips.shards.layout import Output
from avclips.shards.sample import Sample
from avclips.shards.storage import Remote
from tests.soak.faults import RoughYouTube, Weather
from tests.standin.fake_youtube import FakeVideo, Request
from tests.support.fake_clock import FakeClock
from tests.support.script import QUICK, annotation_files

# -- two nodes ---------------------------------------------------------------------------------------------------

# Videos, and how many two nodes may ask for together in 60 minutes: 30 at once, then 30 an hour. Behind REFUSED_AT
# of them comes one refusal.
SKEWED_VIDEOS, PER_HOUR, REFUSED_AT = 90, 60, 75
# Seconds by which a node's clock is ahead; the other's is right.
AHEAD = (300.0, 7200.0, -7200.0)
SCALE = 1000
_OTHER_CLOCK = """
import os, time
_time, _time_ns, _ahead = time.time, time.time_ns, float(os.environ["AHEAD"])
time.time = lambda: _time() + _ahead
time.time_ns = lambda: _time_ns() + int(_ahead * 1e9)
"""


def clocks_apart(work: Path, media: Path, script: Path, ahead: float) -> list[str]:
    """Two nodes with one connection and one folder, one with a clock that is ahead; one is refused once."""
    work.mkdir()
    (work / "sitecustomize.py").write_text(_OTHER_CLOCK)
    names = [f"skew{number:07d}_000001" for number in range(SKEWED_VIDEOS)]
    videos = {name[:11]: FakeVideo(QUICK) for name in names}
    refused: list[float] = []

    with RoughYouTube(media, videos, annotation_files(names), Weather(0, share=0.0)) as youtube:

        def refuse(request: Request) -> str | None:
            if len(youtube.requests("watch")) >= REFUSED_AT and not refused:
                refused.append(time.monotonic())
                return "page_and_api_429"
            return None

        youtube.refuse = refuse
        options = ["--data-dir", str(work / "d"), "--state-dir", str(work / "s"), "--proxy", youtube.proxy]
        options += ["--cut", "copy", "--rate-limit", "0", "--sleep", "0", "--workers", "2", "--min-free", "0"]
        options += ["--videos-per-hour", str(PER_HOUR)]
        nodes = []
        for number, offset in enumerate((ahead, 0.0)):
            environment = {**os.environ, **youtube.environment(proxy=""), "AVCLIPS_TIME_SCALE": str(SCALE)}
            environment |= {"AHEAD": str(offset), "PYTHONPATH": str(work)}
            command = [sys.executable, "-u", str(script), *options, "--part", f"{number}/2"]
            out = open(work / f"{number}.txt", "wb")  # noqa: SIM115 - a child's
            nodes.append(subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT))
            out.close()
        codes = [_end(node) for node in nodes]
        asked = sorted(request.time for request in youtube.requests("watch"))
    wrong = [f"a node ended with {code}" for code in codes if code != 0]
    hour = 3600.0 / SCALE
    most = max((sum(start <= each < start + hour for each in asked) for start in asked), default=0)
    # Of what was asked for just before, the answer of a busy machine comes late.
    if most > PER_HOUR * 1.1:
        wrong.append(f"{most} extractions in 60 minutes, {PER_HOUR} are allowed")
    done = len(list((work / "d" / "videos").glob("*.mp4")))
    if done != len(names):
        wrong.append(f"{done} of {len(names)} clips are there")
    if refused and (longest := max((b - a for a, b in itertools.pairwise(asked)), default=0.0) * SCALE) > 5400:
        wrong.append(f"nobody asked for {longest:.0f} s: a block by another's clock")
    return [f"clocks {ahead:g} s apart: {each}" for each in wrong]


def _end(node: subprocess.Popen[bytes]) -> int:
    try:
        return node.wait(120)
    except subprocess.TimeoutExpired:
        node.kill()
        return node.wait()


# -- a neighbour in the lock -------------------------------------------------------------------------------------

_HOLDER = """
import os, signal, sys
from filelock import FileLock
locks = [FileLock(path) for path in sys.argv[1:]]
for lock in locks:
    lock.acquire()
print("in", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""


def suspend_in_the_lock(pace: Path, hears: Callable[[str], bool]) -> list[str]:
    """Suspend a neighbour in the lock of the pace: the run goes on, and shares again when it is gone.

    ``hears(words)``: waits until the run's log says so, from now on.
    """
    locks = sorted(map(str, pace.glob("*.lock")))
    if not locks:
        return ["there is no pace to be shared"]
    with subprocess.Popen([sys.executable, "-c", _HOLDER, *locks], stdout=subprocess.PIPE) as neighbour:
        try:
            assert neighbour.stdout is not None
            neighbour.stdout.readline()
            wrong = [] if hears("cannot be shared now") else ["a suspended neighbour was not felt"]
        finally:
            neighbour.kill()
    return wrong + ([] if hears("is shared again") else ["the pace is not shared again"])


# -- a store whose listing is late -------------------------------------------------------------------------------


class _Late(Remote):
    """A store that lists a file only after some looks."""

    def __init__(self, url: str, rng: random.Random, age: dict[str, int]) -> None:
        super().__init__(url)
        self._rng = rng
        self._age = age

    def names(self) -> frozenset[str]:
        found = super().names()
        for name in found:
            self._age.setdefault(name, self._rng.choice((0, 0, 0, 1, 2, 5)))
        shown = {name for name in found if name == "plan.json" or self._age[name] <= 0}
        for name in found:
            self._age[name] -= 1
        return frozenset(shown)


def late_listing(work: Path, seed: int, rounds: int = 10) -> list[str]:
    """Drivers that ask again for what failed, by a listing that is late: no done clip is lost or written over."""
    work.mkdir()
    rng, url = random.Random(f"late/{seed}"), f"memory://late-{seed}"
    data = work / "d"
    (data / "videos").mkdir(parents=True)
    clips = [Clip(f"c{number:02d}", f"c{number:02d}", 0.0, 1.0) for number in range(24)]
    for clip in clips:
        (data / "videos" / f"{clip.id}.mp4").write_bytes(b"v")
    settings = Settings(data, retry_failed=(), samples_per_shard=4)
    written: dict[str, bytes] = {}
    wrong: list[str] = []
    truth = Remote(url)
    for number in range(2 * rounds):
        # In the end it is as it should be, and everything comes.
        late = number < rounds
        output = Output(_Late(url, rng, {}) if late else truth, "webdataset", 6, FakeClock())
        for shard in Todo(output, clips, settings, output.finished()):
            if late and rng.random() < 0.1:
                # It died with the number in its hands.
                break
            samples = [_sample(clip, rng) for clip in shard.clips]
            name = f"{output.name(shard.number)}_stats.json"
            before = truth.read(name) if truth.has(name) else None
            wrote = output.write(shard.number, samples, data, work / "s")
            if wrote and before is not None:
                wrong.append(f"round {number}: {name} was written over")
            written.setdefault(name, truth.read(name) if truth.has(name) else b"")
        else:
            output.let_go()
        wrong += [f"round {number}: {name} is another" for name, was in written.items() if was != truth.read(name)]
    wrong += _lost(Output(truth, "webdataset", 6, FakeClock()), clips)
    fsspec.filesystem("memory").rm(url.removeprefix("memory:/"), recursive=True)
    return [f"a late listing: {each}" for each in wrong]


def _sample(clip: Clip, rng: random.Random) -> Sample:
    if rng.random() < 0.4:
        return Sample(clip, {"status": "done", "video": f"videos/{clip.id}.mp4", "audio": None})
    return Sample(clip, {"status": "failed", "reason": "network", "permanent": False})


def _lost(output: Output, clips: Sequence[Clip]) -> list[str]:
    rows = [row for number in output.finished() for row in output.outcomes(number)]
    done = Counter(row[0] for row in rows if row[1] == "done")
    missing = [clip.id for clip in clips if not done[clip.id]]
    return [f"{clip} is in no shard" for clip in missing]
