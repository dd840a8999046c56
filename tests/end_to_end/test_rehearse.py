"""The rehearsal's own words: where it works, and what it leaves. What it runs is tested in test_run.py."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.standin import rehearse


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A rehearsal whose stand-in and script only leave folders; ``wrong``: what is found of the result."""
    found: dict[str, Any] = {"wrong": []}

    @contextlib.contextmanager
    def youtube(media: Path, *_: Any, **__: Any) -> Iterator[SimpleNamespace]:
        media.mkdir()
        yield SimpleNamespace(proxy="http://127.0.0.1:1", environment=lambda proxy: {})

    def run(command: list[str], _: dict[str, str]) -> tuple[int, str]:
        folder = Path(command[command.index("--data-dir") + 1])
        (folder / "videos").mkdir(parents=True)
        return 0, ""

    monkeypatch.setattr(rehearse, "FakeYouTube", youtube)
    monkeypatch.setattr(rehearse, "run", run)
    monkeypatch.setattr(rehearse, "wrong", lambda *_: found["wrong"])
    return found


@pytest.mark.parametrize(
    ("options", "wrong", "code", "left"),
    [
        ([], [], 0, set()),
        (["--keep"], [], 0, {"avqa"}),
        ([], ["a clip did not come"], 1, {"avqa", "media"}),
        (["--keep"], ["a clip did not come"], 1, {"avqa", "media"}),
    ],
)
def test_what_is_left(
    staged: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    options: list[str],
    wrong: list[str],
    code: int,
    left: set[str],
) -> None:
    staged["wrong"] = wrong
    monkeypatch.setattr("sys.argv", ["rehearse", str(tmp_path / "place"), *options])
    assert rehearse.main() == code
    said, folders = capsys.readouterr().out, list((tmp_path / "place").iterdir())
    assert {path.name for folder in folders for path in folder.iterdir()} == left
    assert all(str(folder) in said for folder in folders)
    assert ("went well" in said) is (code == 0)


def test_a_file_is_no_folder_to_work_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("sys.argv", ["rehearse", str(tmp_path / "file")])
    assert rehearse.main() == 2 and "is not a folder to work in" in capsys.readouterr().err
