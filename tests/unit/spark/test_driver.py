"""Shards handed to machines: what comes back and when, with machines that are threads.

The machines here are told what to answer; what a real Spark does with all this, test_spark has.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import itertools
import json
import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
import types
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avclips import download
from avclips.core.clock import Clock
from avclips.core.errors import GaveUp, RunError, Stopped, UsageError
from avclips.core.model import Clip
from avclips.core.settings import Identity
from avclips.core.signals import Signals
from avclips.datasets.clip_list import CLIPS
from avclips.run.steps import Run
from avclips.shards.shard import Shard, cut
from avclips.spark import driver
from avclips.spark.driver import JOBS, MOST_FAILURES, Cluster, open_session
from avclips.spark.task import Job, Result
from tests.support.fake_clock import FakeClock
from tests.support.script import ROOT
from tests.support.spark_jobs import clips_of, job_of, settings_of, url_of, write_stats
from tests.support.spark_stage import write_list


def no_packs(count: int) -> list[Shard]:
    """Packs of which only the number is looked at."""
    return [Shard(number, (Clip(f"c{number}", f"v{number}", 0.0, 1.0),)) for number in range(count)]


# -- machines that are threads ---------------------------------------------------------------------------------


class FakeContext:
    """Spark's context, as far as it is used: what is given to it is pickled, and tasks run in threads."""

    def __init__(self, cores: int) -> None:
        self.defaultParallelism = cores
        self.files: list[str] = []
        self.ended = 0
        self.waves: list[list[int]] = []
        self.at_work = self.most_at_work = 0
        self.lock = threading.Lock()

    def addPyFile(self, path: str) -> None:  # noqa: N802 - Spark's name
        self.files.append(path)

    def parallelize(self, items: Iterable[Any], slices: int) -> FakeRdd:
        each = list(items)
        assert slices == len(each)
        return FakeRdd(self, pickle.loads(pickle.dumps(each)))

    def cancelAllJobs(self) -> None:  # noqa: N802 - Spark's name
        self.ended += 1

    def cancelJobGroup(self, group: str) -> None:  # noqa: N802 - Spark's name
        self.ended += 1

    def setJobGroup(self, group: str, description: str, interruptOnCancel: bool = False) -> None:  # noqa: N802,N803
        pass


class FakeRdd:
    def __init__(self, context: FakeContext, items: list[Any]) -> None:
        self.context, self.items = context, items
        self.task: Callable[[Any], Any] = lambda item: item

    def map(self, task: Callable[[Any], Any]) -> FakeRdd:
        self.task = pickle.loads(pickle.dumps(task))
        return self

    def collect(self) -> list[Any]:
        context = self.context
        with context.lock:
            context.waves.append([shard.number for shard, _ in self.items])
            context.at_work += 1
            context.most_at_work = max(context.most_at_work, context.at_work)
        try:
            with ThreadPoolExecutor(len(self.items)) as pool:
                return list(pool.map(self.task, self.items))
        finally:
            with context.lock:
                context.at_work -= 1

    def foreach(self, task: Callable[[Any], Any]) -> None:
        for item in self.items:
            pickle.loads(pickle.dumps(task))(item)


Answer = str | BaseException


