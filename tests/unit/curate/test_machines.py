"""Spark's machines as a stage of curation sees them: waves, their order, a task that fails, and Ctrl-C."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from avclips.core.errors import RunError, Stopped
from avclips.curate.machines import WAVE, Machines

pytest.importorskip("pyspark")


class Context:
    """In place of a SparkContext: it notes how many items each job has, and fails in the last one."""

    defaultParallelism = 2  # noqa: N815

    def __init__(self, raises: Exception | None = None) -> None:
        self.jobs: list[int] = []
        self._raises = raises

    def parallelize(self, items: list[int], slices: int) -> Any:
        assert len(items) == slices
        self.jobs.append(slices)
        return SimpleNamespace(map=lambda function: SimpleNamespace(collect=lambda: self._made(function, items)))

    def _made(self, function: Callable[[int], int], items: Iterable[int]) -> list[int]:
        if self._raises and len(self.jobs) > 1:
            raise self._raises
        return [function(item) for item in items]


def machines(context: Context) -> Machines:
    made = Machines.__new__(Machines)
    made._context = context
    made._driver = importlib.import_module("avclips.spark.driver")
    return made


def test_results_come_in_order_wave_by_wave() -> None:
    context = Context()
    assert list(machines(context).each(lambda item: item * item, range(11))) == [item * item for item in range(11)]
    assert context.jobs == [2 * WAVE, 3]


def test_a_task_that_fails_is_one_message() -> None:
    error = importlib.import_module("py4j.protocol").Py4JError("java.io.IOException: no room")
    made = machines(Context(error)).each(lambda item: item, range(9))
    assert [next(made) for _ in range(8)] == list(range(8))
    with pytest.raises(RunError, match="a task failed on Spark's machines: java.io.IOException: no room"):
        next(made)


def test_a_stop_ends_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context()
    under_way, ended = threading.Event(), threading.Event()
    context.cancelAllJobs = ended.set  # type: ignore[attr-defined]

    def work(item: int) -> int:
        under_way.set()
        assert ended.wait(60)
        return item

    def stopped(job: Future[list[int]], timeout: float | None = None) -> list[int]:
        assert under_way.wait(60)
        raise Stopped

    monkeypatch.setattr(Future, "result", stopped)
    with pytest.raises(Stopped):
        list(machines(context).each(work, range(9)))
    assert ended.is_set() and len(context.jobs) == 1
