"""The stage on real files: known cuts are found, windows cut exactly, and a video that gives none says why."""

from __future__ import annotations

import csv
import errno
import json
import shutil
from pathlib import Path

import av
import pyarrow.parquet as pq
import pytest

from avclips.catalog import samples
from avclips.cli import tools
from avclips.cli.commands import main
from avclips.core.clock import Clock
from avclips.core.signals import Signals
from avclips.curate import proposals, segment
from avclips.curate.folders import stage_folder
from avclips.curate.proposals import CLIPS, NOTES, VIDEOS, Notes
from avclips.curate.shots import look, look_fast, real_cuts
from avclips.media.ffmpeg_trial import find_ffmpeg
from tests.support.made_videos import shots

LENGTHS = (12, 11, 4, 13, 15, 6)
CUTS = (12.0, 23.0, 27.0, 40.0, 55.0)
ID = "dQw4w9WgXcQ"


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("made")
    folder = base / "videos"
    folder.mkdir()
    for name, (lengths, sound) in {
        "cut": (LENGTHS, True),
        ID: ((12.5,), True),
        "chopped": ((3, 4, 3, 4), True),
        "silent": ((11,), False),
        "tiny": ((0.2,), True),
    }.items():
        shots(base, lengths, sound).rename(folder / f"{name}.mp4")
    (folder / "broken.mp4").write_bytes(b"\0\0\0\x18ftypisom" + b"x" * 1000)
    (folder / "torn.mp4").write_bytes((folder / "cut.mp4").read_bytes()[:20_000])
    (folder / "notes.txt").write_text("no video")
    return folder


def curate(*words: object) -> int:
    with pytest.MonkeyPatch.context() as changed:
        # The handlers of a command line would stay with the tests that come after it.
        changed.setattr(tools, "Signals", lambda: Signals(take=False))
        return main(["curate", *map(str, words)])


def notes(data: Path) -> dict[str, dict[str, object]]:
    return {line["id"]: line for line in Notes(stage_folder(data, "segment") / NOTES).lines}


@pytest.mark.parametrize("fast", [False, True])
def test_known_cuts_are_found(videos: Path, tmp_path: Path, fast: bool) -> None:
    path = videos / "cut.mp4"
    seen = look_fast(path, find_ffmpeg(None, Clock()), tmp_path) if fast else look(path)
    assert seen.cuts == pytest.approx(CUTS, abs=0.001)
    assert seen.lasts == pytest.approx(61.0, abs=0.001)
    assert len(seen.hashes) == len(seen.times) == 61
    assert seen.complaint == ""


