"""The wheel: installed and run from an empty folder, it is the whole program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.script import ROOT

# What `pip wheel .` reads; of a copy, since it writes beside it.
_SOURCES = ("pyproject.toml", "README.md", "LICENSE", *(path.name for path in ROOT.glob("requirements*.txt")))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in _SOURCES:
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "avclips", copy / "avclips", ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(out), str(copy)], check=True, timeout=100)
    (found,) = out.glob("avclips-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what pip made of the wheel, and nothing else of ours."""
    place = tmp_path_factory.mktemp("site")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, "--target", str(place), str(wheel)], check=True, timeout=100)
    return place


def run(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        words, cwd=folder, env={**environment, "PYTHONPATH": str(installed)},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip


def test_every_module_is_in_it_and_no_test(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel).namelist()
    names = {name for name in held if name.endswith(".py")}
    assert names == {str(path.relative_to(ROOT)) for path in (ROOT / "avclips").rglob("*.py")}
    # Type checkers of others believe our types where it is there.
    assert "avclips/py.typed" in held


def test_the_command(installed: Path, tmp_path: Path) -> None:
    said = run(installed, tmp_path, str(installed / "bin" / "avclips"), "--help")
    assert said.returncode == 0 and said.stdout.startswith("usage: avclips COMMAND"), said.stderr
    by_module = run(installed, tmp_path, sys.executable, "-m", "avclips", "--help")
    assert by_module.stdout == said.stdout


def test_a_list_is_read(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("youtube_id,start,end\ndQw4w9WgXcQ,1,11\n")
    said = run(installed, tmp_path, sys.executable, "-m", "avclips", "clips", "list.csv", "--dry-run")
    assert said.returncode == 0 and "1 clips of 1 videos" in said.stdout, said.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


def test_what_it_requires_is_what_the_file_says(installed: Path, tmp_path: Path) -> None:
    """The file is not there; the metadata are."""
    said = run(installed, tmp_path, sys.executable, "-m", "avclips", "--requirements")
    lines = [line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]

    def plain(lines: list[str]) -> list[str]:
        return sorted(line.replace(" ", "").casefold() for line in lines if line)

    assert plain(said.stdout.splitlines()) == plain(lines), said.stderr
