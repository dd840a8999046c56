"""The real script as a child process, and the folder that it leaves, seen with other eyes than its own.

Knows how the script is started against a stand-in YouTube and what its folder must hold. Knows nothing of avclips:
whatever it says of a result, it has from the files.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import av

from tests.standin.fake_media import Media
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Request
from tests.standin.rehearse import QA_URL, VGGSOUND_URL, question

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "download_general_avqa.py"

# Few pictures: quick to encode, and as good as many where the pictures are not the question.
QUICK = Media(duration=14.0, fps=5)

# No test waits for a rest or a rate that it did not ask for.
AT_ONCE = ("--rate-limit", "0", "--sleep", "0")
TIMEOUT = 60.0


@dataclass(frozen=True)
class Ended:
    """What a child said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


class Child:
    """A script that runs; what it says goes into files, so that no pipe can fill."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process = process
        self._out, self._err = out, err

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, timeout: float = TIMEOUT) -> Ended:
        """Wait for its end; a child that hangs is killed and fails the test."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the script did not end within {timeout} s; it said:\n{self.said()}") from None
        said = (path.read_text(encoding="utf-8") if path.exists() else "" for path in (self._out, self._err))
        return Ended(code, *said)

    def said(self) -> str:
        return "".join(path.read_text(errors="replace") for path in (self._out, self._err) if path.exists())

    def until(self, come_true: Callable[[], object], timeout: float = TIMEOUT) -> None:
        """Wait until something is seen from outside; the child must live until then."""
        due = time.monotonic() + timeout
        while not come_true():
            alive = self.process.poll() is None
            assert alive and time.monotonic() < due, f"it never came true; the script said:\n{self.said()}"
            time.sleep(0.01)


class Gate:
    """A ``refuse`` of the stand-in's, which holds up all media from one request on until it is opened."""

    def __init__(self, after: int, video: str | None = None) -> None:
        self.reached, self._opened = threading.Event(), threading.Event()
        self._after, self._video = after, video
        self._seen = itertools.count()

    def __call__(self, request: Request) -> None:
        if request.kind == "media" and self._video in (None, request.video) and next(self._seen) >= self._after:
            self.reached.set()
            self._opened.wait(3 * TIMEOUT)

    def open(self) -> None:
        self._opened.set()


class Stage:
    """A stand-in YouTube, a data folder beneath ``base``, and the script to play on them.

    ``proxy``: the way that the script is told, where it is not the stand-in's first. ``script``: which one.
    """

    def __init__(self, youtube: FakeYouTube, base: Path, proxy: str | None = None, script: Path = SCRIPT) -> None:
        self.youtube = youtube
        self.base = base
        self.script = script
        self.proxy = proxy or youtube.proxy
        self.data = base / "place" / "avqa"
        self.home = base / "home"
        for folder in (self.data.parent, self.home):
            folder.mkdir(parents=True, exist_ok=True)
        self._started = 0

    def environment(self, scale: float = 1.0) -> dict[str, str]:
        """No variable of the tester's reaches the child, and no cache of theirs is touched."""
        own = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}
        own |= {"AVCLIPS_TIME_SCALE": str(scale), "PYTHONDONTWRITEBYTECODE": "1"}
        return own | self.youtube.environment(proxy="")

    def command(self, *options: str | Path) -> list[str]:
        fixed = ("--data-dir", self.data, "--proxy", self.proxy, *AT_ONCE)
        return [sys.executable, "-u", str(self.script), *map(str, (*fixed, *options))]

    def start(
        self,
        *options: str | Path,
        scale: float = 1.0,
        before: Sequence[str] = (),
        err: int | IO[bytes] | None = None,
    ) -> Child:
        """Start the script. ``before``: words before its command; ``err``: another standard error than a file."""
        self._started += 1
        out_path, err_path = (self.base / f"{self._started}.{name}" for name in ("out", "err"))
        with contextlib.ExitStack() as files:
            out = files.enter_context(out_path.open("wb"))
            if err is None:
                err = files.enter_context(err_path.open("wb"))
            files.enter_context(usual_signals())
            process = subprocess.Popen(
                [*before, *self.command(*options)],
                env=self.environment(scale),
                cwd=self.data.parent,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        return Child(process, out_path, err_path)

    def run(self, *options: str | Path, scale: float = 1.0) -> Ended:
        """Run the script to its end; whatever it is asked, it never shows its insides."""
        ended = self.start(*options, scale=scale).end()
        assert "Traceback" not in ended.said, ended.said
        return ended

    # -- what it left ----------------------------------------------------------------------------------------

    def json(self, name: str) -> Any:
        return json.loads((self.data / name).read_text(encoding="utf-8"))

    @property
    def completed(self) -> list[str]:
        return list(self.json("download_progress.json")["completed"])

    @property
    def failed(self) -> dict[str, dict[str, Any]]:
        return dict(self.json("failed_downloads.json"))

    @property
    def manifest(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.data / "manifest.jsonl").read_text().splitlines()]

    def manifest_of(self, clip: str) -> dict[str, Any]:
        return next(line for line in reversed(self.manifest) if line["id"] == clip)

    def mp4(self, clip: str) -> Path:
        return self.data / "videos" / f"{clip}.mp4"

    def wav(self, clip: str) -> Path:
        return self.data / "audio" / f"{clip}.wav"

    @property
    def published(self) -> set[str]:
        """The ids of which both files stand under their final names."""
        return stems(self.data / "videos", ".mp4") & stems(self.data / "audio", ".wav")

    @property
    def log(self) -> str:
        return (self.data / "avqa_general_download.log").read_text(encoding="utf-8")

    def asked_videos(self) -> set[str]:
        """The videos that YouTube was asked anything of."""
        return {request.video for request in self.youtube.log if request.video}


