"""Links in a data folder: those of people are followed, those that stand for what is ours are not."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest

from avclips.core import files, logs
from avclips.core.clock import Clock
from avclips.core.errors import RunError, UsageError
from avclips.core.files import create_whole, move_whole
from avclips.core.settings import Settings
from avclips.core.symlinks import LINKED, see_no_links
from avclips.state.store import Store
from tests.support.data_folder import A, finish

OURS = [
    ".tmp",
    ".lock",
    ".lock.0-of-4",
    ".owner.json",
    "manifest.jsonl",
    "manifest.0-of-4.jsonl",
    "download_progress.json",
    "download_progress.1-of-4.json",
    "failed_downloads.json",
    "clips_download.log",
    "set_aside",
    "spark",
    "metadata/folder.json",
    "metadata/left_out.json",
    "metadata/.x.part",
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What lies behind a link that somebody put into the folder."""
    home = tmp_path / "home"
    (home / "thesis").mkdir(parents=True)
    (home / "thesis" / "text.tex").write_text("three years")
    (home / "notes.txt").write_text("mine")
    return home


def contents(home: Path) -> dict[str, str]:
    return {str(path.relative_to(home)): path.read_text() for path in home.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("kind", ["folder", "file", "nothing"])
def test_what_is_ours_is_no_link(tmp_path: Path, home: Path, name: str, kind: str) -> None:
    data, before = tmp_path / "data", contents(home)
    (data / "metadata").mkdir(parents=True)
    target = {"folder": home, "file": home / "notes.txt", "nothing": home / "none"}[kind]
    (data / name).symlink_to(target)
    store = Store(Settings(data), "clips", Clock())
    with pytest.raises(UsageError, match=f"^{re.escape(str(data / name))} is a symbolic link"):
        store.open()
    store.close()
    assert contents(home) == before and (data / name).is_symlink()
    assert UsageError.exit_code == 2


@pytest.mark.parametrize("name", LINKED)
def test_folders_of_results_may_lie_elsewhere(tmp_path: Path, home: Path, name: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / name).symlink_to(home)
    store = Store(Settings(data), "clips", Clock())
    store.open()
    finish(store, A)
    store.snapshot(force=True)
    store.close()
    assert (data / name).is_symlink() and (home / "thesis" / "text.tex").read_text() == "three years"
    again = Store(Settings(data), "clips", Clock())
    again.open()
    again.close()
    assert set(again.done) == {A.id}


def test_a_link_to_no_folder_is_said(tmp_path: Path, home: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "videos").symlink_to(home / "unmounted")
    with pytest.raises(UsageError, match="videos is a link to no folder"):
        see_no_links(data)


def test_a_final_name_is_not_written_through(tmp_path: Path, home: Path) -> None:
    data = tmp_path / "data"
    store = Store(Settings(data), "clips", Clock())
    store.open()
    (data / "videos" / f"{A.id}.mp4").symlink_to(home / "notes.txt")
    finish(store, A)
    store.close()
    assert contents(home)["notes.txt"] == "mine" and not (data / "videos" / f"{A.id}.mp4").is_symlink()


@pytest.mark.parametrize("format", ["files", "webdataset"])
def test_a_link_is_no_clip_that_is_packed_and_removed(tmp_path: Path, home: Path, format: Any) -> None:
    data = tmp_path / "data"
    store = Store(Settings(data, output_format=format), "clips", Clock())
    store.open()
    finish(store, A)
    store.close()
    path = next((data / "videos").iterdir())
    path.unlink()
    path.symlink_to(home / "notes.txt")
    store.read()
    # People link single files to other disks, too; but nobody's key goes into a shard.
    assert (A.id in store.done) is (format == "files")


def test_a_folder_that_was_moved_is_not_made_again(tmp_path: Path) -> None:
    """The lines of what were published there would go to the manifest that was moved."""
    data = tmp_path / "data"
    store = Store(Settings(data), "clips", Clock())
    store.open()
    data.rename(tmp_path / "moved")
    with pytest.raises(RunError, match="data is no longer there$"):
        finish(store, A)
    assert not store.files.has_space() and not data.exists()
    store.close()


def test_other_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is linked to another disk cannot be renamed into."""
    source, target = tmp_path / "a" / "x", tmp_path / "b" / "x"
    for path in (source, target):
        path.parent.mkdir()
    source.write_text("content")
    replace = os.replace

    def across(one: Path, other: Path) -> None:
        if Path(one).parent != Path(other).parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        replace(one, other)

    monkeypatch.setattr(files.os, "replace", across)
    move_whole(source, target)
    assert target.read_text() == "content" and not source.exists()
    assert [path.name for path in target.parent.iterdir()] == ["x"]


def test_a_log_is_not_for_all(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "a.log"
    for mode in (None, 0o644):
        if mode is not None:
            path.chmod(mode)
        logs._File(path, encoding="utf-8").close()
        assert path.stat().st_mode & 0o007 == 0
    path.unlink()
    path.symlink_to(home / "notes.txt")
    with pytest.raises(UsageError, match="is a symbolic link"):
        logs._File(path, encoding="utf-8")


@pytest.mark.parametrize("links", [True, False])
def test_one_of_many_makes_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    if not links:

        def link(*_: Any, **__: Any) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(files.os, "link", link)
    path = tmp_path / "claim"
    assert create_whole(path, b"first") and not create_whole(path, b"second")
    assert path.read_bytes() == b"first" and [each.name for each in tmp_path.iterdir()] == ["claim"]
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert not create_whole(path, b"x") and not (tmp_path / "elsewhere").exists()
