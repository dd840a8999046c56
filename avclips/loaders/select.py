"""Which clips of a download a dataset has: its split, an id list, quality flags, and the files that are loaded."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

from ..catalog import Sample, samples
from ..catalog.coverage import reason_of
from ..core.errors import UsageError
from ..core.suggest import did_you_mean
from ..exports.chosen import read_ids
from ..quality.thresholds import NAMES, raised
from .options import Folder, Ids

log = logging.getLogger("avclips.loaders")


@dataclass(frozen=True)
class Wanted:
    """``split``: None for all; ``ids``: a file with an id a line, or ids; ``drop_flags``: flags that clips must
    not have; ``load``: what is loaded of each."""

    split: str | None
    load: tuple[str, ...]
    drop_flags: tuple[str, ...] = ()
    ids: frozenset[str] | None = None


@dataclass
class Chosen:
    """``there``: the clips that can be loaded; ``missing``: the others of the list, each with its reason;
    ``dropped``: those that are there, with the flags for which they were left out; ``labels``: of all clips;
    ``unmeasured``: how many of those that are there were never measured for flags."""

    there: list[Sample] = field(default_factory=list)
    missing: dict[str, tuple[str, Sample]] = field(default_factory=dict)
    dropped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    datasets: set[str] = field(default_factory=set)
    unmeasured: int = 0


def choose(source: Folder, wanted: Wanted) -> Chosen:
    """Go through a download once. UsageError where the split, none of the ids, or no flag is in it."""
    unknown = next((name for name in wanted.drop_flags if name not in NAMES), None)
    if unknown is not None or isinstance(wanted.drop_flags, str):
        raise UsageError(f"drop_flags={wanted.drop_flags!r}: no such flag", f"a tuple of {', '.join(NAMES)}")
    found, splits, seen = Chosen(), set[str](), set[str]()
    for sample in samples(source):
        found.datasets.add(sample.dataset)
        found.labels.update(sample.labels)
        splits.update(sample.splits)
        if wanted.ids is not None and sample.id in wanted.ids:
            seen.add(sample.id)
        if wanted.split is not None and wanted.split not in sample.splits:
            continue
        if wanted.ids is None or sample.id in wanted.ids:
            _sort(found, sample, wanted)
    if wanted.split is not None and wanted.split not in splits:
        known = ", ".join(sorted(splits)) or "none"
        raise UsageError(
            f"no clip of {source} is in the split {wanted.split!r}{did_you_mean(wanted.split, splits)}",
            f"its splits: {known}",
        )
    if wanted.ids is not None:
        _compare(wanted.ids, seen, source)
    if wanted.drop_flags and found.unmeasured:
        words = f"{found.unmeasured} of {len(found.there) + len(found.dropped)} clips have no quality flags"
        if not found.dropped and found.unmeasured == len(found.there):
            raise UsageError(f"{source}: {words}", f"avclips flags {source} makes them")
        log.warning("%s: %s, and stay: avclips flags makes them", source, words)
    return found


def _sort(found: Chosen, sample: Sample, wanted: Wanted) -> None:
    if sample.status != "done":
        found.missing[sample.id] = reason_of(sample), sample
        return
    flags = raised(sample.facts.get("flags") or {}).intersection(wanted.drop_flags)
    if flags:
        found.dropped[sample.id] = tuple(sorted(flags))
        return
    found.unmeasured += not sample.facts.get("flags")
    lacks = next((name for name in wanted.load if name in ("video", "audio") and name not in sample.files), None)
    if lacks is None and "image" in wanted.load and not {"frame", "video"} & sample.files.keys():
        lacks = "image"
    if lacks is None:
        found.there.append(sample)
    else:
        found.missing[sample.id] = f"no_{lacks}", sample


def _compare(ids: frozenset[str], seen: set[str], source: Folder) -> None:
    if not seen:
        raise UsageError(f"none of the {len(ids)} ids is in {source}", "are they this dataset's?")
    if len(seen) < len(ids):
        log.warning("%d of %d ids are not in the list of %s", len(ids) - len(seen), len(ids), source)


def wanted_ids(ids: Ids) -> frozenset[str] | None:
    """Ids as they are given, or those of a file: an id a line, or a JSON list. UsageError where it is none."""
    if ids is None:
        return None
    return read_ids(Path(ids)) if isinstance(ids, (str, os.PathLike)) else frozenset(ids)
