"""Spark's machines for a stage of curation: a shard a task, by the code that does it here.

All machines must reach the stage's folder and the clips under the same names, as on a cluster with a shared disk.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

from ..core.errors import RunError, Stopped

Item = TypeVar("Item")
Result = TypeVar("Result")
# Items a core in one job: as each waits for the last one of its job, more keep the cores at work.
WAVE = 4


class Machines:
    """A Spark session of ``master``'s, until the block ends. UsageError, RunError where there is none."""

    def __init__(self, master: str) -> None:
        # It imports all that downloads, which a stage on this machine needs not.
        from ..spark import driver

        self._driver = driver
        self._session: Any = driver.open_session(master)
        self._context = self._session.sparkContext
        self._context.addPyFile(str(driver.zipped_package()))

    def each(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """What a function that can be pickled makes of each item, a task each, in order. RunError, Stopped."""
        left = iter(items)
        wave = WAVE * max(1, int(self._context.defaultParallelism))
        with ThreadPoolExecutor(1, thread_name_prefix="job") as pool:
            while some := list(itertools.islice(left, wave)):
                # Not in this thread, in which signals are raised: Py4J makes errors of its own of them.
                job = pool.submit(self._done, function, some)
                try:
                    found = job.result()
                except _errors_of_spark() as error:
                    raise RunError(
                        f"a task failed on Spark's machines: {self._driver.words(error)}",
                        "what was finished is kept; Spark's own log says more, then start the same command again",
                    ) from error
                except Stopped:
                    self._context.cancelAllJobs()
                    raise
                yield from found

    def _done(self, function: Callable[[Item], Result], some: list[Item]) -> list[Result]:
        return list(self._context.parallelize(some, len(some)).map(function).collect())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.stop()
        self._driver.drop_package()


def _errors_of_spark() -> tuple[type[Exception], ...]:
    """What an action on an RDD raises: errors of Py4J and Spark, and of the socket that results come by."""
    py4j, pyspark = (importlib.import_module(name) for name in ("py4j.protocol", "pyspark.errors"))
    return (py4j.Py4JError, pyspark.PySparkException, OSError, EOFError)
