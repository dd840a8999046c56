"""Folders for VideoFolder and AudioFolder: links or copies, lines of one type, nothing of an earlier export."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avclips.catalog.sample import Place
from avclips.core.errors import RunError, UsageError
from avclips.exports.folder import to_folder
from tests.support.samples_of import done, failed


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]


def test_files_are_links_and_their_lines_have_one_type(tmp_path: Path) -> None:
    samples = [
        done(tmp_path, "a1", captions=("a dog",), meta={"n": 1, "my_file_name": "x.mp4"}),
        done(tmp_path, "a2", labels=()),
        done(tmp_path, "b1", ["val"]),
        failed("a3"),
    ]
    exported = to_folder(samples, tmp_path / "out", questions={"a1": [{"question": "who?"}]})
    assert (exported.clips, exported.written) == ({"train": 2, "val": 1}, 3)
    assert (tmp_path / "out/train/a1.mp4").samefile(tmp_path / "videos/a1.mp4")
    first, second = lines(tmp_path / "out" / "train")
    assert (first["file_name"], first["id"], second["file_name"]) == ("a1.mp4", "a1", "a2.mp4")
    assert json.loads(first["questions"]) == [{"question": "who?"}] and second["questions"] == ""
    # A reader would take it for a file.
    assert first["my_filename"] == "x.mp4" and "my_file_name" not in first
    types = [{name: type(value) for name, value in line.items()} for line in (first, second)]
    assert types[0] == types[1] and type(None) not in types[0].values()
    assert "val/**" in (tmp_path / "out" / "README.md").read_text()


def test_sounds_alone_and_what_has_none(tmp_path: Path) -> None:
    silent = done(tmp_path, "a2")
    silent = replace(silent, files={"video": silent.files["video"]})
    exported = to_folder([done(tmp_path, "a1"), silent], tmp_path / "out", files="audio")
    assert sorted(path.name for path in (tmp_path / "out" / "train").iterdir()) == ["a1.wav", "metadata.jsonl"]
    assert exported.left_out == {"a2": "it has no file of sound"}
    with pytest.raises(RunError, match="no clip with a file of audio"):
        to_folder([silent], tmp_path / "none", files="audio")
    with pytest.raises(UsageError, match="another export"):
        to_folder([silent], tmp_path / "out", files="video")


@pytest.mark.parametrize("how", ["asked", "another disk"])
def test_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    samples, out = [done(tmp_path, "a1")], tmp_path / "out"
    if how == "another disk":

        def refused(*_: object) -> None:
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(os, "link", refused)
    for written in (1, 0):
        exported = to_folder(samples, out, copy=how == "asked")
        assert (exported.written, exported.kept) == (written, 1 - written)
    copied, source = out / "train" / "a1.mp4", tmp_path / "videos" / "a1.mp4"
    assert copied.read_bytes() == source.read_bytes() and not copied.samefile(source)


def test_a_link_becomes_a_copy_where_that_is_asked_for(tmp_path: Path) -> None:
    samples, out = [done(tmp_path, "a1")], tmp_path / "out"
    to_folder(samples, out)
    assert to_folder(samples, out).kept == 1
    assert to_folder(samples, out, copy=True).written == 1
    assert not (out / "train/a1.mp4").samefile(tmp_path / "videos/a1.mp4")


@pytest.mark.parametrize("copy", [False, True])
def test_what_is_a_symbolic_link_in_the_download_is_a_file_in_the_export(tmp_path: Path, copy: bool) -> None:
    samples, out = [done(tmp_path, "a1")], tmp_path / "out"
    source = tmp_path / "videos" / "a1.mp4"
    content = source.read_bytes()
    source.rename(tmp_path / "elsewhere.mp4")
    source.symlink_to("../elsewhere.mp4")
    for written in (1, 0):
        assert to_folder(samples, out, copy=copy).written == written
        made = out / "train" / "a1.mp4"
        assert not made.is_symlink() and made.read_bytes() == content
    assert source.is_symlink()


def test_what_is_no_longer_asked_for_goes_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    samples, out = [done(tmp_path, "a1"), done(tmp_path, "a2"), done(tmp_path, "b1", ["val"])], tmp_path / "out"
    to_folder(samples, out)
    (out / "train" / "mine.txt").write_text("mine")
    to_folder(samples, out, ids=["a1"])
    found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file() and path.name[0] != "."}
    assert found == {"README.md", "train/a1.mp4", "train/metadata.jsonl", "train/mine.txt"}
    assert (tmp_path / "videos" / "a2.mp4").exists()


def test_out_of_shards(tmp_path: Path) -> None:
    sample = done(tmp_path, "a1", size=300)
    picture = (tmp_path / "videos" / "a1.mp4").read_bytes()
    (tmp_path / "00000.tar").write_bytes(b"x" * 512 + picture + b"y" * 512)
    place = Place(str(tmp_path / "00000.tar"), 512, len(picture))
    to_folder([replace(sample, files={"video": place})], tmp_path / "out")
    assert (tmp_path / "out" / "train" / "a1.mp4").read_bytes() == picture
    short = replace(sample, id="a2", files={"video": replace(place, size=2000)})
    with pytest.raises(RunError, match="ends before byte"):
        to_folder([short], tmp_path / "other")
    assert not list((tmp_path / "other" / "train").iterdir())
