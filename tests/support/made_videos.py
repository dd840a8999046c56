"""Whole videos with known cuts: each shot one plain colour with its own moving square, and noise to hear."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.support.made_files import made

COLOURS = ("red", "blue", "green", "yellow", "purple", "white", "navy", "orange")
# Where something is to be seen: colours alone are no other picture. The fourth shot is much as the fifth.
PLACES = ("5:y=5", "60:y=40", "110:y=10", "78:y=45", "95:y=45", "60:y=5")


def shots(folder: Path, seconds: Sequence[float], sound: bool = True) -> Path:
    """A video of shots of these lengths, 10 frames a second; made once in ``folder``."""
    graph = "".join(
        f"color=c={COLOURS[number % len(COLOURS)]}:s=160x90:r=10:d={lasts},"
        f"drawbox=x={PLACES[number % len(PLACES)]}:w=40:h=40:c=black:t=fill[{number}];"
        for number, lasts in enumerate(seconds)
    )
    graph += "".join(f"[{number}]" for number in range(len(seconds))) + f"concat=n={len(seconds)}[all]"
    heard = ["-f", "lavfi", "-i", f"anoisesrc=d={sum(seconds)}:r=16000:seed=1"] if sound else []
    words = ["-filter_complex", graph, "-map", "[all]", *(["-map", "0:a", "-c:a", "aac"] if sound else [])]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-pix_fmt", "yuv420p"]
    return made(folder, "mp4", *heard, *words, *encode)
