"""Contrastive training on small clips: what is learned, killed and gone on with, refused; on a CPU, in seconds."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from avclips.catalog import samples  # noqa: E402
from avclips.catalog.sample import Place, Sample  # noqa: E402
from avclips.core.errors import RunError, Stopped, UsageError  # noqa: E402
from avclips.curate.evaluate.pretrain import stage, tensors, training  # noqa: E402
from avclips.curate.evaluate.pretrain.batches import masked, moved  # noqa: E402
from avclips.curate.evaluate.pretrain.job import Job  # noqa: E402
from avclips.curate.evaluate.pretrain.model import TwoStreams  # noqa: E402
from avclips.curate.evaluate.pretrain.settings import Form, Run, Training  # noqa: E402
from avclips.curate.features.parts import write_part  # noqa: E402
from avclips.curate.record import Record, begin, finish  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
FORM = Form(frames=2, size=16)
SMALL = Training(epochs=3, batch_size=8, embedding_dim=8)
KINDS, EACH = 4, 12
COUNT = KINDS * EACH


def rows_and_tensors() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Clips of four kinds: a picture's brightness and a sound's band tell which; two clips a video."""
    random = np.random.default_rng(0)
    kinds = np.arange(COUNT) % KINDS
    light = 40 + 50 * kinds[:, None, None, None, None]
    frames = np.clip(light + random.normal(0, 8, (COUNT, 2, 16, 16, 3)), 0, 255).astype(np.uint8)
    mel = random.normal(-3, 0.3, (COUNT, tensors.STEPS, tensors.MELS))
    for clip, kind in enumerate(kinds):
        mel[clip, :, 16 * kind : 16 * kind + 16] += 4
    rows = [
        {
            "id": f"c{at}",
            "kept": True,
            "reason": "",
            "video": f"v{at // 8}_{at % 4}",
            "labels": [f"kind{at % KINDS}"],
        }
        for at in range(COUNT)
    ]
    return rows, {tensors.FRAMES: frames, tensors.MEL: mel.astype(np.float16)}


def read(data_dir: Path) -> Iterator[Sample]:
    for at in range(COUNT):
        yield Sample(f"c{at}", "made-up", "v", 0.0, None, "done", files={"video": Place(str(data_dir / "none"))})


def made(data_dir: Path) -> Path:
    """A data folder whose tensors are there: no clip is decoded."""
    folder = data_dir / "curation" / "tensors"
    data_dir.mkdir(exist_ok=True)
    tensors.make(folder, FORM, lambda: read(data_dir), 0)
    rows, arrays = rows_and_tensors()
    write_part(folder, 0, arrays, rows)
    finish(folder, {"clips": COUNT, "kept": COUNT, "dropped": 0})
    return data_dir


