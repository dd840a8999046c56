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
    # Where in it the last video's clips begin.
    begin, video = 0, None
    for clip in clips:
        if clip.video != video:
            begin, video = len(shard), clip.video
        if len(shard) >= size and begin:
            yield Shard(next(numbers), tuple(shard[:begin]))
            shard, begin = shard[begin:], 0
        shard.append(clip)
    if shard:
        yield Shard(next(numbers), tuple(shard))
