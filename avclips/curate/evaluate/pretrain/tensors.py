"""Clips as small tensors on disk, decoded once.

Pictures (frames, size, size, 3) uint8, and log-mel (STEPS, MELS) float16; in shards as those of features
(features.parts). Whatever a clip's length, its pictures and its STEPS are spread evenly over it; a picture is
squeezed into a square.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....core.errors import RunError
from ....progress.bar import Progress
from ....quality.thresholds import SILENT
from ...clip_set import CLIPS, Samples, clips_digest
from ...features.decode import decode
from ...features.examine import Clip, Examined, halved
from ...features.extractor import Array, Pictures, Sound, Unusable
from ...features.log_mel import MELS, RATE, log_mel
from ...features.parts import counts_of, layer_of, numbers, rows_of, say_counts, write_part
from ...features.processes import Processes
from ...features.stage import shards_of
from ...record import Record, begin, finish, finished, read, versions_of
from .job import TENSORS as STAGE
from .settings import Form

FRAMES, MEL = "frames", "mel"
STEPS, SHARD_SIZE = 128, 256
# Of a clip's log-mel.
MEL_BYTES = 2 * STEPS * MELS
# Tensors that mean another thing get another version.
VERSION = 1
_SOUND = Sound(RATE)


@dataclass(frozen=True)
class ToTensors:
    """What a process that decodes does with clips; see features.processes."""

    form: Form

    def __call__(self, clips: Sequence[Clip]) -> list[Examined]:
        """Decode each clip once."""
        return [self._examine(clip) for clip in clips]

    def _examine(self, clip: Clip) -> Examined:
        pictures = Pictures(count=self.form.frames, size=(self.form.size, self.form.size))
        try:
            if not clip.files:
                raise Unusable("not_here")
            media = decode(clip.files, (pictures, _SOUND))
            samples = media.got[_SOUND]
            if level(samples) < SILENT:
                raise Unusable("silent", f"{level(samples):.0f} dBFS")
            return Examined({FRAMES: media.got[pictures], MEL: halved(mel_of(samples))})
        except Unusable as error:
            return Examined(reason=error.reason, detail=error.detail)


def level(samples: Array) -> float:
    """The RMS of samples in dBFS; -200 and below are no sound at all."""
    return 10 * math.log10(float(np.square(samples, dtype=np.float64).mean()) + 1e-20)


def mel_of(samples: Array) -> Array:
    """(STEPS, MELS): the mean log-mel of each piece of time, of sound at RATE."""
    logs = log_mel(samples)
    if len(logs) <= STEPS:
        return logs[(np.arange(STEPS) * len(logs)) // STEPS]
    starts = (np.arange(STEPS) * len(logs)) // STEPS
    counts = np.diff(np.append(starts, len(logs)))
    return np.asarray(np.add.reduceat(logs, starts, axis=0) / counts[:, None])


def make(folder: Path, form: Form, samples: Samples, processes: int) -> Mapping[str, int]:
    """Make every shard that is not there; return what is counted. UsageError where ``folder`` has others."""
    digest, total = clips_digest(samples)
    settings = {**asdict(form), "mel": [STEPS, MELS], "shard_size": SHARD_SIZE, "version": VERSION}
    begin(folder, Record(STAGE, settings, {CLIPS: digest}, versions_of("av", "numpy")))
    there = frozenset(numbers(folder))
    missing = total - sum(min(SHARD_SIZE, total - number * SHARD_SIZE) for number in there)
    if not missing and (counts := finished(folder)):
        return counts
    with Progress("tensors", missing, "clip") as progress:
        pool = Processes(ToTensors(form), processes)
        try:
            for number, clips in enumerate(shards_of(samples(), SHARD_SIZE)):
                if number not in there:
                    write_part(folder, number, *_shard(clips, form, pool, progress))
        finally:
            pool.close()
    counts = counts_of(folder, total, STAGE)
    finish(folder, counts)
    say_counts(folder, counts, STAGE)
    return counts


def _shard(
    clips: Sequence[Clip], form: Form, pool: Processes, progress: Progress
) -> tuple[dict[str, Array], list[dict[str, Any]]]:
    """A shard's tensors, and its rows."""
    rows, frames, mels = [], [], []
    for clip, found in zip(clips, pool.examine(clips), strict=True):
        rows.append({**clip.said, "kept": not found.reason, "reason": found.reason, "detail": found.detail})
        if not found.reason:
            frames.append(found.numbers[FRAMES])
            mels.append(found.numbers[MEL])
        progress.step()
    if not frames:
        shape = (0, form.frames, form.size, form.size, 3)
        return {FRAMES: np.zeros(shape, np.uint8), MEL: np.zeros((0, STEPS, MELS), np.float16)}, rows
    return {FRAMES: np.stack(frames), MEL: np.stack(mels)}, rows


@dataclass(frozen=True)
class Tensors:
    """What ``make`` made: ``shards`` and ``places``: of each clip that is kept, where its tensors are."""

    folder: Path
    form: Form
    shards: NDArray[np.int64]
    places: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.shards)

    def gather(self, rows: NDArray[np.int64]) -> tuple[Array, Array]:
        """Pictures (rows, frames, size, size, 3) uint8, and log-mel (rows, STEPS, MELS) float16."""
        size = self.form.size
        frames = np.empty((len(rows), self.form.frames, size, size, 3), np.uint8)
        mel = np.empty((len(rows), STEPS, MELS), np.float16)
        for number in np.unique(self.shards[rows]):
            here = np.flatnonzero(self.shards[rows] == number)
            for target, name in ((frames, FRAMES), (mel, MEL)):
                target[here] = _mapped(self.folder, int(number), name)[self.places[rows[here]]]
        return frames, mel


# A process may have so many files open, and no more.
@functools.lru_cache(maxsize=200)
def _mapped(folder: Path, number: int, name: str) -> Array:
    return layer_of(folder, number, name)


def opened(folder: Path, form: Form) -> tuple[Tensors, list[dict[str, Any]], Record]:
    """What was made; of each kept clip ``id``, ``video`` and ``labels``. RunError where shards are gone."""
    record, counts = read(folder), finished(folder)
    rows: list[dict[str, Any]] = []
    shards: list[int] = []
    places: list[int] = []
    for number in numbers(folder):
        table = rows_of(folder, number, ["id", "video", "labels", "kept"])
        kept = table.filter(table["kept"]).select(["id", "video", "labels"]).to_pylist()
        rows += kept
        shards += [number] * len(kept)
        places += range(len(kept))
    if record is None or counts is None or len(rows) != counts["kept"]:
        raise RunError(f"{folder} lacks shards", "start the same command again: it makes those that are gone")
    return Tensors(folder, form, np.array(shards, np.int64), np.array(places, np.int64)), rows, record
