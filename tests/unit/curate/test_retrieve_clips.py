"""The experiment on features of clips: labels become kinds, layers keep their rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from avclips.curate.features.parts import write_part
from avclips.curate.record import Record, begin, finish
from avclips.curate.retrieve.clips import of_features


def features_of(folder: Path, labels: Sequence[str]) -> None:
    """Finished features in two shards: a layer a side, whose only number is that of the clip."""
    layers = [["a/audio/0", "audio", 1], ["a/video/0", "video", 1]]
    begin(folder, Record("features", {"layers": layers}, {}))
    half = len(labels) // 2
    for number, (first, last) in enumerate(((0, half), (half, len(labels)))):
        values = np.arange(first, last, dtype=np.float16)[:, None]
        rows = [
            {"id": f"c{place}", "kept": True, "labels": [labels[place]] if labels[place] else []}
            for place in range(first, last)
        ]
        write_part(folder, number, {"a/audio/0": values, "a/video/0": values}, rows)
    finish(folder, {"kept": len(labels)})


def test_clips_by_their_labels(tmp_path: Path) -> None:
    labels = [f"label{number % 5}" for number in range(100)] + ["", "rare"]
    features_of(tmp_path, labels)
    data = of_features(tmp_path, "mine", 4, 12)(1)
    assert np.bincount(data.kinds).tolist() == [12] * 4
    rows = data.seen[0][:, 0].astype(int)
    assert np.array_equal(data.seen[0], data.heard[0])
    names = sorted({labels[row] for row in rows})
    assert [names.index(labels[row]) for row in rows] == data.kinds.tolist()
