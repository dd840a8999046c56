"""Spark's machines for a stage of curation: a shard a task, by the code that does it here.

All machines must reach the stage's folder and the clips under the same names, as on a cluster with a shared disk.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

from ..core.errors import RunError

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
        """What a function that can be pickled makes of each item, a task each, in order. RunError."""
        left = iter(items)
        wave = WAVE * max(1, int(self._context.defaultParallelism))
        while some := list(itertools.islice(left, wave)):
            try:
                yield from self._context.parallelize(some, len(some)).map(function).collect()
            except Exception as error:  # whatever Py4J wraps
                raise RunError(
                    f"a task failed on Spark's machines: {self._driver.words(error)}",
                    "what was finished is kept; Spark's own log says more, then start the same command again",
                ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.stop()
        self._driver.drop_package()
