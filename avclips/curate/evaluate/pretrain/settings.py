"""What is trained and how, and what follows from that alone: which clips are in which batch, each step's rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The share of all steps in which the learning rate rises, before it falls as a cosine does.
WARM_UP = 0.1
# With fewer clips, or fewer in a batch, there is hardly anything to be told apart.
FEWEST_CLIPS, FEWEST_IN_BATCH = 8, 2


@dataclass(frozen=True)
class Form:
    """``frames``: pictures of a clip, evenly spread over it; ``size``: their width and height, pixels."""

    frames: int = 8
    size: int = 64


@dataclass(frozen=True)
class Training:
    """What changes a weight besides clips and seed. ``temperature``: the first one; it is learned."""

    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    embedding_dim: int = 128
    temperature: float = 0.1


@dataclass(frozen=True)
class Run:
    """One training. ``arm``: "selection", "random" or "untrained"; ``rows``: the tensors that it learns from."""

    arm: str
    seed: int
    rows: NDArray[np.int64]

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.arm}-{self.seed}"


def order(count: int, batch: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """An epoch's batches, (steps, batch), of clips 0 to ``count`` - 1; those that fill no batch rest this time."""
    # What the options say of these settings needs no numpy.
    import numpy as np

    drawn = np.random.default_rng([seed, epoch, 0]).permutation(count)
    steps = count // batch
    return drawn[: steps * batch].reshape(steps, batch)


def rate_at(step: int, steps: int, highest: float) -> float:
    """The learning rate of a step (from 0) of ``steps``: a line up to ``highest``, then a cosine to 0."""
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return highest * (step + 1) / warm
    return highest * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
