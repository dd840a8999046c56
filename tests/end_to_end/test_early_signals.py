"""Ctrl-C while a program still imports what it needs: one line, its exit code, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.script import ROOT, usual_signals

SCRIPTS = sorted([*(path.name for path in ROOT.glob("download_*.py")), "curate_acav100m.py"])
NOTHING = "Stopped by SIGINT; nothing was begun.\n"


# A program in whose import of a module Ctrl-C comes.
PROGRAM = """
import runpy, signal, sys

class Interrupt:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == module:
            signal.raise_signal(signal.SIGINT)

module, what = sys.argv[1:3]
sys.argv = sys.argv[2:]
sys.meta_path.insert(0, Interrupt)
run = runpy.run_path if what.endswith(".py") else runpy.run_module
run(what, run_name="__main__", **({} if what.endswith(".py") else {"alter_sys": True}))
"""


@pytest.mark.parametrize(
    ("words", "module"),
    [
        # The first of ours behind the handler; and of the demo the first, the middle and the last that it imports.
        *((script, "avclips.core.errors") for script in SCRIPTS),
        ("avclips curate select --data-dir {here}", "avclips.core.errors"),
        ("avclips status {here}", "avclips.cli.commands"),
        ("tools.demo {here}/demo --port 0", "tools.demo_steps"),
        ("tools.demo {here}/demo --port 0", "numpy"),
        ("tools.demo {here}/demo --port 0", "tools.demo_videos"),
    ],
)
def test_one_line_in_place_of_a_traceback(tmp_path: Path, words: str, module: str) -> None:
    command = [sys.executable, "-c", PROGRAM, module, *words.format(here=tmp_path).split()]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with usual_signals():
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", NOTHING)
    assert list(tmp_path.iterdir()) == []
