"""The readers, their pinned versions, and how each is installed and asked.

A room is an environment of its own in .cache/readers, made once: a venv, a folder that pip fills for PYTHONPATH
where packages have one module's name, or a folder of npm's. What is not to be had here is left out, and said.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..environments import Environment
from ..requirements import ROOT

CACHE = ROOT / ".cache" / "readers"
DRIVERS = Path(__file__).parent / "drivers"

LIGHT = (
    "numpy==2.4.6", "av==18.1.0", "opencv-python-headless==5.0.0.93", "imageio==2.38.1", "imageio-ffmpeg==0.8.1",
    "moviepy==2.2.1", "librosa==0.11.0", "soundfile==0.14.0",
)  # fmt: skip
# The last torchcodec whose wheel on PyPI needs no CUDA. It stands on the system's ffmpeg; torch may be any build.
TORCH = ("numpy==2.4.6", "torch==2.13.0", "torchcodec==0.13.0", "datasets==5.2.0")
WEB = ("playwright-core@1.65.1", "mediabunny@1.61.0", "mp4box@2.4.1")
VENVS = {"light": LIGHT, "torch": TORCH}
TARGETS = ("decord==0.6.0", "eva-decord==0.6.1", "decord2==3.4.0")

_PICTURES, _SOUND = frozenset({"pictures"}), frozenset({"sound"})
_BOTH = _PICTURES | _SOUND


@dataclass(frozen=True)
class Reader:
    """``key``: its name to its driver; ``package``: whose version it has; ``reads``: what it is asked for.

    ``mixes``: its sound is the sum of the channels by libswresample, not the first of them.
    """

    key: str
    package: str
    driver: str
    room: str
    reads: frozenset[str] = _BOTH
    shown: str = ""
    mixes: bool = False

    @property
    def name(self) -> str:
        return self.shown or self.key


READERS = (
    Reader("PyAV", "av", "light.py", "light"),
    Reader("OpenCV", "opencv-python-headless", "light.py", "light", _PICTURES),
    Reader("decord", "decord", "decords.py", "decord", mixes=True),
    Reader("decord", "eva-decord", "decords.py", "eva-decord", shown="eva-decord", mixes=True),
    Reader("decord", "decord2", "decords.py", "decord2", shown="decord2", mixes=True),
    Reader("torchcodec, exact", "torchcodec", "torches.py", "torch", shown="torchcodec (exact)"),
    Reader("torchcodec, approximate", "torchcodec", "torches.py", "torch", _PICTURES, "torchcodec (approximate)"),
    Reader("datasets", "datasets", "torches.py", "torch", shown="Hugging Face datasets"),
    Reader("imageio, FFMPEG", "imageio", "light.py", "light", _PICTURES, "imageio (FFMPEG)"),
    Reader("imageio, pyav", "imageio", "light.py", "light", _PICTURES, "imageio (pyav)"),
    Reader("MoviePy", "moviepy", "light.py", "light"),
    Reader("librosa", "librosa", "light.py", "light", _SOUND),
    Reader("soundfile", "soundfile", "light.py", "light", _SOUND),
    Reader("ffmpeg, system", "", "light.py", "light", shown="ffmpeg, the system's"),
    Reader("ffmpeg, wheel", "imageio-ffmpeg", "light.py", "light", shown="ffmpeg of imageio-ffmpeg"),
    Reader("Chromium <video>", "", "web.mjs", "web", shown="Chromium's `<video>`"),
    Reader("mediabunny", "mediabunny", "web.mjs", "web"),
    Reader("mp4box.js", "mp4box", "web.mjs", "web"),
)


class Missing(Exception):
    """What a room needs is not on this machine."""


def version(reader: Reader) -> str:
    """The version that is pinned, or the one of the system's program."""
    for pin in (*LIGHT, *TORCH, *TARGETS, *WEB):
        name, found = re.split("==|@", pin)
        if name == reader.package:
            return found
    program = _chromium() if reader.driver == "web.mjs" else "ffmpeg"
    option = "--version" if reader.driver == "web.mjs" else "-version"
    said = subprocess.run([program, option], capture_output=True, text=True).stdout
    match = re.search(r"\d+(\.\d+)+", said)
    return match[0] if match else "of an unknown version"


def command(reader: Reader) -> tuple[list[str], dict[str, str]]:
    """The command of a reader's driver and its environment; its room is made first. Missing where it cannot be."""
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HF_HUB_OFFLINE": "1",
        "OPENCV_LOG_LEVEL": "ERROR",
    }
    environment |= {"HOME": str(CACHE), "HF_HOME": str(CACHE / "huggingface")}
    driver = str(DRIVERS / reader.driver)
    if reader.room == "web":
        return ["node", driver, _chromium(), str(_web())], environment
    if not shutil.which("ffmpeg"):
        raise Missing("ffmpeg of the system is not there")
    if reader.room in VENVS:
        python = _venv(reader.room, VENVS[reader.room])
    else:
        python = _venv("light", LIGHT)
        environment["PYTHONPATH"] = str(_target(python, next(pin for pin in TARGETS if _is(pin, reader.room))))
    return [str(python), "-W", "ignore", driver], environment


def _is(pin: str, name: str) -> bool:
    return pin.partition("==")[0] == name


def _venv(name: str, pins: Sequence[str]) -> Path:
    folder = CACHE / name
    fresh = not _is_made(folder, pins)
    environment = Environment(folder, fresh=fresh)
    if fresh:
        environment.install(*pins)
        _mark(folder, pins)
    return environment.python


def _target(python: Path, pin: str) -> Path:
    """A folder with one package alone; what it needs is in the venv."""
    folder = CACHE / pin.partition("==")[0]
    if not _is_made(folder, [pin]):
        shutil.rmtree(folder, ignore_errors=True)
        words = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(folder), pin]
        subprocess.run([str(python), "-m", "pip", *words], check=True)
        _mark(folder, [pin])
    return folder


def _web() -> Path:
    """npm's node_modules."""
    if not shutil.which("npm"):
        raise Missing("npm is not there")
    folder = CACHE / "web"
    if not _is_made(folder, WEB):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subprocess.run(["npm", "install", "--silent", "--prefix", str(folder), *WEB], check=True)
        _mark(folder, WEB)
    return folder / "node_modules"


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise Missing("Chromium is not there (Debian: apt-get install chromium)")
    return found


def _is_made(folder: Path, pins: Sequence[str]) -> bool:
    note = folder / "made.json"
    return note.exists() and json.loads(note.read_text()) == list(pins)


def _mark(folder: Path, pins: Sequence[str]) -> None:
    (folder / "made.json").write_text(json.dumps(list(pins)))
