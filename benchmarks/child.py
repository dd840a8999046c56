"""Commands run to their end, and what they cost: CPU with that of all their children, time, memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from avclips.core.signals import held_signals

_MEASURED = Path(__file__).resolve().with_name("measured.py")


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU and of the clock, and the MB of the largest process."""

    cpu: float = 0.0
    wall: float = 0.0
    peak: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.cpu + other.cpu, self.wall + other.wall, max(self.peak, other.peak))


class Failed(Exception):
    """A command that is measured did not do its work; the text says what it said."""


def run(command: Sequence[str], environment: Mapping[str, str], folder: Path, patience: float = 300.0) -> Cost:
    """Run a command in ``folder``; Failed where it does not end with 0."""
    said, cost = folder / "said.txt", folder / "cost.json"
    with open(said, "wb") as out:
        child: subprocess.Popen[bytes] | None = None
        watchdog: threading.Timer | None = None
        try:
            # Between a child's start and its name, nobody could end it.
            with held_signals():
                child = subprocess.Popen(
                    # Without the site's packages: it is to be small.
                    [sys.executable, "-S", "-E", str(_MEASURED), str(cost), *command],
                    env=dict(environment),
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                watchdog = threading.Timer(patience, _end, [child.pid])
                watchdog.start()
            code = child.wait()
        except BaseException:
            if child is not None:
                # It has a session of its own: Ctrl-C does not reach it.
                _end(child.pid)
                child.wait()
            raise
        finally:
            if watchdog is not None:
                watchdog.cancel()
    if code != 0:
        words = said.read_text(errors="replace")[-2000:]
        raise Failed(f"{' '.join(command)[:300]} ended with {code}:\n{words}")
    found = Cost(**json.loads(cost.read_text()))
    cost.unlink()
    return found


def run_all(commands: Sequence[Sequence[str]], environment: Mapping[str, str], folder: Path) -> Cost:
    """Run commands one after the other."""
    return sum((run(command, environment, folder) for command in commands), Cost())


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
