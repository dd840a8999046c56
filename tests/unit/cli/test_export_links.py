"""``avclips export`` of a folder that holds links: a stranger's may lead to the user's own files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from avclips.cli.commands import main
from avclips.datasets.general_avqa import GENERAL_AVQA
from tests.support.made_folder import made_folder

NAME = "aaaaaaaaaaa_000001"
QUESTION = {"id": 0, "video_name": NAME, "question_text": "q?", "multi_choice": ["x", "y"], "answer": 0}


def test_a_link_to_elsewhere_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"train_qa.json": [QUESTION], "val_qa.json": [QUESTION], "vggsound.csv": f"{NAME[:11]},1,bell,test\n"}
    folder = made_folder(GENERAL_AVQA, tmp_path / "avqa", (), files, [NAME])

    def export(output: str, *words: str) -> tuple[int, str]:
        code = main(["export", str(folder), "--to", "hf", "--output", str(tmp_path / output), *words])
        return code, capsys.readouterr().err

    # A folder of results may lie on another disk.
    shutil.move(folder / "audio", tmp_path / "disk")
    (folder / "audio").symlink_to(tmp_path / "disk")
    assert export("out")[0] == 0
    film = folder / "videos" / f"{NAME}.mp4"
    shutil.move(film, tmp_path / "elsewhere.mp4")
    film.symlink_to(tmp_path / "elsewhere.mp4")
    code, said = export("out2")
    assert code == 1 and f"{film} is a link that leads out of {folder}" in said and "--follow-links" in said
    assert export("out3", "--follow-links")[0] == 0


def test_what_is_refused_is_left_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "mine.txt").write_text("mine")
    for words in (
        ["export", str(plain), "--to", "hf", "--output", str(tmp_path / "new")],
        ["explore", str(plain)],
    ):
        assert main(words) == 1
        assert "is neither a data folder nor an output of shards" in capsys.readouterr().err
    folder = made_folder(
        GENERAL_AVQA, tmp_path / "avqa", (), {"train_qa.json": [QUESTION], "val_qa.json": [QUESTION]}, [NAME]
    )
    assert main(["export", str(folder), "--to", "hf", "--output", str(plain)]) == 2
    assert "is not empty: it has mine.txt" in capsys.readouterr().err
    assert [path.name for path in plain.iterdir()] == ["mine.txt"]
