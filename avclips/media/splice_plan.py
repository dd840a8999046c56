"""Which frames of a clip can stay as they are, and which must be encoded: the plan of a splice.

From the first frame from which a decoder can begin anew (an IDR picture) to the last that is left whole where the
packets break off, the source's own packets will do. Before and behind, frames are encoded: their packets need
others, which the clip has not. Pure arithmetic on tables, like ``cut_plan``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from ..containers.h264 import Unit
from .cut_plan import Frames

# The fewest frames behind the copied ones, where there are any: of two, imageio finds no last one. Fewer than so
# many are not worth a copy either.
LEAST = 8


class NotSpliced(Exception):
    """All frames have to be encoded; the text says why."""


@dataclass(frozen=True)
class Splice:
    """Packets by their numbers in the material's table.

    ``head`` and ``tail``: those whose frames are encoded, in the order in which they are shown; ``copied``: those
    that are kept; ``decoded``: those that a decoder needs for the others.
    """

    head: tuple[int, ...]
    copied: range
    tail: tuple[int, ...]
    decoded: tuple[int, ...]


def plan_splice(picture: Frames, units: Mapping[int, Unit]) -> Splice:
    """What of a clip's frames is kept. ``units``: of each of its packets. NotSpliced where nothing can be."""
    times = picture.material.samples.times
    numbers, due = range(picture.first, picture.last + 1), picture.frames
    wanted = frozenset(due)
    if len({times[number] for number in numbers}) < len(numbers):
        raise NotSpliced("frames at the same time")
    if any(times[due[0]] <= times[number] <= times[due[-1]] for number in numbers if number not in wanted):
        raise NotSpliced("hidden frames among those that are shown")
    idrs = [number for number in numbers if units[number].idr]
    begin = next((number for number in idrs if number in wanted), None)
    if begin is None:
        raise NotSpliced("no IDR picture inside")
    head = tuple(number for number in due if number < begin)
    if any(times[number] > times[begin] for number in head) or times[begin] > min(times[begin : picture.last + 1]):
        raise NotSpliced("frames that reach over the first IDR picture")
    behind = _copied_until(picture, begin, wanted)
    tail = tuple(number for number in due if number >= behind)
    decoded = [*range(picture.first, max(head, default=picture.first - 1) + 1)]
    if tail:
        since = idrs[bisect_right(idrs, behind) - 1]
        decoded += range(since, max(tail) + 1)
    needed = (n for n in decoded if units[n].refers or (n in wanted and not begin <= n < behind))
    return Splice(head, range(begin, behind), tail, tuple(needed))


def _copied_until(picture: Frames, begin: int, wanted: frozenset[int]) -> int:
    """The packet behind the last that is kept.

    All before it are due, and shown before all that are left.
    """
    times = picture.material.samples.times
    most = begin
    while most in wanted:
        most += 1
    latest = {begin: times[begin] - 1}
    for number in range(begin, most):
        latest[number + 1] = max(latest[number], times[number])
    left = [number for number in wanted if number >= most]
    earliest, count = min((times[number] for number in left), default=None), len(left)
    if most - begin == len(wanted):
        return most
    for behind in range(most, begin + LEAST - 1, -1):
        if behind < most:
            earliest = times[behind] if earliest is None else min(earliest, times[behind])
            count += 1
        if earliest is None or (latest[behind] < earliest and count >= LEAST):
            return behind
    raise NotSpliced("too few frames that can stay as they are")
