"""Clips with features as data of the experiment: those of a folder, by their first label; or made-up ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ...catalog.sample import Place, Sample
from ...core.errors import UsageError
from ..features.parts import Features
from ..features.stage import Job, make, opened
from ..synthetic import files, plan
from .pairs import Array, TwoSided, balanced

# A class of fewer clips says nothing.
_FEWEST = 10


def of_features(folder: Path, name: str, classes: int, most: int) -> Callable[[int], TwoSided]:
    """The data of finished features: each seed draws ``classes`` labels, and at most ``most`` clips of each.

    UsageError where there are fewer labels with ten clips each.
    """
    features, _ = opened(folder)
    labels = [row[0] if row else "" for table in features.rows() for row in table["labels"].to_pylist()]
    names, kinds = np.unique(labels, return_inverse=True)
    counts = np.bincount(kinds)
    usable = np.flatnonzero((counts >= _FEWEST) & (names != ""))
    if len(usable) < classes:
        raise UsageError(
            f"{name} has {len(usable)} labels with {_FEWEST} clips each, of {len(labels)} clips",
            f"--classes {len(usable)} or fewer" if len(usable) > 3 else "a list with labels is needed",
        )
    seen, heard = (layers_of(features, modality) for modality in ("video", "audio"))
    here = np.flatnonzero(np.isin(kinds, usable))

    def made(seed: int) -> TwoSided:
        rows = here[balanced(kinds[here].astype(np.int64), classes, most, seed)]
        _, numbered = np.unique(kinds[rows], return_inverse=True)
        return TwoSided(
            name,
            numbered.astype(np.int64),
            tuple(layer[rows] for layer in seen),
            tuple(layer[rows] for layer in heard),
        )

    return made


def synthetic(
    folder: Path, clips: Sequence[plan.Clip], processes: int, told: Callable[[], None] = lambda: None
) -> Path:
    """Make these clips in ``folder``/clips, and features of them; returns the folder of the features."""
    for _ in files.write_clips(folder / "clips", clips, processes):
        told()

    def samples() -> Iterator[Sample]:
        for clip in clips:
            place = Place(str(folder / "clips" / f"{clip.id}.mp4"))
            label = (clip.picture.kind,)
            there = {"video": place, "audio": place}
            yield Sample(clip.id, "synthetic", clip.id, 0.0, 10.0, "done", labels=label, files=there)

    make(Job(folder / "features"), samples, processes)
    return folder / "features"


def layers_of(features: Features, modality: str) -> list[Array]:
    """The layers of a modality, (clips, numbers) each. UsageError where there is none."""
    names = [layer.name for layer in features.layers if layer.modality == modality]
    if not names:
        raise UsageError(f"the features have no layer of {modality}", "choose features of sound and of picture")
    return [features.layer(name) for name in names]
