"""From a table of metadata to output.csv by one command, on made-up clips of which the truth is known.

    python -m benchmarks.curate_whole [--clips 2000] [--videos 600] [--seed 0] [--folder DIR]

Videos are made by avclips/curate/synthetic, half of their shots with a foreign sound, and served by the stand-in
YouTube on 127.0.0.1. Then `avclips curate run metadata.tsv --keep 0.5` runs as a child process. Printed: what each
stage took, and how many of the selected clips have their own sound, beside the share among all. A clip counts as
the shot in which most of it lies. Making the videos takes as long as curating them; with --folder they are kept,
and the run goes on where it was.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from avclips.core.files import whole
from avclips.curate.synthetic import files, plan
from tests.standin.fake_youtube import FakeYouTube
from tests.standin.given_videos import given

ROOT = Path(__file__).resolve().parent.parent
_STAGE = re.compile(r".*\b\d of \d: avclips curate (\w+)")


class Shot(NamedTuple):
    """Seconds of a video that show one thing; ``own``: the sound is its own."""

    start: float
    end: float
    own: bool


def main(words: Sequence[str] | None = None) -> int:
    """Make, serve, curate, and compare with the truth."""
    parser = argparse.ArgumentParser(prog="benchmarks.curate_whole", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=2000, help="(%(default)s)")
    parser.add_argument("--videos", type=int, default=600, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of what is made and of what is drawn (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--folder", type=Path, help="where all of it is kept (a folder that is removed)")
    parser.add_argument("--with", dest="extra", action="append", default=[], help="as of avclips curate run")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="avclips-bench-") as scratch:
        folder: Path = options.folder or Path(scratch)
        return _whole(options, folder)


def _whole(options: argparse.Namespace, folder: Path) -> int:
    videos = plan.videos(options.videos, options.clips, options.seed)
    begun = time.perf_counter()
    for _ in files.write_videos(folder / "made", videos, options.workers):
        pass
    print(f"made {len(videos)} videos: {time.perf_counter() - begun:.0f} s", flush=True)
    shown = {video.id: given(folder / "made" / f"{video.id}.mp4", video.title) for video in videos}
    metadata = write_metadata(folder / "metadata.tsv", videos)
    (folder / "served").mkdir(exist_ok=True)
    with FakeYouTube(folder / "served", shown) as youtube:
        code = curate(metadata, folder / "data", options, youtube.environment())
    if code:
        return code
    for line in against_truth(folder):
        print(line)
    return 0


def write_metadata(path: Path, videos: Sequence[plan.Video]) -> Path:
    """A table as ACAV100M's."""
    with whole(path) as stream:
        for video in videos:
            seconds = sum(shot.picture.seconds for shot in video.shots)
            about = {
                "Title": f"We watch {video.title}",
                "Description": "This is what we have seen and heard today, one thing after the other.",
                "YouTubeCategory": "Science & Technology",
                "VideoLength": str(int(seconds) + 1),
            }
            said = {"LatestDAFeature": about, "MediaVersionList": [{"Duration": seconds}]}
            stream.write(f"https://www.youtube.com/watch?v={video.id}\t{json.dumps(said)}\n")
    return path


def curate(metadata: Path, data: Path, options: argparse.Namespace, environment: dict[str, str]) -> int:
    """The one command; a line for each stage with its seconds, and the CPU seconds of all."""
    # A stand-in need not be spared.
    fetching = f"download --state-dir {data.parent / 'state'} --rate-limit 0 --sleep 0 --videos-per-hour 0"
    extra = [fetching, "segment --max-clips 0", *options.extra]
    command = [sys.executable, "-m", "avclips", "curate", "run", str(metadata), "--data-dir", str(data)]
    command += [
        "--keep",
        "0.5",
        "--seed",
        str(options.seed),
        *(word for text in extra for word in ("--with", text)),
    ]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = at = time.perf_counter()
    stage = ""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if found := _STAGE.match(line):
                if stage:
                    print(f"{stage:<9} {time.perf_counter() - at:6.1f} s", flush=True)
                stage, at = found[1], time.perf_counter()
            elif "selected" in line or "warning" in line or "error" in line or "clips of" in line:
                print(f"  {line.rstrip()}", flush=True)
    print(f"{stage:<9} {time.perf_counter() - at:6.1f} s")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    spent = f"{time.perf_counter() - begun:6.1f} s, {used:.0f} CPU s; load {os.getloadavg()[1]:.1f}"
    print(f"all       {spent}; exit {child.returncode}")
    return child.returncode


def against_truth(folder: Path) -> list[str]:
    """How many of the clips that output.csv names have their own sound."""
    shots: dict[str, list[Shot]] = defaultdict(list)
    with open(folder / "made" / files.TRUTH, newline="") as stream:
        for row in csv.DictReader(stream):
            shots[row["video"]].append(Shot(float(row["start"]), float(row["end"]), row["matched"] == "1"))
    curation = folder / "data" / "curation"
    rows = pq.read_table(curation / "cluster" / "ids.parquet", columns=["id", "video", "start", "end"]).to_pylist()
    own = {row["id"]: _most(shots[row["video"]], row["start"], row["end"]).own for row in rows}
    with open(curation / "export" / "output.csv", newline="") as stream:
        chosen = [Path(row[1]).stem for row in csv.reader(stream)]
    right, true = sum(own[name] for name in chosen), sum(own.values())
    return [
        f"{len(rows)} clips, {true} of them with their own sound ({true / len(rows):.3f})",
        f"{len(chosen)} are selected, {right} of them with their own sound: precision {right / len(chosen):.3f}",
    ]


def _most(shots: Sequence[Shot], start: float, end: float) -> Shot:
    return max(shots, key=lambda shot: min(end, shot.end) - max(start, shot.start))


if __name__ == "__main__":
    sys.exit(main())