def annotation_files(train: Sequence[str], val: Sequence[str] = ()) -> dict[str, bytes]:
    """The dataset's files at their true addresses; by default the validation set is the last training clip."""
    listed = {"train": train, "val": val or train[-1:]}
    files = {
        QA_URL.format(split): json.dumps([question(n, clip) for n, clip in enumerate(clips, 1)]).encode()
        for split, clips in listed.items()
    }
    rows = "\n".join(f"{clip[:11]},{int(clip[12:])},a label,train" for clip in dict.fromkeys([*train, *val]))
    return files | {VGGSOUND_URL: rows.encode()}


@contextlib.contextmanager
def stage(
    base: Path, media: Path, videos: Mapping[str, FakeVideo], files: Mapping[str, bytes] | None = None, **more: Any
) -> Iterator[Stage]:
    """A stage for ``videos``, by clip id; it ends with nobody having asked for an unknown host."""
    by_video = {clip[:11]: video for clip, video in videos.items()}
    files = annotation_files(list(videos)) if files is None else files
    with FakeYouTube(media, by_video, files=files, **more) as youtube:
        yield Stage(youtube, base)
        assert youtube.unknown == []


@contextlib.contextmanager
def usual_signals() -> Iterator[None]:
    """Children begin with the usual signals, even where the tests run in the background or under nohup."""
    ignored = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def stems(folder: Path, ending: str) -> set[str]:
    """The names in a folder that end so, without the ending; any other name there is a fault."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    assert all(name.endswith(ending) for name in names), names
    return {name.removesuffix(ending) for name in names}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(paths: Iterable[Path]) -> dict[str, str]:
    return {path.name: digest(path) for path in sorted(paths)}


def results(stage: Stage) -> dict[str, str]:
    """What was published, each file by its digest."""
    return digests([*stage.data.glob("videos/*"), *stage.data.glob("audio/*")])


def snapshot(folder: Path, without: Path | None = None) -> dict[str, str]:
    """Every file and folder beneath ``folder``, but for those beneath ``without``."""
    found = {}
    for path in folder.rglob("*"):
        if without is None or (path != without and without not in path.parents):
            found[str(path.relative_to(folder))] = digest(path) if path.is_file() else "folder"
    return found


def decoded(path: Path) -> tuple[int, float]:
    """How many pictures libav decodes of a file, and where the last begins."""
    with av.open(str(path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    return len(times), max(times, default=0.0)


def seconds_of(wav: Path) -> float:
    with wave.open(str(wav)) as sound:
        assert len(sound.readframes(sound.getnframes())) == sound.getnframes() * sound.getnchannels() * 2
        return sound.getnframes() / sound.getframerate()
