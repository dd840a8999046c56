"""What only looks, or says what there is, imports nothing that a download alone needs: it would be waited for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from avclips.core.clock import Clock
from avclips.core.model import Clip, Outcome
from avclips.core.settings import Settings
from avclips.state.store import Store

ROOT = Path(__file__).resolve().parents[3]
NAMES = sorted(path.name for path in ROOT.glob("download_*.py"))
SAYS = """
import json, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as left:
    code = left.code
print(json.dumps([code, sorted(sys.modules)]))
"""
# A third of a second for yt-dlp, a tenth each for requests and for what writes shards.
HEAVY = {"yt_dlp", "requests", "urllib3", "http.client", "tarfile", "avclips.run", "avclips.shards.layout"}


def modules(*words: str, bare: bool = False) -> set[str]:
    """The modules that a script has imported at its end; ``bare``: where nothing is installed."""
    command = [sys.executable, *(["-S"] if bare else []), "-c", SAYS, *words]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    code, found = json.loads(said.stdout.splitlines()[-1])
    assert (code or 0, said.stderr) == (0, "")
    return set(found)


@pytest.mark.parametrize("script", NAMES)
def test_help_needs_nothing_installed(script: str) -> None:
    assert modules(script, "--help", bare=True) & {*HEAVY, "filelock", "tqdm"} == set()


def test_a_list_is_shown_by_what_reads_it(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("url,start,end\ndQw4w9WgXcQ,1,2\nhttps://youtu.be/dQw4w9WgXcQ,5,8\n")
    found = modules("download_clips.py", str(tmp_path / "list.csv"), "--dry-run", bare=True)
    assert found & {*HEAVY, "filelock", "tqdm"} == set()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = Store(Settings(tmp_path / "data"), "clips", Clock(1.0))
    store.open()
    store.record(Outcome(Clip("a_0_10", "a", 0.0, 10.0), "failed", "private", "gone", permanent=True, attempts=1))
    store.close()
    return store.folder


def test_a_folder_is_looked_at_without_what_downloads(folder: Path) -> None:
    assert modules("download_clips.py", "--status", "--data-dir", str(folder)) & (HEAVY - {"tarfile"}) == set()
