"""The stage `features`: shards of clips, each decoded once for all extractors; none is made twice.

The same code makes a shard here, with processes that decode, and on another machine, in one.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from ...catalog.sample import Sample
from ...core.errors import RunError
from ...progress.bar import Progress
from ..clip_set import CLIPS, Samples, clips_digest
from ..machines import Machines
from ..record import Record, begin, finish, finished, read, versions_of
from .examine import Clip, Examiner, clip_of, halved
from .extractor import Array, Extractor, Media, Shape, Unusable
from .parts import Features, counts_of, numbers, rows_of, say_counts, write_part
from .processes import Processes
from .registry import Loading, load

STAGE = "features"


@dataclass(frozen=True)
class Job:
    """What is done with every shard: ``extractors`` by name, loaded as ``loading`` says, into ``folder``."""

    folder: Path
    extractors: tuple[str, ...] = ("classic",)
    loading: Loading = field(default_factory=Loading)
    shard_size: int = 1000


def record_of(job: Job, samples: Samples) -> tuple[Record, int]:
    """What run.json says of this job, and how many clips it has, those that are not here too."""
    extractors = _loaded(job.extractors, job.loading)
    digest, count = clips_digest(samples)
    settings = {
        "extractors": {name: dict(each.identity) for name, each in zip(job.extractors, extractors, strict=True)},
        "layers": [[shape.name, shape.modality, shape.dims] for each in extractors for shape in each.layers],
        "shard_size": job.shard_size,
    }
    packages = {package for each in extractors for package in each.identity.get("packages", ())}
    return Record(STAGE, settings, {CLIPS: digest}, versions_of("av", "numpy", *packages)), count


def make(job: Job, samples: Samples, processes: int = 1, spark: str | None = None) -> Mapping[str, int]:
    """Make every shard that is not there, on this machine or on Spark's; return what is counted at the end.

    UsageError where ``job.folder`` was begun with other clips, extractors or weights.
    """
    record, total = record_of(job, samples)
    begin(job.folder, record)
    there = frozenset(numbers(job.folder))
    shards = (
        (number, clips) for number, clips in enumerate(shards_of(samples(), job.shard_size)) if number not in there
    )
    with Progress("features", -(-total // job.shard_size) - len(there), "shard") as progress:
        if spark is not None:
            with Machines(spark) as machines:
                for _ in machines.each(functools.partial(make_shard, job), shards):
                    progress.step()
        else:
            extractors = _loaded(job.extractors, job.loading)
            pool = Processes(examiner_of(extractors), processes)
            try:
                for number, clips in shards:
                    write_part(job.folder, number, *_features(clips, extractors, pool, job.loading.batch))
                    progress.step()
            finally:
                pool.close()
    counts = counts_of(job.folder, total, STAGE)
    finish(job.folder, counts)
    say_counts(job.folder, counts, STAGE)
    return counts


def make_shard(job: Job, item: tuple[int, Sequence[Clip]]) -> int:
    """Make one shard in this process alone; return its number."""
    number, clips = item
    extractors = _loaded(job.extractors, job.loading)
    pool = Processes(examiner_of(extractors), 0)
    write_part(job.folder, number, *_features(clips, extractors, pool, job.loading.batch))
    return number


def opened(folder: Path) -> tuple[Features, Record]:
    """The features of a folder whose run is finished. RunError where it is not, or a shard is gone."""
    record = read(folder)
    if record is None or record.stage != STAGE or finished(folder) is None:
        raise RunError(f"{folder} holds no finished features", "avclips curate features makes them, or goes on")
    layers = tuple(Shape(name, modality, dims) for name, modality, dims in record.settings["layers"])
    counts = {
        number: int(pc.sum(rows_of(folder, number, ["kept"])["kept"]).as_py() or 0) for number in numbers(folder)
    }
    features = Features(folder, layers, counts)
    if features.total != (finished(folder) or {}).get("kept"):
        raise RunError(
            f"{folder} lacks shards", "start avclips curate features again: it makes those that are gone"
        )
    return features, record


def examiner_of(extractors: Sequence[Extractor]) -> Examiner:
    """What the processes that decode are to do for these."""
    apart = tuple(each for each in extractors if each.apart)
    others = dict.fromkeys(want for each in extractors if not each.apart for want in each.wants)
    return Examiner(apart, tuple(others))


@functools.lru_cache(maxsize=1)
def _loaded(names: tuple[str, ...], loading: Loading) -> tuple[Extractor, ...]:
    return tuple(load(name, loading) for name in names)


def shards_of(samples: Iterator[Sample], size: int) -> Iterator[list[Clip]]:
    """The clips, so many a shard."""
    clips = map(clip_of, samples)
    return iter(lambda: list(itertools.islice(clips, size)), [])


def _features(
    clips: Sequence[Clip], extractors: Sequence[Extractor], pool: Processes, batch: int
) -> tuple[dict[str, Array], list[dict[str, Any]]]:
    """A shard's layers, and its rows."""
    others = [each for each in extractors if not each.apart]
    numbers_of: dict[int, dict[str, Array]] = {}
    failed: dict[int, tuple[str, str]] = {}
    waiting: dict[int, Media] = {}

    def flush() -> None:
        for each in others if waiting else ():
            layers = each.extract(list(waiting.values()))
            for at, index in enumerate(waiting):
                try:
                    found = {
                        shape.name: halved(layer[at]) for shape, layer in zip(each.layers, layers, strict=True)
                    }
                    numbers_of[index].update(found)
                except Unusable as error:
                    failed[index] = error.reason, error.detail
        waiting.clear()

    for index, found in enumerate(pool.examine(clips)):
        if found.reason:
            failed[index] = found.reason, found.detail
            continue
        numbers_of[index] = dict(found.numbers)
        if found.media is not None:
            waiting[index] = found.media
        if len(waiting) == batch:
            flush()
    flush()
    kept = [index for index in range(len(clips)) if index not in failed]
    layers = {
        shape.name: np.stack([numbers_of[index][shape.name] for index in kept])
        if kept
        else np.zeros((0, shape.dims), np.float16)
        for each in extractors
        for shape in each.layers
    }
    rows = []
    for index, clip in enumerate(clips):
        reason, detail = failed.get(index, ("", ""))
        rows.append({**clip.said, "kept": index not in failed, "reason": reason, "detail": detail})
    return layers, rows
