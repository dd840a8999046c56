"""A list in shards: which clips go into which. Knows no files."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..core.model import Clip


@dataclass(frozen=True)
class Shard:
    """Some clips of the list that lie in the same files; those of one video are together."""

    number: int
    clips: tuple[Clip, ...]


def cut(clips: Iterable[Clip], size: int, first: int = 0, step: int = 1) -> Iterator[Shard]:
    """The shards of a list, each of at most ``size`` clips, or of one video that has more.

    The clips of one video have to stand together. ``first``, ``first + step``, ...: the shards' numbers.
    """
    numbers = itertools.count(first, step)
    shard: list[Clip] = []
    for _, group in itertools.groupby(clips, key=lambda clip: clip.video):
        of_video = list(group)
        if shard and len(shard) + len(of_video) > size:
            yield Shard(next(numbers), tuple(shard))
            shard = []
        shard += of_video
    if shard:
        yield Shard(next(numbers), tuple(shard))
