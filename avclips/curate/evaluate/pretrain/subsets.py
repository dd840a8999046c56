"""Which clips are trained on, and which are held out: by the selection, by video, and by a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.errors import RunError
from ...select import output
from ..labelled import read_ids
from .job import ALL
from .settings import FEWEST_CLIPS

Rows = NDArray[np.int64]
# Held out at most: more would say the same, for much more time.
MOST_VIDEOS = 20_000


@dataclass(frozen=True)
class Subsets:
    """Rows of the tensors. ``selection``: trained on; ``pool``: what as many are drawn from; ``held_out``: none.

    ``counts``: what became of the ids of the selection, whose sum is "ids".
    """

    selection: Rows
    pool: Rows
    held_out: Rows
    counts: Mapping[str, int]

    def random(self, seed: int) -> Rows:
        """As many as are selected, out of the pool; in order."""
        drawn = np.random.default_rng([seed, 7]).choice(self.pool, len(self.selection), replace=False)
        return np.sort(drawn)


def selected(path: Path | None) -> frozenset[str] | None:
    """The ids of a selection: a folder that select left, or a file of ids; None (all clips) for None."""
    if path is None:
        return None
    if path.is_file():
        return read_ids(path)
    return frozenset(output.read(path)["id"].to_pylist())


def digest(ids: Collection[str] | None) -> str:
    """The fingerprint of a set of ids."""
    if ids is None:
        return ALL
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]


def held_out(videos: Sequence[str], share: float) -> frozenset[str]:
    """About this share of the videos, MOST_VIDEOS at most: the same for the same videos, whatever their order."""
    every = sorted(set(videos), key=lambda video: hashlib.sha256(video.encode()).digest())
    return frozenset(every[: min(MOST_VIDEOS, round(share * len(every)))])


def divide(rows: Sequence[Mapping[str, Any]], ids: Collection[str] | None, apart: Collection[str]) -> Subsets:
    """Divide clips (``id``, ``video``), of which those of the videos ``apart`` are held out.

    RunError where too few are left to train on.
    """
    # A clip of no known video is one of its own.
    here = np.array([(row["video"] or row["id"]) in apart for row in rows], bool)
    wanted = np.array([ids is None or row["id"] in ids for row in rows], bool)
    selection = np.flatnonzero(wanted & ~here)
    known = len(rows) if ids is None else len(ids)
    counts = {
        "ids": known,
        "trained_on": len(selection),
        "held_out": int((wanted & here).sum()),
        "without_tensors": known - int(wanted.sum()),
    }
    if len(selection) < FEWEST_CLIPS:
        raise RunError(
            f"{len(selection)} clips are left to train on: of {known:,} selected ones {counts['held_out']:,} are "
            f"held out, and {counts['without_tensors']:,} have no tensors",
            f"it takes {FEWEST_CLIPS}, and hundreds to learn anything: more clips, or a smaller --held-out",
        )
    return Subsets(selection, np.flatnonzero(~here), np.flatnonzero(here), counts)
