"""The training example runs on clips of the stand-in, and learns them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.script import ROOT


def test_the_example_learns(vggsound: Path) -> None:
    example = [sys.executable, str(ROOT / "examples" / "train_tiny.py"), str(vggsound)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    said = subprocess.run(example, capture_output=True, text=True, check=True, timeout=240, env=environment)
    lines = said.stdout.splitlines()
    losses = [float(found[1]) for line in lines if (found := re.search(r"loss ([0-9.]+)", line))]
    assert len(losses) == 20 and losses[-1] < losses[0] / 2
    assert lines[-1].endswith("2 of 2 known")