@pytest.fixture
def job(tmp_path: Path) -> Job:
    ids = tmp_path / "ids.txt"
    ids.write_text("".join(f"c{at}\n" for at in range(COUNT // 2)))
    return Job(
        made(tmp_path / "data"), ids, folds=2, held_out=0.4, seeds=(0,), form=FORM, training=SMALL, device="cpu"
    )


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def clips(folder: Path) -> tensors.Tensors:
    return tensors.opened(made(folder) / "curation" / "tensors", FORM)[0]


CPU = training.Machine(torch.device("cpu"))
RUN = Run("selection", 3, np.arange(COUNT // 2))


def test_what_belongs_together_is_learned(tmp_path: Path) -> None:
    data = clips(tmp_path / "data")
    longer = replace(SMALL, epochs=20)
    model, losses = training.train(RUN, data, longer, 8, CPU, tmp_path / "run.pt")
    assert len(losses) == 20 and losses[-1] < 0.85 * losses[0]
    untrained = training.new_model(longer, 3)
    # Clips that were not trained on: nearer to sounds of their own kind than of others.
    others = np.arange(COUNT // 2, COUNT)
    assert own_kind(model, data, others) > 0.5 > own_kind(untrained, data, others)


def own_kind(model: Any, data: tensors.Tensors, rows: Any) -> float:
    vectors = training.encoded(model, data, rows, 8, CPU)
    nearest = (vectors["video_embedding"] @ vectors["audio_embedding"].T).argmax(axis=1)
    return float((rows[nearest] % KINDS == rows % KINDS).mean())


@pytest.mark.parametrize("workers", [0, 1])
def test_a_run_that_was_stopped_ends_in_the_same_bits(tmp_path: Path, workers: int) -> None:
    data = clips(tmp_path / "data")
    machine = replace(CPU, workers=workers)
    whole, losses = training.train(RUN, data, SMALL, 8, CPU, tmp_path / "whole.pt")
    left = iter([0] * 5)

    def told(steps: int) -> None:
        # In the second of the three steps of the second epoch.
        if next(left, None) is None:
            raise Stopped

    with pytest.raises(Stopped):
        training.train(RUN, data, SMALL, 8, machine, tmp_path / "cut.pt", told)
    assert not list(tmp_path.glob(".*.part"))
    done: list[int] = []
    again, others = training.train(RUN, data, SMALL, 8, machine, tmp_path / "cut.pt", done.append)
    assert done[0] == 3 and sum(done) == 9
    assert others == losses
    assert all(
        torch.equal(a, b) for a, b in zip(whole.state_dict().values(), again.state_dict().values(), strict=True)
    )


def test_the_whole_of_it(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    said = "\n".join(stage.pretrain(job, read))
    metrics = json.loads((job.folder / "metrics.json").read_text())
    counts = metrics["selection"]
    assert counts["ids"] == counts["trained_on"] + counts["held_out"] + counts["without_tensors"] == 24
    assert [run["arm"] for run in metrics["runs"]] == ["untrained", "selection", "random"]
    drawn, chosen = metrics["runs"][2], metrics["runs"][1]
    assert (drawn["clips"], drawn["steps"], drawn["batch"]) == (chosen["clips"], chosen["steps"], chosen["batch"])
    assert set(metrics["arms"]["random"]) >= {"recall_at_1", "recall_at_5", "audio_top1", "both_top1"}
    # Of ten videos, none is of the fourth kind.
    assert (metrics["tested"]["clips"], metrics["tested"]["classes"]) == (20, 3)
    assert "| selection |" in said and "recall@5: the selection is" in said and "one seed" in said
    # Nothing is trained or measured twice, and the same is written.
    before = (job.folder / "metrics.json").read_bytes()
    left = job.folder / "runs" / ".random-0.pt.host-1.part"
    left.write_bytes(b"of a run that was killed")
    stage.pretrain(job, read)
    assert not left.exists()
    stamps = {path: path.stat().st_mtime_ns for path in (job.folder / "runs").iterdir()}
    stage.pretrain(job, read)
    assert (job.folder / "metrics.json").read_bytes() == before
    assert {path: path.stat().st_mtime_ns for path in (job.folder / "runs").iterdir()} == stamps
    # More seeds may come later; other settings are another run's.
    stage.pretrain(replace(job, seeds=(0, 1)), read)
    assert json.loads((job.folder / "metrics.json").read_text())["arms"]["selection"]["audio_top1"]["runs"] == 2
    with pytest.raises(
        UsageError, match=r"was made by another run: training\.learning_rate was 0\.001, now 0\.1$"
    ):
        stage.pretrain(replace(job, training=replace(SMALL, learning_rate=0.1)), read)
    with pytest.raises(UsageError, match="of another selection"):
        stage.pretrain(replace(job, selection=None), read)


KILLED = """
import sys, torch
from pathlib import Path
from tests.torch import test_pretrain as t
torch.set_num_threads(1)
place = Path(sys.argv[1])
t.training.train(t.RUN, t.tensors.opened(place / "data" / "curation" / "tensors", t.FORM)[0],
                 t.replace(t.SMALL, epochs=400), 8, t.CPU, place / "killed.pt")
"""


def test_a_run_that_was_killed_ends_in_the_same_bits(tmp_path: Path) -> None:
    data = clips(tmp_path / "data")
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT)
    until = time.monotonic() + 60
    while not (tmp_path / "killed.pt").exists() and child.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    # It goes on for a few epochs of as many as it was to have.
    settings = replace(SMALL, epochs=400)
    there = len(torch.load(tmp_path / "killed.pt")["losses"])
    assert 0 < there < 390
    stops = iter(range(3 * (there + 2)))

    def told(steps: int) -> None:
        if steps == 1 and next(stops, None) is None:
            raise Stopped

    found = []
    for name, count in (("killed.pt", 6), ("whole.pt", 3 * (there + 2))):
        stops = iter(range(count))
        with pytest.raises(Stopped):
            training.train(RUN, data, settings, 8, CPU, tmp_path / name, told)
        found.append(torch.load(tmp_path / name))
    assert found[0]["losses"] == found[1]["losses"] and len(found[0]["losses"]) == there + 2
    assert all(torch.equal(each, found[1]["model"][name]) for name, each in found[0]["model"].items())


def test_a_batch_that_the_device_has_no_memory_for_is_halved(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loss = TwoStreams.loss
    seen = []

    def small(self: TwoStreams, frames: Any, mel: Any) -> Any:
        seen.append(len(frames))
        # The first run had the memory, the second has not.
        if len(frames) > 4 and len(seen) > 7:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return loss(self, frames, mel)

    monkeypatch.setattr(TwoStreams, "loss", small)
    stage.pretrain(job, read)
    assert "4 clips from now on, each told from 3 others" in capsys.readouterr().out
    runs = json.loads((job.folder / "metrics.json").read_text())["runs"]
    assert [run["batch"] for run in runs] == [4, 4, 4]
    assert json.loads((job.folder / "batch.json").read_text()) == {"batch_size": 4}
    monkeypatch.setattr(TwoStreams, "loss", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError()))
    with pytest.raises(RunError, match="no memory for a batch of 2"):
        stage.pretrain(replace(job, seeds=(5,)), read)


def test_a_loss_that_is_no_number_ends_it(job: Job) -> None:
    with pytest.raises(RunError, match=r"the loss is no number any more \(selection, seed 0, epoch \d, step \d\)"):
        stage.pretrain(replace(job, training=replace(SMALL, learning_rate=1e30, epochs=4)), read)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "cannot be read"), (b"PK\x03\x04 torn", "cannot be read"), (None, "cannot be read: .*size mismatch")],
)
def test_a_checkpoint_that_is_none(tmp_path: Path, content: bytes | None, said: str) -> None:
    data = clips(tmp_path / "data")
    if content is None:
        training.train(RUN, data, replace(SMALL, embedding_dim=4, epochs=1), 8, CPU, tmp_path / "run.pt")
    else:
        (tmp_path / "run.pt").write_bytes(content)
    with pytest.raises(RunError, match=said):
        training.train(RUN, data, SMALL, 8, CPU, tmp_path / "run.pt")


def test_a_flipped_bit_is_seen_wherever_it_is(tmp_path: Path) -> None:
    """Every 997th byte: what is loaded all the same is what was written."""
    data = clips(tmp_path / "data")
    path = tmp_path / "run.pt"
    model, losses = training.train(RUN, data, replace(SMALL, epochs=1), 8, CPU, path)
    content = path.read_bytes()
    right = {name: each.clone() for name, each in model.state_dict().items()}
    refused = 0
    for at in range(0, len(content), len(content) // 60):
        changed = bytearray(content)
        changed[at] ^= 0x10
        path.write_bytes(changed)
        try:
            again, others = training.train(RUN, data, replace(SMALL, epochs=1), 8, CPU, path)
        except RunError as error:
            assert str(path) in str(error) and error.hint.startswith("delete it")
            refused += 1
        else:
            assert others == losses
            assert all(torch.equal(each, right[name]) for name, each in again.state_dict().items())
    assert refused > 50
    # In the numbers of the largest tensor.
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda each: each.file_size)
    changed = bytearray(content)
    changed[largest.header_offset + 1000] ^= 1
    path.write_bytes(changed)
    with pytest.raises(RunError, match=r"run\.pt is damaged: .*/data/\d+ in it does not match its checksum$"):
        training.train(RUN, data, replace(SMALL, epochs=1), 8, CPU, path)


def test_changes_are_small_and_of_the_seed() -> None:
    _, arrays = rows_and_tensors()
    found = [masked(arrays["mel"][:4], np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(found[0], found[1]) and not np.array_equal(found[0], found[2])
    assert found[0].dtype == np.float32
    gradient = np.broadcast_to(np.arange(32, dtype=np.uint8)[None, None, None, :, None], (8, 2, 32, 32, 3)).copy()
    changed = moved(gradient.copy(), np.random.default_rng(0))
    mirrored = [clip[0, 0, 0, 0] > clip[0, 0, -1, 0] for clip in changed]
    assert 0 < sum(mirrored) < 8
    for clip, turned in zip(changed, mirrored, strict=True):
        back = clip[:, :, ::-1] if turned else clip
        assert np.abs(back.astype(int) - gradient[0]).max() <= 2
        # Both pictures of a clip alike.
        assert np.array_equal(clip[0], clip[1])


def test_clips_without_labels_are_not_probed(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job.data_dir / "curation" / "tensors"
    rows, arrays = rows_and_tensors()
    write_part(folder, 0, arrays, [row | {"labels": []} for row in rows])
    table = "\n".join(stage.pretrain(replace(job, folds=None), read))
    assert "there will be no probes: 0 of 20 clips have a label" in capsys.readouterr().out
    assert "top-1" not in table and "recall@1" in table


def test_clips_of_another_folder(job: Job, tmp_path: Path) -> None:
    """None of a video that is measured on is trained on."""
    other = made(tmp_path / "other")
    with pytest.raises(RunError, match="0 clips are left to train on: of 24 selected ones 24 are held out"):
        stage.pretrain(replace(job, probe_dir=other), read)
    rows, arrays = rows_and_tensors()
    write_part(
        other / "curation" / "tensors", 0, arrays, [row | {"video": f"o{at // 2}"} for at, row in enumerate(rows)]
    )
    labels = tmp_path / "labels.csv"
    labels.write_text("id,label,fold\n" + "".join(f"c{at},x{at % 2},{at % 3}\n" for at in range(COUNT)))
    stage.pretrain(replace(job, probe_dir=other, labels=labels), read)
    metrics = json.loads((job.folder / "metrics.json").read_text())
    assert metrics["tested"]["clips"] == COUNT and metrics["tested"]["classes"] == 2
    assert metrics["selection"]["trained_on"] == 24


def test_clips_of_shards_have_tensors(avqa_shards: Path, tmp_path: Path) -> None:
    counts = tensors.make(tmp_path, FORM, functools.partial(samples, avqa_shards), 0)
    assert counts == {"clips": 10, "kept": 7, "dropped": 3, "not_here": 3}
    assert len(tensors.opened(tmp_path, FORM)[0]) == 7


def test_folds_that_are_none_are_said_before_anything_is_trained(job: Job) -> None:
    with pytest.raises(UsageError, match="videos are no 100 folds"):
        stage.pretrain(replace(job, folds=100), read)
    assert not job.folder.exists()


def test_a_folder_that_is_refused_is_so_before_anything_is_decoded(job: Job, tmp_path: Path) -> None:
    def never(data_dir: Path) -> Iterator[Sample]:
        raise AssertionError("clips are read")

    stage.pretrain(job, read)
    (tmp_path / "file").write_text("")
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("")
    for other, said in (
        (replace(job, training=replace(SMALL, epochs=4)), r"run: training\.epochs was 3, now 4$"),
        (replace(job, output=tmp_path / "file" / "x"), "file is no folder"),
        (replace(job, output=full), "is not empty: it has thesis.txt"),
        (
            replace(job, output=job.tensors_of(job.data_dir)),
            "folder of the stage tensors, not of pretrain$",
        ),
    ):
        with pytest.raises(UsageError, match=said):
            stage.pretrain(other, never)


def test_another_run_of_features_is_no_tensors(tmp_path: Path, job: Job) -> None:
    folder = tmp_path / "features"
    begin(folder, Record("features", {}, {}))
    with pytest.raises(UsageError, match=r"features is the folder of the stage features, not of tensors$"):
        stage.pretrain(replace(job, tensors=folder), read)
