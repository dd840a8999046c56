"""Where in the manifests each clip's line stands: to read the lines of a list in the list's order.

Manifests are written in the order in which clips come. Of a million lines, only the places are kept in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from ..core.files import PLAIN_NAME, mapped
from .manifest import Line, parse_line, raw_lines, weight_of

# How a run begins each line; whatever begins otherwise is parsed.
_BEGIN = re.compile(rb'\{"id": "(' + PLAIN_NAME.encode() + rb')", "')


class ManifestIndex:
    """The places of all lines, and the lines themselves; to be used in a ``with``, and by one thread."""

    def __init__(self, manifests: Iterable[Path]) -> None:
        self._paths = list(manifests)
        self._content: list[bytes] = []
        self._stack = ExitStack()
        # By clip: a place, or those of all lines about it. A place is byte * count of manifests + its number.
        self._places: dict[str, int | tuple[int, ...]] = {}

    def __enter__(self) -> Self:
        self._content = [self._stack.enter_context(mapped(path)) for path in self._paths]
        for number, path in enumerate(self._paths):
            for begin, raw in raw_lines(path):
                if (found := _BEGIN.match(raw)) is not None:
                    clip_id = found[1].decode()
                elif (line := parse_line(raw)) is not None:
                    clip_id = line["id"]
                else:
                    continue
                self._add(clip_id, begin * len(self._paths) + number)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _add(self, clip_id: str, place: int) -> None:
        before = self._places.get(clip_id)
        if before is None:
            self._places[clip_id] = place
        else:
            self._places[clip_id] = (*before, place) if isinstance(before, tuple) else (before, place)

    def take(self, clip_id: str) -> Line | None:
        """The line that counts of a clip, None where there is none; it is no longer among those that are left."""
        places = self._places.pop(clip_id, None)
        if places is None:
            return None
        if isinstance(places, int):
            return self._line(places)
        # Of one manifest the last counts, of several the one that knows most.
        last: dict[int, Line] = {}
        for place in places:
            if (line := self._line(place)) is not None:
                last[place % len(self._paths)] = line
        return max(last.values(), key=weight_of, default=None)

    def drop(self, clip_id: str) -> None:
        """Leave a clip's lines unread."""
        self._places.pop(clip_id, None)

    def left(self) -> Iterator[Line]:
        """The lines of the clips that nobody took, in the order in which they were first spoken of."""
        while self._places:
            for clip_id in list(self._places):
                if (line := self.take(clip_id)) is not None:
                    yield line

    def _line(self, place: int) -> Line | None:
        begin, number = divmod(place, len(self._paths))
        content = self._content[number]
        end = content.find(b"\n", begin)
        return parse_line(content[begin : end if end >= 0 else len(content)])
