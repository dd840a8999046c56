"""What frozen networks are worth on clips that were held out: finding a clip's own sound, and linear probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...features.extractor import Array
from ..labelled import Labelled, Labels, of_rows
from ..probe import probe
from ..report import rows_of

# Of so many a clip's own has to be one.
AT = (1, 5)
# Clips that a clip's own is looked for among: the more there are, the harder it is.
MOST = 10_000
# Rows of a table of similarities that are there at a time.
_ROWS = 1024
Measures = Mapping[str, float]


def ranks(questions: Array, answers: Array) -> NDArray[np.int64]:
    """How many answers are as near to each question as its own is, or nearer; rows are embeddings of length 1."""
    found = []
    for at in range(0, len(questions), _ROWS):
        near = questions[at : at + _ROWS] @ answers.T
        own = near[np.arange(len(near)), at + np.arange(len(near))]
        found.append((near >= own[:, None]).sum(axis=1) - 1)
    return np.concatenate(found)


def retrieval(encoded: Mapping[str, Array]) -> dict[str, float]:
    """Recall at 1 and at 5 of a clip's own sound by its picture, of its picture by its sound, and their mean.

    Of more than MOST clips, so many are taken, evenly spread.
    """
    count = len(encoded["video_embedding"])
    rows = np.arange(count) if count <= MOST else np.arange(MOST) * count // MOST
    video, audio = encoded["video_embedding"][rows], encoded["audio_embedding"][rows]
    to_audio, to_video = ranks(video, audio), ranks(audio, video)
    made: dict[str, float] = {}
    for at in AT:
        both = float((to_audio < at).mean()), float((to_video < at).mean())
        made |= {f"recall_at_{at}": sum(both) / 2}
        made |= {f"video_to_audio_recall_at_{at}": both[0], f"audio_to_video_recall_at_{at}": both[1]}
    return made


def labelled(rows: Sequence[Mapping[str, Any]], encoded: Mapping[str, Array], given: Labels | None) -> Labelled:
    """The features of both networks, of the clips that have a label. UsageError where there are no two classes."""
    layers = {"pretrain/audio": encoded["audio"], "pretrain/video": encoded["video"]}
    return of_rows(rows, layers, {"pretrain/audio": "audio", "pretrain/video": "video"}, given)


def probes(data: Labelled, folds: int) -> dict[str, float]:
    """Top-1 and top-5 of a linear probe of sound, of picture and of both, means over the folds."""
    made: dict[str, float] = {}
    # The folds are the same for all runs, so that these are compared on the same clips.
    for row in rows_of(probe(data, folds, seed=0)):
        made |= {f"{row['features']}_{top}": row[top] for top in ("top1", "top5") if row[top] is not None}
    return made
