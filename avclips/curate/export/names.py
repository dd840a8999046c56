"""What a cluster may be called: the words that are more frequent in its clips than in others.

The words of a clip are those of its labels, captions and title, and each label as a whole. A word's weight in a
cluster is the z of its log odds against all other clips, with a prior in proportion to how frequent it is (Monroe,
Colaresi, Quinn 2008), so that neither rare words nor those of every clip come first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..assignments import Layer
from ..select.tables import Labels

_WORD = re.compile(r"[^\W\d_]{3,}")
# How many words name a cluster; from which z on; and how many different ones are counted.
_WORDS, _LEAST_Z, _MOST_WORDS = 3, 2.0, 5000
# Of the prior, in clips.
_PRIOR = 100.0
_LONGEST = 60


@dataclass(frozen=True)
class Name:
    """``words``: best first; none where nothing sets the cluster's clips apart. ``clips``: of those looked at."""

    layer: str
    cluster: int
    clips: int
    words: tuple[str, ...]

    @property
    def address(self) -> str:
        """As it can be asked for: "classic/audio/4:17"."""
        return f"{self.layer}:{self.cluster}"


def words_of(texts: Iterable[str], labels: Iterable[str]) -> set[str]:
    """The words of a clip, in small letters; a label counts as a whole, too."""
    whole = {label.lower()[:_LONGEST] for label in labels}
    return whole | {word for text in (*texts, *labels) for word in _WORD.findall(text.lower())}


def names_of(layers: Sequence[Layer], labels: Labels, words: Sequence[set[str]]) -> list[Name]:
    """The names of all clusters of all layers. ``labels``: (clips, layers); ``words``: of each of these clips."""
    common = [word for word, _ in Counter(word for each in words for word in each).most_common(_MOST_WORDS)]
    lengths = [-len(word) for word in common] or [0]
    number = {word: place for place, word in enumerate(common)}
    pairs = [(clip, number[word]) for clip, each in enumerate(words) for word in each if word in number]
    clips, tokens = (
        (np.array(each, np.int64) for each in zip(*pairs, strict=True)) if pairs else (np.zeros(0, int),) * 2
    )
    found: list[Name] = []
    for place, layer in enumerate(layers):
        column = labels[:, place].astype(np.int64)
        sizes = np.bincount(column, minlength=layer.clusters)
        cells = column[clips] * max(len(common), 1) + tokens
        counts = np.bincount(cells, minlength=layer.clusters * max(len(common), 1)).reshape(layer.clusters, -1)
        weights = _weights(counts, sizes, len(words))
        for cluster in range(layer.clusters):
            # Of words that say as much, a label before its parts.
            best = np.lexsort((lengths, -weights[cluster]))[: 2 * _WORDS]
            chosen = [common[each] for each in best if common and weights[cluster, each] >= _LEAST_Z]
            found.append(Name(layer.name, cluster, int(sizes[cluster]), _apart(chosen)))
    return found


def _apart(words: Sequence[str]) -> tuple[str, ...]:
    """Without those that a longer one before them has already."""
    kept: list[str] = []
    for word in words:
        if not any(word in other for other in kept):
            kept.append(word)
    return tuple(kept[:_WORDS])


def _weights(counts: Any, sizes: Any, clips: int) -> Any:
    """The z of each word in each cluster: (clusters, words)."""
    share = np.clip(counts.sum(0) / max(clips, 1), 1e-9, 1 - 1e-9)
    prior, against = _PRIOR * share, _PRIOR * (1 - share)
    inside, total = counts + prior, sizes[:, None] - counts + against
    rest = counts.sum(0) - counts
    outside, other = rest + prior, clips - sizes[:, None] - rest + against
    odds = np.log(inside) - np.log(total) - np.log(outside) + np.log(other)
    return odds / np.sqrt(1 / inside + 1 / outside)
