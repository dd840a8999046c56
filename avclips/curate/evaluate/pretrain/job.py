"""What is to be done, as the options say it. Needs nothing that has to be installed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...folders import stage_folder
from .settings import Form, Training

STAGE, TENSORS = "pretrain", "tensors"
ARMS = ("selection", "random")
# In place of a selection: every clip.
ALL = "all"
# Of the probes, where nobody says.
FOLDS = 5


@dataclass(frozen=True)
class Job:
    """``selection``: a folder that select left, or a file of ids; None: all clips. ``arms``: of ARMS.

    ``output``: None: the folder of this stage; ``tensors``: likewise. ``folds``: None: FOLDS. ``probe_dir``: the
    clips that are measured on, None: those of ``data_dir`` that are held out. ``labels``: of these, else those of
    their list.
    """

    data_dir: Path
    selection: Path | None
    arms: tuple[str, ...] = ARMS
    output: Path | None = None
    tensors: Path | None = None
    probe_dir: Path | None = None
    labels: Path | None = None
    folds: int | None = None
    held_out: float = 0.2
    seeds: tuple[int, ...] = (0, 1, 2)
    form: Form = field(default_factory=Form)
    training: Training = field(default_factory=Training)
    device: str = "auto"
    workers: int = 0
    processes: int = 1

    @property
    def folder(self) -> Path:
        return self.output or stage_folder(self.data_dir, STAGE)

    def tensors_of(self, data_dir: Path) -> Path:
        """Where the tensors of a folder's clips are."""
        here = data_dir == self.data_dir and self.tensors is not None
        return self.tensors if here and self.tensors else stage_folder(data_dir, TENSORS)
