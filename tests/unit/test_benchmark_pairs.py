"""The benchmark's other commit: pairs, ratios, what is marked, and that nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks import trees
from benchmarks.child import Failed
from benchmarks.pairs import Row, Unit, conclusion, table_rows, take
from benchmarks.trees import Missing, full_name, program, script, unpack
from tests.support.script import ROOT

NO = float("inf")


@pytest.mark.parametrize(
    ("mine", "theirs", "ratio", "worse"),
    [
        ([4.0], [4.0], 1.0, False),
        ([1.05], [1.0], 1.05, False),
        ([1.06], [1.0], 1.06, True),
        ([0.5], [1.0], 0.5, False),
        # One pair of several that something else has struck.
        ([1.0, 3.0, 1.0], [1.0, 1.0, 1.0], 1.0, False),
        # A machine that becomes slower strikes both of a pair.
        ([1.0, 2.0, 4.0], [1.0, 2.0, 4.0], 1.0, False),
        ([1.1, 2.2, 3.9], [1.0, 2.0, 4.0], 1.1, True),
        ([0.0], [0.0], 1.0, False),
        ([1.0], [0.0], NO, True),
        ([0.0], [1.0], 0.0, False),
    ],
)
def test_ratios_of_pairs(mine: list[float], theirs: list[float], ratio: float, worse: bool) -> None:
    row = Row("a row", mine, theirs)
    assert row.ratio == pytest.approx(ratio) and row.is_worse == worse


def test_the_clock_is_not_judged() -> None:
    """It tells of the machine's other work as well."""
    row = Row("far away: a clip, s by the clock", [2.0], [1.0])
    assert row.ratio == 2.0 and not row.is_worse and table_rows([row], "abc")[1][3:] == ["2.00", ""]


class Sides:
    """Two trees that cost what they are told, and the order in which they were asked."""

    def __init__(self, mine: Sequence[float | Exception], theirs: Sequence[float | Exception]) -> None:
        self._left = (iter(mine), iter(theirs))
        self.order: list[int] = []

    def measure(self, side: int) -> dict[str, float]:
        self.order.append(side)
        found = next(self._left[side])
        if isinstance(found, Exception):
            raise found
        return {"CPU": found, "bytes": 7.0}


def compared(sides: Sides, pairs: int) -> list[Row]:
    return take([Unit("copy", sides.measure, pairs)], lambda text: None)


def test_they_take_turns() -> None:
    """Whoever comes first finds the machine as the last one left it."""
    sides = Sides([1.0] * 3, [1.0] * 3)
    cpu, sent = compared(sides, 3)
    assert sides.order == [0, 1, 1, 0, 0, 1]
    assert (cpu.title, cpu.mine, cpu.theirs, sent.ratio) == ("CPU", [1.0] * 3, [1.0] * 3, 1.0)


def test_what_looks_worse_is_measured_again() -> None:
    sides = Sides([1.2, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0])
    assert [row.is_worse for row in compared(sides, 1)] == [True, False] and len(sides.order) == 4
    sides = Sides([1.2, 1.2, 1.0, 1.0, 1.0, 1.0], [1.0] * 6)
    assert [row.is_worse for row in compared(sides, 3)] == [False, False] and len(sides.order) == 12
    sides = Sides([1.2] * 6, [1.0] * 6)
    assert [row.is_worse for row in compared(sides, 3)] == [True, False]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            Missing("there is no engine_alone.py in its benchmarks"),
            "there is no engine_alone.py in its benchmarks",
        ),
        (Failed("script --cut new ended with 2:\nusage: ...\nerror: no such option\n"), "error: no such option"),
    ],
)
@pytest.mark.parametrize("pair", [0, 1], ids=["first", "second"])
def test_a_row_that_the_other_does_not_have(error: Exception, why: str, pair: int) -> None:
    rows = compared(Sides([1.0] * 4, [*[1.0] * pair, error]), 3)
    assert [(row.title, row.ratio, row.is_worse, row.lacks) for row in rows] == [
        ("CPU", None, False, why),
        ("bytes", None, False, why),
    ]


def test_a_figure_that_the_other_does_not_count() -> None:
    unit = Unit("copy", lambda side: {"CPU": 1.0} if side else {"CPU": 1.0, "peak": 2.0}, 2)
    cpu, peak = take([unit], lambda text: None)
    assert cpu.ratio == 1.0 and peak.ratio is None and peak.lacks


def test_what_this_tree_cannot_do_ends_it() -> None:
    with pytest.raises(Failed):
        compared(Sides([Failed("broken")], [1.0]), 1)


