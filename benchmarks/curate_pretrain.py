"""Is a selection worth more for contrastive training than as many clips at random? On made-up clips.

    python -m benchmarks.curate_pretrain [--clips 800] [--keep 0.4] [--seeds 3] [--epochs 20] [--folder DIR] ...

Clips are made (avclips/curate/synthetic), a random half of them with the sound of another, `classic` gives their
features, `select` chooses as by default; then `evaluate pretrain` trains on these and on as many at random.
It measures on clips that were made with another seed, whose sounds are all their own; labels are the ten kinds.
Needs torch (docs/curation.md). With --folder what was made is kept, and the next run begins there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from avclips.catalog.sample import Place, Sample
from avclips.core.files import whole
from avclips.curate.evaluate.pretrain.job import Job
from avclips.curate.evaluate.pretrain.settings import Form, Training
from avclips.curate.evaluate.pretrain.stage import pretrain
from avclips.curate.features.stage import opened
from avclips.curate.retrieve.clips import layers_of, synthetic
from avclips.curate.retrieve.experiment import clustered
from avclips.curate.retrieve.pairs import Pairs
from avclips.curate.select.choose import choose
from avclips.curate.select.method import Method
from avclips.curate.synthetic import files, plan

_TRAINING, _FORM = Training(), Form()
# The seed of the clips that are measured on.
ELSEWHERE = 1000


def main(words: Sequence[str] | None = None) -> int:
    """Make, select, train, and print what came of it."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.curate_pretrain", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--clips", type=int, default=800, help="to choose from (%(default)s)")
    parser.add_argument("--keep", type=float, default=0.4, help="the share that is selected (%(default)s)")
    parser.add_argument("--measured", type=int, default=200, help="clips that are measured on (%(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="(%(default)s)")
    parser.add_argument("--clusters", type=int, default=32, help="of each layer (%(default)s)")
    parser.add_argument("--epochs", type=int, default=_TRAINING.epochs, help="(%(default)s)")
    parser.add_argument("--batch-size", type=int, default=_TRAINING.batch_size, help="(%(default)s)")
    parser.add_argument("--frames", type=int, default=_FORM.frames, help="pictures a clip (%(default)s)")
    parser.add_argument("--size", type=int, default=_FORM.size, help="of a picture, pixels (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes that make clips (%(default)s)")
    parser.add_argument("--folder", type=Path, help="where all of it is kept (a folder that is removed)")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="avclips-bench-") as scratch:
        _compare(options, options.folder or Path(scratch))
    return 0


def _compare(options: argparse.Namespace, folder: Path) -> None:
    chosen_from = plan.clips(options.clips, 0)
    measured = plan.clips(options.measured, ELSEWHERE, foreign=0.0)
    # Tensors of another size go elsewhere; the clips stay.
    place = folder / f"tensors-{options.frames}-{options.size}"
    made = {
        place / "clips": (folder / "clips" / "clips", chosen_from),
        place / "measured": (folder / "measured" / "clips", measured),
    }
    for _ in files.write_clips(folder / "measured" / "clips", measured, options.workers):
        pass
    ids = _selected(folder, chosen_from, options)

    def read(data_dir: Path) -> Iterator[Sample]:
        return samples(*made[data_dir])

    job = Job(
        place / "clips",
        ids,
        output=folder / f"{ids.stem}-{options.frames}-{options.size}-{options.epochs}-{options.batch_size}",
        probe_dir=place / "measured",
        seeds=tuple(range(options.seeds)),
        form=Form(options.frames, options.size),
        training=replace(_TRAINING, epochs=options.epochs, batch_size=options.batch_size),
        processes=options.workers,
    )
    begun = time.process_time(), time.perf_counter()
    for line in pretrain(job, read):
        print(line)
    spent = time.process_time() - begun[0], time.perf_counter() - begun[1]
    print(f"{spent[0]:.0f} s of CPU without the processes that decode, {spent[1]:.0f} s by the clock")


def samples(folder: Path, clips: Sequence[plan.Clip]) -> Iterator[Sample]:
    """Made-up clips, each of a video of its own, with its kind as its label."""
    for clip in clips:
        # Two seeds have clips of the same number.
        video = f"{clip.picture.seed}-{clip.id}"
        there = {"video": Place(str(folder / f"{clip.id}.mp4"))}
        yield Sample(clip.id, "synthetic", video, 0.0, 10.0, "done", labels=(clip.picture.kind,), files=there)


def _selected(folder: Path, clips: Sequence[plan.Clip], options: argparse.Namespace) -> Path:
    """A file of the ids that `select` chooses; printed: how many of them have their own sound."""
    features, _ = opened(synthetic(folder / "clips", clips, options.workers))
    if features.total != len(clips):
        raise SystemExit(f"{features.total} of {len(clips)} clips have features")
    own = np.array([clip.matched for clip in clips])
    pairs = Pairs(own, *(tuple(layers_of(features, each)) for each in ("video", "audio")))
    layers, labels = clustered(pairs, 0, options.clusters)
    rows = np.sort(choose(layers, labels, round(options.keep * len(clips)), Method()).rows)
    print(f"{own[rows].mean():.3f} of {len(rows)} selected clips have their own sound, {own.mean():.3f} of all")
    with whole(folder / f"selected-{len(rows)}.txt") as stream:
        stream.writelines(f"{clips[row].id}\n" for row in rows)
    return folder / f"selected-{len(rows)}.txt"


if __name__ == "__main__":
    sys.exit(main())
