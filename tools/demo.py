"""`make demo`: made-up clips through the whole program, and the explorer on what comes. Nothing goes online.

    python -m tools.demo [FOLDER] [--clips N] [--port N] [--no-page]

Ten kinds of event that are seen and heard are made as videos, half of them with a foreign sound. They are taken
from there as from any archive (`avclips clips --archives`), measured, curated, and shown.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
from pathlib import Path

from avclips.curate.synthetic.files import Look, write_clips
from avclips.curate.synthetic.plan import Clip, clips

SEED = 7
LOOK = Look(320, 180, 25)
_WORDS = {
    "bounce": "a ball falls and springs back",
    "zoom": "a disc grows again and again",
    "flash": "the picture flashes at odd times",
    "flicker": "a patch flickers",
    "pendulum": "a bob swings from side to side",
    "colours": "the colours change step by step",
    "slide": "a square wanders up and down",
    "spin": "a bar turns faster and slower",
    "rings": "rings spread from a point",
    "rain": "drops appear at random places",
}


def main() -> int:
    """Make what is not there yet, step by step, and show it; returns the exit code of the step that ended it."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description="See the explorer on made-up clips.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("data/demo"), help="[data/demo]")
    parser.add_argument("--clips", type=int, default=100, metavar="N", help="how many [100]")
    parser.add_argument("--port", type=int, default=8642, metavar="N", help="of the page [8642]")
    parser.add_argument("--no-page", action="store_true", help="end before the page is served")
    options = parser.parse_args()
    videos = options.folder.with_name(f"{options.folder.name}_videos")
    made = clips(options.clips, SEED)
    print(f"{len(made)} clips are made in {videos}.", flush=True)
    for _ in write_clips(videos, made, os.cpu_count() or 1, LOOK):
        pass
    write_list(videos / "list.csv", made)
    for words in steps(options.folder, videos, options.port if not options.no_page else None):
        print(f"\navclips {' '.join(words)}", flush=True)
        if code := subprocess.run([sys.executable, "-m", "avclips", *words], check=False).returncode:
            return code
    return 0


def write_list(path: Path, made: list[Clip]) -> None:
    """The list that names the clips: ids that no site has, so that nobody is ever asked."""
    with open(path, "w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "url", "start", "end", "label", "caption", "sound", "matched"])
        for clip in made:
            kind, sound = clip.picture.kind, clip.sound.kind
            heard = "and is heard" if clip.matched else f"and something else is heard ({sound})"
            url = f"https://video.invalid/{clip.id}"
            rows.writerow(
                [clip.id, url, 0, clip.picture.seconds, kind, f"{_WORDS[kind]}, {heard}", sound, int(clip.matched)]
            )


def steps(folder: Path, videos: Path, port: int | None) -> list[list[str]]:
    """The commands, as a user would type them."""
    where = ["--data-dir", str(folder)]
    listed = ["--id-col", "id", "--caption-col", "caption", "--keep-cols", "label", "sound", "matched"]
    found = [
        ["clips", str(videos / "list.csv"), *where, "--archives", str(videos), *listed],
        ["curate", "features", *where],
        ["curate", "cluster", *where, "--clusters", "8"],
        ["curate", "select", *where, "--keep", "0.5"],
    ]
    return [*found, ["explore", str(folder), "--port", str(port)]] if port is not None else found


if __name__ == "__main__":
    sys.exit(main())
