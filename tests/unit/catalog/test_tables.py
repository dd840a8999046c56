"""The tables beside the clips: a row a clip, a line a question, and where loaders of others look for them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from avclips.catalog import clip_table
from avclips.catalog.clip_table import COLUMNS
from avclips.catalog.folder import look_into
from avclips.catalog.tables import write_tables
from avclips.core.errors import RunError, UsageError
from avclips.datasets.audioset import AUDIOSET
from avclips.datasets.clip_list import CLIPS
from avclips.datasets.general_avqa import GENERAL_AVQA
from avclips.datasets.music_avqa import MUSIC_AVQA
from tests.support.made_folder import made_folder
from tests.unit.catalog.test_samples import AVQA, A, B, C, D
from tests.unit.datasets.test_music_avqa import question as music_question


@pytest.fixture
def avqa(tmp_path: Path) -> Path:
    folder = made_folder(GENERAL_AVQA, tmp_path / "data" / "avqa", (), AVQA, done=[C, A], failed={B: "private"})
    write_tables(look_into(folder))
    return folder


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "clips.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# -- clips.csv and clips.parquet -------------------------------------------------------------------------------


def test_a_row_for_each_clip(avqa: Path) -> None:
    found = rows(avqa)
    assert [(row["id"], row["status"], row["reason"]) for row in found] == [
        (A, "done", ""), (B, "failed", "private"), (C, "done", ""), (D, "missing", ""),
    ]  # fmt: skip
    assert found[0] == {
        "id": A, "video": A[:11], "start": "0.0", "end": "10.0", "status": "done", "reason": "",
        "splits": '["train", "val"]', "labels": '["dog, barking"]', "captions": "[]",
        "video_path": f"videos/{A}.mp4", "audio_path": f"audio/{A}.wav", "frame_path": "", "info_path": "",
        "subtitles_paths": "[]", "duration": "10.0", "width": "640", "height": "360", "fps": "25.0",
        "pictures": "250", "samples": "441000", "sample_rate": "44100", "channels": "2", "sha256": "ab",
        "audio_sha256": "cd",
    }  # fmt: skip
    assert (avqa / found[0]["video_path"]).is_file()
    assert found[1]["video_path"] == found[1]["duration"] == found[3]["sha256"] == ""


def test_the_parquet_says_the_same(avqa: Path) -> None:
    table = pyarrow.parquet.read_table(avqa / "clips.parquet")
    assert table.column_names == list(COLUMNS)
    first, second, *_ = table.to_pylist()
    assert first["splits"] == ["train", "val"] and first["labels"] == ["dog, barking"] and first["width"] == 640
    assert second["reason"] == "private" and second["duration"] is None and second["captions"] == []
    assert [str(table.schema.field(name).type) for name in ("start", "fps", "pictures", "sha256")] == [
        "double", "double", "int64", "string",
    ]  # fmt: skip


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
def test_rows_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(clip_table, "_AT_ONCE", at_once)
    folder = made_folder(GENERAL_AVQA, tmp_path / "avqa", (), AVQA, done=[C])
    write_tables(look_into(folder))
    assert [row["id"] for row in pyarrow.parquet.read_table(folder / "clips.parquet").to_pylist()] == [A, B, C, D]
    assert [row["id"] for row in rows(folder)] == [A, B, C, D]


def test_quality_flags_are_columns(tmp_path: Path) -> None:
    flags = {"still": 0.25, "dual_mono": True, "level": None, "hash": "00ff"}
    folder = made_folder(GENERAL_AVQA, tmp_path / "avqa", (), AVQA, done=[A], facts={"flags": flags})
    made_folder(GENERAL_AVQA, folder, (), {}, done=[B], facts={"flags": {"level": -60, "hash": 1}})
    write_tables(look_into(folder))
    table = pyarrow.parquet.read_table(folder / "clips.parquet")
    named = [name for name in table.column_names if name.startswith("flag_")]
    assert table.select(named).to_pylist()[:2] == [
        {"flag_dual_mono": True, "flag_hash": "00ff", "flag_level": None, "flag_still": 0.25},
        {"flag_dual_mono": None, "flag_hash": "1", "flag_level": -60.0, "flag_still": None},
    ]
    assert [rows(folder)[0][name] for name in named] == ["True", "00ff", "", "0.25"]


def test_without_pyarrow_there_is_the_csv(avqa: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parquet of before would say otherwise than the csv."""

    def lacking(module: str, what: str) -> Any:
        raise UsageError(f"{what} by {module}")

    monkeypatch.setattr(clip_table, "extra", lacking)
    write_tables(look_into(avqa))
    assert len(rows(avqa)) == 4 and not (avqa / "clips.parquet").exists()


def test_a_table_that_cannot_be_finished_leaves_the_one_before(
    avqa: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: (avqa / name).read_bytes() for name in ("clips.csv", "clips.parquet", "coverage.json")}
    names = {path.name for path in avqa.iterdir()}
    monkeypatch.setattr(clip_table, "_AT_ONCE", 1)

    def broken(*_: Any) -> list[Any]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(clip_table, "row_of", broken)
    with pytest.raises(OSError, match="No space"):
        write_tables(look_into(avqa))
    assert {name: (avqa / name).read_bytes() for name in before} == before
    assert {path.name for path in avqa.iterdir()} == names


