"""Clips of a few letters, and which of them are in which shard."""

from __future__ import annotations

from collections.abc import Iterator

from avclips.core.model import Clip
from avclips.shards.shard import Shard


def clips_of(text: str) -> list[Clip]:
    """ "a1 a2 b1" are two of video a and one of b."""
    return [Clip(name, name[0], 0.0, 10.0) for name in text.split()]


def ids(shards: Iterator[Shard]) -> list[tuple[int, str]]:
    return [(shard.number, " ".join(clip.id for clip in shard.clips)) for shard in shards]
