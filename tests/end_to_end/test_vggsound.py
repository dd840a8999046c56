"""VGG-Sound: rows as they come, and a whole run of its script against a stand-in."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import RunError, UsageError
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.datasets.base import Listing
from avclips.datasets.vggsound import read_clips, read_labels
from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.support.script import QUICK, ROOT, Stage, stems

SCRIPT = ROOT / "download_vggsound.py"
URL = "https://raw.githubusercontent.com/hche11/VGGSound/master/data/vggsound.csv"

VIOLIN, BARKS, RACE = "playing violin, fiddle", "dog barking", "race car, auto racing"
ROWS = f"""\
-firstvideo,3,"{VIOLIN}",train
secondvideo,0,{BARKS},test
_thirdvideo,1,"{RACE}",train
-firstvideo,0,{BARKS},test
"""
FIRST, SECOND, THIRD, FOURTH = (
    "-firstvideo_000003",
    "secondvideo_000000",
    "_thirdvideo_000001",
    "-firstvideo_000000",
)


def clip(name: str, label: str, split: str) -> Clip:
    start = float(name[12:])
    return Clip(name, name[:11], start, start + 10.0, {"label": label, "split": split})


# Those of a video stand together.
CLIPS = [
    clip(FIRST, VIOLIN, "train"),
    clip(FOURTH, BARKS, "test"),
    clip(SECOND, BARKS, "test"),
    clip(THIRD, RACE, "train"),
]


def listing(folder: Path, content: str | bytes, *splits: str, **settings: Any) -> Listing:
    (folder / "vggsound.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return read_clips(folder, Settings(folder, splits=splits or ("train", "test"), **settings))


@pytest.mark.parametrize(
    "content",
    [ROWS, "\ufeff" + ROWS, ROWS.replace("\n", "\r\n"), ROWS.rstrip(), "\n" + ROWS, ROWS.replace(",3,", ", 3 ,")],
    ids=["theirs", "BOM", "CRLF", "no last newline", "a blank line", "blanks"],
)
def test_rows(tmp_path: Path, content: str) -> None:
    found = listing(tmp_path, content)
    assert list(found.clips) == CLIPS and found.skipped == []
    assert found.names is not None and list(found.names()) == [(clip.id, clip.video) for clip in CLIPS]


@pytest.mark.parametrize(
    ("settings", "ids"),
    [
        ({"splits": ("train",)}, [FIRST, THIRD]),
        ({"splits": ("test",)}, [SECOND, FOURTH]),
        ({"labels": ("Dog barking",)}, [SECOND, FOURTH]),
        ({"labels": (f"{VIOLIN},{BARKS}",)}, [FIRST, FOURTH, SECOND]),
        ({"labels": (RACE, "playing violin,fiddle")}, [FIRST, THIRD]),
        ({"labels": (BARKS, RACE), "splits": ("train",)}, [THIRD]),
    ],
)
def test_splits_and_labels(tmp_path: Path, settings: dict[str, Any], ids: list[str]) -> None:
    found = listing(tmp_path, ROWS, *settings.pop("splits", ()), **settings)
    assert [each.id for each in found.clips] == ids


def test_what_no_clip_is_of(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no class is called 'playing violin'") as caught:
        listing(tmp_path, ROWS, labels=("playing violin",))
    assert VIOLIN in (caught.value.hint or "")
    with pytest.raises(RunError, match="names no clip to fetch: none is in test with these labels"):
        listing(tmp_path, ROWS, "test", labels=(RACE,))


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("fifth_video,5,dog barking", "line 5: not 'YouTube id,start,label,split'"),
        ("fifth_video,5,playing violin, fiddle,train", "line 5: not 'YouTube id,start,label,split'"),
        ("fifth_video,5.5,dog barking,train", "line 5: not 'YouTube id,start,label,split'"),
        ("fifth_video,-5,dog barking,train", "line 5: not 'YouTube id,start,label,split'"),
        ("fifth_video,,dog barking,train", "line 5: not 'YouTube id,start,label,split'"),
        ("fifth_video,٥,dog barking,train", "line 5: not 'YouTube id,start,label,split'"),
        ("<!DOCTYPE html>", "line 5: not 'YouTube id,start,label,split'"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, row: str, why: str) -> None:
    with pytest.raises(RunError) as caught:
        listing(tmp_path, f"{ROWS}{row}\n{ROWS}")
    assert str(caught.value) == f"{tmp_path / 'vggsound.csv'}, {why}"
    assert "hche11/VGGSound" in (caught.value.hint or "")


@pytest.mark.parametrize("behind", ["", f"sixth_video,6,{BARKS},train\n"], ids=["the last", "another"])
def test_a_label_that_is_cut_off_does_not_take_the_next_row(tmp_path: Path, behind: str) -> None:
    with pytest.raises(RunError):
        listing(tmp_path, f'{ROWS}fifth_video,5,"playing violin\n{behind}')


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        ("a,1,é,train\n".encode("latin-1"), "cannot be read: 'utf-8' codec"),
    ],
)
def test_a_file_without_rows(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(RunError, match=f"vggsound.csv {why}"):
        listing(tmp_path, content)
    with pytest.raises(RunError, match="No such file"):
        read_labels(tmp_path / "none.csv")


def test_an_id_that_is_none_is_left_out(tmp_path: Path) -> None:
    found = listing(tmp_path, ROWS + "../../../ab,5,dog barking,train\nshort,5,dog barking,train\n")
    assert list(found.clips) == CLIPS
    assert found.skipped == [
        "vggsound.csv: '../../../ab' is not a YouTube id",
        "vggsound.csv: 'short' is not a YouTube id",
    ]
    with pytest.raises(RunError, match="names no clip to fetch: vggsound.csv: 'short' is not a YouTube id"):
        listing(tmp_path, "short,5,dog barking,train\n")


# -- a whole run ---------------------------------------------------------------------------------------------


def test_four_clips_and_the_table_of_what_is_there(tmp_path: Path, media_folder: Path) -> None:
    videos = {each.video: FakeVideo(QUICK) for each in CLIPS} | {"secondvideo": FakeVideo(QUICK, case="private")}
    with FakeYouTube(media_folder, videos, files={URL: ROWS.encode()}) as youtube:
        run = Stage(youtube, tmp_path, script=SCRIPT)
        ended = run.run("--labels", BARKS, "--cut", "copy")
        assert ended.code == 0 and "1 of 2 clips are done, 1 failed, 0 not tried yet." in ended.out, ended.said
        assert table(run) == [row(FOURTH, BARKS, "test")]

        ended = run.run("--cut", "copy")
        assert ended.code == 0 and "3 of 4 clips are done, 1 failed, 0 not tried yet." in ended.out, ended.said
        assert run.published == {FIRST, FOURTH, THIRD} and run.failed[SECOND]["reason"] == "private"
        # One extraction a video and run.
        assert [youtube.extractions(each.video) for each in CLIPS] == [2, 2, 1, 1]
        there = [row(FIRST, VIOLIN, "train"), row(FOURTH, BARKS, "test"), row(THIRD, RACE, "train")]
        assert sorted(table(run), key=str) == sorted(there, key=str)

        # One that somebody has, of a split alone; and one that is gone.
        run.mp4(THIRD).unlink()
        (tmp_path / "mine").mkdir()
        shutil.copy(run.mp4(FIRST), tmp_path / "mine" / f"{SECOND}.mp4")
        videos["_thirdvideo"] = youtube.videos["_thirdvideo"] = FakeVideo(case="removed_by_uploader")
        ended = run.run("--cut", "copy", "--archives", tmp_path / "mine")
        assert ended.code == 0 and "3 of 4 clips are done, 1 failed" in ended.out, ended.said
        there[2] = row(SECOND, BARKS, "test")
        assert sorted(table(run), key=str) == sorted(there, key=str)
        assert stems(run.data / "videos", ".mp4") == {FIRST, FOURTH, SECOND}
        assert youtube.unknown == []


def row(name: str, label: str, split: str) -> dict[str, str]:
    files = {"video": f"videos/{name}.mp4", "audio": f"audio/{name}.wav"}
    return {"id": name, "label": label, "split": split, **files}


def table(run: Stage) -> list[dict[str, str]]:
    with open(run.data / "labels.csv", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