class Machines:
    """Answers for the tasks: by pack, one after the other, and then that it is there.

    ``asked``: the packs in the order in which they were tried; ``before`` is called with each.
    """

    def __init__(
        self, base: Path, monkeypatch: pytest.MonkeyPatch, count: int, cores: int = 2, **more: Any
    ) -> None:
        self.job = job_of(base, count, **more)
        self.output = self.job.output()
        self.clock: Clock = FakeClock()
        self.context = FakeContext(cores)
        self.answers: dict[int, list[Answer]] = {}
        self.asked: list[int] = []
        self.urls: dict[int, Mapping[str, str | None]] = {}
        self.before: Callable[[int], None] = lambda number: None
        self.watched = 0
        self._lock = threading.Lock()
        monkeypatch.setattr("avclips.spark.driver.do_shard", self.do_shard)
        self.cluster = Cluster(types.SimpleNamespace(sparkContext=self.context), self.job, self.clock)

    def do_shard(self, job: Job, shard: Shard, urls: Mapping[str, str | None]) -> Result:
        assert job == self.job
        number = shard.number
        with self._lock:
            self.asked.append(number)
            self.urls[number] = urls
            answers = self.answers.get(number, [])
            answer = answers.pop(0) if answers else "there"
        self.before(number)
        if isinstance(answer, BaseException):
            raise answer
        if answer == "there":
            Path(self.job.url, f"{self.output.name(number)}_stats.json").write_text("{}")
        if answer == "failed":
            return Result(number, "failed", "node7", "no room left on node7", "make some")
        return Result(number, answer, "node7")  # type: ignore[arg-type]

    def watch(self) -> None:
        self.watched += 1

    def run(self, planned: Iterable[Shard] | None = None) -> None:
        every = no_packs(self.job.count) if planned is None else planned
        self.cluster.run(iter(every), url_of, self.output, self.watch)


def test_every_pack_comes_once_in_waves_of_a_pack_for_every_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = Machines(tmp_path, monkeypatch, 23, cores=4)
    machines.run()
    assert sorted(machines.asked) == list(range(23)) == sorted(machines.output.finished())
    assert sorted(machines.context.waves) == [list(range(n, min(23, n + 4))) for n in range(0, 23, 4)]
    assert machines.context.most_at_work <= JOBS and machines.watched > 0 and machines.context.ended == 0
    assert machines.urls[7] == {"v7": url_of("v7")}


def test_the_list_is_taken_as_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be one of millions, and waits on slow machines."""
    machines = Machines(tmp_path, monkeypatch, 40, cores=2)
    taken, ahead = 0, []

    def planned() -> Iterator[Shard]:
        nonlocal taken
        for shard in no_packs(40):
            taken += 1
            yield shard

    machines.before = lambda number: ahead.append(taken - len(machines.output.finished()))
    machines.run(planned())
    # Those of jobs that have just ended are finished, and not yet taken out.
    assert taken == 40 and max(ahead) <= (JOBS + 1) * 2


@pytest.mark.parametrize("state", ["refused", "busy", "failed"])
@pytest.mark.parametrize("times", [1, 2])
def test_what_comes_back_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, times: int
) -> None:
    machines = Machines(tmp_path, monkeypatch, 5)
    machines.answers[1] = [state] * times
    machines.run()
    assert Counter(machines.asked) == Counter({**dict.fromkeys(range(5), 1), 1: times + 1})
    assert machines.output.finished() == frozenset(range(5))


def test_what_comes_back_goes_before_the_rest_of_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machines = Machines(tmp_path, monkeypatch, 60, cores=1)
    machines.answers[0] = ["refused"]
    machines.run()
    assert machines.asked.index(0, 1) < 30


def test_a_machine_that_is_always_refused_leaves_its_packs_to_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = Machines(tmp_path, monkeypatch, 12, cores=2)
    turn, refused = itertools.count(), []
    told = machines.do_shard

    def on_one_of_two(job: Job, shard: Shard, urls: Mapping[str, str | None]) -> Result:
        if next(turn) % 2:
            refused.append(shard.number)
            return Result(shard.number, "refused", "blocked")
        return told(job, shard, urls)

    monkeypatch.setattr("avclips.spark.driver.do_shard", on_one_of_two)
    machines.run()
    assert sorted(machines.asked) == list(range(12)) and refused
    assert machines.output.finished() == frozenset(range(12))


def test_the_driver_takes_no_claim_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another may be at the pack for long; whether he lives, the machines see that wait for him."""
    machines = Machines(tmp_path, monkeypatch, 2)
    claim = Path(machines.job.url) / "00001.claim"
    claim.write_text("somebody's")
    machines.answers[1] = ["busy"]
    machines.run()
    assert machines.asked.count(1) == 2 and claim.exists()


