"""Which shards a run is to write: the list's that are not there, and new ones of what failed before.

Knows the list and what is finished, not how a clip is fetched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from ..core.model import Clip
from ..core.settings import Settings
from ..shards.layout import Output, Shard, cut


class Todo:
    """The shards that a run is to write, in their order, and as often as they are asked for.

    They are the list's that are not there, or a share of them; with --retry-failed, behind these, new ones of what
    failed in those that are.
    """

    def __init__(
        self, output: Output, clips: Iterable[Clip], settings: Settings, finished: Collection[int]
    ) -> None:
        self._clips = clips
        self._size = settings.samples_per_shard
        self._share, self._of = settings.part or (0, 1)
        self._finished = set(finished)
        asked = settings.retry_failed
        self._further = [] if asked is None else list(self._again(output, asked))

    @property
    def further(self) -> int:
        """How many of them are new."""
        return len(self._further)

    def __iter__(self) -> Iterator[Shard]:
        for shard in cut(self._clips, self._size):
            if shard.number % self._of == self._share and shard.number not in self._finished:
                yield shard
        yield from self._further

    def _again(self, output: Output, asked: Sequence[str]) -> Iterator[Shard]:
        first = max([output.count - 1, *self._finished]) + 1
        first += (self._share - first) % self._of
        while output.is_finished(first):
            # A listing may not show yet what was written last; each shard by itself is asked for.
            self._finished.add(first)
            first += self._of
        found = output.failed(asked, self._finished)
        failed = {each for each, number in found.items() if number % self._of == self._share}
        for shard in cut((clip for clip in self._clips if clip.id in failed), self._size):
            number = output.take_number(first, self._of)
            first = number + self._of
            yield replace(shard, number=number)
