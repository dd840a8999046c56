"""``avclips export``: from a data folder of AVQA, and from shards, to every form; what it says and refuses."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest

from avclips.cli.commands import main
from avclips.datasets.general_avqa import GENERAL_AVQA
from tests.support.made_folder import made_folder

Said = Callable[..., tuple[int, str, str]]
QUESTIONS = {
    "train_qa.json": [
        {"id": n, "video_name": name, "question_text": f"q{n}?", "multi_choice": ["x", "y"], "answer": n % 2}
        for n, name in enumerate(("aaaaaaaaaaa_000001", "aaaaaaaaaaa_000001", "bbbbbbbbbbb_000002"))
    ],
    "val_qa.json": [
        {"id": 0, "video_name": "ccccccccccc_000003", "question_text": "v?", "multi_choice": ["z"], "answer": 0}
    ],
    "vggsound.csv": 'aaaaaaaaaaa,1,"dog, barking",train\nccccccccccc,3,bell,test\n',
}


@pytest.fixture
def avqa(tmp_path: Path) -> Path:
    done, failed = ["aaaaaaaaaaa_000001", "ccccccccccc_000003"], {"bbbbbbbbbbb_000002": "private"}
    return made_folder(GENERAL_AVQA, tmp_path / "avqa", (), QUESTIONS, done, failed)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    def run(*words: object) -> tuple[int, str, str]:
        code = main(["export", *map(str, words)])
        return code, *capsys.readouterr()

    return run


def test_hugging_face(avqa: Path, tmp_path: Path, said: Said) -> None:
    code, out, _ = said(avqa, "--to", "hf", "--output", tmp_path / "out")
    assert code == 0
    assert out.splitlines() == [
        "train: 1 of 2 clips",
        "val: 1 of 1 clips",
        "not here: private 1",
        f"2 files written, 0 were there -> {tmp_path / 'out'}",
    ]
    (row,) = pyarrow.parquet.read_table(tmp_path / "out/data/train-00000-of-00001.parquet").to_pylist()
    assert (row["id"], row["labels"], row["dataset"]) == ("aaaaaaaaaaa_000001", ["dog, barking"], "general_avqa")
    assert [(each["id"], each["question"], each["answer"]) for each in row["questions"]] == [
        ("train/0", "q0?", "x"),
        ("train/1", "q1?", "y"),
    ]
    assert "states no licence" in (tmp_path / "out/README.md").read_text()
    assert said(avqa, "--to", "hf", "--output", tmp_path / "out")[1].endswith(
        f"0 files written, 2 were there -> {tmp_path / 'out'}\n"
    )


def test_the_other_forms(avqa: Path, tmp_path: Path, said: Said) -> None:
    assert said(avqa, "--to", "lhotse", "--output", tmp_path / "l", "--splits", "val")[0] == 0
    (cut,) = gzip.decompress((tmp_path / "l/cuts_val.jsonl.gz").read_bytes()).splitlines()
    assert json.loads(cut)["custom"]["questions"][0]["question"] == "v?"
    assert said(avqa, "--to", "videofolder", "--files", "audio", "--output", tmp_path / "v")[0] == 0
    assert (tmp_path / "v/train/aaaaaaaaaaa_000001.wav").samefile(avqa / "audio/aaaaaaaaaaa_000001.wav")
    (tmp_path / "ids").write_text("ccccccccccc_000003\nnobody\n")
    code, out, _ = said(avqa, "--to", "webdataset", "--ids", tmp_path / "ids", "--output", tmp_path / "w")
    assert code == 0 and "1 of the ids name no clip, nobody is one" in out
    assert sorted(path.name for path in (tmp_path / "w/val").iterdir()) == [
        *("00000.parquet", "00000.tar", "00000_stats.json", "plan.json")
    ]


def test_shards_as_a_source(avqa: Path, tmp_path: Path, said: Said) -> None:
    said(avqa, "--to", "webdataset", "--output", tmp_path / "w")
    shards = tmp_path / "w" / "train"
    code, _, err = said(shards, "--to", "webdataset", "--output", tmp_path / "again")
    assert code == 2 and "are in tars already" in err
    assert said(shards, "--to", "hf", "--output", tmp_path / "h")[0] == 0
    (row,) = pyarrow.parquet.read_table(tmp_path / "h/data/train-00000-of-00001.parquet").to_pylist()
    assert row["video"]["bytes"] == (avqa / "videos/aaaaaaaaaaa_000001.mp4").read_bytes()
    assert row["audio"]["path"] == "aaaaaaaaaaa_000001.wav" and row["labels"] == ["dog, barking"]
    code, _, err = said(shards, "--to", "lhotse", "--output", tmp_path / "l")
    assert code == 2 and "clips are in shards" in err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--to", "hf", "--copy"), "--copy goes with --to videofolder"),
        (("--to", "lhotse", "--samples-per-shard", "3"), "--samples-per-shard goes with --to webdataset"),
        (("--to", "videofolder", "--shard-bytes", "3M"), "--shard-bytes goes with --to hf"),
        (("--to", "hf", "--ids", "nowhere"), "the ids in nowhere cannot be read"),
        (("--to", "hf", "--splits", "train,vaal"), "no clip is in a split 'vaal': did you mean val?"),
    ],
)
def test_what_cannot_be_meant(
    avqa: Path, tmp_path: Path, said: Said, words: tuple[str, ...], complaint: str
) -> None:
    code, out, err = said(avqa, *words, "--output", tmp_path / "out")
    assert code == 2 and out == "" and complaint in err
    assert not (tmp_path / "out" / "data").exists()


def test_no_download(tmp_path: Path, said: Said) -> None:
    code, _, err = said(tmp_path / "nowhere", "--to", "hf", "--output", tmp_path / "out")
    assert code == 1 and "nowhere is no folder" in err and not (tmp_path / "out").exists()