def test_the_third_failure_of_a_pack_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machines = Machines(tmp_path, monkeypatch, 4)
    machines.answers[2] = ["failed"] * 99
    with pytest.raises(RunError, match=r"^no room left on node7 \(on node7\)$") as caught:
        machines.run()
    assert (caught.value.exit_code, caught.value.hint) == (1, "make some")
    assert machines.asked.count(2) == MOST_FAILURES == 3 and machines.context.ended == 1


def test_jobs_that_end_by_themselves_are_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine died: the others' packs of that job may be there all the same."""
    machines = Machines(tmp_path, monkeypatch, 6)
    machines.answers[1] = [OSError("a machine died"), OSError("and another one")]
    machines.run()
    assert machines.output.finished() == frozenset(range(6))
    assert Counter(machines.asked) == Counter({**dict.fromkeys(range(6), 1), 1: 3})


def test_three_jobs_in_a_row_that_end_by_themselves_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = Machines(tmp_path, monkeypatch, 9)
    machines.answers = {number: [OSError("no Python here")] * 9 for number in range(9)}
    with pytest.raises(RunError, match="Spark's jobs fail: no Python here") as caught:
        machines.run()
    assert caught.value.exit_code == 1 and caught.value.hint and machines.context.ended == 1


def test_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the machines."""
    machines = Machines(tmp_path, monkeypatch, 9)
    hold = threading.Event()

    def stop_in_the_third(number: int) -> None:
        if number == 2:
            machines.clock.stop()
        if number >= 2:
            hold.wait(30)

    machines.before = stop_in_the_third
    try:
        with pytest.raises(Stopped):
            machines.run()
        assert machines.context.ended == 1 and not hold.is_set()
    finally:
        hold.set()


def test_nothing_for_too_long_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machines = Machines(tmp_path, monkeypatch, 4, give_up_after=7200.0)
    machines.answers = {number: ["refused"] * 1000 for number in range(4)}
    machines.before = lambda number: machines.clock.sleep(60)
    with pytest.raises(GaveUp, match="for 2 hours") as caught:
        machines.run()
    assert caught.value.exit_code == 75 and machines.context.ended == 1


def test_a_pack_that_takes_long_is_no_reason_to_give_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand clips at a pace that many tasks share take longer than --give-up-after; nobody was refused."""
    machines = Machines(tmp_path, monkeypatch, 2, give_up_after=7200.0)
    done, looked = threading.Event(), machines.watch

    def look() -> None:
        looked()
        if machines.watched == 1:
            machines.clock.sleep(9000)
        else:
            done.set()

    monkeypatch.setattr(machines, "watch", look)
    machines.before = lambda number: void(done.wait(30))
    try:
        machines.run()
    finally:
        done.set()
    assert machines.output.finished() == frozenset(range(2))


def void(_: object) -> None: ...


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "OSError"),
        ("just so", "just so"),
        (
            "An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.\n"
            ": org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed\n"
            'Traceback (most recent call last):\n  File "/x/worker.py", line 1247, in main\n'
            "ModuleNotFoundError: No module named 'yt_dlp'\n\n"
            "\tat org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(X.scala:572)\n"
            "\t... 1 more\nDriver stacktrace:\n\tat org.apache.spark.SparkException.another(Y.scala:1)\n",
            "ModuleNotFoundError: No module named 'yt_dlp'",
        ),
    ],
)
def test_what_is_told_of_what_spark_says(said: str, told: str) -> None:
    assert driver.words(OSError(said)) == told


# -- what is shipped -------------------------------------------------------------------------------------------


