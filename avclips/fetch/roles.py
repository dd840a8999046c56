"""What the engine needs of others: workers, the pacers of the identities that they ask as, and a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..core.model import Outcome, Video
from ..pacing.pace import Ticket
from ..pacing.pacer import Pacer


class Works(Protocol):
    """What the engine needs of a worker."""

    def can_adopt(self, video: Video) -> bool: ...

    def adopt(self, video: Video) -> Iterator[Outcome]: ...

    def run(self, video: Video, ticket: Ticket) -> Iterator[Outcome]: ...

    def close(self) -> None: ...


class Reporter(Protocol):
    """What the engine tells a report."""

    def outcome(self, outcome: Outcome, retry_in: float | None) -> None: ...

    def tick(self, pacers: Sequence[Pacer], paused: str | None) -> None: ...

    def trouble(self, outcome: Outcome) -> None: ...

    def taken_back(self, clip_ids: Sequence[str]) -> None: ...


@dataclass(frozen=True)
class Slot:
    """A worker, and the pacer of the identity it asks as."""

    worker: Works
    pacer: Pacer
