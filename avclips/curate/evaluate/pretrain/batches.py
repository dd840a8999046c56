"""Batches of tensors for torch, each changed a little at random: which and how follows from seed and step alone.

So a run that goes on needs no state of a random generator, whatever number of processes loads its batches.
"""

from __future__ import annotations

import signal

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ...features.extractor import Array
from ...processes import begin_child
from .settings import Run, order
from .tensors import Tensors

# At most: how far a picture is moved, in parts of its size; how much of time, and of the bands, is hidden; by how
# much a sound is made louder or softer (natural logarithm).
SHIFT, HIDDEN, GAIN = 1 / 16, 1 / 8, 0.7


class Batches(Dataset):
    """All steps of a run, from 0 on: pictures (batch, frames, size, size, 3) uint8, and log-mel float32."""

    def __init__(self, clips: Tensors, run: Run, batch: int) -> None:
        self._clips, self._run, self._batch = clips, run, batch
        self._steps = len(run.rows) // batch

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        epoch, step = divmod(number, self._steps)
        chosen = order(len(self._run.rows), self._batch, self._run.seed, epoch)[step]
        frames, mel = self._clips.gather(self._run.rows[chosen])
        rng = np.random.default_rng([self._run.seed, epoch, step + 1])
        return torch.from_numpy(moved(frames, rng)), torch.from_numpy(masked(mel, rng))


def loader(batches: Batches, first: int, end: int, workers: int) -> DataLoader:
    """The steps ``first`` to ``end`` - 1, in order."""
    return DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, end),
        num_workers=workers,
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_begin if workers else None,
    )


def _begin(worker: int) -> None:
    begin_child()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def moved(frames: Array, rng: np.random.Generator) -> Array:
    """Each clip's pictures, all of them moved alike by up to SHIFT of their size, half of the clips mirrored."""
    size = frames.shape[2]
    most = int(size * SHIFT)
    along = np.arange(size)
    for clip in frames:
        down, across = rng.integers(-most, most + 1, 2)
        rows, columns = np.clip(along + down, 0, size - 1), np.clip(along + across, 0, size - 1)
        if rng.random() < 0.5:
            columns = columns[::-1]
        clip[:] = clip[:, rows[:, None], columns]
    return frames


def masked(mel: Array, rng: np.random.Generator) -> Array:
    """Each clip's log-mel louder or softer, with a piece of time and some bands hidden behind their mean."""
    found = mel.astype(np.float32)
    for clip in found:
        mean = clip.mean()
        for axis in (0, 1):
            length = rng.integers(0, int(clip.shape[axis] * HIDDEN) + 1)
            first = rng.integers(0, clip.shape[axis] - length + 1)
            clip[(slice(None),) * axis + (slice(first, first + length),)] = mean
        clip += rng.uniform(-GAIN, GAIN)
    return found
