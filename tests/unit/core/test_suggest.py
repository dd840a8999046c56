"""The nearest of the known words."""

from __future__ import annotations

from pathlib import Path

import pytest

from avclips.core.suggest import did_you_mean, near_path, nearest

SPLITS = ("eval", "balanced_train", "unbalanced_train")
OPTIONS = ("--splits", "--sleep", "--max-clips", "--max-whole-file", "--audio-rate", "--audio-format", "--cookies")


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("trian", ("train", "val"), "train"),
        ("TRAIN", ("train", "val"), "train"),
        ("--split", OPTIONS, "--splits"),
        ("--audio", OPTIONS, "--audio-rate"),
        ("--max_clips", OPTIONS, "--max-clips"),
        ("--cookie", OPTIONS, "--cookies"),
        # A part of a word, where nothing is nearer.
        ("train", SPLITS, "balanced_train"),
        ("panda", ("acav100m", "panda70m"), "panda70m"),
        # One letter is part of many.
        ("a", SPLITS, None),
        ("xyz", SPLITS, None),
        ("", SPLITS, None),
        ("x", (), None),
    ],
)
def test_nearest(word: str, known: tuple[str, ...], near: str | None) -> None:
    assert nearest(word, known) == near
    assert did_you_mean(word, known) == (f": did you mean {near}?" if near else "")


@pytest.mark.parametrize(
    ("name", "near"),
    [("my_lst.csv", "my_list.csv"), ("My_List.csv", "my_list.csv"), ("other.json", None), ("hidden.csv", None)],
)
def test_a_file_that_was_likely_meant(tmp_path: Path, name: str, near: str | None) -> None:
    for each in ("my_list.csv", ".hidden.csv", "notes.md"):
        (tmp_path / each).touch()
    assert near_path(tmp_path / name) == (tmp_path / near if near else None)
    assert near_path(tmp_path / "nowhere" / name) is None
    assert near_path(tmp_path / "my_list.csv" / name) is None
