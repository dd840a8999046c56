"""The soak test: the real script against a stand-in YouTube on a bad line, killed and crowded and out of room.

    python -m tests.soak [--seed N] [--clips 600]

A faultless run comes first: what it leaves is right. Then the same clips with a fault in three answers of ten,
three blocks, five ``kill -9``, a second run thrown at the same folder, a neighbour suspended in the lock of the
pace, a lost connection and a full disk; the script is started again until it ends with 0. Then two nodes with
clocks apart, and a store whose listing is late. Then yt-dlp's own ``--download-sections`` has some of the clips
under the same faults. Last, a list of other sites, with hosts that are gone and servers that drip. Not one of the
tests: it takes minutes. Ends with 0 if everything held.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.soak.checks import (
    Charges,
    Watcher,
    differences,
    digests,
    manifest_bytes,
    manifest_lines,
    unreadable,
    verdicts,
)
from tests.soak.faults import SOCKET_TIMEOUT, RoughYouTube, Weather
from tests.soak.hosts import with_dead_hosts
from tests.soak.listing import Listing, make_listing
from tests.soak.nodes import AHEAD, clocks_apart, late_listing, suspend_in_the_lock
from tests.soak.sections import by_sections
from tests.standin.rehearse import ROOT

SCRIPT = ROOT / "download_general_avqa.py"
SCALE = "1000"
# Seconds that the runs with faults may take together.
PATIENCE = 500.0
YTDLP_CLIPS = 40
# Seconds without room, from the moment when it is felt.
FULL_FOR = 3.0
BLOCKS = {"bot_check": 2.5, "rate_limited": 4.5, "page_and_api_429": 1.5}


# -- the disk --------------------------------------------------------------------------------------------------


class Disk:
    """A small disk that can be full: a tmpfs that is shrunk to what it holds. Where nobody may mount one, the
    program is told to keep more free than there is."""

    SIZE = "size=6g"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.small = self._mount("-t", "tmpfs", "-o", self.SIZE, "tmpfs")

    @property
    def how(self) -> str:
        return (
            "a tmpfs, shrunk to what it holds"
            if self.small
            else "--min-free above what is free (no right to mount)"
        )

    def fill(self, suffered: threading.Event, lasts: float) -> None:
        """Leave no room until somebody suffered from it, and ``lasts`` seconds more; deleting files makes none."""
        until = time.monotonic() + 30.0
        while time.monotonic() < until:
            used = shutil.disk_usage(self.folder).used
            self._mount("-o", f"remount,size={used}")
            if suffered.wait(0.02):
                suffered.clear()
                until = time.monotonic() + lasts
        self._mount("-o", f"remount,{self.SIZE}")

    def _mount(self, *words: str) -> bool:
        command = ["mount", *words, str(self.folder)]
        try:
            return subprocess.run(command, capture_output=True, timeout=20).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return False

    def close(self) -> None:
        if self.small:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False, timeout=20)


# -- the runs --------------------------------------------------------------------------------------------------


class Runs:
    """The script as a child process, one at a time, on one folder."""

    def __init__(self, work: Path, name: str, folder: Path, youtube: RoughYouTube) -> None:
        self.folder = folder
        self.pace = work / f"pace-{name}"
        self.charges = Charges()
        self.codes: list[int] = []
        # Since when and until when there was no room for lines of the log.
        self.full = (0.0, 0.0)
        self._youtube = youtube
        self._outputs = work / f"output-{name}"
        self._outputs.mkdir()
        self._log = folder / "avqa_general_download.log"
        self._from = (0, 0)
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *more: str) -> list[str]:
        options = ["--data-dir", str(self.folder), "--state-dir", str(self.pace), "--proxy", self._youtube.proxy]
        options += ["--cut", "copy", "--rate-limit", "0", "--sleep", "0", "--workers", "4"]
        options += ["--videos-per-hour", "0", "--min-free", "0", "--audio-rate", "22050", "--audio-channels", "1"]
        options += ["--yt-dlp-args", f"--socket-timeout {SOCKET_TIMEOUT}"]
        return [sys.executable, "-u", str(SCRIPT), *options, *more]

    @property
    def environment(self) -> dict[str, str]:
        scale = os.environ.get("AVCLIPS_TIME_SCALE", SCALE)
        return {**os.environ, **self._youtube.environment(proxy=""), "AVCLIPS_TIME_SCALE": scale}

    def start(self, *more: str) -> None:
        self._from = (self._log_size(), len(manifest_bytes(self.folder)))
        with open(self._outputs / f"{len(self.codes)}.txt", "wb") as out:
            self.process = subprocess.Popen(
                self.command(*more), env=self.environment, stdout=out, stderr=subprocess.STDOUT
            )

    def said(self) -> str:
        """What the present run printed so far."""
        number = len(self.codes) - (self.process is None)
        return (self._outputs / f"{number}.txt").read_text(errors="replace")

    def hears(self, words: str, patience: float = 30.0) -> bool:
        """Wait until the present run's log says so, from now on."""
        begin, until = self._log_size(), time.monotonic() + patience
        while time.monotonic() < until:
            if words.encode() in self._log.read_bytes()[begin:]:
                return True
            time.sleep(0.05)
        return False

    def ended(self) -> int | None:
        """The exit code of the present run, when it is over."""
        if self.process is None or self.process.poll() is None:
            return None
        return self._finish()

    def signal(self, number: int) -> int:
        """Send the present run a signal and wait for its end."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(60)
        return self._finish()

    def _finish(self) -> int:
        assert self.process is not None
        code = self.process.returncode
        self.codes.append(code)
        self.process = None
        log = self._log.read_bytes()[self._from[0] :] if self._log.exists() else b""
        manifest = manifest_bytes(self.folder)[self._from[1] :]
        # What was asked for shortly before may have been told then.
        since, until = self.full[0] - 10.0, self.full[1] + 2.0
        unsure = {str(each.video) for each in self._youtube.log if since <= each.time <= until}
        self.charges.take(log, manifest, unsure)
        return code

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def done(self) -> int:
        """How many clips stand under their final names."""
        return sum(1 for _ in (self.folder / "videos").glob("*.mp4"))


@dataclass(frozen=True)
class Event:
    """Something that happens once so many clips are there, and a moment later."""

    at: int
    after: float
    name: str
    action: Callable[[], None]


class Ordeal:
    """The runs with faults, and what befalls them."""

    def __init__(self, runs: Runs, weather: Weather, disk: Disk, rng: random.Random, playable: int) -> None:
        self._runs = runs
        self._weather = weather
        self._disk = disk
        self._thread: threading.Thread | None = None
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._events = self._plan(rng, playable)

    def _plan(self, rng: random.Random, playable: int) -> list[Event]:
        actions: list[tuple[str, Callable[[], None]]] = [("kill -9", self._kill)] * 5
        actions += [(f"block: {case}", self._blocking(case, lasts)) for case, lasts in BLOCKS.items()]
        actions += [("second run", self._crowd), ("full disk", self._fill), ("connection lost", self._lose)]
        rng.shuffle(actions)
        # It holds the other events up, though not the clips: they would come too late.
        actions.insert(0, ("suspended neighbour", self._suspend))
        places = sorted(rng.randrange(playable // 20, max(playable * 7 // 10, 2)) for _ in actions)
        return [
            Event(at, rng.uniform(0.0, 1.0), name, action)
            for at, (name, action) in zip(places, actions, strict=True)
        ]

    def run(self) -> None:
        """Start the script again and again until it ends with 0 and everything has happened."""
        until = time.monotonic() + PATIENCE
        self._start()
        while time.monotonic() < until and self._goes_on():
            if self._events and self._runs.done() >= self._events[0].at:
                event = self._events.pop(0)
                time.sleep(event.after)
                if not self._goes_on():
                    self.wrong.append(f"{event.name} came too late")
                    break
                print(f"  {self._runs.done()} clips: {event.name}", flush=True)
                event.action()
            time.sleep(0.05)
        if self._runs.process is not None:
            self.wrong.append(f"not done within {PATIENCE:.0f} s")
        self._wait_for_room()
        self.wrong += [f"{event.name} had no occasion to happen" for event in self._events]

    def _goes_on(self) -> bool:
        """Whether there is more to do; a run that ended with work left is started again."""
        code = self._runs.ended()
        if code is None:
            return True
        if code not in (0, 3):
            self.wrong.append(f"a run ended with {code}: {self._runs.said()[-300:]}")
        if code != 0:
            self._start()
        return code != 0

    def _start(self, *more: str) -> None:
        self._wait_for_room()
        self._runs.start(*more)

    def _wait_for_room(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _kill(self) -> None:
        process = self._runs.process
        if process is None or process.poll() is not None:
            self.wrong.append("nothing was there to be killed")
            return
        self.counts["kill -9"] += 1
        self._runs.signal(signal.SIGKILL)
        self.wrong += unreadable(self._runs.folder, self._runs.pace)
        self._start()

    def _blocking(self, case: str, lasts: float) -> Callable[[], None]:
        def block() -> None:
            self.counts["blocks"] += 1
            self._weather.block(case, lasts)

        return block

    def _lose(self) -> None:
        self.counts["connection lost"] += 1
        self._weather.lose_connection(4.0, 2.0)

    def _suspend(self) -> None:
        self.counts["suspended neighbour"] += 1
        # What the log cannot hold is not heard.
        self._wait_for_room()
        self._hear(" videos: at least ")
        self.wrong += suspend_in_the_lock(self._runs.pace, self._runs.hears)

    def _crowd(self) -> None:
        """Throw a second run at the folder: it must be turned away, and say by whom."""
        process = self._runs.process
        assert process is not None
        with subprocess.Popen(
            self._runs.command(),
            env=self._runs.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as second:
            try:
                said, _ = second.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                second.kill()
                said = "still there after a minute"
        owner = (socket.gethostname(), f"pid {process.pid}")
        if second.returncode == 1 and all(word in said for word in owner):
            self.counts["second runs refused"] += 1
        else:
            self.wrong.append(f"the second run ended with {second.returncode}: {said[-300:]}")

    def _be_full(self, suffered: threading.Event) -> None:
        since = time.time()
        self._runs.full = (since, math.inf)
        self._disk.fill(suffered, FULL_FOR)
        self._runs.full = (since, time.time())

    def _hear(self, words: str) -> bool:
        """Wait until the present run says so; whether it did."""
        until = time.monotonic() + 20
        while words not in self._runs.said() and time.monotonic() < until:
            time.sleep(0.05)
        return words in self._runs.said()

    def _fill(self) -> None:
        self.counts["full disk"] += 1
        # A run that finds no room to begin with says so and ends: that is another story.
        self._hear(" videos: at least ")
        suffered = threading.Event()
        if self._disk.small:
            self._thread = threading.Thread(target=self._be_full, args=(suffered,), name="disk")
            self._thread.start()
        else:
            self._runs.signal(signal.SIGTERM)
            self._runs.start("--min-free", "900000G")
        if not self._hear("Paused: "):
            self.wrong.append("the run did not pause for want of room")
        suffered.set()
        if not self._disk.small:
            if (code := self._runs.signal(signal.SIGTERM)) != 143:
                self.wrong.append(f"a paused run ended with {code} after SIGTERM")
            self._runs.start()


# -- all of it -------------------------------------------------------------------------------------------------


def without_faults(listing: Listing, work: Path, media: Path) -> tuple[dict[str, str], list[str], float]:
    """What every file must be, what is wrong with that already, and the seconds it took."""
    started = time.monotonic()
    with RoughYouTube(media, listing.videos, listing.files(), Weather(0, share=0.0)) as youtube:
        runs = Runs(work, "right", work / "right", youtube)
        runs.start()
        assert runs.process is not None
        try:
            runs.process.wait(PATIENCE)
        finally:
            runs.close()
        code = runs.ended()
    wrong = [] if code == 0 else [f"the faultless run ended with {code}: {runs.said()[-500:]}"]
    expected = {piece.clip: piece.becomes for piece in listing.pieces}
    wrong += verdicts(runs.folder, expected) if code == 0 else []
    return digests(runs.folder), wrong, time.monotonic() - started


def soak(seed: int, count: int, work: Path) -> list[str]:
    """Run it all; returns what is wrong, a line each."""
    rng = random.Random(seed)
    listing = make_listing(rng, count)
    media = ROOT / ".cache" / "standin"
    print(f"{count} clips of {len(listing.videos)} videos without faults ...", flush=True)
    right, wrong, took = without_faults(listing, work, media)
    print(f"  {len(right)} files in {took:.0f} s", flush=True)
    if wrong:
        return wrong
    disk = Disk(work / "soak")
    weather = Weather(seed)
    watcher = Watcher(disk.folder, right)
    print(f"The same with faults; the full disk is {disk.how} ...", flush=True)
    started = time.monotonic()
    try:
        with RoughYouTube(media, listing.videos, listing.files(), weather) as youtube:
            runs = Runs(work, "soak", disk.folder, youtube)
            watcher.start()
            ordeal = Ordeal(runs, weather, disk, rng, len(listing.playable))
            try:
                ordeal.run()
            finally:
                runs.close()
        took = time.monotonic() - started
        watcher.end()
        wrong += [*ordeal.wrong, *watcher.wrong, *differences(disk.folder, right), *runs.charges.wrong]
        wrong += [f"no extraction met {case}" for case in BLOCKS if not weather.hits[f"block: {case}"]]
        wrong += verdicts(disk.folder, {piece.clip: piece.becomes for piece in listing.pieces})
        print_table(table(listing, runs, ordeal, weather, watcher, took))
    finally:
        shutil.copy(disk.folder / "avqa_general_download.log", work)
        shutil.copy(disk.folder / "manifest.jsonl", work)
        disk.close()
    ahead = rng.choice(AHEAD)
    print(f"Two nodes, one with a clock {ahead:g} s ahead ...", flush=True)
    wrong += clocks_apart(work / "nodes", media, SCRIPT, ahead)
    print("Shards in a store whose listing is late ...", flush=True)
    wrong += late_listing(work / "late", seed)
    print_table(side_by_side(listing, runs, seed, work, media, rng))
    print("Other sites, of which some are gone, and some hardly move ...", flush=True)
    return wrong + with_dead_hosts(seed, work, media)


def table(
    listing: Listing, runs: Runs, ordeal: Ordeal, weather: Weather, watcher: Watcher, took: float
) -> list[tuple[str, str]]:
    """What happened, a row each."""
    lines = list(manifest_lines(manifest_bytes(runs.folder)))
    last = {line["id"]: line for line in lines}
    done = [line for line in last.values() if line["status"] == "done"]
    reasons = Counter(line["reason"] for line in last.values() if line["status"] == "failed")
    passing = Counter(line["reason"] for line in lines if line["status"] == "failed" and not line["permanent"])
    struck = sum(hits for kind, hits in weather.hits.items() if not kind.startswith(("block", "connection")))
    return [
        ("clips, videos", f"{len(listing.pieces)}, {len(listing.videos)}"),
        ("done", f"{len(done)} of {len(listing.playable)} playable"),
        ("failed for good", ", ".join(f"{reason} {n}" for reason, n in reasons.most_common())),
        ("failed in a run, and came later", ", ".join(f"{r} {n}" for r, n in passing.most_common()) or "none"),
        ("answers", f"{weather.answers} on {weather.connections} connections"),
        ("faults at random", f"{struck}: " + ", ".join(f"{k} {n}" for k, n in sorted(weather.hits.items()))),
        ("blocks", f"{ordeal.counts['blocks']}, {runs.charges.refused} tries refused, none may be charged"),
        ("tries that failed, and were made again", str(runs.charges.again)),
        ("clips whose charges were compared after a refusal", str(runs.charges.checked)),
        ("kill -9", str(ordeal.counts["kill -9"])),
        ("second runs refused", str(ordeal.counts["second runs refused"])),
        ("connection lost, full disk", f"{ordeal.counts['connection lost']}, {ordeal.counts['full disk']}"),
        ("neighbours suspended in the lock", str(ordeal.counts["suspended neighbour"])),
        ("exit codes", " ".join(map(str, runs.codes))),
        ("files looked at as they appeared", f"{watcher.looked_at}, {len(watcher.wrong)} not right"),
        ("seconds", f"{took:.0f}"),
    ]


def side_by_side(
    listing: Listing, runs: Runs, seed: int, work: Path, media: Path, rng: random.Random
) -> list[tuple[str, str]]:
    """The same faults, met by yt-dlp's own way of cutting."""
    pieces = rng.sample(listing.playable, min(YTDLP_CLIPS, len(listing.playable)))
    print(f"yt-dlp --download-sections on {len(pieces)} of them under the same faults ...", flush=True)
    with RoughYouTube(media, listing.videos, {}, Weather(seed)) as youtube:
        found = by_sections(pieces, youtube, work)
    lines = {line["id"]: line for line in manifest_lines((work / "manifest.jsonl").read_bytes())}
    ours = [lines.get(piece.clip, {}) for piece in pieces]
    whole = sum(line.get("status") == "done" for line in ours)
    lengths = zip(ours, pieces, strict=True)
    short = sum(line.get("duration", 0.0) < piece.length - 0.5 for line, piece in lengths if "duration" in line)
    tries, shortest = sum(found.codes.values()), sorted(round(length, 1) for length in found.short)
    return [
        ("of the same clips, ours called done", f"{whole} of {len(pieces)}, more than 0.5 s short: {short}"),
        (
            "yt-dlp called done (exit 0)",
            f"{found.done} of {found.clips}, more than 0.5 s short: {len(found.short)}, "
            f"seconds (0: no picture or no sound): {' '.join(map(str, shortest))}",
        ),
        (
            "how yt-dlp's tries ended",
            f"{tries} tries, not 0: {found.codes['not 0']}, hung: {found.codes['hung']}, in {found.took:.0f} s",
        ),
    ]


def print_table(rows: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"  {name:{width}}  {value}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--clips", type=int, default=600)
    parser.add_argument("--keep", action="store_true", help="keep the folder even when all went well")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"Seed {options.seed}, in {work}", flush=True)
    wrong = soak(options.seed, options.clips, work)
    for line in wrong:
        print(f"WRONG: {line}")
    if wrong or options.keep:
        print(f"What it left is in {work}; again with: python -m tests.soak --seed {options.seed}")
    else:
        shutil.rmtree(work, ignore_errors=True)
    print("The soak test failed." if wrong else "Everything held.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
