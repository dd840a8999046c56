"""Linear probes: how well a linear classifier tells classes apart by features alone.

Logistic regression on standardised features, as after contrastive training in ACAV100M (Lee et al., ICCV 2021).
How much it is held back is chosen within the clips that it is trained on, among which none is of a tested video.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import UsageError
from ...core.extras import extra
from .labelled import ONE_FOLD, Array, Labelled

# scikit-learn's C: the larger, the freer. Tried in this order; of equal ones the first is taken.
STRENGTHS = (0.001, 0.01, 0.1, 1.0)
_ITERATIONS, _INNER = 300, 3
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Tested:
    """One fold of one set of features. ``top5`` is None where there are five classes or fewer."""

    features: str
    fold: str
    trained: int
    tested: int
    strength: float
    top1: float
    top5: float | None


def splits(data: Labelled, folds: int, seed: int) -> Iterator[tuple[str, Rows, Rows]]:
    """The folds: a name, the rows that train, the rows that are tested.

    Those of the labels' file, else ``folds`` with all classes in each, as far as videos allow: all clips of a
    video are in one. A file whose only folds are "train" and "test" is one fold.
    """
    if data.folds is not None:
        named = [str(name) for name in np.unique(data.folds) if name]
        tested = ["test"] if set(named) == set(ONE_FOLD) else named
        if len(named) < 2:
            raise UsageError(f"the labels name {len(named)} folds", "two or more, or train and test")
        for name in tested:
            yield (
                name,
                np.flatnonzero((data.folds != name) & (data.folds != "")),
                np.flatnonzero(data.folds == name),
            )
        return
    yield from ((str(number), *each) for number, each in enumerate(_drawn(data.classes, data.videos, folds, seed)))


def _drawn(classes: Rows, videos: NDArray[np.str_], folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    if (there := len(np.unique(videos))) < folds:
        raise UsageError(f"{there} videos are no {folds} folds", _fewer(there))
    if (most := int(np.bincount(classes).max())) < folds:
        raise UsageError(f"no class has {folds} clips, one for each fold", _fewer(most))
    model_selection = importlib.import_module("sklearn.model_selection")
    splitter = model_selection.StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # Of a class with fewer clips than folds; the table says how many clips a class has.
        warnings.simplefilter("ignore", UserWarning)
        yield from splitter.split(np.zeros((len(classes), 1)), classes, videos)


def _fewer(most: int) -> str:
    return f"--folds {most} or fewer" if most > 1 else "more clips with labels are needed, of several videos"


def probe(
    data: Labelled,
    folds: int = 5,
    seed: int = 0,
    each_layer: bool = False,
    told: Callable[[], None] = lambda: None,
) -> list[Tested]:
    """Test every set of features on every fold: sound, picture, both, and with ``each_layer`` each layer alone."""
    extra("sklearn", "probes are trained")
    sets = data.sides() | (dict(data.layers) if each_layer else {})
    found = []
    parts = [each for each in splits(data, folds, seed) if len(each[1]) and len(each[2])]
    limits = importlib.import_module("threadpoolctl").threadpool_limits
    # With more threads a BLAS sums in another order, and iterations end elsewhere.
    with limits(1):
        for name, rows in sets.items():
            for fold, train, test in parts:
                found.append(_tested(name, fold, rows, data, train, test, seed))
                told()
    return found


def _tested(name: str, fold: str, rows: Array, data: Labelled, train: Rows, test: Rows, seed: int) -> Tested:
    strength = _strength(rows[train], data.classes[train], data.videos[train], seed)
    classes = data.classes[test]
    shares = _scores(rows[train], data.classes[train], rows[test], strength, len(data.names))
    best = np.argsort(-shares, axis=1, kind="stable")
    top5 = float((best[:, :5] == classes[:, None]).any(axis=1).mean()) if len(data.names) > 5 else None
    return Tested(name, fold, len(train), len(test), strength, float((best[:, 0] == classes).mean()), top5)


def _strength(rows: Array, classes: Rows, videos: NDArray[np.str_], seed: int) -> float:
    """That of STRENGTHS which is right most often on a third of the videos, trained with the others."""
    counts = np.bincount(classes)
    if len(np.unique(videos)) < _INNER or counts.max() < _INNER or (counts > 0).sum() < 2:
        return STRENGTHS[0]
    train, test = next(_drawn(classes, videos, _INNER, seed))
    count = int(classes.max()) + 1
    right = [
        float(
            (_scores(rows[train], classes[train], rows[test], each, count).argmax(axis=1) == classes[test]).mean()
        )
        for each in STRENGTHS
    ]
    return STRENGTHS[int(np.argmax(right))]


def _scores(rows: Array, classes: Rows, others: Array, strength: float, count: int) -> NDArray[np.float64]:
    """By what a linear classifier orders ``count`` classes for each of ``others``; -inf: one it never saw."""
    linear: Any = importlib.import_module("sklearn.linear_model")
    exceptions: Any = importlib.import_module("sklearn.exceptions")
    scores = np.full((len(others), count), -np.inf)
    known = np.unique(classes)
    if len(known) == 1:
        scores[:, known[0]] = 0.0
        return scores
    mean, spread = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
    scale = np.where(spread > 1e-6, 1 / np.maximum(spread, 1e-6), 0.0)
    model = linear.LogisticRegression(C=strength, max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        # So many iterations are part of the method.
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)
        model.fit((rows - mean) * scale, classes)
    # Not the logarithms of probabilities, of which several may be 0.
    found = model.decision_function((others - mean) * scale)
    # Of two classes, it is the second one's alone.
    scores[:, known] = np.stack([-found, found], axis=1) if len(known) == 2 else found
    return scores
