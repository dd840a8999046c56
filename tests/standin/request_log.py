"""What a stand-in was asked and what it answered, for tests to look at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from tests.standin.fake_proxy import Answer


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What became of a request.

    `first` and `last` are the bytes answered with when a range was asked for; `sent` counts body bytes really
    sent, and grows while they are.
    """

    first: int | None = None
    last: int | None = None
    status: int = 0
    sent: int = 0


Asked = TypeVar("Asked", bound=Answered)


class RequestLog(Generic[Asked]):
    """The requests of a stand-in, in the order of their answers; threads may add at once."""

    def __init__(self, on_end: Callable[[Asked], None] | None = None) -> None:
        self._requests: list[Asked] = []
        self._lock = threading.Lock()
        self._on_end = on_end

    def __call__(self) -> list[Asked]:
        with self._lock:
            return list(self._requests)

    def add(self, request: Asked, answer: Answer) -> None:
        """Note a request that is about to be answered, and later how much of the answer was sent."""
        span = answer.span if answer.status == 206 else None
        request = replace(
            request,
            status=answer.status,
            first=span.start if span else None,
            last=span.stop - 1 if span else None,
        )
        with self._lock:
            place = len(self._requests)
            self._requests.append(request)

        def on_sent(total: int) -> None:
            with self._lock:
                self._requests[place] = replace(request, sent=total)

        def on_end() -> None:
            if self._on_end is not None:
                self._on_end(self._requests[place])

        answer.on_sent, answer.on_end = on_sent, on_end
