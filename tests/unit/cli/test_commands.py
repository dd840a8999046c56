"""``avclips COMMAND``: what each word leads to, and what is said of a word that leads nowhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from avclips import __version__
from avclips.cli import commands
from avclips.cli.commands import main
from avclips.datasets.known import DATASETS, dataset_of
from tests.support.script import ROOT

Started = list[tuple[str, list[str]]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """The scripts that a command started, with their words."""
    found: Started = []
    monkeypatch.setattr(sys, "argv", ["avclips"])
    monkeypatch.setattr(commands, "start", lambda name, words: found.append((name, words)) or 7)
    return found


def folder_of(path: Path, dataset: object) -> Path:
    (path / "metadata").mkdir(parents=True)
    (path / "metadata" / "folder.json").write_text(json.dumps({"dataset": dataset}))
    return path


@pytest.mark.parametrize("name", DATASETS)
def test_a_dataset_is_its_script(started: Started, name: str) -> None:
    assert main([name, "--workers", "2"]) == 7
    assert started == [(name, ["--workers", "2"])] and sys.argv[0] == f"avclips {name}"


@pytest.mark.parametrize(
    ("command", "stored", "dataset", "further", "words"),
    [
        ("status", "general_avqa", "general", (), ["--status"]),
        ("status", "clips", "clips", ("--shard", "0/2"), ["--status", "--shard", "0/2"]),
        ("verify", "music_avqa", "music", ("--repair",), ["--verify", "--repair"]),
        ("verify", "acav100m", "acav100m", (), ["--verify"]),
    ],
)
def test_a_look_knows_the_dataset_by_its_folder(
    tmp_path: Path,
    started: Started,
    command: str,
    stored: str,
    dataset: str,
    further: tuple[str, ...],
    words: list[str],
) -> None:
    folder = folder_of(tmp_path, stored)
    assert main([command, str(folder), *further]) == 7
    assert started == [(dataset, ["--data-dir", str(folder), *words])]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no command is named: one of general music audioset vggsound acav100m clips status verify"),
        (["generl"], "there is no command 'generl': did you mean general?"),
        (["stat"], "there is no command 'stat': did you mean status?"),
        (["xyz"], "there is no command 'xyz'"),
        (["--verison"], "there is no option --verison: did you mean --version?; a command comes first"),
        (["status"], "the folder is missing: avclips status DIR\n"),
        (["verify", "--repair", "nowhere"], "the folder is missing: avclips verify DIR [--repair]\n"),
        (["status", "nowhere", "list.csv"], "there is no place for 'list.csv': avclips status DIR\n"),
        (["status", "nowhere", "--data-dir=x"], "--data-dir names the folder a second time: avclips status DIR\n"),
    ],
)
def test_what_leads_nowhere(
    capsys: pytest.CaptureFixture[str], started: Started, words: list[str], said: str
) -> None:
    assert main(words) == 2 and started == []
    assert capsys.readouterr().err.startswith(f"error: {said}")


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("nowhere", "nowhere is no folder\n  is its path right, and its disk mounted?\n"),
        (
            ".",
            ". holds no download: there is no metadata/folder.json that names its dataset\n  name a folder that",
        ),
    ],
)
@pytest.mark.parametrize("command", ["status", "verify", "tables", "flags"])
def test_what_is_no_download(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    folder: str,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command, folder]) == 1
    assert capsys.readouterr().err.startswith(f"error: {said}")


@pytest.mark.parametrize(
    "said",
    [
        "[]",
        "{}",
        '{"dataset": 3}',
        '{"dataset": "other"}',
        "no json",
        "\xff",
        pytest.param("[" * 200_000, id="deep"),
    ],
)
def test_a_folder_that_tells_no_dataset(tmp_path: Path, said: str) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "folder.json").write_text(said, encoding="latin-1")
    with pytest.raises(ValueError, match="names (its|a) dataset"):
        dataset_of(tmp_path)


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str], started: Started) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n  {name} " in said for name in (*DATASETS, "status", "verify"))
    assert main(["--version"]) == 0 and capsys.readouterr().out == f"avclips {__version__}\n"
    assert started == []


def test_as_a_module() -> None:
    """A real process: its help names itself as it was called."""
    said = subprocess.run(
        [sys.executable, "-m", "avclips", "clips", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("usage: avclips clips ")
