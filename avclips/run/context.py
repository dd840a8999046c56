"""A run that holds its folder, as its steps know it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ..core.clock import Clock
from ..core.settings import Settings
from ..core.signals import Signals
from ..datasets.base import Dataset
from ..progress.update import Watch
from ..state.partition import named
from ..state.store import Store


@dataclass
class Ended:
    """What a run left: clips of its list that are done, that failed (by reason), that no try was made for."""

    done: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    untried: int = 0


@dataclass(frozen=True)
class RunContext:
    """What the steps of one run have in common. ``versions``: what to say of them, in words.

    ``watch`` is told how far it is; ``ended`` is filled in when it ends.
    """

    dataset: Dataset
    settings: Settings
    clock: Clock
    store: Store
    signals: Signals
    versions: str
    watch: Watch | None = None
    ended: Ended = field(default_factory=Ended)

    @property
    def uses_drive(self) -> bool:
        """Whether the dataset's own archives are fetched."""
        return uses_drive(self.dataset, self.settings)

    @property
    def enough(self) -> bool:
        """Whether as many clips are done as --max-clips asks for."""
        most = self.settings.max_clips
        return most is not None and self.store.done_of_list >= most

    @property
    def log_file(self) -> Path:
        """Where the run's log is written."""
        return log_file(self.dataset, self.settings)


def uses_drive(dataset: Dataset, settings: Settings) -> bool:
    """Whether the dataset's own archives are fetched: with --archives given, those are all there is."""
    return dataset.drive is not None and not settings.archives


def log_file(dataset: Dataset, settings: Settings) -> Path:
    """Where a run's log is written."""
    return named(settings.data_dir / dataset.log_name, settings.part)
