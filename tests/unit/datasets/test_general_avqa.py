"""General AVQA: records and rows as they come, and what becomes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import RunError
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.datasets.general_avqa import GENERAL_AVQA, read_clips, read_questions
from avclips.datasets.vggsound import read_labels


def question(name: Any, **more: Any) -> dict[str, Any]:
    """A record in the schema of AVQA's files."""
    return {
        "id": 1,
        "video_name": name,
        "video_id": 1395,
        "question_text": "What is the main source of sound?",
        "multi_choice": ["motorcycle", "lawn mower", "crackle", "eletric razor"],
        "answer": 3,
        "question_relation": "View",
        "question_type": "Come From",
        **more,
    }


def write(folder: Path, split: str, records: list[Any]) -> None:
    (folder / f"{split}_qa.json").write_text(json.dumps(records, indent=4))


def clip(name: str, start: float, *splits: str, **meta: str) -> Clip:
    return Clip(name, name[:11], start, start + 10.0, {"splits": list(splits), **meta})


A, B, C = "06GyG4-wONQ_000006", "-_abcdefghi_000123", "_-bcdefghij_123456"


def test_clips_of_both_splits_each_once_in_the_files_order(tmp_path: Path) -> None:
    write(tmp_path, "train", [question(B), question(A), question(B), question(A, multi_choice=None)])
    write(tmp_path, "val", [question(C), question(A, multi_choice=[None, "x"], answer=None)])
    listing = read_clips(tmp_path, ("train", "val"))
    assert list(listing.clips) == [clip(B, 123.0, "train"), clip(A, 6.0, "train", "val"), clip(C, 123456.0, "val")]
    assert listing.skipped == []
    assert [each.id for each in read_clips(tmp_path, ("val",)).clips] == [C, A]
    assert [each.id for each in read_clips(tmp_path, ("val", "train")).clips] == [C, A, B]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
def test_other_peoples_copies(tmp_path: Path, newline: str, bom: bytes) -> None:
    text = json.dumps([question(A, question_text="é")], indent=4, ensure_ascii=False)
    (tmp_path / "train_qa.json").write_bytes(bom + text.replace("\n", newline).encode())
    rows = ['06GyG4-wONQ,6,"playing violin, fiddle",train', "other,1,x,test"]
    (tmp_path / "vggsound.csv").write_bytes(bom + "".join(row + newline for row in rows).encode())
    found = list(read_clips(tmp_path, ("train",)).clips)
    assert found == [clip(A, 6.0, "train", label="playing violin, fiddle", vggsound_split="train")]


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ({"id": 1, "video_id": 1395}, "no video_name"),
        (question(None), "no video_name"),
        (question(1395), "no video_name"),
        (question(["06GyG4-wONQ_000006"]), "no video_name"),
        ("06GyG4-wONQ_000006", "no video_name"),
        (None, "no video_name"),
        ([], "no video_name"),
        *[
            (question(name), f"{name[:60]!r} is not a YouTube id, '_' and six digits")
            for name in (
                "",
                "06GyG4-wONQ",
                "06GyG4-wONQ_6",
                "06GyG4-wONQ_0000006",
                "06GyG4-wON_000006",
                "06GyG4-wONQ-000006",
                "06GyG4-wONQ_00000a",
                "06GyG4-wONQ_000006\n",
                " 06GyG4-wONQ_000006",
                "../x",
                "../../../xy_000006",
                "a/b",
                "06GyG4/wONQ_000006",
                "06GyG4.wONQ_000006",
                "06GyG4\0wONQ_000006",
                "06GyG4éwONQ_000006",
                "x" * 300,
            )
        ],
    ],
)
def test_a_record_that_names_no_clip_is_left_out(tmp_path: Path, record: Any, why: str) -> None:
    write(tmp_path, "train", [question(A), record, question(B)])
    listing = read_clips(tmp_path, ("train",))
    assert [each.id for each in listing.clips] == [A, B]
    assert listing.skipped == [f"train_qa.json, record 2: {why}"]
    write(tmp_path, "train", [record])
    with pytest.raises(RunError) as caught:
        read_clips(tmp_path, ("train",))
    assert str(caught.value).endswith(f"names a clip; the first: train_qa.json, record 1: {why}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"video_name": "06GyG4-wONQ_0000', "is not whole JSON: Unterminated string starting at at line 1"),
        ("{}", "holds a dict, not a list of questions"),
        ('"x"', "holds a str, not a list of questions"),
        ("null", "holds a NoneType, not a list of questions"),
        ("[]", "is an empty list"),
        (None, "cannot be read: No such file or directory"),
    ],
)
@pytest.mark.parametrize("name", ["train_qa.json", ".train_qa.json.part"])
def test_a_file_that_is_none(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(RunError) as caught:
        read_questions(path)
    assert str(caught.value).startswith(f"{path} {message}")
    address = "https://raw.githubusercontent.com/AlyssaYoung/AVQA/main/data/annotation/train_qa.json"
    assert caught.value.hint == f"delete it and run again, or get it from {address}"


def test_labels(tmp_path: Path) -> None:
    path = tmp_path / "vggsound.csv"
    path.write_text(
        '---g-f_I2yQ,1,"people marching, left, right",test\n'
        '\n06GyG4-wONQ,0,"say ""hi""",train\n'
        "06GyG4-wONQ,123456,sea waves,train\n"
    )
    assert read_labels(path) == {
        "---g-f_I2yQ_000001": ("people marching, left, right", "test"),
        "06GyG4-wONQ_000000": ('say "hi"', "train"),
        "06GyG4-wONQ_123456": ("sea waves", "train"),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,1,x,train\nb,2,x\n", ", line 2: not 'YouTube id,start,label,split'"),
        (b"a,1,people marching, left,train\n", ", line 1: not"),
        (b"YouTube id,start seconds,label,split\n", ", line 1: not"),
        (b"a,-1,x,train\n", ", line 1: not"),
        (b"a,1.5,x,train\n", ", line 1: not"),
        (b"<!DOCTYPE html>", ", line 1: not"),
        (b'a,1,"never closed,train\n', ", line 1: unexpected end of data"),
        (b"a,1,caf\xe9,train\n", " cannot be read: "),
        (b"", " is empty"),
        (b"\n\n", " is empty"),
        (None, " cannot be read: "),
    ],
)
def test_a_csv_that_is_none(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "vggsound.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_labels(path)
    assert str(caught.value).startswith(f"{path}{message}")


def test_where_the_files_come_from() -> None:
    assert GENERAL_AVQA.splits == ("train", "val")
    assert [(each.name, each.url, each.needed) for each in GENERAL_AVQA.annotations(Settings(Path("x")))] == [
        *(
            (name, f"https://raw.githubusercontent.com/AlyssaYoung/AVQA/main/data/annotation/{name}", True)
            for name in ("train_qa.json", "val_qa.json")
        ),
        ("vggsound.csv", "https://raw.githubusercontent.com/hche11/VGGSound/master/data/vggsound.csv", False),
    ]
