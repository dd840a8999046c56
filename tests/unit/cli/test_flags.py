"""avclips flags and avclips duplicates, on folders as runs leave them."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from avclips.catalog import samples
from avclips.cli.commands import main
from avclips.core.signals import Signals
from avclips.datasets.clip_list import CLIPS
from avclips.quality.thresholds import raised
from avclips.state.manifest import Manifest, finished
from tests.standin.fake_media import ffmpeg
from tests.support.made_files import AAC, PLAIN, made
from tests.support.made_folder import made_folder

MOVING = "testsrc2=size=96x64:rate=10:duration=4"
HEARD = {"a": "sin(2000*t+400*sin(2*t))/3", "b": "(random(0)-0.5)*exp(-3*mod(t,0.7))", "c": "sin(900*t*t)/2"}
SOUNDS = {name: f"aevalsrc='{sound}':s=22050:d=4" for name, sound in HEARD.items()}
PICTURES = {"a": MOVING, "b": "color=black:size=96x64:rate=10:duration=4", "c": f"{MOVING},hflip,negate"}


@pytest.fixture
def no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avclips.cli.tools.Signals", lambda: Signals(take=False))


@pytest.fixture
def folder(tmp_path: Path, media_folder: Path, no_signals: None) -> Path:
    """Three clips without flags, and a copy of the first."""
    rows = "id,url,start,end\n" + "".join(f"{name},{name * 11},0,4\n" for name in "abcd")
    (tmp_path / "list.csv").write_text(rows)
    folder = made_folder(CLIPS, tmp_path / "data", [str(tmp_path / "list.csv")], done=list("abcd"))
    for name in "abcd":
        source = "a" if name == "d" else name
        words = ["-f", "lavfi", "-i", PICTURES[source], "-f", "lavfi", "-i", SOUNDS[source]]
        film = made(media_folder, "mp4", *words, *PLAIN, *AAC)
        shutil.copy(film, folder / "videos" / f"{name}.mp4")
        shutil.copy(made(media_folder, "wav", "-i", film), folder / "audio" / f"{name}.wav")
    return folder


def flags_of(folder: Path) -> dict[str, Any]:
    return {clip_id: line.get("flags") for clip_id, line in finished([folder / "manifest.jsonl"]).items()}


def run(*words: str | Path) -> int:
    return main([str(word) for word in words])


def measure(folder: Path, *words: str) -> int:
    return run("flags", folder, "--ffmpeg", ffmpeg(), *words)


def test_flags_are_measured_later(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = finished([folder / "manifest.jsonl"])
    assert flags_of(folder) == dict.fromkeys("abcd") and run("duplicates", folder) == 1
    assert "avclips flags DIR" in capsys.readouterr().err
    assert measure(folder) == 0
    assert "Flags of 4 clips were measured" in capsys.readouterr().out
    found = flags_of(folder)
    assert raised(found["b"]) == {"still", "black"} and raised(found["a"]) == set()
    after = finished([folder / "manifest.jsonl"])
    # What was said before stands, and one word more was said.
    for clip_id, line in before.items():
        assert after[clip_id] == {**line, "flags": found[clip_id], "turn": 2}
    assert {sample.id: sample.facts["flags"] for sample in samples(folder)} == found


def test_what_is_there_is_not_measured_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(folder, "--workers", "1") == 0
    once = (folder / "manifest.jsonl").read_bytes()
    assert measure(folder) == 0 and (folder / "manifest.jsonl").read_bytes() == once
    assert "Flags of 0 clips were measured" in capsys.readouterr().out
    assert measure(folder, "--again") == 0
    assert (folder / "manifest.jsonl").read_bytes().count(b'"turn": 3') == 4


def test_a_broken_clip_keeps_nobody_from_the_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "videos" / "b.mp4").write_bytes(b"no film")
    assert measure(folder) == 3
    said = capsys.readouterr().out
    assert "\nb: " in f"\n{said}" and "Flags of 3 clips were measured, of 1 they could not be" in said
    assert [clip_id for clip_id, flags in flags_of(folder).items() if flags is None] == ["b"]


def test_flags_that_no_disk_has_are_not_said_to_be_measured(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines are kept in memory while a disk is full, and would end with the process."""

    def full(manifest: Manifest) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "flush", full)
        assert measure(folder) == 1
    said = capsys.readouterr()
    assert "error: no room left in" in said.err and "were measured" not in said.out
    assert measure(folder) == 0 and None not in flags_of(folder).values()


def test_a_folder_that_is_none(tmp_path: Path, no_signals: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(tmp_path) == 1
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("by", ["both", "picture", "sound"])
def test_duplicates_are_said_and_written(folder: Path, by: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert measure(folder) == 0
    capsys.readouterr()
    assert run("duplicates", folder, "--by", by) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "a d" and "1 groups of the same, 1 clips more" in lines[1]
    # A black picture has no fingerprint.
    assert (len(lines) == 3) == (by == "picture")
    assert run("duplicates", folder, "--by", by, "--output", folder / "same.json") == 0
    said = json.loads((folder / "same.json").read_text())
    [group] = said["groups"]
    assert group["ids"] == ["a", "d"] and said["compared"] == (3 if by == "picture" else 4)
    pair = group["pairs"][0]
    assert (pair["picture"], pair["sound"]) == (None if by == "sound" else 0.0, None if by == "picture" else 0.0)


def test_shards_are_told_no_more_of(tmp_path: Path, no_signals: None, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("id,url,start,end\na,aaaaaaaaaaa,0,4\n")
    words = [str(tmp_path / "list.csv"), "--output-format", "webdataset"]
    folder = made_folder(CLIPS, tmp_path / "data", words)
    assert measure(folder) == 1
    assert "--check decode" in capsys.readouterr().err
