"""The single files of `make single-file`: alone in an empty folder, they do what the scripts do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.standin import rehearse
from tests.standin.fake_youtube import FakeYouTube
from tests.support.script import ROOT

NAMES = ["download_general_avqa", "download_music_avqa"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the single files alone in it, built from a copy of what they are built from."""
    copy, alone = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("alone")
    for name in ("Makefile", "requirements.txt", *(f"{name}.py" for name in NAMES)):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "avclips", copy / "avclips", ignore=shutil.ignore_patterns("__pycache__"))
    make = ["make", "-C", str(copy), "single-file", f"PYTHON={sys.executable}"]
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    for path in (copy / "dist").iterdir():
        shutil.copy(path, alone)
    shutil.rmtree(copy)
    return alone


def run(
    folder: Path, *words: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    own = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=folder, env={**own, **(environment or {})}, capture_output=True, text=True, timeout=100
    )


def test_one_for_each_script_and_nothing_else_in_them(built: Path) -> None:
    assert sorted(path.name for path in built.iterdir()) == [f"{name}.pyz" for name in NAMES]
    for path in built.iterdir():
        names = zipfile.ZipFile(path).namelist()
        assert {name.partition("/")[0] for name in names} == {"__main__.py", "avclips", "requirements.txt"}
        assert not [name for name in names if "__pycache__" in name]


@pytest.mark.parametrize("script", NAMES)
def test_what_to_install(built: Path, script: str) -> None:
    """It needs nothing installed to say so."""
    said = run(built, "-S", f"{script}.pyz", "--requirements").stdout.splitlines()
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert said == [line for line in lines if line and not line.startswith("#")]
    assert run(ROOT, "-S", f"{script}.py", "--requirements").stdout.splitlines() == said


@pytest.mark.parametrize("script", NAMES)
def test_a_missing_package_is_one_message(built: Path, script: str) -> None:
    for folder, ending in ((built, "pyz"), (ROOT, "py")):
        ended = run(folder, "-S", f"{script}.{ending}", "--status")
        assert (ended.returncode, ended.stdout, "Traceback" in ended.stderr) == (1, "", False)
        assert "is not installed" in ended.stderr and "-m pip install 'yt-dlp[default,deno]" in ended.stderr


def test_it_does_the_rehearsals_job(built: Path, media_folder: Path, tmp_path: Path) -> None:
    videos = {piece.clip[:11]: piece.video for piece in rehearse.PIECES}
    with FakeYouTube(media_folder, videos, files=rehearse.annotation_files()) as youtube:
        words = ["download_general_avqa.pyz", "--data-dir", str(tmp_path / "avqa"), "--proxy", youtube.proxy]
        words += ["--rate-limit", "0", "--sleep", "0", "--state-dir", str(tmp_path / "pace"), "--cut", "copy"]
        ended = run(built, *words, environment=youtube.environment(proxy=""))
        assert youtube.unknown == []
    assert rehearse.wrong(tmp_path / "avqa", ended.returncode, ended.stdout) == []