def test_what_is_printed() -> None:
    rows = [
        Row("copy: MB", [1.1, 1.1], [1.1, 1.1]),
        Row("copy: CPU", [0.12, 0.13], [0.1, 0.1]),
        Row("alone", lacks="there is none"),
    ]
    assert table_rows(rows, "abc1234") == [
        ["", "this tree", "abc1234", "ratio of the pairs", ""],
        ["copy: MB", "1.1", "1.1", "1.00", ""],
        ["copy: CPU", "0.125", "0.1", "1.25 (1.20-1.30)", "✗ worse by more than 5 %"],
        ["alone", "", "", "", "not in abc1234: there is none"],
    ]
    assert conclusion(rows, "abc1234") == "✗ 1 of 2 rows worse than at abc1234 by more than 5 %: copy: CPU"
    assert conclusion(rows[::2], "abc1234") == "None of 1 rows is worse than at abc1234 by more than 5 %."


# -- another commit's files ------------------------------------------------------------------------------------


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *who, "-C", folder, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    """Two commits, of which the first has a program more."""
    folder = tmp_path / "repository"
    (folder / "benchmarks" / "inner").mkdir(parents=True)
    git(folder, "init", "--quiet")
    (folder / "script.py").write_text("old")
    (folder / "benchmarks" / "inner" / "old.py").write_text("import sys; print(sys.argv[1:])")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "old")
    (folder / "script.py").write_text("new")
    git(folder, "rm", "--quiet", "benchmarks/inner/old.py")
    git(folder, "commit", "--quiet", "-am", "new")
    (folder / "script.py").write_text("not committed")
    yield folder
    assert len(git(folder, "worktree", "list").splitlines()) == 1
    assert git(folder, "status", "--short") == "M script.py"


def test_a_commit_is_unpacked(repository: Path, tmp_path: Path) -> None:
    for name, said in (("HEAD", "new"), ("HEAD~1", "old")):
        tree = unpack(repository, name, tmp_path / said)
        assert (tree / "script.py").read_text() == said and not (tree / ".git").exists()
        assert script(tree, "script.py") == tree / "script.py"
    told = subprocess.run(program(tmp_path / "old", "old.py", "5"), capture_output=True, text=True).stdout
    assert told == f"{[str(tmp_path / 'old'), '5']}\n"
    with pytest.raises(Missing, match=r"^there is no old\.py in its benchmarks$"):
        program(tmp_path / "new", "old.py")
    with pytest.raises(Missing, match=r"^there is no gone\.py$"):
        script(tmp_path / "new", "gone.py")


@pytest.mark.parametrize("name", ["nothing", "--help", "HEAD~7", "HEAD:script.py", ""])
def test_no_commit(repository: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(Missing, match="is no commit of "):
        full_name(repository, name)
    with pytest.raises(Missing):
        unpack(repository, name, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


# Unpacks, and then measures what never ends.
ENDLESS = """
import sys
from pathlib import Path
from benchmarks.child import run
from benchmarks.trees import scratch, unpack

repository, media = map(Path, sys.argv[1:])
with scratch(media) as base:
    unpack(repository, "HEAD", base / "other")
    run([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(99)"], {}, base)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left(repository: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Of a run that was stopped; of one that was killed, only until the next begins."""
    media = tmp_path / "media"
    child = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, repository, media], cwd=ROOT, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    due = time.monotonic() + 120
    while not any(path.read_text() for path in media.glob("run-*/said.txt")):
        assert child.poll() is None and time.monotonic() < due
        time.sleep(0.02)
    (base,) = media.iterdir()
    assert (base / "other" / "script.py").read_text() == "new"
    measured = processes_in(base)
    child.send_signal(number)
    assert child.wait(30) != 0
    if number == signal.SIGKILL:
        for pid in measured:
            os.kill(pid, signal.SIGKILL)
        while processes_in(base):
            assert time.monotonic() < due
            time.sleep(0.02)
        with trees.scratch(media) as later:
            assert list(media.iterdir()) == [later]
    assert measured and processes_in(base) == [] and list(media.iterdir()) == []


def test_a_run_beside_is_left_alone(tmp_path: Path) -> None:
    with trees.scratch(tmp_path) as one, trees.scratch(tmp_path) as other:
        assert set(tmp_path.iterdir()) == {one, other}


def processes_in(folder: Path) -> list[int]:
    """The processes that stand in a folder, which may be gone."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and int(path.name) != os.getpid():
            try:
                stands = str((path / "cwd").readlink())
            except OSError:
                continue
            if stands.removesuffix(" (deleted)") == str(folder):
                found.append(int(path.name))
    return found