def test_all_that_travels_can_be_pickled(tmp_path: Path) -> None:
    job = job_of(tmp_path, 6, identities=(Identity("http://u:p@h:1", Path("c.txt")),), retry_failed=("private",))
    shard = next(cut(clips_of(), 5))
    result = Result(3, "failed", "host", "why", "so")
    for each in (job, shard, result, functools.partial(driver._on_a_machine, job)):
        again = pickle.loads(pickle.dumps(each))
        assert isinstance(each, functools.partial) or again == each


# Makes a Cluster of a context that keeps a copy of what it is given.
SHIPS = """
import shutil, sys, types
from pathlib import Path

from avclips.spark.driver import Cluster
from avclips.shards.claims import Claims
from avclips.core.settings import Settings
from avclips.core.clock import Clock
from avclips.spark.task import Job

base = Path(sys.argv[1])
context = types.SimpleNamespace(addPyFile=lambda path: shutil.copy(path, base / "shipped.zip"))
job = Job(Settings(base / "data"), "clips", "audio", str(base / "shards"), 1)
Cluster(types.SimpleNamespace(sparkContext=context), job, Clock())
"""


@pytest.mark.parametrize("zipped", [False, True], ids=["from its folder", "from a single file"])
def test_the_package_is_shipped_whole(tmp_path: Path, zipped: bool) -> None:
    """Machines do not have it, and the program may itself be one file (`make single-file`)."""
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "avclips").rglob("*.py")}
    source, empty = tmp_path / "single.pyz", tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(source, "w") as file:
        for name in modules:
            file.write(ROOT / name, name)
    python(SHIPS, tmp_path, path=source if zipped else ROOT, cwd=empty)
    shipped = tmp_path / "shipped.zip"
    assert {name for name in zipfile.ZipFile(shipped).namelist() if name.endswith(".py")} == modules
    # A task's module comes out of it alone.
    said = python("import avclips.spark.task; print(avclips.spark.task.__file__)", path=shipped, cwd=empty)
    assert said.startswith(str(shipped))


def python(program: str, *words: str | Path, path: Path, cwd: Path) -> str:
    """What a program says, whose modules come from ``path``."""
    environment = os.environ | {"PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", program, *map(str, words)]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=True).stdout


def test_where_unfinished_packs_lie_does_not_depend_on_where_a_machine_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--data-dir is usually "clips": an executor has a working folder of its own."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    made = _jobs_made(tmp_path, Path("clips"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    job = pickle.loads(made)
    assert job.folder == tmp_path / "clips" / "spark"
    job.output()
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_run_begins_without_what_a_killed_one_was_writing(tmp_path: Path) -> None:
    """Nobody is at work then; what is finished stays."""
    shards = tmp_path / "data" / "shards"
    shards.mkdir(parents=True)
    write_stats(shards, 0, 5)
    dead, elsewhere = (
        {"host": host, "pid": 1 << 30, "token": "x"} for host in (socket.gethostname(), "elsewhere")
    )
    for name in (f".00001.tar.{dead['host']}-{dead['pid']}.part", ".00002.tar.elsewhere-7.part", "00001.tar"):
        (shards / name).write_bytes(b"half")
    for number, owner in enumerate((dead, elsewhere), 1):
        (shards / f"0000{number}.claim").write_text(json.dumps(owner))
    _jobs_made(tmp_path, tmp_path / "data")
    # A tar without its stats is replaced when its pack is written; what is another host's may be at work.
    left = {"00001.tar", ".00002.tar.elsewhere-7.part", "00002.claim"}
    assert {path.name for path in shards.iterdir()} == {"plan.json", "00000_stats.json", *left}


