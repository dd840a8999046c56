"""The script is killed, interrupted, hung up on: nothing is lost, nothing half done is taken for whole."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM

import pytest

from tests.standin.fake_media import Media
from tests.standin.fake_youtube import FakeVideo, Fault
from tests.support.script import QUICK, TIMEOUT, Child, Stage, decoded, results, seconds_of, stage

SIX = [f"killed{number:05d}_{second:06d}" for number, second in enumerate((0, 1, 2, 3, 4, 0))]
SLOW, STALLED, PRIVATE = (f"{name}_000000" for name in ("readsslowly", "stallsatall", "sleepsafter"))


def sound_waits(stage: Stage) -> bool:
    """A clip has been cut and not yet been given its final names."""
    return any(stage.data.glob(".tmp/*/*/*.wav"))


# What is seen from outside when SIGKILL comes, one run after the other on the same folder.
MOMENTS: list[tuple[str, Callable[[Stage, int], object]]] = [
    ("the annotation files come", lambda stage, before: stage.youtube.requests("file")),
    ("media are read", lambda stage, before: len(stage.youtube.requests("media")) > 2),
    ("a clip is cut", lambda stage, before: sound_waits(stage)),
    ("one more clip is there", lambda stage, before: len(list(stage.data.glob("videos/*"))) > before),
    ("one more sound is there", lambda stage, before: len(list(stage.data.glob("audio/*"))) > before),
]


@pytest.mark.slow
def test_kill_9_again_and_again_loses_nothing(tmp_path: Path, media_folder: Path) -> None:
    videos = {clip: FakeVideo(QUICK) for clip in SIX}
    with stage(tmp_path / "calm", media_folder, videos) as calm:
        assert calm.run().code == 0
        due = results(calm)
    with stage(tmp_path / "killed", media_folder, videos) as torn:
        done: set[str] = set()
        for moment, seen in MOMENTS:
            asked_before = len(torn.youtube.log)
            count = len(list(torn.data.glob("videos/*")))
            child = torn.start("--workers", "2")
            child.until(lambda seen=seen, count=count: seen(torn, count))
            child.send(SIGKILL)
            assert child.end().code == -SIGKILL, moment
            assert not done & asked(torn, asked_before), moment
            whole = [name for name in results(torn) if not decodes(torn, name)]
            assert whole == [], moment
            done = in_manifest(torn)
        asked_before = len(torn.youtube.log)
        ended = torn.run()
        assert ended.code == 0 and "6 of 6 clips are done" in ended.out
        assert not done & asked(torn, asked_before)
        assert results(torn) == due
        assert set(torn.completed) == set(SIX) and torn.failed == {}
        assert not list(torn.data.glob(".tmp/*/*"))


def asked(stage: Stage, since: int) -> set[str]:
    """The clips whose videos were asked for after the first ``since`` requests."""
    videos = {request.video for request in stage.youtube.log[since:]}
    return {clip for clip in SIX if clip[:11] in videos}


def in_manifest(stage: Stage) -> set[str]:
    """The clips that the manifest, of which a kill may cut the last line, calls done."""
    path = stage.data / "manifest.jsonl"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return {clip for clip in SIX for line in lines if clip in line and '"done"' in line}


def decodes(stage: Stage, name: str) -> bool:
    if name.endswith(".wav"):
        return seconds_of(stage.data / "audio" / name) == pytest.approx(10.0)
    return decoded(stage.data / "videos" / name)[0] == 10 * QUICK.fps


@pytest.mark.parametrize("number", [SIGINT, pytest.param(SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_ends_it_soon(tmp_path: Path, media_folder: Path, number: signal.Signals) -> None:
    with stage(tmp_path, media_folder, _busy_videos()) as busy:
        child = _all_busy(busy)
        child.send(number)
        ended = child.end()
        assert ended.code == 128 + number
        assert number.name in ended.err and "Traceback" not in ended.said
        assert busy.completed == [] and set(busy.failed) <= {PRIVATE}
        for video in (SLOW, STALLED):
            busy.youtube.videos[video[:11]] = FakeVideo(QUICK)
        ended = busy.run()
        assert ended.code == 0 and set(busy.completed) == {SLOW, STALLED} and set(busy.failed) == {PRIVATE}
        assert not list(busy.data.glob(".tmp/*/*"))


def test_a_second_signal_ends_it_at_once(tmp_path: Path, media_folder: Path) -> None:
    with stage(tmp_path, media_folder, _busy_videos()) as busy:
        child = _all_busy(busy)
        # Both of them are there when it sees the first.
        for each in (signal.SIGSTOP, SIGINT, SIGTERM, signal.SIGCONT):
            child.send(each)
        # The second one's number: the first one's farewell was not waited for.
        assert child.end().code == 128 + SIGTERM
        assert set(busy.failed) <= {PRIVATE}


def _busy_videos() -> dict[str, FakeVideo]:
    return {
        SLOW: FakeVideo(Media(duration=60.0)),
        STALLED: FakeVideo(QUICK, faults=(Fault("stall", beyond=20_000, after=1000),)),
        PRIVATE: FakeVideo(QUICK, case="private"),
    }


def _all_busy(stage: Stage) -> Child:
    """One worker reads slowly, one hangs in a read, one rests: each for longer than a test waits for the end."""
    patient = ("--yt-dlp-args", f"--socket-timeout {10 * TIMEOUT}")
    child = stage.start("--workers", "3", "--rate-limit", "8K", "--sleep", "3600", *patient)

    def seen() -> bool:
        sent = {name: sum(r.sent for r in stage.youtube.requests("media", name[:11])) for name in (SLOW, STALLED)}
        return sent[SLOW] > 8_000 and sent[STALLED] >= 1000 and "failed " + PRIVATE in stage.log

    child.until(seen)
    time.sleep(0.3)  # what was sent has to be read, and the sleeper to fall asleep
    return child


@pytest.mark.slow
def test_nohup_outlives_a_hang_up_and_leaves_plain_lines(tmp_path: Path, media_folder: Path) -> None:
    clips = SIX[:2]
    videos = {clip: FakeVideo(QUICK, faults=(Fault("slow", rate=1_000_000),)) for clip in clips}
    with stage(tmp_path, media_folder, videos) as hung_up:
        # With its time scaled, a line a minute is a line a second.
        child = hung_up.start("--workers", "1", scale=1000, before=["nohup"])
        child.until(lambda: hung_up.youtube.requests("media"))
        child.send(SIGHUP)
        ended = child.end()
        assert ended.code == 0 and set(hung_up.completed) == set(clips)
        assert "2 of 2 clips are done" in ended.out and "/2 done " in ended.out
        assert all(character.isprintable() or character == "\n" for character in ended.said)
        assert all(character.isprintable() or character == "\n" for character in hung_up.log)


def test_a_terminal_sees_a_bar(tmp_path: Path, media_folder: Path) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    seen: list[bytes] = []

    def watch() -> None:
        try:
            while piece := os.read(master, 4096):
                seen.append(piece)
        except OSError:
            return  # the other side is closed

    with stage(tmp_path, media_folder, {clip: FakeVideo(QUICK) for clip in SIX[:2]}) as shown:
        with os.fdopen(slave, "wb", buffering=0) as terminal:
            child = shown.start(err=terminal)
        watcher = threading.Thread(target=watch)
        watcher.start()
        ended = child.end()
        watcher.join(10)
        os.close(master)
    bar = b"".join(seen).decode()
    assert ended.code == 0 and "2 of 2 clips are done" in ended.out
    assert "\r" in bar and "100%" in bar and "2/2 done 2 failed 0" in bar
