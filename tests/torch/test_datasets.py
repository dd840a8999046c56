"""Datasets with an index: what an item holds, what is missing, of folders that the real scripts made."""

from __future__ import annotations

import gzip
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import torch
from torch.utils.data import DataLoader

from avclips.catalog.coverage import hash_of
from avclips.core.errors import RunError, UsageError
from avclips.loaders import (
    AudioSetDataset,
    AVQADataset,
    ClipsDataset,
    CombinedDataset,
    MusicAVQADataset,
    VGGSoundDataset,
)
from tests.end_to_end.test_audioset import videos as audioset_videos
from tests.end_to_end.test_music_avqa import EVERY, SPLITS, S, question_files
from tests.end_to_end.test_vggsound import CLIPS
from tests.standin.fake_media import PROGRESSIVE, make
from tests.standin.fake_youtube import Media
from tests.standin.rehearse import PIECES
from tests.support.audioset_lists import annotation_files as audioset_files
from tests.torch.conftest import Run

TRAIN = {piece.clip for piece in PIECES if piece.split == "train"}
DONE = {piece.clip: piece.becomes for piece in PIECES if isinstance(piece.becomes, float)}
FAILED = {piece.clip: piece.becomes for piece in PIECES if isinstance(piece.becomes, str)}


def test_a_question_with_its_clip(avqa: Path) -> None:
    dataset = AVQADataset(avqa, "train", num_frames=4, sample_rate=16_000)
    assert len(dataset) == 5
    item = dataset[0]
    assert item["video"].shape == (4, 3, 360, 640) and item["video"].dtype == torch.uint8
    assert item["audio"].shape == (160_000,) and item["audio"].dtype == torch.float32
    assert item["sample_rate"] == 16_000 and item["has_audio"] is True
    assert item["video_times"].dtype == torch.float64
    clip = "AVrehearsal_000000"
    said = {"id": "train/1", "sample_id": "train/1", "clip_id": clip, "dataset": "general_avqa", "split": "train"}
    said |= {"question": "What is in the video?", "choices": ["a test card", "a cat", "a train", "nothing"]}
    said |= {"answer": "a test card", "answer_index": 0, "answers": "a test card", "difficulty": None}
    said |= {"video_id": "AVrehearsal", "start": 0.0, "duration": pytest.approx(10, abs=0.1)}
    said |= {"label": "made up, with a comma", "label_index": 0, "question_type": "Which"}
    said |= {"video_path": str(avqa / "videos" / f"{clip}.mp4"), "audio_path": str(avqa / "audio" / f"{clip}.wav")}
    assert {key: item[key] for key in said} == said
    # Of the same clip, a question with a choice that is null.
    other = dataset[1]
    assert other["clip_id"] == clip and other["choices"][3] is None and other["answer"] == "a train"
    assert torch.equal(other["video"], item["video"])
    assert [each["id"] for each in dataset] == [f"train/{n}" for n in range(1, 6)]
    assert dataset[-1]["id"] == "train/5"


