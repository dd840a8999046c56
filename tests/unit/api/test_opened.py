"""A download that is looked at: its clips in order, by place and by id, its coverage and its questions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import avclips
from avclips import RunError, open_dataset
from avclips.datasets.general_avqa import GENERAL_AVQA
from tests.support.made_folder import made_folder
from tests.support.script import ROOT

A, B, C = "aaaaaaaaaaa_000001", "bbbbbbbbbbb_000002", "ccccccccccc_000003"


def record(number: int, name: str) -> dict[str, object]:
    return {"id": number, "video_name": name, "question_text": f"q{number}?", "multi_choice": ["x"], "answer": 0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"train_qa.json": [record(1, A), record(2, A), record(3, B)], "val_qa.json": [record(4, C)]}
    return made_folder(GENERAL_AVQA, tmp_path / "avqa", (), files, [A], {B: "private"})


def test_its_clips(folder: Path) -> None:
    opened = open_dataset(folder)
    assert [(each.id, each.status) for each in opened] == [(A, "done"), (B, "failed"), (C, "missing")]
    assert len(opened) == 3 and opened[0].id == A and opened[-1].id == C
    assert [each.id for each in opened[1:]] == [B, C]
    assert opened[B].reason == "private" and opened.get("nobody") is None
    assert A in opened and "nobody" not in opened and opened[0] in opened
    with pytest.raises(KeyError):
        opened["nobody"]
    assert [each.id for each in opened.done()] == [A] and list(opened.done("val")) == []


def test_how_much_is_here_and_the_questions(folder: Path) -> None:
    opened = open_dataset(str(folder))
    said = opened.coverage()
    assert {split: (part["done"], part["clips"]) for split, part in said["splits"].items()} == {
        "train": (1, 2),
        "val": (0, 1),
    }
    assert [each["id"] for each in opened.questions("train")] == ["train/1", "train/2", "train/3"]
    assert len(list(opened.questions())) == 4


def test_what_came_meanwhile_is_seen_when_it_is_asked_for(folder: Path) -> None:
    opened = open_dataset(folder)
    assert len(list(opened.done())) == 1
    (folder / "videos" / f"{A}.mp4").unlink()
    # Not kept so far: it is read anew.
    assert list(opened.done()) == []
    assert len(opened) == 3 and opened[A].status == "missing"
    (folder / "videos" / f"{A}.mp4").write_bytes(bytes(100))
    assert opened[A].status == "missing"
    opened.refresh()
    assert opened[A].status == "done"


@pytest.mark.parametrize("made", ["nothing", "no download", "another dataset"])
def test_what_is_no_download_is_said_at_once(tmp_path: Path, made: str) -> None:
    if made == "another dataset":
        (tmp_path / "x" / "metadata").mkdir(parents=True)
        (tmp_path / "x" / "metadata" / "folder.json").write_text('{"dataset": "of tomorrow"}')
    elif made == "no download":
        (tmp_path / "x").mkdir()
    with pytest.raises(RunError) as caught:
        open_dataset(tmp_path / "x")
    assert str(tmp_path / "x") in str(caught.value) and caught.value.hint


LIGHT = """
import sys
import avclips
heavy = {"yt_dlp", "torch", "tqdm", "requests", "pyarrow", "numpy", "av"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert {"download", "open_dataset", "Settings"} <= set(dir(avclips))
opened = avclips.open_dataset(sys.argv[1])
len(opened), opened[0].files
assert not {"yt_dlp", "torch", "pyarrow", "numpy", "av"} & set(sys.modules), set(sys.modules)
"""


def test_a_look_needs_neither_torch_nor_yt_dlp(folder: Path) -> None:
    subprocess.run([sys.executable, "-c", LIGHT, str(folder)], check=True, cwd=ROOT)


def test_every_name_is_there_and_is_typed() -> None:
    for name in avclips.__all__:
        assert getattr(avclips, name) is not None
    assert Path(avclips.__file__).with_name("py.typed").is_file()
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        _ = avclips.nothing_of_ours
