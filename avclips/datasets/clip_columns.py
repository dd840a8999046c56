"""Millions of clips in memory: as one text and arrays of numbers, of which clips are made as they are asked for.

An object for each clip, with its texts and numbers, takes six times as much.
"""

from __future__ import annotations

import itertools
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..core.model import Clip

# (id, video, start, end, meta), as Clip has them.
Row = tuple[str, str, float, float | None, Mapping[str, Any]]
# So many times as many hashes as videos: few have one in common by chance.
_SPARSE = 8


class ClipColumns:
    """Clips, to be gone through again and again; those of one video together, in the order of each one's first.

    Their ids are different. A ``meta`` that several share should be one object.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        names: list[str] = []
        # How many letters of the id are the video; 0 where they are not.
        lengths, self._videos = array("I"), dict[str, str]()
        starts, stops, metas = array("d"), array("d"), list[Mapping[str, Any]]()
        for name, video, start, end, meta in rows:
            names.append(name)
            lengths.append(len(video) if name.startswith(video) else 0)
            if not lengths[-1]:
                self._videos[name] = video
            starts.append(start)
            stops.append(math.nan if end is None else end)
            metas.append(meta)
        order = _together(len(names), lambda number: self._video(names[number], lengths[number]))
        names, self._metas = [names[at] for at in order], [metas[at] for at in order]
        self._lengths = array("I", (lengths[at] for at in order))
        self._starts, self._stops = (array("d", (each[at] for at in order)) for each in (starts, stops))
        self._names, self._ends = "".join(names), array("Q", itertools.accumulate(map(len, names)))

    def _video(self, name: str, length: int) -> str:
        return name[:length] if length else self._videos[name]

    def __len__(self) -> int:
        return len(self._metas)

    def names(self) -> Iterator[tuple[str, str]]:
        """Each clip's id and video."""
        begin, names = 0, self._names
        for end, length in zip(self._ends, self._lengths, strict=True):
            name, begin = names[begin:end], end
            yield name, self._video(name, length)

    def __iter__(self) -> Iterator[Clip]:
        begin, names, no_end = 0, self._names, math.isnan
        columns = self._ends, self._lengths, self._starts, self._stops, self._metas
        for end, length, start, stop, meta in zip(*columns, strict=True):
            name, begin = names[begin:end], end
            video = name[:length] if length else self._videos[name]
            yield Clip(name, video, start, None if no_end(stop) else stop, meta)


def _together(count: int, video_of: Callable[[int], str]) -> Sequence[int]:
    """The numbers below ``count``, those of the same video side by side."""
    hashes = array("q", (hash(video_of(number)) for number in range(count)))
    most = (1 << (_SPARSE * count).bit_length()) - 1
    seen = bytearray(most + 1)
    for each in hashes:
        seen[each & most] = min(2, seen[each & most] + 1)
    # Most videos have one clip, and a hash that no other has: they need not be kept by name.
    groups: dict[str, list[int]] = {}
    for number, each in enumerate(hashes):
        if seen[each & most] > 1:
            groups.setdefault(video_of(number), []).append(number)
    order = array("Q")
    for number, each in enumerate(hashes):
        if seen[each & most] > 1:
            # With its first one, all of them.
            order.extend(groups.pop(video_of(number), ()))
        else:
            order.append(number)
    return order
