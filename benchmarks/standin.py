"""The stand-in YouTube, seen from the process that measures: a child with a core of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent


class Standin:
    """A running stand-in; a context manager. ``proxy`` and ``environment`` are what its clients need."""

    def __init__(self, media: Path, core: int) -> None:
        """``media``: where videos are kept; ``core``: the only one it may use, or -1."""
        self._child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.serve", str(media), str(core)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            # Ctrl-C is for whoever measures; it ends when nobody speaks to it any more.
            start_new_session=True,
        )
        ready = self._answer()
        self.proxy: str = ready["proxy"]
        self.environment: dict[str, str] = ready["environment"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            self._child.wait(20)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def be(self, latency: float, rate: float | None, page_bytes: int, open_rate: float | None = None) -> None:
        """From now on answer so: seconds before each answer, bytes a second of each connection, size of a page.

        ``open_rate``: bytes a second where the end of what is wanted was not said.
        """
        how = {"latency": latency, "rate": rate, "page_bytes": page_bytes, "open_rate": open_rate}
        self._ask({"set": how})

    def forget(self) -> None:
        """Begin to count anew."""
        self._ask({"forget": True})

    def count(self) -> dict[str, Any]:
        """What was asked for since (see serve)."""
        counted = self._ask({"count": True})
        assert not counted["unknown"], f"somebody asked for {counted['unknown']}"
        return counted

    def covering(self, clips: Sequence[tuple[str, float]]) -> int:
        """The bytes of the fragments that hold these clips: (video, start) each."""
        return int(self._ask({"covering": list(clips)})["bytes"])

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(order) + "\n")
        self._child.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"the stand-in ended with {self._child.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer
