"""Real packages read what `avclips export` writes, and our shards.

    python -m tools.interop                  # make interop: an environment in .cache/interop, then a minute
    python -m tools.interop --python PATH    # in an environment that has the packages

Exit code 1 where a package reads anything else than what was downloaded. It goes online to install, and only then.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..environments import Environment
from ..requirements import ROOT
from .made import make

CACHE = ROOT / ".cache" / "interop"
# torchcodec 0.13.0 is the last whose wheel on PyPI needs no CUDA; it stands on the system's ffmpeg.
PINS = (
    "torch==2.13.0", "torchcodec==0.13.0", "numpy==2.4.6", "datasets==5.2.0", "lhotse==1.33.0",
    "webdataset==1.0.2", "megatron-energon==7.4.1", "av==18.1.0", "soundfile==0.14.0", "pyarrow==26.0.1",
)  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Make the files, and have every reader read them."""
    parser = argparse.ArgumentParser(prog="python -m tools.interop", description=__doc__.partition("\n")[0])
    parser.add_argument("--python", type=Path, help="an interpreter that has the packages")
    asked = parser.parse_args(argv)
    make(CACHE / "files")
    python = asked.python or _environment()
    words = [str(python), "-W", "ignore", str(Path(__file__).with_name("reading.py")), str(CACHE / "files")]
    bare = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(CACHE)}
    return 1 if subprocess.run(words, env=bare).returncode else 0


def _environment() -> Path:
    """The packages, installed once."""
    folder, note = CACHE / "venv", CACHE / "venv" / "pins"
    fresh = not note.exists() or note.read_text().split() != list(PINS)
    environment = Environment(folder, fresh=fresh)
    if fresh:
        environment.install(*PINS)
        note.write_text("\n".join(PINS))
    return environment.python


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
