"""What of `evaluate pretrain` needs no torch: options, subsets, tensors, schedules, measures, tables."""

from __future__ import annotations

import errno
import importlib.util
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avclips.catalog.sample import Place, Sample
from avclips.cli.commands import main
from avclips.core.errors import RunError, UsageError
from avclips.curate.evaluate.pretrain import measures, report, stage, subsets, tensors
from avclips.curate.evaluate.pretrain.job import Job
from avclips.curate.evaluate.pretrain.settings import Form, order, rate_at
from avclips.curate.features.log_mel import RATE
from avclips.curate.features.parts import rows_of, table_path
from tests.support.made_clips import made_clip

FORM = Form(frames=3, size=16)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--epochs 0", "--epochs: '0' is not a whole number from 1 up"),
        ("--batch-size 1", "--batch-size: '1' is not a whole number from 2 up"),
        ("--learning-rate 0", "--learning-rate: '0' is not a number above 0 up to 10"),
        ("--learning-rate nan", "--learning-rate: 'nan' is not a number above 0 up to 10"),
        ("--learning-rate 1e-400", "'1e-400' is not a number"),
        ("--weight-decay -1", "--weight-decay: '-1' is not a number from 0 up to 10"),
        ("--temperature 0", "--temperature: '0' is not a number from 0.01 up to 10"),
        ("--held-out 1", "--held-out: '1' is not a number above 0 up to 0.9"),
        ("--size 8", "--size: '8' is not a whole number from 16 to 512"),
        ("--only untrained", "'untrained' is unknown"),
        ("--epoch 3", "unknown option --epoch: did you mean --epochs?"),
        ("--each-layer", "unknown option --each-layer"),
        ("", "has no selection"),
        ("--selection no/such", "--selection: no/such is not there"),
        (
            "--selection all --probe-data-dir other --held-out 0.2",
            "with --probe-data-dir, nothing else is held out",
        ),
    ],
)
def test_options_that_cannot_be_meant(
    tmp_path: Path, words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["curate", "evaluate", "pretrain", "--data-dir", str(tmp_path), *words.split()])
    except SystemExit as ended:
        code = int(ended.code or 0)
    shown = capsys.readouterr().err
    assert code == 2 and said in shown and "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []


def test_what_is_evaluated_has_to_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curate", "evaluate"]) == 2
    assert "what is to be evaluated is missing: probe or pretrain" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["curate", "evaluate", "pretain"])
    assert ended.value.code == 2 and "did you mean pretrain?" in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is here")
