"""The commands of the documents that need no network but the stand-in's, run as they stand there.

One folder is made by the first commands of docs/getting-started.md, another by those of docs/flags.md; every
other line of these pages then finds them at ``./data/avqa`` and ``./data/clips``, where the pages say that they
are. Only paths outside of these folders are others. The right answers of each command are tested where the
command is; here it ends well, and says no traceback.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.support.documented import commands
from tests.support.documents import blocks
from tests.support.script import QUICK, ROOT, TIMEOUT, annotation_files, usual_signals

PAGES = ("docs/getting-started.md", "README.md", "docs/folder.md", "docs/coverage.md", "docs/exports.md",
         "docs/report.md", "docs/explorer.md", "docs/exactness.md", "docs/flags.md", "docs/running.md",
         "docs/troubleshooting.md")  # fmt: skip
# What is tested elsewhere, or cannot be here: each with where, or why.
ELSEWHERE = {
    "pip ": "parsed by test_documents.py",
    "docker ": "parsed by test_documents.py",
    "mkdir -p data": "for docker",
    "make ": "parsed by test_documents.py",
    "nohup ./run_avqa_download.sh": "makes .venv by pip: test_shell.py",
    "./run_avqa_download.sh rehearse": "makes .venv by pip: test_shell.py; the rehearsal: test_rehearse.py",
    "tail -f ": "does not end",
    "duckdb ": "no program of ours",
}
# Besides --export, it serves until Ctrl-C: test_the_explorer_serves.
SERVES = re.compile(r"avclips explore \S+$")
# What the other lines find is made by these, first of all.
FETCHES = re.compile(r"--max-clips 100$|download_clips\.py my_list\.csv$")
PLACES = {"/var/lib/node_exporter/": "./"}
# What takes minutes passes in less than a second.
HURRY = "3000"
CLIPS = ("plays000000_000002", "gone0000000_000003")


@dataclass(frozen=True)
class Line:
    """A line of a document, as a shell is given it."""

    page: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def lines_of(name: str) -> list[Line]:
    page = ROOT / name
    if not page.exists():
        return []
    found = []
    for block in blocks(page):
        for text in block.text.replace("\\\n", " ").splitlines() if block.language == "bash" else ():
            words = [word for command in commands(text) for word in command]
            plain = re.sub(r"\s+# .*", "", text).strip()
            if words and not plain.startswith(tuple(ELSEWHERE)):
                found.append(Line(name, " ".join(plain.split())))
    return found


LINES = [line for page in PAGES for line in lines_of(page)]
# A command that several pages show is run once.
ONCE = list({line.text: line for line in reversed(LINES) if not SERVES.search(line.text)}.values())[::-1]


@dataclass(frozen=True)
class Place:
    """A folder to work in, with the scripts in it, and the environment of whoever works there."""

    folder: Path
    environment: dict[str, str]

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        for there, here in PLACES.items():
            text = text.replace(there, here)
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", text], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT,
        )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("documented")
    for path in [*ROOT.glob("*.py"), ROOT / "avclips"]:
        (folder / path.name).symlink_to(path)
    programs = folder / "bin"
    programs.mkdir()
    for name, words in {"python": "", "avclips": " -m avclips"}.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n')
        program.chmod(0o755)
    videos = {"plays000000": FakeVideo(QUICK), "gone0000000": FakeVideo(case="private")}
    files = {
        address: body.replace(b"a label", b"dog barking")
        for address, body in annotation_files(CLIPS, CLIPS).items()
    }
    with FakeYouTube(media_folder, videos, files=files) as youtube:
        own = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8"}
        own |= {"AVCLIPS_TIME_SCALE": HURRY, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}
        made = Place(folder, own | youtube.environment())
        (folder / "my_list.csv").write_text("video,start,end,label\nplays000000,2,12,dog barking\n")
        for line in (line for line in LINES if FETCHES.search(line.text)):
            # Bytes a second are no time that could be hurried. One of the clips is gone, which no run changes.
            ended = made.run(f"{line.text} --rate-limit 0")
            assert ended.returncode == 0, ended.stdout + ended.stderr
        for name in ("mine", "theirs"):
            (folder / name).mkdir()
            shutil.copy(folder / "data" / "avqa" / "coverage.json", folder / name)
        (folder / "ids.txt").write_text("\n".join(CLIPS))
        yield made
        assert youtube.unknown == []


@pytest.mark.parametrize("line", ONCE, ids=str)
def test_it_runs(place: Place, line: Line) -> None:
    if line.text.startswith("jq") and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    ended = place.run(line.text)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0 and "Traceback" not in said, said
    left = re.search(r"--(?:output|export) (\S+)", line.text)
    assert left is None or (place.folder / left[1]).exists(), said


def test_the_explorer_serves(place: Place) -> None:
    (text,) = {line.text for line in LINES if SERVES.search(line.text)}
    with usual_signals():
        child = subprocess.Popen(
            ["bash", "-c", f"exec {text} --port 0"], cwd=place.folder, env=place.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    try:
        assert child.stdout is not None
        address = child.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address), address
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=TIMEOUT) as answer:
            assert answer.status == 200 and b"<html" in answer.read()
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=TIMEOUT)
        assert child.returncode == 0 and said == "Ctrl-C ends it.\n"
    finally:
        child.kill()
        child.wait()


def test_none_is_forgotten() -> None:
    """Each of the pages that the table names has lines that run, and what runs elsewhere is not all there is."""
    assert {line.page for line in LINES} >= set(PAGES) - {"docs/flags.md"}
    assert len(ONCE) > 15
