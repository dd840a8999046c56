"""What `make demo` does, step by step; ``tools.demo`` is its command line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from avclips.core.errors import RunError
from avclips.core.signals import held_signals
from avclips.curate.synthetic.files import write_videos
from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.standin.given_videos import given
from tools.demo_videos import LOOK, LOST, made_videos, write_list

ROOT = Path(__file__).resolve().parent.parent
# Seconds that a program has to end by itself.
PATIENCE = 20


class Steps:
    """The steps so far: each is a line when it begins, and its seconds when it ends."""

    def __init__(self, count: int, log: Path) -> None:
        self._count = count
        self._log = log
        self._number = 0

    @contextmanager
    def step(self, words: str) -> Iterator[None]:
        """A step, in words."""
        self._number += 1
        print(f"{self._number}/{self._count}  {words} ...", end="", flush=True)
        began = time.monotonic()
        try:
            yield
        except BaseException:
            print(flush=True)
            raise
        print(f" {time.monotonic() - began:.1f} s", flush=True)

    def run(
        self, words: str, command: list[str], shows: str = "", environment: Mapping[str, str] = os.environ
    ) -> None:
        """A step that is one of the programs, and of what it says the line with ``shows``. RunError: it fails."""
        with self.step(words), open(self._log, "a", encoding="utf-8") as log:
            log.write(f"\n$ {' '.join(command)}\n")
            log.flush()
            begin = log.tell()
            code = ended(command, environment, log.fileno())
        said = self._log.read_bytes()[begin:].decode(errors="replace").splitlines()
        if code:
            raise RunError("\n".join([*said[-12:], f"this step ended with {code}; all of it is in {self._log}"]))
        for line in said if shows else ():
            if shows in line:
                # Without the time of day.
                print(f"     {re.sub(r'^[0-9:]{8} ', '', line)}", flush=True)


def ended(command: list[str], environment: Mapping[str, str], output: int | None = None) -> int:
    """Run a Python program until it ends; it ends with this one. ``output``: None: where this one's goes."""
    words = [sys.executable, "-u", *command]
    with ExitStack() as stack:
        try:
            # A Ctrl-C in the midst of that would leave a program that nobody ends.
            with held_signals():
                # In a session of its own: a terminal's Ctrl-C comes to this program, which passes it on, once.
                child = stack.enter_context(
                    subprocess.Popen(
                        words,
                        cwd=ROOT,
                        env=dict(environment),
                        stdout=output,
                        stderr=output,
                        start_new_session=True,
                    )
                )
            return child.wait()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)
            try:
                child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
            raise


def curated(folder: Path, clip_count: int) -> None:
    """Make the videos, download their clips into ``folder``, and curate them. RunError where a step fails."""
    work = folder.with_name(f"{folder.name}_videos")
    work.mkdir(parents=True, exist_ok=True)
    steps = Steps(5, work / "demo.log")
    videos = made_videos(clip_count)
    with steps.step(f"makes {len(videos)} videos with {clip_count} clips in them"):
        write_list(work / "list.csv", videos)
        for _ in write_videos(work, videos, os.cpu_count() or 1, LOOK):
            pass
    shown: dict[str, FakeVideo] = {each.id: given(work / f"{each.id}.mp4", each.title) for each in videos}
    shown |= {video: FakeVideo(case=case) for video, case in LOST.items()}
    streams = work / "streams"
    streams.mkdir(exist_ok=True)
    with FakeYouTube(streams, shown) as youtube:
        # A pace of its own, and no rests: nobody is to be spared.
        at_once = "--rate-limit 0 --sleep 0 --videos-per-hour 0 --state-dir".split()
        listed = "--id-col id --caption-col caption --keep-cols label sound matched --data-dir".split()
        # Nor is a task of a job array to show its share alone.
        own = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_ARRAY_")}
        steps.run(
            "downloads the clips from a stand-in for YouTube (download_clips.py)",
            ["download_clips.py", str(work / "list.csv"), *listed, str(folder), *at_once, str(work / "pace")],
            " failed, ",
            # As its only way out: nothing of this goes online.
            {**own, **youtube.environment()},
        )
    clusters = max(2, min(8, clip_count // 10))
    for words, stage, shows in (
        ("measures picture and sound (avclips curate features)", ["features"], ""),
        ("finds kinds of them (avclips curate cluster)", ["cluster", "--clusters", str(clusters)], ""),
        ("chooses the half whose sound fits (avclips curate select)", ["select", "--keep", "0.5"], "are selected"),
    ):
        steps.run(words, ["-m", "avclips", "curate", *stage, "--data-dir", str(folder)], shows)
