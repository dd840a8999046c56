"""The same work on many things, by several processes; the results come in the things' order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import TypeVar

from ..core.errors import RunError
from ..core.signals import held_signals

Item = TypeVar("Item")
Result = TypeVar("Result")

# So many things for each process are given out ahead of the first whose result is not taken yet.
_AHEAD = 3


def in_order(work: Callable[[Item], Result], items: Iterable[Item], processes: int) -> Iterator[Result]:
    """``work`` of each item, in the items' order, which are taken as they are needed.

    ``work`` is a function of a module, and what it takes and gives can be pickled. With one process it is done in
    this one. What ``work`` raises is raised here. RunError where a process is ended by the system.
    """
    if processes == 1:
        yield from map(work, items)
        return
    # Spawned: a child of a fork would hold this process's locks as they were in that moment.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, begin_child)
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            # The first begins the processes: an exception in the midst of that would leave no pool to shut down.
            with held_signals():
                waiting.append(pool.submit(work, item))
            if len(waiting) >= _AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise RunError(
            "a process at work was ended by the system: for want of memory?", "try with fewer: --processes 1"
        ) from error
    finally:
        pool.shutdown(wait=not waiting, cancel_futures=True)


def begin_child() -> None:
    """To be called first in a process of a pool: it leaves Ctrl-C to its parent, and ends when that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # One that is killed tells nobody.
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
