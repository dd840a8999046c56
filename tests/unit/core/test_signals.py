"""Signals that are held while something begins."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from avclips.core.errors import Stopped
from avclips.core.signals import STOPPING, Signals, held_signals


@pytest.fixture(autouse=True)
def no_handlers() -> Iterator[None]:
    """Whoever started the tests may ignore some, as nohup does."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in STOPPING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_is_told_when_the_block_ends(number: signal.Signals) -> None:
    signals, ended = Signals(), False
    with pytest.raises(Stopped), held_signals():
        signal.raise_signal(number)
        ended = True
    assert ended and signals.number == number
    assert signal.getsignal(number) == signals._came


def test_what_fails_in_the_block_does_not_hide_it() -> None:
    Signals()
    with pytest.raises(Stopped) as caught, held_signals():
        signal.raise_signal(signal.SIGTERM)
        raise ValueError("another")
    assert isinstance(caught.value.__context__, ValueError)


def test_one_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with held_signals():
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_thread_holds_none() -> None:
    failed: list[BaseException] = []

    def hold() -> None:
        try:
            with held_signals():
                pass
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert failed == []
