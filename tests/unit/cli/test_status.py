"""--status: what a folder says of itself, without being told again what it was asked for."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avclips.cli.main import main
from avclips.cli.options import read_settings
from avclips.cli.status import blocks
from avclips.core.clock import Clock
from avclips.core.model import Clip, Outcome
from avclips.core.settings import Columns, Identity, Settings
from avclips.datasets.base import Dataset
from avclips.datasets.clip_list import CLIPS
from avclips.datasets.vggsound import VGGSOUND
from avclips.pacing.pace import Block, Pace
from avclips.pacing.pacer import make_pacer, pace_file
from avclips.state.last_settings import paces_of, remember, remembered, splits_so_far
from avclips.state.store import Store

Look = Callable[..., list[str]]


@pytest.fixture
def look(capsys: pytest.CaptureFixture[str]) -> Look:
    def look(dataset: Dataset, folder: Path, *more: str, code: int = 0) -> list[str]:
        capsys.readouterr()
        assert main(dataset, ["--data-dir", str(folder), "--status", *more]) == code
        said = capsys.readouterr()
        return [*said.out.splitlines(), *said.err.splitlines()]

    return look


def folder_of(
    dataset: Dataset, words: Sequence[str], done: Sequence[Clip] = (), failed: Sequence[Clip] = ()
) -> Path:
    """A folder as a run with these words would leave it, with clips of 300 bytes."""
    settings, _ = read_settings(dataset, words)
    store = Store(settings, dataset.name, Clock(), audio=dataset.audio_folder)
    store.open()
    remember(settings)
    for clip in done:
        for path, size in zip(store.files.paths(clip.id), (100, 200), strict=True):
            path.write_bytes(bytes(size))
        names = [path.relative_to(store.folder).as_posix() for path in store.files.paths(clip.id)]
        store.record(Outcome(clip, "done", facts={"video": names[0], "audio": names[1]}))
    for clip in failed:
        store.record(Outcome(clip, "failed", "private", "gone", permanent=True, attempts=1))
    store.snapshot(force=True)
    store.close()
    return store.folder


def video(number: int) -> str:
    return f"statusclip{number}"


def clip(number: int, **meta: Any) -> Clip:
    return Clip(f"{video(number)}_0_10", video(number), 0.0, 10.0, meta)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a list with columns of its own names, asked for from another place; two of four are done."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "my.txt").write_text(
        "film|from|to\n" + "".join(f"{video(n)}|0|10\n" for n in range(4)), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path / "there")
    words = ["my.txt", "--url-col", "film", "--start-col", "from", "--end-col", "to", "--delimiter", "|"]
    words += ["--data-dir", str(tmp_path / "data"), "--state-dir", str(tmp_path / "state")]
    folder = folder_of(CLIPS, words, [clip(0), clip(1)], [clip(2)])
    monkeypatch.chdir(tmp_path)
    return folder


PRIVATE = "       1  private: private video (final)"
FINAL = "To ask again for what is final (or take it out of failed_downloads.json):"


def typed_again(folder: Path) -> str:
    """The command of ``mine``: with its list and its columns, from wherever it is typed."""
    columns = ("--url-col", "film", "--start-col", "from", "--end-col", "to", "--delimiter", "|")
    words = [sys.executable, "-m", "avclips", "clips", str(folder.parent / "there" / "my.txt"), *columns]
    return shlex.join([*words, "--data-dir", str(folder)])


def test_it_needs_neither_the_list_nor_its_columns(mine: Path, look: Look) -> None:
    assert look(CLIPS, mine) == [
        "2 of 4 clips are done, 1 failed, 1 not tried yet.",
        f"600 bytes are in {mine}.",
        PRIVATE,
        "1 clips may still come: 1 not tried yet. This asks for them:",
        f"  {typed_again(mine)}",
        FINAL,
        f"  {typed_again(mine)} --retry-failed private",
    ]


def test_what_is_said_counts_before_what_is_remembered(mine: Path, look: Look, tmp_path: Path) -> None:
    (tmp_path / "short.csv").write_text(f"url,start,end\n{video(0)},0,10\n")
    said = look(CLIPS, mine, str(tmp_path / "short.csv"), *"--url-col url --start-col start --delimiter ,".split())
    assert said[0] == "1 of 1 clips are done, 0 failed, 0 not tried yet."
    assert "1 more clips are done that these options do not ask for." in said


def test_files_that_are_missing_are_told(mine: Path, look: Look) -> None:
    (mine / "audio" / f"{clip(0).id}.wav").unlink()
    said = look(CLIPS, mine)
    assert said[0] == "1 of 4 clips are done, 1 failed, 2 not tried yet."
    assert "1 clips were done, and their files are missing: the next run fetches them again." in said


def test_where_the_list_is_gone_the_folder_still_speaks(mine: Path, look: Look, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "there")
    first, *said = look(CLIPS, mine)
    assert first.startswith("The list cannot be read now: ") and "my.txt" in first
    assert said[0] == "2 of 3 clips are done, 1 failed, 0 not tried yet." and f"600 bytes are in {mine}." in said


def test_what_cannot_be_read_is_written_anew(mine: Path) -> None:
    (mine / "metadata" / "asked.json").write_text("{")
    remember(Settings(mine, splits=("val",)))
    assert splits_so_far(mine) == ("val",)
    remember(Settings(mine, splits=("train",)))
    assert splits_so_far(mine) == ("val", "train")


def test_a_folder_of_before_it_remembered(mine: Path, look: Look) -> None:
    (mine / "metadata" / "asked.json").unlink()
    assert look(CLIPS, mine)[0] == "The list cannot be read now: no list is named, and the folder knows of none"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1", "is not whole JSON"),
        ("[]", "holds no settings"),
        ('{"settings": 7, "paces": 7}', None),
        # What no run writes is passed over, item by item.
        ('{"settings": {"clip_list": [7], "quality": "x", "columns": {"nope": 1}, "splits": [""]}}', None),
        (
            '{"paces": [7, {"name": 1, "file": 2}, {"name": "a", "file": "/dev/zero"}, '
            '{"name": "a", "file": "/"}]}',
            None,
        ),
    ],
)
def test_a_strangers_words_are_looked_at(mine: Path, look: Look, text: str, says: str | None) -> None:
    (mine / "metadata" / "asked.json").write_text(text)
    if says is None:
        assert look(CLIPS, mine)[0].startswith("The list cannot be read now: no list is named")
        return
    with pytest.raises(SystemExit) as caught:
        look(CLIPS, mine)
    assert caught.value.code == 2


def test_clips_by_split(tmp_path: Path, look: Look) -> None:
    data = tmp_path / "vgg"
    clips = [Clip(f"{video(n)}_000000", video(n), 0.0, 10.0) for n in range(4)]
    folder_of(VGGSOUND, ["--data-dir", str(data)], clips[:1], clips[3:])
    rows = [f"{video(n)},0,a label,{'train' if n < 3 else 'test'}" for n in range(4)]
    (data / "metadata" / "vggsound.csv").write_text("\n".join(rows))
    assert look(VGGSOUND, data)[:3] == [
        "1 of 4 clips are done, 1 failed, 2 not tried yet.",
        "  train: 1 of 3 are done, 0 failed.",
        "  test: 0 of 1 are done, 1 failed.",
    ]


# -- what is remembered ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"clip_list": ("/a/b.csv", "https://youtu.be/abcde-ghij0"), "columns": Columns(url="u", keep=("a", "b"))},
        {"splits": ("a",), "labels": ("Dog", "x, y"), "strong": True, "flat": True, "id_map": Path("/a/map.csv")},
        {"fps": "25", "size": "256x256", "fit": "pad", "audio_rate": 16000, "clip_length": 2.5},
        {"output_format": "webdataset", "output": "s3://bucket/x", "samples_per_shard": 7},
    ],
)
def test_what_was_asked_for_comes_back(tmp_path: Path, changed: dict[str, Any]) -> None:
    asked = replace(Settings(tmp_path), **changed)
    (tmp_path / "metadata").mkdir()
    remember(asked)
    assert remembered(Settings(tmp_path), set()) == asked
    # But for what was said now.
    assert remembered(Settings(tmp_path), set(changed)) == Settings(tmp_path)


def test_no_password_is_written(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    remember(Settings(tmp_path, clip_list=("https://me:SECRET@h/list",), output="s3://me:SECRET@bucket/x"))
    assert "SECRET" not in (tmp_path / "metadata" / "asked.json").read_text()
    assert remembered(Settings(tmp_path), set()) == Settings(tmp_path)


# -- blocks ----------------------------------------------------------------------------------------------------


def test_who_is_blocked_is_told_with_the_time(tmp_path: Path) -> None:
    """By the file that the run itself shares."""
    clock, identity = Clock(1.0), Identity("http://me:SECRET@p:1")
    pacer = make_pacer(identity, None, None, tmp_path, clock)
    file = pace_file(identity, None, tmp_path)
    assert file is not None and list(blocks([("p", file)], clock)) == []
    pacer.blocked(pacer.wait(), "bot_check")
    (line,) = blocks([("http://p:1", file)], clock)
    at = time.strftime("%H:%M", time.localtime(time.time() + pacer.block_left))
    assert line.startswith("http://p:1 is blocked until ") and f" {at} (for 0:3" in line
    assert line.endswith("): YouTube asks us to prove that we are no bot.")


def test_a_block_that_is_over_is_none(tmp_path: Path) -> None:
    file, now = tmp_path / "pace.json", time.time()
    pace = Pace(1.0, now - 3600, block=Block("bot_check", now - 3600, now - 10, 1))
    file.write_text(json.dumps({"version": 1, **json.loads(json.dumps(pace, default=vars))}))
    assert list(blocks([("direct", file), ("direct", tmp_path / "none")], Clock(1.0))) == []


def test_the_paces_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    remember(Settings(tmp_path), [{"name": "direct", "file": "/state/pace-1.json"}])
    assert paces_of(tmp_path) == [("direct", Path("/state/pace-1.json"))]
