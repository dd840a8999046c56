"""What only looks, or says what there is, imports nothing that a download alone needs: it would be waited for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from avclips.cli import curate, curate_evaluate, tools
from avclips.core.clock import Clock
from avclips.core.extras import REQUIREMENTS
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


# As on a machine that has what requirements.txt names, and no more.
BARE = """
import contextlib, io, json, sys
not_here, asked = map(json.loads, sys.argv[1:])

class Bare:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in not_here:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Bare)
from avclips.cli.commands import main
found = {}
for words in asked:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = main(words)
        except SystemExit as left:
            code = left.code
    found[" ".join(words)] = [code or 0, said.getvalue()]
print(json.dumps(found))
"""


def on_a_bare_machine(*asked: list[str]) -> dict[str, tuple[int, str]]:
    """What each command comes to, and what it says, where no extra is installed."""
    command = [sys.executable, "-c", BARE, json.dumps([*REQUIREMENTS]), json.dumps(asked)]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    return {words: (code, text) for words, (code, text) in json.loads(said.stdout).items()}


def test_help_of_each_command_needs_no_extra() -> None:
    stages = [["curate", stage] for stage in curate.STAGES]
    ways = [["curate", "evaluate", way] for way in curate_evaluate.WAYS]
    commands = [[], *([name] for name in tools.TOOLS), *stages, *ways]
    found = on_a_bare_machine(
        *([*words, "--help"] for words in commands), ["curate", "features", "--list-extractors"]
    )
    assert len(found) == len(commands) + 1
    for words, (code, text) in found.items():
        assert code == 0 and ("usage: avclips" in text or "classic\n    modality" in text), (words, text)


def test_a_stage_at_work_says_what_to_install() -> None:
    more = {"filter": ["none.tsv"], "retrieve": ["--output", "none"], "evaluate": ["probe"]}
    stages = [stage for stage in curate.STAGES if stage not in ("run", "status")]
    asked = [["curate", stage, *more.get(stage, []), "--data-dir", "none"] for stage in stages]
    for words, (code, text) in on_a_bare_machine(*asked).items():
        lacks = "error: clips are chosen by numpy and av and pyarrow, which are not here"
        assert (code, text.splitlines()[0]) == (2, lacks), words


def test_how_far_stages_are_is_said_without_an_extra(tmp_path: Path) -> None:
    (tmp_path / "curation").mkdir()
    ((code, text),) = on_a_bare_machine(["curate", "status", "--data-dir", str(tmp_path)]).values()
    assert (code, text.splitlines()[0]) == (0, "filter    not begun")


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
