"""``evaluate pretrain``, step by step: tensors, subsets, a training for each arm and seed, measures, report."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ....catalog import Sample, samples
from ....core.errors import RunError, UsageError
from ....core.extras import extras
from ....core.files import read_json, run_errors, write_json
from ....progress.bar import Progress
from ....progress.console import say
from ...record import RUNS, Record, begin, finish, foresee, versions_of
from ..labelled import Labels, read_labels
from ..probe import splits
from . import measures, report, subsets, tensors
from .job import FOLDS, STAGE, TENSORS, Job
from .settings import FEWEST_IN_BATCH, Run
from .subsets import Rows

if TYPE_CHECKING:
    from .training import Machine

BATCH = "batch.json"
Read = Callable[[Path], Iterator[Sample]]


@dataclass(frozen=True)
class Data:
    """``learned``: what is trained on; ``tested``: what is measured on, of which ``rows`` are meant.

    ``said``: of each of these rows ``id``, ``video``, ``labels``. ``inputs``: their fingerprints.
    """

    learned: tensors.Tensors
    subsets: subsets.Subsets
    tested: tensors.Tensors
    rows: Rows
    said: Sequence[Mapping[str, Any]]
    given: Labels | None
    inputs: Mapping[str, str]


def pretrain(job: Job, read: Read = samples) -> list[str]:
    """Do all of it, or what is left of it; returns what is to be said at the end. RunError, UsageError.

    ``read``: the clips of a data folder.
    """
    extras({"torch": "networks are trained", "sklearn": "probes are trained"})
    from ...features.torch_run import device_of, torch_here
    from .training import Machine

    machine = Machine(device_of(torch_here(), job.device), job.workers)
    ids = subsets.selected(job.selection)
    given = read_labels(job.labels) if job.labels else None
    settings = {
        "form": asdict(job.form),
        "training": asdict(job.training),
        "held_out": job.held_out if job.probe_dir is None else None,
        "folds": job.folds or FOLDS,
        "device": machine.device.type,
    }
    # Before anything is decoded.
    foresee(job.folder, Record(STAGE, settings, {}))
    data = prepared(job, ids, given, read)
    tested = _tested(job, data)
    record = Record(STAGE, settings, data.inputs, versions_of("torch", "numpy", "scikit-learn"))
    runs = list(_runs(job, data.subsets))
    said = {
        "settings": settings,
        "inputs": dict(data.inputs),
        "selection": dict(data.subsets.counts),
        "pool": len(data.subsets.pool),
    }
    with run_errors(job.folder):
        begin(job.folder, record)
        results = _all_trained(job, data, runs, machine, bool(tested.classes))
        written = report.write(job.folder, results, tested, said)
        finish(job.folder, {"runs": len(results), "clips": len(data.subsets.selection)})
    return [
        *_title(data, tested, "random" in (run.arm for run in runs)),
        "",
        *report.table_of(results, tested),
        "",
        *report.sentences(results),
        f"{', '.join(path.name for path in written)} are in {job.folder}",
    ]


def foreseen(job: Job) -> Iterator[str]:
    """What would be done, in words; nothing is decoded and nothing written."""
    ids = subsets.selected(job.selection)
    for data_dir in filter(None, (job.data_dir, job.probe_dir)):
        clips = [sample.id for sample in samples(data_dir) if sample.status == "done"]
        size = len(clips) * (job.form.frames * job.form.size**2 * 3 + tensors.MEL_BYTES) / 1e6
        yield f"tensors of {len(clips):,} clips, {size:,.0f} MB at most, would be in {job.tensors_of(data_dir)}"
        if data_dir == job.data_dir:
            here = len(clips) if ids is None else len(ids & set(clips))
            yield f"  {here:,} of these are selected, less those that are held out"
    yield (
        f"{', '.join(('nothing', *job.arms))} x {len(job.seeds)} seeds, {job.training.epochs} epochs each, "
        f"would be in {job.folder}; nothing is written"
    )


def prepared(job: Job, ids: frozenset[str] | None, given: Labels | None, read: Read) -> Data:
    """The tensors of all clips, made or found, and which of them are for what."""
    learned, rows, made = _tensors(job, job.data_dir, read)
    inputs = {TENSORS: made.fingerprint(), "selection": subsets.digest(ids)}
    if job.labels:
        inputs["labels"] = hashlib.sha256(job.labels.read_bytes()).hexdigest()[:16]
    if job.probe_dir is None:
        apart = subsets.held_out([row["video"] or row["id"] for row in rows], job.held_out)
        divided = subsets.divide(rows, ids, apart)
        said = [rows[row] for row in divided.held_out]
        return Data(learned, divided, learned, divided.held_out, said, given, inputs)
    tested, others, found = _tensors(job, job.probe_dir, read)
    # What is measured on was not seen before, in no other clip of its video either.
    divided = subsets.divide(rows, ids, frozenset(row["video"] or row["id"] for row in others))
    every = np.arange(len(others), dtype=np.int64)
    return Data(learned, divided, tested, every, others, given, inputs | {"probe": found.fingerprint()})


def _tensors(job: Job, data_dir: Path, read: Read) -> tuple[tensors.Tensors, list[dict[str, Any]], Record]:
    folder = job.tensors_of(data_dir)
    with run_errors(folder):
        tensors.make(folder, job.form, functools.partial(read, data_dir), job.processes)
    return tensors.opened(folder, job.form)


def _tested(job: Job, data: Data) -> report.Tested:
    """What is measured on: two clips at least. UsageError where labels or folds were named that are none of it."""
    count = len(data.rows)
    if count < 2:
        raise RunError(f"{count} clips are held out to be measured on", "a larger --held-out, or --probe-data-dir")
    chance = {f"recall_at_{at}": min(1.0, at / min(count, measures.MOST)) for at in measures.AT}
    nothing = {name: np.zeros((count, 1), np.float32) for name in ("audio", "video")}
    try:
        labelled = measures.labelled(data.said, nothing, data.given)
        # Folds that are none are said before anything is trained.
        list(splits(labelled, job.folds or FOLDS, 0))
    except UsageError as error:
        if data.given is not None or job.folds is not None:
            raise
        say(f"there will be no probes: {error}; {error.hint}", matters=True)
        return report.Tested(count, 0, 0, chance)
    largest = float(np.bincount(labelled.classes).max() / len(labelled))
    return report.Tested(
        count,
        len(labelled),
        len(labelled.names),
        chance | {f"{side}_top1": largest for side in ("audio", "video", "both")},
    )


def _runs(job: Job, divided: subsets.Subsets) -> Iterator[Run]:
    """Seed by seed, so that seeds that are added later change nothing."""
    arms = job.arms
    if "random" in arms and len(divided.selection) == len(divided.pool):
        say("the selection is all clips that may be trained on: as many at random are the same ones", matters=True)
        arms = ("selection",)
    for seed in job.seeds:
        yield Run("untrained", seed, np.zeros(0, np.int64))
        for arm in arms:
            yield Run(arm, seed, divided.selection if arm == "selection" else divided.random(seed))


def _all_trained(job: Job, data: Data, runs: Sequence[Run], machine: Machine, probed: bool) -> list[report.Result]:
    """The result of each run, all with the same size of batch: the largest that the device has memory for."""
    from .training import OutOfMemory

    batch = _batch_size(job, len(data.subsets.selection))
    while True:
        try:
            with Progress(STAGE, _steps(job, runs, batch), "step") as progress:
                return [_result(job, data, run, batch, machine, probed, progress) for run in runs]
        except OutOfMemory as error:
            if batch < 2 * FEWEST_IN_BATCH:
                raise RunError(
                    f"{machine.device} has no memory for a batch of {batch}",
                    "a smaller --size, fewer --frames, or --device cpu",
                ) from error
        # Not above: the error holds what was on the device.
        machine.free()
        batch //= 2
        write_json(job.folder / BATCH, {"batch_size": batch})
        say(
            f"{machine.device} has no memory for such batches: {batch} clips from now on, each told from "
            f"{batch - 1} others, at the same learning rate; runs with larger batches are trained anew",
            matters=True,
        )


def _steps(job: Job, runs: Sequence[Run], batch: int) -> int:
    return job.training.epochs * sum(len(run.rows) // batch for run in runs)


def _batch_size(job: Job, clips: int) -> int:
    """What was asked for, or less: what the device had memory for before, or all clips that there are."""
    batch = job.training.batch_size
    if (job.folder / BATCH).exists():
        hint = "delete it: the next run finds out anew"
        said = read_json(job.folder / BATCH, hint)
        if not isinstance(said, dict) or not isinstance(said.get("batch_size"), int):
            raise RunError(f"{job.folder / BATCH} names no batch size", hint)
        batch = min(batch, max(FEWEST_IN_BATCH, said["batch_size"]))
    if clips < batch:
        say(f"{clips} clips are fewer than a batch of {batch}: all of them are one", matters=True)
        return clips
    return batch


def _result(
    job: Job, data: Data, run: Run, batch: int, machine: Machine, probed: bool, progress: Progress
) -> report.Result:
    """Train and measure a run, or read what it came to."""
    from .training import encoded, new_model, train

    path = job.folder / RUNS / f"{run.name}.json"
    if path.exists():
        hint = "delete it: the next run measures anew"
        found = report.read_result(read_json(path, hint))
        if found is None:
            raise RunError(f"{path} is no result of a run", hint)
        if found.batch == batch:
            progress.step(found.steps)
            return found
    losses: list[float] = []
    if run.arm == "untrained":
        model = new_model(job.training, run.seed).to(machine.device)
    else:
        checkpoint = job.folder / RUNS / f"{run.name}.pt"
        model, losses = train(run, data.learned, job.training, batch, machine, checkpoint, progress.step)
        progress.tell(
            f"{run.arm}, seed {run.seed}: loss {losses[0]:.3f} in the first epoch, {losses[-1]:.3f} in the last"
        )
    vectors = encoded(model, data.tested, data.rows, batch, machine)
    measured = measures.retrieval(vectors)
    if probed:
        measured |= measures.probes(measures.labelled(data.said, vectors, data.given), job.folds or FOLDS)
    steps = len(losses) * (len(run.rows) // batch)
    made = report.Result(
        run.arm, run.seed, len(run.rows), batch, steps, machine.device.type, tuple(losses), measured
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, asdict(made))
    return made


def _title(data: Data, tested: report.Tested, drawn: bool) -> Iterator[str]:
    counts = data.subsets.counts
    random = f"; as many at random are drawn from {len(data.subsets.pool):,}" if drawn else ""
    yield (
        f"of {counts['ids']:,} selected clips {counts['trained_on']:,} are trained on, {counts['held_out']:,} are "
        f"of videos that are held out, {counts['without_tensors']:,} have no tensors{random}"
    )
    labels = f", {tested.labelled:,} with labels of {tested.classes} classes" if tested.classes else ""
    yield f"measured on {tested.clips:,} clips of other videos{labels}; mean and standard deviation over the seeds"