@pytest.fixture(scope="module")
def done(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("data") / "clips"
    assert curate("segment", "--videos", videos, "--data-dir", data, "--processes", 1) == 0
    return data


def test_each_video_gives_clips_or_says_why(done: Path) -> None:
    told = notes(done)
    assert {name: line["reason"] for name, line in told.items()} == {
        "cut": "", ID: "", "chopped": "", "silent": "no_sound", "tiny": "short", "broken": "media", "torn": "media"
    }  # fmt: skip
    assert [start for start, *_ in told["cut"]["windows"]] == [1000, 12_500, 42_500]
    assert told["cut"]["cuts"] == list(CUTS)
    assert told["chopped"]["windows"] == [[2000, 12_000, "middle"]]
    table = pq.read_table(stage_folder(done, "segment") / VIDEOS)
    assert table["id"].to_pylist() == sorted(told)
    assert table["starts"].to_pylist()[table["id"].to_pylist().index("cut")] == [1000, 12_500, 42_500]
    assert json.loads((stage_folder(done, "segment") / "done.json").read_text()) == {
        "videos": 7, "without_a_clip": 4, "clips": 5, "done": 5, "reasons": {"media": 2, "no_sound": 1, "short": 1}
    }  # fmt: skip


def test_the_clips_are_a_data_folder(done: Path) -> None:
    found = {sample.id: sample for sample in samples(done)}
    assert sorted(found) == ["chopped_2000", "cut_1000", "cut_12500", "cut_42500", f"{ID}_1250"]
    assert {sample.status for sample in found.values()} == {"done"}
    clip = found[f"{ID}_1250"]
    assert (clip.video, clip.start, clip.end, clip.meta["title"]) == (ID, 1.25, 11.25, ID)
    assert set(clip.files) == {"video", "audio"}
    # Encoded up to the first key picture within it, and the source's own from there.
    assert clip.facts["encode"]["copied"] > 80
    assert (clip.facts["pictures"], clip.facts["samples"]) == (100, 160_000)


def test_a_clip_is_of_one_shot(done: Path) -> None:
    with av.open(str(done / "videos" / "cut_12500.mp4")) as container:
        corners = {tuple(frame.to_ndarray(format="rgb24")[80, 150] // 32) for frame in container.decode(video=0)}
    # The second shot is blue from its first picture to its last.
    assert corners == {(0, 0, 7)}


def test_the_list_is_one_for_the_downloader(done: Path) -> None:
    with open(stage_folder(done, "segment") / CLIPS, newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[-1]["id"] == f"{ID}_1250" or rows[0]["id"] == f"{ID}_1250"
    assert {row["url"] for row in rows} == {
        f"https://www.youtube.com/watch?v={ID}", "https://local.invalid/cut", "https://local.invalid/chopped"
    }  # fmt: skip


def test_a_killed_look_goes_on_and_lost_files_come_back(done: Path, videos: Path, tmp_path: Path) -> None:
    data = tmp_path / "clips"
    shutil.copytree(done, data)
    path = stage_folder(data, "segment") / NOTES
    whole = path.read_bytes()
    # Killed in the middle of a line, before a clip was cut.
    path.write_bytes(whole[: whole.index(b'"id": "silent"') + 30])
    clip = data / "videos" / "cut_12500.mp4"
    before = clip.read_bytes()
    clip.unlink()
    assert curate("segment", "--videos", videos, "--data-dir", data, "--processes", 1) == 0
    assert path.read_bytes() == whole
    assert clip.read_bytes() == before


def test_other_settings_are_refused(done: Path, videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert curate("segment", "--videos", videos, "--data-dir", done, "--fast") == 2
    assert "way was 'content', now 'fast'" in capsys.readouterr().err


def test_a_full_disk_is_not_noted_of_a_video(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, *_: object) -> object:
        raise OSError(errno.ENOSPC if path.stem == "cut" else errno.EIO, "it cannot be written", str(path))

    monkeypatch.setattr(proposals, "open_video", full)
    words = ("segment", "--videos", videos, "--data-dir", tmp_path, "--processes", 1, "--fixed", 10)
    assert curate(*words) == 1
    assert "no room left" in capsys.readouterr().err
    assert {name: note["reason"] for name, note in notes(tmp_path).items()} == {
        "broken": "media",
        "chopped": "media",
    }


def test_fixed_windows(videos: Path, tmp_path: Path) -> None:
    words = "--data-dir", tmp_path / "clips", "--fixed", "2.5", "--max-clips", "2", "--processes", 1
    assert curate("segment", "--videos", videos, *words) == 0
    told = notes(tmp_path / "clips")
    assert told[ID]["windows"] == [[2500, 5000, "fixed"], [7500, 10_000, "fixed"]]
    assert told["torn"]["reason"] == "media"
    found = [sample for sample in samples(tmp_path / "clips") if sample.status == "done"]
    assert len(found) == 6
    assert {sample.facts["pictures"] for sample in found} == {25}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--videos", "none"), 2, "no such folder"),
        (("--videos", "."), 2, "holds no video"),
        (("--propose",), 2, "name the clips' length"),
        (("--", "--workers", "8"), 2, "there is no place for"),
        (("--propose", "--fixed", "10"), 1, "rows.parquet is not there"),
    ],
)
def test_what_cannot_be_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...], code: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert curate("segment", "--data-dir", "data", *words) == code
    assert said in capsys.readouterr().err


def test_a_folder_of_which_no_video_gives_a_clip(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "few").mkdir()
    shutil.copy(videos / "silent.mp4", tmp_path / "few")
    words = "--videos", tmp_path / "few", "--data-dir", tmp_path / "data", "--processes", 1
    assert curate("segment", *words) == 1
    assert "no video gives a clip: no_sound 1" in capsys.readouterr().err


def test_quality_is_that_of_the_videos(tmp_path: Path) -> None:
    assert segment._quality_of(tmp_path) == 4320
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "folder.json").write_text('{"dataset": "clips", "settings": {"quality": 480}}')
    assert segment._quality_of(tmp_path) == 480


LEFT, RIGHT, PLAIN = 0b1111_0000, 0b0000_1111, 0


@pytest.mark.parametrize(
    ("hashes", "cuts", "found"),
    [
        ([LEFT, LEFT, RIGHT, RIGHT], [2], [2.0]),
        # A flash: the picture is the one it was.
        ([LEFT, LEFT | 1, LEFT, LEFT], [1, 2], []),
        # What a flash hid is a cut all the same.
        ([LEFT, LEFT | 1, RIGHT, RIGHT], [1, 2], [2.0]),
        # Nothing is in either picture that could be the same.
        ([PLAIN, PLAIN, PLAIN, LEFT], [1, 3], [1.0, 3.0]),
        # No picture is before the first.
        ([LEFT, RIGHT, RIGHT, RIGHT], [0, 1], [1.0]),
    ],
)
def test_light_alone_makes_no_cut(hashes: list[int], cuts: list[int], found: list[float]) -> None:
    assert real_cuts([0.0, 1.0, 2.0, 3.0], cuts, hashes) == found


def test_cuts_that_follow_each_other_are_one() -> None:
    assert real_cuts([0.0, 0.1, 0.2, 0.3, 0.7], [1, 2, 4], [LEFT, RIGHT, LEFT, LEFT, RIGHT]) == [0.1, 0.7]
