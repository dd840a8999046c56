"""The command that goes on with a folder."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from avclips.catalog.again import command_of
from avclips.core.settings import Columns, Settings
from avclips.state.last_settings import remember


def folder_of(tmp_path: Path, dataset: str, **asked: Any) -> Path:
    folder = tmp_path / "my data"
    (folder / "metadata").mkdir(parents=True)
    (folder / "metadata" / "folder.json").write_text(json.dumps({"dataset": dataset}))
    remember(Settings(folder, **asked))
    return folder


COLUMNS = Columns(id="id", caption="what it says", keep=("label", "sound"))


@pytest.mark.parametrize(
    ("dataset", "asked", "words"),
    [
        ("general_avqa", {}, ["general"]),
        ("vggsound", {"splits": ("test",)}, ["vggsound"]),
        ("clips", {"clip_list": ("/a list.csv",)}, ["clips", "/a list.csv"]),
        ("acav100m", {"clip_list": ("/a.csv",), "clip_length": 5.0}, ["acav100m", "/a.csv"]),
        (
            "clips",
            {"clip_list": ("/a.csv", "/b.csv"), "columns": COLUMNS, "delimiter": ";", "encoding": "latin-1"},
            [
                *("clips", "/a.csv", "/b.csv", "--id-col", "id", "--caption-col", "what it says"),
                *("--keep-cols", "label", "sound", "--encoding", "latin-1", "--delimiter", ";"),
            ],
        ),
        (
            "clips",
            {"clip_list": ("dQw4w9WgXcQ",), "preset": "vggsound"},
            ["clips", "dQw4w9WgXcQ", "--preset", "vggsound"],
        ),
    ],
)
def test_it_has_the_list_and_its_columns(
    tmp_path: Path, dataset: str, asked: dict[str, Any], words: list[str]
) -> None:
    folder = folder_of(tmp_path, dataset, **asked)
    expected = [sys.executable, "-m", "avclips", *words, "--data-dir", str(folder)]
    assert shlex.split(command_of(folder)) == expected


def test_a_folder_that_does_not_say(tmp_path: Path) -> None:
    assert command_of(tmp_path) == ""
    # A list with a password in its address is not written down.
    assert command_of(folder_of(tmp_path, "clips", clip_list=("https://me:secret@site.example/list.csv",))) == ""
