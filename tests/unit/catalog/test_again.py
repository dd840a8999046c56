"""The command that goes on with a folder."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from avclips.catalog.again import command_of
from avclips.cli.options import read_settings
from avclips.core.settings import Columns, Settings
from avclips.datasets.known import dataset_named
from avclips.state.last_settings import remember, remembered


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
        ("vggsound", {"splits": ("train", "test")}, ["vggsound"]),
        ("vggsound", {"splits": ("test",)}, ["vggsound", "--splits", "test"]),
        # A folder has clips of one kind, and another is refused.
        ("general_avqa", {"quality": 720, "cut": "copy"}, ["general", "--quality", "720", "--cut", "copy"]),
        (
            "general_avqa",
            {"size": "256x144", "fit": "crop", "fps": "25"},
            ["general", "--fps", "25", "--size", "256x144"],
        ),
        # What is so by itself in one dataset is not in another.
        ("audioset", {"media": "audio", "audio_format": "m4a", "flat": True}, ["audioset", "--flat"]),
        ("audioset", {"media": "both", "audio_format": "m4a"}, ["audioset", "--media", "both"]),
        (
            "audioset",
            {"media": "audio", "audio_format": "m4a", "labels": ("Dog", "/m/068hy"), "strong": True},
            ["audioset", "--labels", "Dog", "/m/068hy", "--strong"],
        ),
        (
            "clips",
            {
                "clip_list": ("/a.csv",),
                "output_format": "parquet",
                "output": "s3://b/x",
                "subtitles": ("en", "de"),
            },
            ["clips", "/a.csv", *"--subtitles en de --output-format parquet --output s3://b/x".split()],
        ),
        ("clips", {"clip_list": ("/a list.csv",)}, ["clips", "/a list.csv"]),
        (
            "acav100m",
            {"clip_list": ("/a.csv",), "output_format": "webdataset", "samples_per_shard": 500},
            ["acav100m", "/a.csv", "--samples-per-shard", "500"],
        ),
        (
            "acav100m",
            # An option that it has not.
            {"clip_list": ("/a.csv",), "output_format": "files", "clip_length": 5.0},
            ["acav100m", "/a.csv", "--output-format", "files"],
        ),
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
    words = shlex.split(command_of(folder))
    assert words == expected
    # And read, it is what was asked for.
    read, _ = read_settings(dataset_named(words[3]), words[4:])
    meant = remembered(Settings(folder), ())
    for name in asked.keys() - ({"clip_length"} if dataset == "acav100m" else set()):
        assert getattr(read, name) == getattr(meant, name), name


def test_every_split_that_was_ever_asked_for_is_named(tmp_path: Path) -> None:
    """A clip that failed may be of any of them."""
    folder = folder_of(tmp_path, "audioset", splits=("eval",), media="audio", audio_format="m4a")
    remember(Settings(folder, splits=("unbalanced_train",), media="audio", audio_format="m4a"))
    assert "--splits eval unbalanced_train --data-dir" in command_of(folder)


def test_an_output_with_a_password_is_not_known(tmp_path: Path) -> None:
    asked = {"output_format": "webdataset", "output": "s3://me:secret@bucket/x"}
    assert command_of(folder_of(tmp_path, "general_avqa", **asked)) == ""


def test_a_folder_that_does_not_say(tmp_path: Path) -> None:
    assert command_of(tmp_path) == ""
    # A list with a password in its address is not written down.
    assert command_of(folder_of(tmp_path, "clips", clip_list=("https://me:secret@site.example/list.csv",))) == ""