def test_without_torch_one_line_says_what_to_install(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["curate", "evaluate", "pretrain", "--data-dir", str(tmp_path), "--selection", "all"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "error: networks are trained by torch, which is not here" and "torch>=2.4" in said[1]
    assert list(tmp_path.iterdir()) == []


def rows(*videos: str) -> list[dict[str, str]]:
    return [{"id": f"c{at}", "video": video} for at, video in enumerate(videos)]


def test_clips_are_divided_by_their_videos_and_each_is_counted() -> None:
    clips = rows(*(f"v{at // 2}" for at in range(40)), "")
    wanted = {f"c{at}" for at in range(0, 41, 2)} | {"gone"}
    apart = {"v0", "v1", "c40"}
    found = subsets.divide(clips, wanted, apart)
    assert found.counts == {"ids": 22, "trained_on": 18, "held_out": 3, "without_tensors": 1}
    assert found.held_out.tolist() == [0, 1, 2, 3, 40] and len(found.pool) == 36
    drawn = found.random(1)
    assert len(set(drawn.tolist())) == 18 and set(drawn) <= set(found.pool)
    assert np.array_equal(drawn, found.random(1)) and not np.array_equal(drawn, found.random(2))
    assert subsets.divide(clips, None, apart).counts["trained_on"] == 36
    with pytest.raises(RunError, match="2 clips are left to train on: of 3 selected ones 1 are held out, and 0"):
        subsets.divide(clips, {"c0", "c8", "c9"}, apart)


def test_which_videos_are_held_out_is_the_same_for_the_same_videos(monkeypatch: pytest.MonkeyPatch) -> None:
    videos = [f"v{at}" for at in range(100)]
    found = subsets.held_out(videos, 0.2)
    assert len(found) == 20 and found == subsets.held_out([*reversed(videos), "v3"], 0.2)
    monkeypatch.setattr(subsets, "MOST_VIDEOS", 7)
    assert len(subsets.held_out(videos, 0.2)) == 7


def test_a_selection_is_a_file_of_ids_or_what_select_left(tmp_path: Path) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("a\nb\n")
    assert subsets.selected(ids) == {"a", "b"} and subsets.selected(None) is None
    assert subsets.digest({"b", "a"}) == subsets.digest({"a", "b"}) != subsets.digest({"a"})
    with pytest.raises(RunError, match="holds no finished selection"):
        subsets.selected(tmp_path)


@pytest.mark.parametrize(("count", "batch", "steps"), [(10, 4, 2), (4, 4, 1), (9, 3, 3)])
def test_an_epoch_sees_each_clip_once_at_most(count: int, batch: int, steps: int) -> None:
    found = order(count, batch, seed=1, epoch=2)
    assert found.shape == (steps, batch) and len(np.unique(found)) == found.size
    assert np.array_equal(found, order(count, batch, 1, 2))
    assert not np.array_equal(found, order(count, batch, 1, 3))


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [rate_at(step, 100, 0.5) for step in range(100)]
    assert rates[:10] == sorted(rates[:10]) and rates[9] == 0.5
    assert rates[10:] == sorted(rates[10:], reverse=True) and 0 < rates[-1] < 0.001
    assert rates[55] == pytest.approx(0.25)
    assert rate_at(0, 1, 0.5) == 0.5


def test_sound_becomes_as_many_steps_whatever_its_length() -> None:
    at = np.arange(4 * RATE) / RATE
    tone = np.where(at < 2, 0.5 * np.sin(2 * np.pi * 1000 * at), 0).astype(np.float32)
    for samples in (tone, tone[: RATE // 2], tone[:10]):
        assert tensors.mel_of(samples).shape == (tensors.STEPS, tensors.MELS)
    found = tensors.mel_of(tone)
    # Heard in the first half, silent in the second: log(0.01).
    assert found[:63].max(axis=1).min() > 3 and found[66:].max() == pytest.approx(np.log(0.01), abs=1e-4)
    assert len(set(found[:60].argmax(axis=1))) == 1
    assert tensors.level(tone[: 2 * RATE]) == pytest.approx(-9.03, abs=0.01)
    assert tensors.level(np.zeros(100, np.float32)) == -200


CLIPS = {
    "a": "",
    "mute": "silent",
    "b": "",
    "broken": "not_decodable",
    "failed": "not_here",
    "soundless": "no_sound",
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    folder = tmp_path_factory.mktemp("clips")
    found = []
    for name in CLIPS:
        path = folder / f"{name}.mp4"
        if name == "broken":
            path.write_bytes(b"no media")
        elif name != "failed":
            silence = np.zeros(16_000, np.float32) if name == "mute" else None
            made_clip(path, 1.0, 0.2, silence, with_sound=name != "soundless")
        files = {"video": Place(str(path))} if name != "failed" else {}
        status = "done" if files else "failed"
        found.append(Sample(name, "made-up", f"v{name}", 0.0, 1.0, status, labels=("x",), files=files))  # type: ignore[arg-type]
    return found


def test_each_clip_has_tensors_or_a_reason(
    samples: Sequence[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensors, "SHARD_SIZE", 4)
    counts = tensors.make(tmp_path, FORM, lambda: iter(samples), 0)
    reasons = {"no_sound": 1, "not_decodable": 1, "not_here": 1, "silent": 1}
    assert counts == {"clips": 6, "kept": 2, "dropped": 4, **reasons}
    said = {row["id"]: row["reason"] for number in (0, 1) for row in rows_of(tmp_path, number).to_pylist()}
    assert said == CLIPS
    found, kept, _ = tensors.opened(tmp_path, FORM)
    assert [row["id"] for row in kept] == ["a", "b"] and kept[0]["labels"] == ["x"]
    frames, mel = found.gather(np.array([1, 0, 1]))
    assert frames.shape == (3, 3, 16, 16, 3) and mel.shape == (3, tensors.STEPS, tensors.MELS)
    assert np.array_equal(frames[0], frames[2]) and np.isfinite(mel.astype(float)).all()
    # A shard that is gone is made again, the same; those that are there are left.
    before = {path.name: path.read_bytes() for path in tmp_path.glob("part-*")}
    table_path(tmp_path, 0).unlink()
    with pytest.raises(RunError, match="lacks shards"):
        tensors.opened(tmp_path, FORM)
    assert tensors.make(tmp_path, FORM, lambda: iter(samples), 2) == counts
    assert {path.name: path.read_bytes() for path in tmp_path.glob("part-*")} == before


@pytest.mark.parametrize(
    ("form", "left", "said"),
    [(replace(FORM, frames=4), 6, "frames was 3, now 4"), (FORM, 5, "of other clips than are here now")],
)
def test_tensors_of_other_clips_or_sizes_are_refused(
    samples: Sequence[Sample], tmp_path: Path, form: Form, left: int, said: str
) -> None:
    few = [each for each in samples if not each.files] * 6
    tensors.make(tmp_path, FORM, lambda: iter(few), 0)
    with pytest.raises(UsageError, match=said):
        tensors.make(tmp_path, form, lambda: iter(few[:left]), 0)


def test_a_dry_run_writes_nothing(
    samples: Sequence[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(data_dir: Path) -> Iterator[Sample]:
        return iter(samples)

    monkeypatch.setattr(stage, "samples", read)
    (tmp_path / "ids.txt").write_text("a\nfailed\n")
    lines = list(stage.foreseen(Job(tmp_path, tmp_path / "ids.txt", form=FORM)))
    assert lines[0].startswith("tensors of 5 clips, 0 MB at most, would be in") and "  1 of these" in lines[1]
    assert "nothing, selection, random x 3 seeds, 20 epochs each" in lines[2]
    assert [path.name for path in tmp_path.iterdir()] == ["ids.txt"]


def test_a_clips_own_sound_is_found_as_often_as_it_is_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(2000, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert measures.ranks(vectors, vectors).max() == 0
    # The second clip's sound is the first one's: both are as near.
    audio = vectors[:3].copy()
    audio[1] = audio[0]
    assert measures.ranks(vectors[:3], audio)[0] == 1
    # Where all are the same, nothing is told apart.
    same = np.ones((2000, 1), np.float32)
    found = measures.retrieval({"video_embedding": same, "audio_embedding": same})
    assert found["recall_at_1"] == found["recall_at_5"] == 0
    shifted = measures.retrieval({"video_embedding": vectors, "audio_embedding": np.roll(vectors, 1, axis=0)})
    assert shifted["recall_at_1"] < 0.01
    # Among few, evenly spread, each is its own's nearest: of all, every second one has a double.
    doubled = {name: np.repeat(vectors[:1000], 2, axis=0) for name in ("video_embedding", "audio_embedding")}
    assert measures.retrieval(doubled)["recall_at_1"] == 0
    monkeypatch.setattr(measures, "MOST", 1000)
    assert measures.retrieval(doubled)["recall_at_1"] == 1


def result(arm: str, seed: int, recall: float) -> report.Result:
    return report.Result(arm, seed, 100, 8, 36, "cpu", (2.0, 1.0), {"recall_at_5": recall, "audio_top1": 0.5})


def test_the_report_says_how_sure_it_is(tmp_path: Path) -> None:
    results = [result("untrained", 0, 0.1)]
    results += [result("selection", seed, 0.4 + 0.01 * seed) for seed in range(3)]
    results += [result("random", seed, 0.3 + 0.011 * seed) for seed in range(3)]
    tested = report.Tested(50, 40, 4, {"recall_at_5": 0.1, "audio_top1": 0.25})
    written = report.write(tmp_path, results, tested, {"settings": {}})
    said = json.loads((tmp_path / "metrics.json").read_text())
    assert said["arms"]["selection"]["recall_at_5"] == {
        "mean": pytest.approx(0.41),
        "sd": pytest.approx(0.01),
        "runs": 3,
    }
    assert said["selection_less_random"]["recall_at_5"]["above"] == 3 and len(said["runs"]) == 7
    table = (tmp_path / "pretrain.md").read_text()
    assert (
        "| selection | 100 | 0.410 ± 0.010 | 0.500 ± 0.000 |" in table
        and "| (guessing) | | 0.100 | 0.250 |" in table
    )
    recall, top1 = list(report.sentences(results))
    assert recall.startswith("recall@5: the selection is 0.099 above as many at random") and recall.endswith(
        "3 of 3 seeds"
    )
    assert top1.endswith("which may be chance")
    # Three standard errors of three seeds are not much; of twenty they are.
    for count, sure in ((3, False), (20, True)):
        apart = [0.1 + 0.1 * np.sqrt(count) / 3 * np.sqrt((count - 1) / count) * (-1) ** at for at in range(count)]
        runs = [result("random", seed, 0.0) for seed in range(count)]
        runs += [result("selection", seed, each) for seed, each in enumerate(apart)]
        assert next(report.sentences(runs)).endswith("chance") != sure
    assert (report.PLOT in [path.name for path in written]) == (importlib.util.find_spec("matplotlib") is not None)
    alone = [each for each in results if each.arm != "random"]
    assert list(report.sentences(alone)) == [] and report.differences(alone) == {}


def test_a_full_disk_is_named(samples: Sequence[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tensors, "write_part", full)
    job = Job(tmp_path, None, form=FORM, tensors=tmp_path / "elsewhere", processes=0)
    with pytest.raises(RunError, match=f"no room left in {tmp_path / 'elsewhere'}"):
        stage.prepared(job, None, None, lambda _: iter(samples))


@pytest.mark.parametrize(
    ("said", "clips", "batch"),
    [
        (None, 100, 64),
        (None, 20, 20),
        ('{"batch_size": 16}', 100, 16),
        ('{"batch_size": 16}', 9, 9),
        ('{"batch_size": 0}', 100, 2),
        ('{"batch_size": 1000}', 100, 64),
        ('{"batch_size": "16"}', 100, None),
        ("[]", 100, None),
        ("{", 100, None),
    ],
)
def test_a_batch_is_as_large_as_clips_and_memory_allow(
    tmp_path: Path, said: str | None, clips: int, batch: int | None
) -> None:
    if said is not None:
        (tmp_path / stage.BATCH).write_text(said)
    job = Job(tmp_path, None, output=tmp_path)
    if batch is None:
        with pytest.raises(RunError, match=r"batch\.json"):
            stage._batch_size(job, clips)
    else:
        assert stage._batch_size(job, clips) == batch


WHOLE_RESULT = {"arm": "random", "seed": 0, "clips": 9, "batch": 4, "steps": 2, "device": "cpu"}


@pytest.mark.parametrize(
    ("said", "is_one"),
    [
        (WHOLE_RESULT | {"losses": [3.4], "measures": {"recall_at_1": 0.5}}, True),
        (WHOLE_RESULT | {"losses": 5, "measures": {}}, False),
        (WHOLE_RESULT | {"losses": [], "measures": []}, False),
        (WHOLE_RESULT | {"losses": ["x"], "measures": {}}, False),
        (WHOLE_RESULT | {"steps": "x", "losses": [], "measures": {}}, False),
        (WHOLE_RESULT, False),
        ([], False),
    ],
)
def test_what_is_a_result(said: Any, is_one: bool) -> None:
    assert (report.read_result(said) is not None) == is_one
