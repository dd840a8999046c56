"""The stage `cluster`: a sample of each layer -> its centres -> one pass that gives every clip its nearest centre.

centres.npz          of each layer LAYER/centres, LAYER/mean, LAYER/scale: written once all are trained
parts/part-00000.npz labels and sums of distances of a shard, until all are there
labels.npy, ids.parquet, layers.json   what selection reads (curate/assignments.py)
report.json          of each layer: inertia, sizes of its clusters, how many are empty or tiny
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...core.errors import RunError, UsageError
from ...core.files import unfinished, write_json
from ...progress.bar import Progress
from ...progress.console import say
from ..assignments import Assignments, Layer, write
from ..features.extractor import Shape
from ..features.parts import Features, layer_of
from ..features.stage import opened
from ..machines import Machines
from ..record import PARTS, Record, begin, finish, finished, versions_of
from .backend import Backend, choose_backend
from .kmeans import train
from .nearest import Array, Centres, label_type

STAGE = "cluster"
CENTRES, REPORT = "centres.npz", "report.json"
# Labels are 16 bits at most.
MOST_CLUSTERS = 65_536
# Rows a cluster that centres are trained on: with more the inertia of all is no less to speak of.
SAMPLE = 384
# Of more clips than this, the inertia is that of every eighth.
INERTIA_OF_ALL = 100_000
# A cluster with less than this share of the mean size is tiny.
TINY_SHARE = 0.1
# MI of k by k tables of fewer clips than this times k squared is mostly chance (docs/curation-features.md).
CLIPS_A_CELL = 5


@dataclass(frozen=True)
class Job:
    """``clusters``: of each layer. ``layers``: names of those to take, all where it is empty.

    ``sample``: rows that the centres are trained on, 0 for SAMPLE a cluster.
    """

    features: Path
    folder: Path
    clusters: int = 32
    seed: int = 0
    whiten: bool = True
    sample: int = 0
    backend: str = "auto"
    layers: tuple[str, ...] = ()

    @property
    def sample_rows(self) -> int:
        return self.sample or SAMPLE * self.clusters


def make(job: Job, spark: str | None = None) -> Mapping[str, Any]:
    """Cluster finished features; return what is counted. UsageError where ``job.folder`` is of another run."""
    features, of_features = opened(job.features)
    layers = _chosen(features, job.layers)
    backend = choose_backend(job.backend)
    _see_count(job.clusters, features.total)
    settings = {
        "clusters": job.clusters,
        "seed": job.seed,
        "whiten": job.whiten,
        "sample": job.sample_rows,
        "backend": backend,
        "layers": [shape.name for shape in layers],
    }
    packages = {"faiss": "faiss-cpu", "sklearn": "scikit-learn", "torch": "torch"}
    record = Record(
        STAGE,
        settings,
        {"features": of_features.fingerprint()},
        versions_of("numpy", packages[backend]),
        {"sample": str(job.sample or f"{SAMPLE} a cluster")},
    )
    begin(job.folder, record)
    if (counts := finished(job.folder)) is not None:
        say(f"the clusters of {features.total:,} clips are in {job.folder} already")
        shutil.rmtree(job.folder / PARTS, ignore_errors=True)
        return counts
    if not (job.folder / CENTRES).exists():
        _write_centres(job, features, layers, backend)
    (job.folder / PARTS).mkdir(exist_ok=True)
    todo = [number for number in features.counts if not part_path(job.folder, number).exists()]
    every = _every(features.total)
    task = functools.partial(assign_part, job.features, job.folder, [shape.name for shape in layers], every)
    with Progress("clusters", len(todo), "shard") as progress:
        if spark is None:
            for number in todo:
                task(number)
                progress.step()
        else:
            with Machines(spark) as machines:
                for _ in machines.each(task, todo):
                    progress.step()
    return _conclude(job, features, layers)


def _every(total: int) -> int:
    return 1 if total <= INERTIA_OF_ALL else 8


def part_path(folder: Path, number: int) -> Path:
    """The labels of a shard."""
    return folder / PARTS / f"part-{number:05d}.npz"


def assign_part(features: Path, folder: Path, layers: Sequence[str], every: int, number: int) -> int:
    """Give each clip of a shard its clusters, and write them whole; return the shard's number.

    ``every``: of which rows of a shard distances are summed (Centres.assign).
    """
    columns, sums = [], []
    for name, centres in _read_centres(folder / CENTRES, layers):
        labels, inertia = centres.assign(layer_of(features, number, name), every)
        columns.append(labels)
        sums.append(inertia)
    with unfinished(part_path(folder, number)) as part, open(part, "wb") as stream:
        np.savez(stream, labels=np.stack(columns, axis=1), inertia=np.array(sums))
    return number


def sampled(features: Features, name: str, count: int, seed: int) -> Array:
    """``count`` rows of a layer, or all, each as likely as any other; in the order of the shards."""
    random = np.random.default_rng(seed)
    total = features.total
    chosen = np.arange(total) if count >= total else np.sort(random.choice(total, count, replace=False))
    rows, first = [], 0
    for number, kept in features.counts.items():
        here = chosen[np.searchsorted(chosen, first) : np.searchsorted(chosen, first + kept)] - first
        if len(here):
            rows.append(np.asarray(layer_of(features.folder, number, name)[here]))
        first += kept
    return np.concatenate(rows)


def _chosen(features: Features, names: Sequence[str]) -> list[Shape]:
    by_name = {shape.name: shape for shape in features.layers}
    if unknown := [name for name in names if name not in by_name]:
        raise UsageError(f"there is no layer {', '.join(unknown)}", f"there are {', '.join(by_name)}")
    return [by_name[name] for name in names] or list(features.layers)


def _see_count(clusters: int, clips: int) -> None:
    if not 1 <= clusters <= MOST_CLUSTERS:
        raise UsageError(f"{clusters} clusters: from 1 to {MOST_CLUSTERS:,} can be had")
    if clusters > clips:
        raise UsageError(f"{clips} clips cannot be {clusters} clusters", f"--clusters {max(1, clips)} or fewer")
    if clips < CLIPS_A_CELL * clusters**2:
        fitting = int((clips / CLIPS_A_CELL) ** 0.5)
        advice = f"--clusters {fitting} would do" if fitting > 1 else "no number of clusters would do"
        say(
            f"warning: {clips:,} clips are few for {clusters} clusters: the mutual information of two layers is "
            f"mostly chance below {CLIPS_A_CELL} k x k clips; {advice}",
            matters=True,
        )


def _write_centres(job: Job, features: Features, layers: Sequence[Shape], backend: Backend) -> None:
    arrays: dict[str, Array] = {}
    for shape in layers:
        sample = sampled(features, shape.name, job.sample_rows, job.seed)
        found = train(sample, job.clusters, job.seed, job.whiten, backend)
        arrays |= {
            f"{shape.name}/centres": found.centres,
            f"{shape.name}/mean": found.mean,
            f"{shape.name}/scale": found.scale,
        }
    with unfinished(job.folder / CENTRES) as part, open(part, "wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def _read_centres(path: Path, layers: Sequence[str]) -> Iterator[tuple[str, Centres]]:
    with np.load(path, allow_pickle=False) as arrays:
        for name in layers:
            yield name, Centres(*(arrays[f"{name}/{part}"] for part in ("centres", "mean", "scale")))


def _conclude(job: Job, features: Features, layers: Sequence[Shape]) -> dict[str, Any]:
    """Put the shards together, and say how the clusters are."""
    labels = np.empty((features.total, len(layers)), label_type(job.clusters))
    inertia, at, summed = np.zeros(len(layers)), 0, 0
    for number, count in features.counts.items():
        with np.load(part_path(job.folder, number), allow_pickle=False) as part:
            if part["labels"].shape != (count, len(layers)):
                hint = f"delete {job.folder}: the next run makes it anew"
                raise RunError(f"{part_path(job.folder, number)} is not of these features", hint)
            labels[at : at + count] = part["labels"]
            inertia += part["inertia"]
        at += count
        summed += len(range(0, count, _every(features.total)))
    named = tuple(Layer(shape.name, shape.modality, job.clusters) for shape in layers)
    write(job.folder, Assignments(named, labels, pa.concat_tables(features.rows())))
    report = {}
    for number, shape in enumerate(layers):
        sizes = np.bincount(labels[:, number], minlength=job.clusters)
        empty, tiny = int((sizes == 0).sum()), int((sizes < TINY_SHARE * sizes.mean()).sum())
        mean = float(f"{inertia[number] / summed:.6g}")
        report[shape.name] = {"inertia_a_clip": mean, "empty": empty, "tiny": tiny, "sizes": sizes.tolist()}
        said = f"{empty} empty, {tiny} tiny (empty ones too)" if tiny else "none empty or tiny"
        say(f"{shape.name}: {job.clusters} clusters of {sizes.min():,} to {sizes.max():,} clips, {said}")
    write_json(job.folder / REPORT, report)
    counts = {"clips": features.total, "layers": len(layers), "clusters": job.clusters}
    finish(job.folder, counts)
    shutil.rmtree(job.folder / PARTS)
    return counts
