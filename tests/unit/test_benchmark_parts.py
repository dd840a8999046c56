"""What the long benchmarks are made of: a small measurer, and all of a dataset in simulated time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import child

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system counts otherwise")
def test_what_a_command_costs_is_its_own(tmp_path: Path) -> None:
    """Not the memory of whoever measures: 200 MB here."""
    ours = bytearray(b"x" * 200_000_000)
    small = child.run([sys.executable, "-S", "-c", "pass"], {}, tmp_path)
    large = child.run([sys.executable, "-S", "-c", "sum(b'x' * 100_000_000)"], {}, tmp_path)
    assert len(ours) > 100e6 > small.peak > 0
    assert 100 < large.peak < 200 and large.cpu > small.cpu > 0


def test_a_command_that_fails_says_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(child.Failed, match="ended with 3:\nno room"):
        child.run([sys.executable, "-S", "-c", "import sys; print('no room'); sys.exit(3)"], {}, tmp_path)
    with pytest.raises(child.Failed, match="ended with 137"):
        child.run([sys.executable, "-S", "-c", "import os; os.kill(os.getpid(), 9)"], {}, tmp_path)


@pytest.mark.parametrize("pace", ["270", "0"])
def test_nothing_is_lost_in_simulated_time(tmp_path: Path, pace: str) -> None:
    program = ROOT / "benchmarks" / "whole_avqa.py"
    words = [sys.executable, str(program), str(ROOT), pace, "300"]
    ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=True)
    found = json.loads(ended.stdout)
    assert (found["clips"], found["lost"], found["open"]) == (300, 0, 0)
    assert found["done"] + found["gone"] == 300 and found["gone"] > 20 and found["starts"] >= 4
    # No less than its pace and its bytes take.
    videos, seconds = 300 * 45_000 // 57_015, found["seconds"]
    assert seconds >= found["bytes"] / (4 * 50 * 1024)
    assert pace == "0" or seconds >= (videos - 4 * 30) / 270 * 3600
