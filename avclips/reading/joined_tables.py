"""Tables of packets that follow each other, as one table: what stands on both sides of a discontinuity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ..containers.sample_entry import without_rates
from ..containers.samples import Samples
from ..core.errors import Transient
from ..media.demux import Opened
from .byte_reader import append


def shifted(opened: Opened, seconds: Fraction) -> Opened:
    """Tables that are all later by so much."""
    if not seconds:
        return opened
    return {kind: (path, samples.later(seconds)) for kind, (path, samples) in opened.items()}


def joined(parts: Sequence[Opened], target: Path) -> Opened:
    """Tables that follow each other as one, and their bytes in one file; Transient where the media changes."""
    places: dict[Path, int] = {}
    with open(target, "wb") as stream:
        for path in (path for part in parts for path, _ in part.values()):
            if path not in places:
                places[path] = stream.tell()
                append(stream, path)
    whole: Opened = {}
    for kind in parts[0].keys() & parts[-1].keys():
        tables = [part[kind] for part in parts if kind in part]
        scale = math.lcm(*(samples.timescale for _, samples in tables))
        fine = [(places[path], samples.finer(scale // samples.timescale)) for path, samples in tables]
        if len({without_rates(samples.entry) for _, samples in fine}) > 1:
            raise Transient("formats", "an HLS playlist whose media changes at a discontinuity in the clip")
        whole[kind] = (target, _one_behind_the_other(fine))
    return whole


def _one_behind_the_other(tables: Sequence[tuple[int, Samples]]) -> Samples:
    keys: list[int] = []
    count = 0
    for _, samples in tables:
        keys += [count + key for key in (range(len(samples.times)) if samples.keys is None else samples.keys)]
        count += len(samples.times)
    return replace(
        tables[0][1],
        times=tuple(time for _, samples in tables for time in samples.times),
        decode=tuple(time for _, samples in tables for time in samples.decode),
        durations=tuple(lasts for _, samples in tables for lasts in samples.durations),
        offsets=tuple(place + offset for place, samples in tables for offset in samples.offsets),
        sizes=tuple(size for _, samples in tables for size in samples.sizes),
        keys=None if len(keys) == count else tuple(keys),
    )
