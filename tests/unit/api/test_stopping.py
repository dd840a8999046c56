"""How a run in a program is stopped, and what the program has of its process afterwards."""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from avclips import Stopped
from avclips.api.stopping import a_guest, stoppable
from avclips.core.clock import Clock
from avclips.core.logs import log_to
from avclips.core.signals import Signals
from avclips.progress.console import is_quiet


@pytest.fixture(autouse=True)
def pythons_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def gentle() -> Signals:
    signals = Signals(take=False)
    signals.gentle = True
    return signals


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    # A handler runs between two instructions of the main thread.
    time.sleep(0)


def test_the_callers_event_stops_the_clock(gentle: Signals) -> None:
    clock, stop = Clock(), threading.Event()
    stop.set()
    with pytest.raises(Stopped), stoppable(clock, gentle, stop):
        clock.sleep(60)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not [each for each in threading.enumerate() if each.name.endswith("(_wait_for)")]


def test_an_event_that_nobody_sets_stops_nothing(gentle: Signals) -> None:
    clock = Clock()
    with stoppable(clock, gentle, threading.Event()):
        pass
    assert not clock.stopped


def test_ctrl_c_lets_the_engine_end_and_is_an_interrupt_then(gentle: Signals) -> None:
    clock, steps = Clock(), []
    with pytest.raises(KeyboardInterrupt), stoppable(clock, gentle, None):
        interrupt()
        steps.append("the line behind is written whole")
        clock.sleep(60)
    assert steps and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_is_not_lost_where_the_run_ends_by_itself(gentle: Signals) -> None:
    with pytest.raises(KeyboardInterrupt), stoppable(Clock(), gentle, None):
        interrupt()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("times", [1, 2])
def test_where_nothing_is_torn_or_a_second_time_it_does_not_wait(gentle: Signals, times: int) -> None:
    gentle.gentle = times == 2
    clock, steps = Clock(), []
    with pytest.raises(KeyboardInterrupt), stoppable(clock, gentle, None):
        for number in range(times):
            interrupt()
            steps.append(number)
    assert len(steps) == times - 1


def test_a_handler_of_the_callers_own_stays(gentle: Signals) -> None:
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    clock = Clock()
    with stoppable(clock, gentle, None):
        interrupt()
    assert came == [signal.SIGINT] and not clock.stopped


def test_in_another_thread_no_handler_is_set(gentle: Signals) -> None:
    ended: list[str] = []

    def run() -> None:
        with stoppable(Clock(), gentle, None):
            ended.append("well")

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ended == ["well"]


def test_the_process_is_left_as_it_was(tmp_path: Path) -> None:
    logger = logging.getLogger("avclips")
    mine = logging.NullHandler()
    logger.addHandler(mine)
    before = list(logger.handlers), logger.level, logger.propagate, logging.raiseExceptions
    try:
        with pytest.raises(Stopped), a_guest(quiet=True):
            log_to(tmp_path / "a.log", "DEBUG")
            files = [each for each in logger.handlers if isinstance(each, logging.FileHandler)]
            gc.freeze()
            gc.disable()
            assert is_quiet() and gc.get_freeze_count()
            raise Stopped
        after = list(logger.handlers), logger.level, logger.propagate, logging.raiseExceptions
        assert after == before and files and files[0].stream is None
        assert not is_quiet() and not gc.get_freeze_count()
    finally:
        logger.removeHandler(mine)
        gc.enable()
