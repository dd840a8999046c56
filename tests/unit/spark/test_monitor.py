"""How far the shards of many machines are, in lines and on a board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avclips.core.clock import Clock
from avclips.progress.update import Progress
from avclips.shards.layout import Output
from avclips.shards.storage import Remote, StoreLost
from avclips.spark.monitor import Monitor
from tests.support.spark_jobs import write_stats
from tests.support.spark_stage import HURRY


class Board:
    """Stands for wandb."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def log(self, values: dict[str, Any]) -> None:
        self.told.append(values)


def test_the_lines_of_progress(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What earlier runs wrote is counted, but is none of what this one is to write, nor of its pace."""
    board, seen = Board(), list[Progress]()
    write_stats(tmp_path, 0, 5)
    watch = Monitor(Output(Remote(str(tmp_path)), "webdataset", 4), 3, Clock(HURRY), board, seen.append)
    watch()
    assert capsys.readouterr().out == "", "not every second"
    watch.tell()
    write_stats(tmp_path, 1, 2, {"private": 3})
    watch.tell()
    watch.tell()
    watch.close()
    lines = [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert [line.rsplit(", ", 2)[0] for line in lines] == [
        "0 of 3 shards, 5 clips done, 0 failed", *["1 of 3 shards, 7 clips done, 3 failed"] * 2
    ]  # fmt: skip
    assert [line.rsplit(", ", 2)[2] for line in lines] == ["5.0 MB fetched", *["7.0 MB fetched"] * 2]
    assert lines[0].rsplit(", ", 2)[1] == "0 clips/h"
    assert [(each.done, each.failed, each.bytes_fetched, each.words) for each in seen] == [
        (5, 0, 0, "0 of 3 shards"), *[(7, 3, 2_000_000, "1 of 3 shards")] * 2
    ]  # fmt: skip
    assert [(each["shards"], each["done"], each["failed"]) for each in board.told] == [(1, 5, 0), *[(2, 7, 3)] * 2]


def test_a_store_that_is_away_does_not_end_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = Monitor(Output(Remote(str(tmp_path)), "webdataset", 4), 4, Clock(HURRY))

    def away(self: Remote) -> frozenset[str]:
        raise StoreLost("it is away")

    with monkeypatch.context() as patch:
        patch.setattr(Remote, "names", away)
        watch.tell()
    write_stats(tmp_path, 0, 1)
    watch.tell()
    watch.close()
    assert "1 of 4 shards, 1 clips done" in capsys.readouterr().out
