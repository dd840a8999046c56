"""Work by several processes."""

from __future__ import annotations

import signal
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from avclips.curate.processes import in_order


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_items(processes: int) -> None:
    assert list(in_order(abs, [-3, 2, -1, 0], processes)) == [3, 2, 1, 0]


def test_ctrl_c_while_the_processes_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told once they have begun: with half of them begun, the pool cannot be shut down."""
    launch = ProcessPoolExecutor._start_executor_manager_thread

    def interrupted(pool: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        launch(pool)

    monkeypatch.setattr(ProcessPoolExecutor, "_start_executor_manager_thread", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            list(in_order(abs, [-1], 2))
    finally:
        signal.signal(signal.SIGINT, before)