def test_words_of_any_kind(tmp_path: Path) -> None:
    """Commas, quotes, lines and half a letter in a caption."""
    records = [{"url": "aaaaaaaaaaa", "start": 1, "end": 2, "caption": 'a "dog",\nthen \ud83d'}]
    (tmp_path / "list.json").write_text(json.dumps(records))
    folder = made_folder(CLIPS, tmp_path / "mine", [str(tmp_path / "list.json")])
    write_tables(look_into(folder))
    (row,) = pyarrow.parquet.read_table(folder / "clips.parquet").to_pylist()
    assert row["captions"] == ['a "dog",\nthen \\ud83d']
    assert json.loads(rows(folder)[0]["captions"])[0].startswith('a "dog",\nthen')


def test_sound_alone_in_folders_of_its_splits(tmp_path: Path) -> None:
    files = {
        "class_labels_indices.csv": 'index,mid,display_name\n0,/m/0,"Speech, loud"\n',
        "eval_segments.csv": '# x\nabcdefghijk, 0.000, 10.000, "/m/0"\n',
        "balanced_train_segments.csv": '# x\nbbbbbbbbbbb, 30.000, 40.000, "/m/0"\n',
    }
    folder = made_folder(AUDIOSET, tmp_path / "audioset", (), files, done=["abcdefghijk"])
    write_tables(look_into(folder))
    first, _ = rows(folder)
    assert first["video_path"] == "" and first["audio_path"].startswith("audio/eval/")
    assert (folder / first["audio_path"]).is_file()


def test_shards_have_tables_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("url,start,end\naaaaaaaaaaa,1,2\n")
    folder = made_folder(CLIPS, tmp_path / "c", [str(tmp_path / "list.csv"), "--output-format", "webdataset"])
    with pytest.raises(RunError, match="holds shards"):
        write_tables(look_into(folder))


# -- questions, as SAFE looks for them -------------------------------------------------------------------------


def found_by_safe(data_path: Path, split: str) -> Iterator[dict[str, Any]]:
    """What ``AVQADataset(data_path, split=split)`` of SAFE (57c0fa4) finds: the rules of its look-up.

    Four names are tried in turn in ``avqa`` beneath the path; a .jsonl has a record a line, a .json a list, or one
    under "data". Paths of a record lie beneath ``data_path``; an answer that is false is none.
    """
    names = [f"avqa_{split}.jsonl", f"avqa_{split}.json", f"{split}.jsonl", f"{split}.json"]
    path = next((path for name in names if (path := data_path / "avqa" / name).exists()), None)
    if path is None:
        raise FileNotFoundError(data_path)
    text = path.read_text(encoding="utf-8")
    held = (
        [json.loads(line) for line in text.splitlines() if line] if path.suffix == ".jsonl" else json.loads(text)
    )
    for record in held["data"] if isinstance(held, dict) else held:
        paths = {kind: record.get(kind) or record.get(f"{kind}_path") for kind in ("audio", "image")}
        yield {
            "sample_id": record.get("id") or record.get("sample_id"),
            "question": record["question"],
            "answers": record.get("answers") or record.get("answer"),
            **{kind: data_path / name if name else None for kind, name in paths.items()},
        }


def test_safe_finds_its_questions(avqa: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing changed: AVQADataset("./data", split="train")."""
    monkeypatch.chdir(avqa.parent.parent)
    found = list(found_by_safe(Path("./data"), "train"))
    # Those whose clip is here; an answer that is the first of its choices is a text, too.
    assert [(each["sample_id"], each["answers"]) for each in found] == [
        ("train/183", "a cat"),
        ("train/184", "a dog"),
    ]
    assert all(each["audio"].is_file() and each["image"] is None for each in found)
    assert [each["sample_id"] for each in found_by_safe(Path("data"), "val")] == ["val/183", "val/186"]


def test_a_line_of_a_question(avqa: Path) -> None:
    assert lines(avqa / "avqa_train.jsonl")[0] == {
        "id": "train/183", "question": "What is 183?", "choices": ["a dog", "a cat", None, "rain"],
        "answer": "a cat", "answer_index": 1, "question_type": "Which", "question_relation": "View", "clip_id": A,
        "audio": f"avqa/audio/{A}.wav", "video": f"avqa/videos/{A}.mp4", "image": None, "split": "train",
        "label": "dog, barking",
    }  # fmt: skip
    said = json.loads((avqa / "coverage.json").read_text())["questions"]
    assert said == {"train": {"questions": 3, "with_clip": 2}, "val": {"questions": 3, "with_clip": 2}}


def test_questions_of_music(tmp_path: Path) -> None:
    files = {f"avqa-{split}.json": [music_question("00000028"), music_question("00000093")]
             for split in ("train", "val", "test")}  # fmt: skip
    folder = made_folder(MUSIC_AVQA, tmp_path / "music_avqa", (), files, done=["00000028"])
    write_tables(look_into(folder))
    for split in ("train", "val", "test"):
        (line,) = lines(folder / f"music_avqa_{split}.jsonl")
        assert line["video"] == "music_avqa/videos/00000028.mp4" and line["split"] == split