@pytest.mark.parametrize(
    "more",
    [{"output_format": "files"}, {"max_clips": 3}, {"part": (0, 2)}, {"archives": (Path("there"),)}],
    ids=lambda more: next(iter(more)),
)
def test_settings_that_spark_cannot_follow(tmp_path: Path, more: dict[str, Any]) -> None:
    """From a program, too, they are refused, and not forgotten."""
    (tmp_path / "there").mkdir()
    if "archives" in more:
        more = {"archives": (tmp_path / "there",)}
    settings = replace(settings_of(tmp_path, **more), clip_list=write_list(tmp_path / "list.csv"))

    def nobody(self: Cluster, *_: Any) -> None:
        raise AssertionError("it went on")

    with pytest.MonkeyPatch.context() as patch, usual_log(), pytest.raises(UsageError) as caught:
        patch.setattr(Cluster, "__init__", nobody)
        download(CLIPS, settings, types.SimpleNamespace())
    assert caught.value.exit_code == 2 and caught.value.hint


def _jobs_made(base: Path, data_dir: Path) -> bytes:
    """The job that a run ships, pickled when it is."""
    shipped: list[bytes] = []

    class Enough(Exception):
        pass

    def made(self: Cluster, session: Any, job: Job, clock: Clock) -> None:
        shipped.append(pickle.dumps(job))
        raise Enough

    settings = replace(settings_of(base), data_dir=data_dir, clip_list=write_list(base / "list.csv"))
    with pytest.MonkeyPatch.context() as patch, usual_log():
        patch.setattr(Cluster, "__init__", made)
        with pytest.raises(Enough):
            Run(CLIPS, settings, Clock(), "INFO", types.SimpleNamespace()).run(Signals(take=False))
    return shipped[0]


@contextlib.contextmanager
def usual_log() -> Iterator[None]:
    """What a run sets for its process is not left to the tests that follow."""
    logger, loud = logging.getLogger("avclips"), logging.raiseExceptions
    handlers, level, propagate = logger.handlers, logger.level, logger.propagate
    try:
        yield
    finally:
        for handler in logger.handlers:
            handler.close()
        logger.handlers, logger.propagate, logging.raiseExceptions = handlers, propagate, loud
        logger.setLevel(level)
        gc.unfreeze()


# -- a session -------------------------------------------------------------------------------------------------


class Builder:
    """Spark's builder of sessions, which starts none."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.told: dict[str, str] = {}

    def master(self, url: str) -> Builder:
        self.told["master"] = url
        return self

    appName = enableHiveSupport = lambda self, *_: self  # noqa: N815 - Spark's names

    def config(self, name: str, value: str) -> Builder:
        self.told[name] = value
        return self

    def getOrCreate(self) -> str:  # noqa: N802 - Spark's name
        if self.error:
            raise self.error
        return "a session"


def with_builder(monkeypatch: pytest.MonkeyPatch, builder: Builder) -> None:
    sql = types.SimpleNamespace(SparkSession=types.SimpleNamespace(builder=builder))
    package = types.SimpleNamespace(sql=sql, __version__="3.5.9")
    monkeypatch.setattr("avclips.spark.driver.extra", lambda module, what: package)
    monkeypatch.setattr("avclips.spark.driver.use_java", lambda version: None)
    monkeypatch.setenv("PYSPARK_PYTHON", "theirs")


@pytest.mark.parametrize("master", ["local[2]", "spark://there:7077"])
def test_a_session_of_our_own(monkeypatch: pytest.MonkeyPatch, master: str) -> None:
    builder = Builder()
    with_builder(monkeypatch, builder)
    assert open_session(master) == "a session"
    assert builder.told["master"] == master and builder.told["spark.speculation"] == "false"
    assert (builder.told.get("spark.driver.bindAddress") == "127.0.0.1") == master.startswith("local")
    assert os.environ["PYSPARK_PYTHON"] == "theirs"


def test_a_session_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with_builder(monkeypatch, Builder(RuntimeError("no\nmaster\there")))
    with pytest.raises(RunError, match=r"^Spark does not start with spark://x: no master here$") as caught:
        open_session("spark://x")
    assert caught.value.exit_code == 1 and caught.value.hint
