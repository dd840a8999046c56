"""Where we are told to be a notebook, and which bar that is; what a watcher is told of a run."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from avclips.core.model import Clip, Outcome
from avclips.core.settings import Settings
from avclips.progress.console import Report
from avclips.progress.forecast import Work
from avclips.progress.notebook import bar_here, in_notebook
from avclips.progress.update import Progress
from tests.support.fake_clock import FakeClock


def ipython(shell: object) -> Any:
    return types.SimpleNamespace(get_ipython=lambda: shell)


@pytest.mark.parametrize(
    ("module", "due"),
    [
        (None, False),
        (ipython(None), False),
        (ipython(types.SimpleNamespace()), False),
        (ipython(types.SimpleNamespace(kernel=object())), True),
    ],
    ids=["no IPython", "IPython imported", "a terminal's IPython", "a kernel"],
)
def test_whether_a_kernel_runs_us(monkeypatch: pytest.MonkeyPatch, module: Any, due: bool) -> None:
    monkeypatch.setitem(sys.modules, "IPython", module) if module else monkeypatch.delitem(
        sys.modules, "IPython", raising=False
    )
    assert in_notebook() is due
    if not due:
        assert bar_here() is tqdm
    else:
        from tqdm.auto import tqdm as auto

        assert bar_here() is auto


def test_a_watcher_is_told_of_the_whole_list() -> None:
    told: list[Progress] = []
    work = Work(
        listed=10,
        failed=1,
        todo=5,
        asked=5,
        videos=5,
        most=None,
        workers=1,
        settings=Settings(Path("d")),
        seconds=50.0,
    )
    report = Report(FakeClock(), 5, 4, terminal=False, work=work, watch=told.append)
    clip = Clip("a", "a", 0.0, 10.0)
    report.outcome(Outcome(clip, "done", facts={"bytes_fetched": 7}), None)
    report.tick([], None)
    report.outcome(Outcome(clip, "failed", "removed"), None)
    report.tick([], "the disk is full")
    report.close()
    assert [(each.listed, each.done, each.failed, each.left, each.bytes_fetched) for each in told] == [
        (10, 5, 1, 4, 7),
        (10, 5, 2, 3, 7),
        (10, 5, 2, 3, 7),
    ]
    assert told[1].words.startswith("no room")
    assert Progress(None, 3, 1, 0, "").left is None
