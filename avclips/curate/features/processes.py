"""Decoding in several processes of this machine; their results come in the order in which the clips were given.

A file may end the process that decodes it: then its neighbours are decoded again, each alone, to tell which.
"""

from __future__ import annotations

import itertools
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from ..processes import begin_child
from .examine import Clip, Examined

# What is done with some clips; it can be pickled.
Examine = Callable[[Sequence[Clip]], list[Examined]]
# Clips that a process is given at a time.
CHUNK = 8


class Processes:
    """``count`` processes with one examiner; with none, this process does it. To be closed."""

    def __init__(self, examiner: Examine, count: int) -> None:
        self._examiner, self._count = examiner, count
        self._pool = self._new(count) if count > 0 else None

    def examine(self, clips: Iterable[Clip]) -> Iterator[Examined]:
        """What became of each clip, in order; a few chunks for each process are under way."""
        waiting: deque[tuple[Future[list[Examined]] | None, list[Clip]]] = deque()
        left = iter(clips)
        while chunk := list(itertools.islice(left, CHUNK)):
            waiting.append((self._submitted(chunk), chunk))
            if len(waiting) > 3 * self._count:
                yield from self._done(*waiting.popleft())
        while waiting:
            yield from self._done(*waiting.popleft())

    def _submitted(self, chunk: list[Clip]) -> Future[list[Examined]] | None:
        if self._pool is None:
            return None
        try:
            return self._pool.submit(_work, chunk)
        except BrokenProcessPool as error:
            broken: Future[list[Examined]] = Future()
            broken.set_exception(error)
            return broken

    def _done(self, future: Future[list[Examined]] | None, chunk: Sequence[Clip]) -> list[Examined]:
        if future is None:
            return self._examiner(chunk)
        try:
            return future.result()
        except BrokenProcessPool:
            found = self._one_by_one(chunk)
            if self._pool is not None and _is_broken(self._pool):
                self._pool.shutdown(wait=False)
                self._pool = self._new(self._count)
            return found

    def _one_by_one(self, chunk: Sequence[Clip]) -> list[Examined]:
        """In a process that has no other clip at the time."""
        found: list[Examined] = []
        while len(found) < len(chunk):
            with self._new(1) as pool:
                try:
                    for clip in chunk[len(found) :]:
                        found += pool.submit(_work, [clip]).result()
                except BrokenProcessPool:
                    found.append(Examined(reason="crashed", detail="the process that decoded it died"))
        return found

    def _new(self, count: int) -> ProcessPoolExecutor:
        # A fork would copy whatever threads of ours hold at that moment.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(count, context, _begin, (self._examiner,))

    def close(self) -> None:
        """End the processes, without what they have not begun."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _is_broken(pool: ProcessPoolExecutor) -> bool:
    try:
        pool.submit(int)
    except BrokenProcessPool:
        return True
    return False


_examiner: Examine | None = None


def _begin(examiner: Examine) -> None:
    """In a new process."""
    global _examiner
    _examiner = examiner
    begin_child()


def _work(chunk: Sequence[Clip]) -> list[Examined]:
    assert _examiner is not None
    return _examiner(chunk)
