"""`make demo` as a child process: it stops, goes on, shows what came, and leaves nothing behind."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from functools import partial
from pathlib import Path

import pytest

from tests.support.script import ROOT, usual_signals
from tests.support.waiting import wait_until
from tools.demo_videos import LOST, SECONDS, made_videos, write_list

CLIPS = 20


def test_the_list_names_each_clip(tmp_path: Path) -> None:
    videos = made_videos(CLIPS)
    write_list(tmp_path / "list.csv", videos)
    with open(tmp_path / "list.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == CLIPS + len(LOST) and len({row["id"] for row in rows}) == len(rows)
    assert sum(row["matched"] == "1" for row in rows) == CLIPS // 2
    lengths = {each.id: sum(shot.picture.seconds for shot in each.shots) for each in videos}
    for row in rows[:CLIPS]:
        assert float(row["end"]) - float(row["start"]) == pytest.approx(SECONDS)
        assert float(row["end"]) <= lengths[row["url"].rpartition("=")[2]]
        assert row["label"] == row["sound"] or row["matched"] == "0"


def test_too_few_clips_are_refused() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tools.demo", "--clips", "5"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2 and "at least 20" in ended.stderr


def test_a_port_that_is_taken_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        words = [str(tmp_path / "demo"), "--port", str(other.getsockname()[1])]
        ended = subprocess.run(
            [sys.executable, "-m", "tools.demo", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
    assert ended.returncode == 2 and "something listens there" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def has_said(path: Path, words: str) -> bool:
    """Whether a child's output has what matches ``words``."""
    return re.search(words, path.read_text()) is not None


def at_work(mark: Path) -> list[str]:
    """The processes whose files would lie in ``mark``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if os.fsencode(f"TMPDIR={mark}") in path.read_bytes().split(b"\0"):
                found.append(path.with_name("cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_it_stops_goes_on_and_is_looked_at(tmp_path: Path) -> None:
    temporary, said = tmp_path / "temporary", tmp_path / "said"
    temporary.mkdir()
    words = ["-m", "tools.demo", str(tmp_path / "demo"), "--clips", str(CLIPS), "--port", "0"]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    for waits_for, number, code in (
        ("1/5 ", signal.SIGINT, 130),
        ("2/5 ", signal.SIGTERM, 143),
        (r"http://\S+/\n", signal.SIGINT, 0),
    ):
        with open(said, "w") as stream, usual_signals():
            child = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env=environment, stdout=stream, stderr=stream
            )
        try:
            wait_until(partial(has_said, said, waits_for))
            if not code:
                see_page(re.findall(r"http://\S+/", said.read_text())[-1])
            child.send_signal(number)
            assert child.wait(60) == code, said.read_text()
        finally:
            child.kill()
            child.wait()
        # Python's own tracker of shared memory ends a moment after those that it tracks.
        wait_until(lambda: at_work(temporary) == [])
        assert list(temporary.iterdir()) == []
    shown = said.read_text()
    assert "20 of 22 clips are done, 2 failed" in shown and "10 of 20 clips are selected" in shown
    assert [int(number) for number in re.findall(r"^(\d)/5 .* [\d.]+ s$", shown, re.MULTILINE)] == [1, 2, 3, 4, 5]


def see_page(address: str) -> None:
    """All clips are in it, with their clusters."""

    def summary() -> dict[str, int]:
        with urllib.request.urlopen(f"{address}api/summary", timeout=20) as answer:
            found: dict[str, int] = json.load(answer)
        return found

    wait_until(lambda: summary()["total"] == CLIPS + len(LOST))
    with urllib.request.urlopen(f"{address}api/map", timeout=20) as answer:
        assert len(json.load(answer)["id"]) == CLIPS
