"""What loading costs: AVQADataset beside a plain PyAV loop, ShardDataset beside webdataset's own pipeline.

    .venv-torch/bin/python -m benchmarks.loaders [--clips 24] [--rounds 5]

Needs the environment of `make test-torch`. The same clips, made by the real script against the stand-in, into a
folder and into tars; the two of a pair take turns, in one process, on files that were read before. The plain
loop decodes a clip to its end and keeps eight frames; ours leaves out what none of the eight needs. Where every
frame is wanted, both decode the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Media
from tests.standin.rehearse import QA_URL, question

from .standin import ROOT

FRAMES = 8
Way = Callable[[], int]


@dataclass(frozen=True)
class Loading:
    """Ours by theirs, in samples a second, pair by pair; ``clips``: of how many."""

    clips: int
    files: Sequence[float]
    every_frame: Sequence[float]
    shards: Sequence[float]
    decoded: Sequence[float]


def loading(say: Callable[[str], None]) -> Loading | None:
    """The same from an environment without torch; None where ``make test-torch`` has made none with it."""
    python = ROOT / ".venv-torch" / "bin" / "python"
    if not python.exists():
        say("loaders: not measured, as there is no .venv-torch (make test-torch)")
        return None
    command = [str(python), "-m", "benchmarks.loaders", "--json"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = Loading(**json.loads(said.splitlines()[-1]))
    say(f"loaders: {found}")
    return found


def measure(clips: int, rounds: int, say: Callable[[str], None]) -> Loading:
    """Make the clips, and time each pair ``rounds`` times."""
    with tempfile.TemporaryDirectory(prefix="avclips-loaders-") as base:
        folder, shards = download(Path(base), clips)
        say(f"{clips} clips of ten seconds at 360p, as files and in tars")
        pairs = [
            ("AVQADataset / a plain PyAV loop", of_folder(folder), plain_loop(folder)),
            ("the same, every frame", of_folder(folder, None), plain_loop(folder, None)),
            ("ShardDataset / webdataset, bytes", of_shards(shards, ("bytes",)), webdataset_bytes(shards)),
            (
                "ShardDataset / webdataset, decoded",
                of_shards(shards, ("video", "audio")),
                webdataset_decoded(shards),
            ),
        ]
        return Loading(clips, *(ratios(title, ours, theirs, rounds, say) for title, ours, theirs in pairs))


def ratios(title: str, ours: Way, theirs: Way, rounds: int, say: Callable[[str], None]) -> list[float]:
    """Samples a second by us and by them, in turn, once before it counts."""
    found = []
    for number in range(rounds + 1):
        speeds = {}
        for name, way in (
            (("ours", ours), ("theirs", theirs)) if number % 2 else (("theirs", theirs), ("ours", ours))
        ):
            began = time.perf_counter()
            count = way()
            speeds[name] = count / (time.perf_counter() - began)
        if number:
            found.append(speeds["ours"] / speeds["theirs"])
            say(f"{title}: {speeds['ours']:.1f} / {speeds['theirs']:.1f} a second = {found[-1]:.2f}")
    return found


def download(base: Path, clips: int) -> tuple[Path, Path]:
    """AVQA's clips, as files and as tars of eight."""
    names = [f"benchvideo{number % 4}_{2 + 3 * number:06d}" for number in range(clips)]
    media = Media(duration=3.0 * clips + 20)
    videos = {f"benchvideo{number}": FakeVideo(media) for number in range(4)}
    records = [question(number, name) for number, name in enumerate(names)]
    files = {QA_URL.format("train"): json.dumps(records).encode()}
    cache = ROOT / ".cache" / "standin"
    cache.mkdir(parents=True, exist_ok=True)
    folders = base / "avqa", base / "sharded"
    forms = ((), ("--output-format", "webdataset", "--samples-per-shard", "8"))
    with FakeYouTube(cache, videos, files=files) as youtube:
        for folder, form in zip(folders, forms, strict=True):
            command = [sys.executable, str(ROOT / "download_general_avqa.py"), "--data-dir", str(folder)]
            command += ["--splits", "train", "--cut", "copy", "--rate-limit", "0", "--sleep", "0"]
            command += ["--proxy", youtube.proxy]
            command += ["--state-dir", str(base / "state"), "--videos-per-hour", "1000000", *form]
            subprocess.run(
                command, env=youtube.environment(proxy="") | {"HOME": str(base), "PATH": "/usr/bin:/bin"},
                check=True, capture_output=True,
            )  # fmt: skip
    return folders[0], folders[1] / "shards"


def of_folder(folder: Path, frames: int | None = FRAMES) -> Way:
    """So many frames, or every one, and all sound of each clip, by ours."""
    from avclips.loaders import AVQADataset

    dataset = AVQADataset(folder, "train", num_frames=frames, decoder="pyav")
    return lambda: sum(item["video"].shape[0] >= FRAMES and item["audio"].ndim == 1 for item in dataset)


def plain_loop(folder: Path, frames: int | None = FRAMES) -> Way:
    """The same as everybody writes it."""
    clips = sorted((folder / "videos").glob("*.mp4"))

    def run() -> int:
        count = 0
        for clip in clips:
            pictures(str(clip), frames)
            sound(str(folder / "audio" / f"{clip.stem}.wav"))
            count += 1
        return count

    return run


def pictures(source: Any, count: int | None = FRAMES) -> Any:
    """Decode all, keep so many."""
    import av
    import numpy
    import torch

    with av.open(source) as container:
        container.streams.video[0].thread_type = "AUTO"
        frames = list(container.decode(video=0))
    wanted = frames if count is None else [frames[int((n + 0.5) * len(frames) / count)] for n in range(count)]
    array = numpy.stack([frame.to_ndarray(format="rgb24") for frame in wanted])
    return torch.from_numpy(array).permute(0, 3, 1, 2).contiguous()


def sound(source: Any) -> Any:
    """All samples, mixed to one channel."""
    import av
    import numpy
    import torch

    with av.open(source) as container:
        channels = container.streams.audio[0].channels
        array = numpy.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    return torch.from_numpy(array.reshape(-1, channels).astype(numpy.float32) / 32768).mean(dim=1)


def of_shards(shards: Path, load: tuple[str, ...]) -> Way:
    """All samples of the tars, by ours."""
    from avclips.loaders import ShardDataset

    dataset = ShardDataset(shards, load=load, num_frames=FRAMES, decoder="pyav")
    return lambda: sum(bool(item) for item in dataset)


def webdataset_pipeline(shards: Path) -> Iterator[Any]:
    """webdataset's own, as its documentation has it."""
    import webdataset

    tars = sorted(map(str, shards.glob("*.tar")))
    yield from webdataset.WebDataset(tars, shardshuffle=False)


def webdataset_bytes(shards: Path) -> Way:
    """Every member's bytes."""
    return lambda: sum(bool(sample["mp4"]) for sample in webdataset_pipeline(shards))


def webdataset_decoded(shards: Path) -> Way:
    """The same frames and sound out of its samples, by PyAV."""
    import io

    def run() -> int:
        count = 0
        for sample in webdataset_pipeline(shards):
            pictures(io.BytesIO(sample["mp4"]))
            sound(io.BytesIO(sample["wav"]))
            count += 1
        return count

    return run


def main() -> int:
    """Measure, and say it; with --json as a line for programs."""
    parser = argparse.ArgumentParser(prog="benchmarks.loaders", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="the last line is JSON")
    options = parser.parse_args()
    found = measure(options.clips, options.rounds, lambda text: print(text, file=sys.stderr, flush=True))
    if options.json:
        print(json.dumps(asdict(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