def test_metadata_opens_no_file(avqa: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import av

    dataset = AVQADataset(avqa, "val")
    whole = dataset[0]
    monkeypatch.setattr(av, "open", None)
    said = dataset.metadata(0)
    decoded = {"video", "video_times", "audio", "sample_rate", "has_audio"}
    assert said.keys() == whole.keys() - decoded
    assert all(said[key] == whole[key] for key in said)
    assert dataset.metadata(-1)["id"] == dataset.metadata(len(dataset) - 1)["id"]
    for index in (len(dataset), -len(dataset) - 1):
        with pytest.raises(IndexError):
            dataset.metadata(index)


def test_what_is_missing_is_named(avqa: Path) -> None:
    for split in ("train", "val"):
        dataset = AVQADataset(avqa, split, load=())
        of_split = {piece.clip for piece in PIECES if piece.split == split}
        assert dataset.missing == {clip: why for clip, why in FAILED.items() if clip in of_split}
        clips = {dataset.metadata(index)["clip_id"] for index in range(len(dataset))}
        assert clips == of_split & DONE.keys()
        asked = sum(piece.questions for piece in PIECES if piece.split == split)
        coverage = dataset.coverage()
        assert coverage["questions"] == {"there": len(dataset), "of": asked}
        assert (coverage["done"], coverage["clips"]) == (len(clips), len(of_split))
        assert coverage["hash"] == hash_of(clips)
        assert coverage["hours"] == pytest.approx(sum(DONE[clip] for clip in clips) / 3600, rel=0.01)


def test_none_for_what_is_missing(avqa: Path) -> None:
    dataset = AVQADataset(avqa, None, missing="none", num_frames=2)
    assert len(dataset) == 12
    for item in dataset:
        there = item["clip_id"] in DONE
        assert (item["video"] is not None) == (item["audio"] is not None) == item["has_audio"] == there
        assert (item["video_path"] is not None) == there
    assert dataset.coverage()["questions"] == {"there": 8, "of": 12}


def test_an_error_for_what_is_missing(avqa: Path) -> None:
    with pytest.raises(RunError, match="1 of 5 clips are not there: 1 private") as caught:
        AVQADataset(avqa, "train", missing="error")
    assert "skip" in caught.value.hint
    ClipsDataset(avqa, ids=DONE, missing="error")


def test_exports(avqa: Path, tmp_path: Path) -> None:
    dataset = AVQADataset(avqa, "val", missing="none", load=())
    dataset.to_hf(tmp_path / "hf")
    (table,) = (tmp_path / "hf" / "data").glob("*.parquet")
    found = pyarrow.parquet.read_table(table).column("id").to_pylist()
    assert set(found) == DONE.keys() - TRAIN
    dataset.to_lhotse(tmp_path / "lhotse")
    lines = gzip.decompress((tmp_path / "lhotse" / "recordings_val.jsonl.gz").read_bytes()).splitlines()
    assert {json.loads(line)["id"] for line in lines} == DONE.keys() - TRAIN


def test_paths_alone(avqa: Path) -> None:
    item = ClipsDataset(avqa, load=())[0]
    assert not item.keys() & {"video", "audio", "image"} and Path(item["video_path"]).is_file()


def test_bytes_alone(avqa: Path) -> None:
    item = ClipsDataset(avqa, load=("bytes",))[0]
    assert item["files"]["video"] == Path(item["video_path"]).read_bytes()
    assert item["files"]["audio"] == Path(item["audio_path"]).read_bytes()


def test_the_folder_above_as_safe_takes_it(avqa: Path) -> None:
    assert len(AVQADataset(data_path=avqa.parent, split="train", load=())) == 5
    with pytest.raises(UsageError, match="is the folder above avqa"):
        AVQADataset(avqa.parent)
    with pytest.raises(UsageError, match="data_path is the folder"):
        AVQADataset(avqa, data_path=avqa.parent)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"split": "test"}, "in the split 'test'"),
        ({"load": "video"}, "load='video' is none of ours"),
        ({"load": ("film",)}, "none of ours"),
        ({"missing": "drop"}, "missing='drop' is none of skip, none, error"),
        ({"decoder": "decord"}, "decoder='decord' is none of"),
        ({"fps": 4, "num_frames": 9}, "num_frames and fps both say"),
        ({"num_frames": 0}, "num_frames=0 is nothing to load"),
        ({"size": (10, 0)}, "size=0 is nothing to load"),
        ({"ids": ["nobody"]}, "none of the 1 ids is in"),
        ({"ids": "/no/such/file"}, "no/such/file"),
        ({"drop_flags": ("stil",)}, "no such flag"),
    ],
)
def test_what_cannot_be_meant(avqa: Path, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        AVQADataset(avqa, **arguments)


def test_a_folder_of_another_dataset(avqa: Path) -> None:
    with pytest.raises(UsageError, match="is a folder of general_avqa, not of vggsound"):
        VGGSoundDataset(avqa)
    with pytest.raises(RunError, match="is no folder"):
        ClipsDataset(avqa / "nowhere")


def test_ids_of_a_file(avqa: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wanted = [*sorted(DONE)[:3], "nobody_000000"]
    (tmp_path / "ids.txt").write_text("\n".join(wanted) + "\n\n")
    dataset = ClipsDataset(avqa, ids=tmp_path / "ids.txt", load=())
    assert sorted(item["id"] for item in dataset) == wanted[:3]
    assert "1 of 4 ids are not in the list" in caplog.text


def test_a_transform_is_applied_last(avqa: Path) -> None:
    dataset = ClipsDataset(avqa, load=("audio",), transform=lambda item: (item["id"], len(item["audio"])))
    assert dict(dataset[index] for index in range(len(dataset))).keys() == DONE.keys()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_batch(avqa: Path, workers: int) -> None:
    dataset = AVQADataset(avqa, "val", missing="none", num_frames=2, size=(32, 48), sample_rate=8000)
    loader = DataLoader(dataset, batch_size=6, num_workers=workers, collate_fn=dataset.collate)
    (batch,) = list(loader)
    there = batch["has_audio"]
    assert there.tolist() == [clip in DONE for clip in batch["clip_id"]]
    lengths = [round(DONE[clip] * 8000) if clip in DONE else 0 for clip in batch["clip_id"]]
    assert batch["audio_lengths"].tolist() == pytest.approx(lengths, abs=400)
    assert batch["audio"].shape == (6, max(batch["audio_lengths"]))
    assert not batch["audio"][~there].any() and batch["audio"][there].any()
    # Not all of them have pictures.
    assert [each is not None for each in batch["video"]] == there.tolist()
    assert batch["answer_index"].dtype == torch.int64 and len(batch["question"]) == 6
    whole = AVQADataset(avqa, "val", num_frames=2, size=(32, 48), sample_rate=8000)
    (batch,) = DataLoader(whole, batch_size=3, collate_fn=whole.collate, num_workers=workers)
    assert batch["video"].shape == (3, 2, 3, 32, 48)


def test_an_image(avqa: Path) -> None:
    pytest.importorskip("PIL")
    dataset = ClipsDataset(avqa, load=("image",), size=(90, 160), ids=["AVtwoclips1_000017"])
    (item,) = dataset
    assert item["image"].shape == (3, 90, 160) and item["images"].size == (160, 90)
    middle = ClipsDataset(avqa, num_frames=1, size=(90, 160), ids=["AVtwoclips1_000017"])[0]["video"][0]
    assert torch.equal(item["image"], middle)


def test_a_dataset_goes_to_spawned_workers(avqa: Path) -> None:
    dataset = AVQADataset(avqa, "val", load=())
    again = pickle.loads(pickle.dumps(dataset))
    assert [item["id"] for item in again] == [item["id"] for item in dataset]


def test_clips_in_shards(avqa: Path, avqa_shards: Path) -> None:
    """A tar's members by their places in it, a table's cells by their rows: the same as single files."""
    for split in ("train", "val"):
        options: Any = {"num_frames": 3, "sample_rate": 16_000}
        files, shards = AVQADataset(avqa, split, **options), AVQADataset(avqa_shards, split, **options)
        assert shards.missing == files.missing and len(shards) == len(files)
        for one, other in zip(files, shards, strict=True):
            assert torch.equal(one["video"], other["video"]) and torch.equal(one["audio"], other["audio"])
            assert one["id"] == other["id"] and other["video_path"] is None
    # Without the folder that they were made from, an output is a list of clips.
    output = ClipsDataset(avqa_shards / "shards", "val", load=("audio",))
    assert {item["id"] for item in output} == DONE.keys() - TRAIN


def test_labels_of_vggsound(vggsound: Path) -> None:
    dataset = VGGSoundDataset(vggsound, "train", num_frames=2)
    assert dataset.classes == ["dog barking", "playing violin, fiddle", "race car, auto racing"]
    labels = [(item["label"], item["label_index"]) for item in dataset]
    assert labels == [(CLIPS[0].meta["label"], 1), (CLIPS[3].meta["label"], 2)]
    assert {item["split"] for item in dataset} == {"train"}
    assert len(VGGSoundDataset(data_path=vggsound.parent, split=None)) == 4
    both = CombinedDataset([dataset, VGGSoundDataset(vggsound, "test", num_frames=2)])
    assert len(both) == 4 and both.metadata(-1)["label"] == "dog barking" == both[2]["label"]
    batch = both.collate([both[0], both[3]])
    assert batch["video"].shape == (2, 2, 3, 360, 640) and both.missing == [{}, {}]


def test_audioset_is_sound_with_several_labels(run: Run) -> None:
    folder = run("audioset", "download_audioset.py", audioset_files(), audioset_videos())
    with pytest.raises(UsageError, match="none of the 2 clips of .* has video"):
        AudioSetDataset(folder)
    dataset = AudioSetDataset(folder, "eval", load=("audio",), sample_rate=32_000, seconds=10)
    # As class_labels_indices.csv has them.
    assert dataset.classes[:2] == ["Speech", "Male speech, man speaking"]
    found = {item["id"]: item for item in dataset}
    assert found["-evalclip01"]["label_indices"] == [0, 1]
    assert {item["audio"].shape for item in found.values()} == {(320_000,)}


def test_music_avqa(run: Run, media_folder: Path, tmp_path: Path) -> None:
    videos = {clip: Media(duration=2.0, fps=5, seed=seed) for seed, clip in enumerate(EVERY, 1)}
    for clip, media in videos.items():
        (tmp_path / f"{clip}.mp4").write_bytes(make(media, PROGRESSIVE, media_folder).read_bytes())
    options = ("--archives", tmp_path)
    folder = run("music_avqa", "download_music_avqa.py", question_files(SPLITS), {}, *options)
    dataset = MusicAVQADataset(data_path=folder.parent, split="train", num_frames=3)
    assert len(dataset) == 3 and dataset.answers == ["no"]
    item = dataset[2]
    assert item["clip_id"] == S and item["video"].shape == (3, 3, 360, 640) and item["duration"] == 2.0
    said = {"id": "train/3", "question": "Are there cello sound?", "question_type": "Counting"}
    said |= {"question_relation": "Audio", "answer": "no", "answer_index": 0, "choices": ["no"], "answers": "no"}
    assert {key: item[key] for key in said} == said
    assert [each["clip_id"] for each in MusicAVQADataset(folder, "test", load=())] == SPLITS["test"]


def test_clips_with_a_flag_are_left_out(avqa: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "avqa"
    shutil.copytree(avqa, folder)
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    still, moving, *_ = sorted(DONE)
    for line in lines:
        # As of a run with --flags none, but for two.
        line.pop("flags", None)
        if line["id"] in (still, moving):
            line["flags"] = {"still": 0.99 if line["id"] == still else 0.0, "level": -20.0}
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    dataset = ClipsDataset(folder, load=(), drop_flags=("still", "silent"))
    assert dataset.dropped == {still: ("still",)} and {item["id"] for item in dataset} == DONE.keys() - {still}
    assert dataset.coverage()["dropped"] == 1 and dataset.coverage()["clips"] == len(PIECES)
    assert "5 of 7 clips have no quality flags, and stay" in caplog.text
    assert len(ClipsDataset(folder, load=(), drop_flags=("silent",))) == len(DONE)
    for line in lines:
        line.pop("flags", None)
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(UsageError, match="have no quality flags"):
        ClipsDataset(folder, load=(), drop_flags=("still",))
