"""Runs into shards that are ended, shared or asked for again, and what other scripts have of them."""

from __future__ import annotations

import io
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import av
import pytest

from avclips.cli import main
from avclips.datasets.music_avqa import MUSIC_AVQA
from tests.standin.fake_youtube import FakeVideo, Fault, Media
from tests.support.script import Gate, digests, stage, stems
from tests.support.shards_stage import (
    AVQA,
    HURRY,
    SHORT,
    TARS,
    Packs,
    ids_of,
    is_whole,
    shards,
    some_rows,
    some_videos,
    video,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

__all__ = ["shards"]

PIP = f"{sys.executable} -m pip install"


# -- what interrupts a run -------------------------------------------------------------------------------------


def at_work_on(folder: Path) -> list[str]:
    """The ffmpegs whose command lines name files of a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes()
            if str(folder).encode() in words and b"ffmpeg" in words.split(b"\0")[0]:
                found.append(process.name)
    return found


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_it_goes_on_where_it_was_ended(shards: Callable[..., Packs], how: str) -> None:
    rows = some_rows(6)
    place = shards(some_videos(6))
    path = place.list(rows)
    gate = place.youtube.refuse = Gate(0, video(5))
    child = place.start(path, *TARS, "3", "--workers", "2", scale=HURRY)
    child.until(lambda: place.finished)
    child.send(signal.Signals[how])
    ended = child.end()
    gate.open()
    # An ffmpeg outlives a killed run by what it is at: what it writes into the scratch folder is no run's.
    wait_until(lambda: not at_work_on(place.data))
    assert ended.code == (-signal.SIGKILL if how == "SIGKILL" else 143), ended.said
    if how == "SIGTERM":
        assert "Stopped by SIGTERM" in ended.err and "Traceback" not in ended.said
    done = {line["id"] for line in place.manifest if line["status"] == "done"}
    whole = [video(n) for n in range(6) if set(ids_of(rows[2 * n : 2 * n + 2])) <= done]
    before = {name: place.youtube.extractions(name) for name in whole}
    kept = digests(place.shards / f"{n:05d}.tar" for n in place.finished)
    assert place.run(path, *TARS, "3", scale=HURRY).code == 0
    if how == "SIGKILL":
        # Killed between the two files of a clip, a run leaves one of them, which the next moves out of the way.
        for path in (place.data / "set_aside").glob("*"):
            assert path.stem not in done
            path.unlink()
    is_whole(place, rows)
    assert whole and {name: place.youtube.extractions(name) for name in whole} == before
    assert digests(place.shards / name for name in kept) == kept


def test_half_a_file_of_a_killed_run_goes(shards: Callable[..., Packs]) -> None:
    """As one that was killed while it copied left it, in the folder of results."""
    rows = some_rows(2, 1)
    place = shards(some_videos(2))
    dead = subprocess.Popen(["true"])
    dead.wait()
    place.shards.mkdir(parents=True)
    (place.shards / f".00001.tar.{socket.gethostname()}-{dead.pid}.part").write_bytes(b"half")
    (place.shards / "00001.tar").write_bytes(b"of a run that came no further")
    assert place.run(place.list(rows), *TARS, "1", scale=HURRY).code == 0
    is_whole(place, rows)


def test_what_was_packed_is_taken_away_by_the_next(shards: Callable[..., Packs]) -> None:
    """A run that was killed when its shard was there left the files beside it."""
    rows = some_rows(3, 1)
    place = shards(some_videos(3))
    options = (place.list(rows), *TARS, "2")
    assert place.run(*options, scale=HURRY).code == 0
    asked, before = place.asked, digests(place.shards.iterdir())
    # All of the first, and of the others what it had not come to.
    for number, each in enumerate(place.tars):
        clip = json.loads(each["json"])["id"]
        if number != 1:
            place.mp4(clip).write_bytes(each["mp4"])
        if number != 2:
            place.wav(clip).write_bytes(each["wav"])
    assert len(place.leftovers) == 4
    assert place.run(*options, scale=HURRY).code == 0
    assert place.asked == asked and digests(place.shards.iterdir()) == before
    is_whole(place, rows)


def test_a_folder_of_files_is_not_packed(shards: Callable[..., Packs]) -> None:
    """What is packed is taken away: nobody should lose single files to a word, or shards to another."""
    place = shards(some_videos(3))
    options = (place.list(some_rows(3, 1)), "--cut", "copy")
    assert place.run(*options, "--max-clips", "2", scale=HURRY).code == 0
    ended = place.run(*options, *TARS, "2", scale=HURRY)
    assert (ended.code, ended.err) == (
        2, f"error: {place.data} was made with --output-format files\n  use the same, or another --data-dir\n"
    )  # fmt: skip
    assert all(place.mp4(name).exists() for name in place.completed) and not place.shards.exists()


def test_the_folder_of_results_is_lost_for_a_while(shards: Callable[..., Packs]) -> None:
    rows = some_rows(5, 1)
    place = shards(some_videos(5))
    place.shards = place.base / "mount" / "out"
    gate = place.youtube.refuse = Gate(0, video(1))
    child = place.start(place.list(rows), *TARS, "1", "--output", place.shards, "--workers", "1", scale=HURRY)
    # When the first clip's shard is there and its files are taken away, nobody writes until the second has come.
    child.until(lambda: place.finished == [0] and not stems(place.data / "audio", ".wav"))
    place.shards.rename(place.base / "elsewhere")
    place.shards.write_text("a file in its place")
    gate.open()
    child.until(lambda: "it is tried again" in child.said())
    place.shards.unlink()
    (place.base / "elsewhere").rename(place.shards)
    ended = child.end()
    assert ended.code == 0 and ended.err == "", ended.said
    lines = [line.partition(" ")[2] for line in ended.out.splitlines() if " Shard " in line]
    assert len(lines) == 2 and lines[1] == lines[0][:11] + " is written."
    assert lines[0][11:].startswith(
        f" cannot be written now, it is tried again: {place.shards} cannot be used now: "
    )
    is_whole(place, rows)


def test_a_lost_folder_ends_no_clip(shards: Callable[..., Packs]) -> None:
    """Stopped while it waits, a run leaves what it fetched to the next."""
    rows = some_rows(3, 1)
    place = shards(some_videos(3))
    gate = place.youtube.refuse = Gate(0)
    place.shards = place.base / "mount" / "out"
    options = (place.list(rows), *TARS, "1", "--output", place.shards, "--workers", "1")
    child = place.start(*options, scale=HURRY)
    child.until(gate.reached.is_set)
    place.shards.rename(place.base / "elsewhere")
    place.shards.write_text("a file in its place")
    gate.open()
    child.until(lambda: "it is tried again" in child.said() and len(stems(place.data / "audio", ".wav")) == 3)
    child.send(signal.SIGTERM)
    ended = child.end()
    assert ended.code == 143 and "Traceback" not in ended.said
    asked = place.asked
    place.shards.unlink()
    (place.base / "elsewhere").rename(place.shards)
    assert place.run(*options, scale=HURRY).code == 0
    assert place.asked == asked
    is_whole(place, rows)


# -- parts of a list -------------------------------------------------------------------------------------------


def test_max_clips(shards: Callable[..., Packs]) -> None:
    rows = some_rows(6, 1)
    place = shards(some_videos(6))
    path = place.list(rows)
    for _ in range(2):
        ended = place.run(path, *TARS, "2", "--max-clips", "3", scale=HURRY)
        assert ended.code == 0 and "--max-clips 3 is reached" in ended.out, ended.said
        assert place.youtube.extractions() == 3 and place.finished == [0]
        assert {row["id"] for row in place.rows} | stems(place.data / "videos", ".mp4") == set(ids_of(rows[:3]))
    assert place.run(path, *TARS, "2", scale=HURRY).code == 0
    assert place.youtube.extractions() == 6
    is_whole(place, rows)


def test_two_shares_at_once(shards: Callable[..., Packs]) -> None:
    rows = some_rows(5)
    videos = some_videos(5) | {video(3): FakeVideo(case="private")}
    place = shards(videos)
    path = place.list(rows)
    children = [place.start(path, *TARS, "2", "--part", f"{task}/2", scale=HURRY) for task in (0, 1)]
    ended = [child.end() for child in children]
    assert all("Traceback" not in each.said for each in ended) and {each.code for each in ended} <= {0, 3}
    assert place.finished == [0, 1, 2, 3, 4]
    is_whole(place, rows)
    for task in (0, 1):
        lines = (place.data / f"manifest.{task}-of-2.jsonl").read_text().splitlines()
        due = {name for number in range(task, 5, 2) for name in place.ids(number)}
        assert {json.loads(line)["id"] for line in lines} == due
    assert place.youtube.extractions() == 5
    # Which was the last to end, it says that all is there.
    assert 0 in {each.code for each in ended}


# -- what failed, again ----------------------------------------------------------------------------------------


def test_what_failed_comes_into_further_shards(shards: Callable[..., Packs]) -> None:
    refused = {1: "private", 3: "upcoming", 4: "removed_by_uploader"}
    videos = some_videos(5) | {video(number): FakeVideo(case=case) for number, case in refused.items()}
    place = shards(videos)
    rows = some_rows(5, 1)
    path = place.list(rows)
    assert place.run(path, *TARS, "2", scale=HURRY).code == 3
    assert place.finished == [0, 1, 2]
    before = digests(place.shards.iterdir())
    for number in (1, 3):
        place.youtube.videos[video(number)] = FakeVideo(SHORT)
    code = place.run(path, *TARS, "2", "--retry-failed", scale=HURRY).code
    assert place.finished == [0, 1, 2, 3, 4]
    assert place.ids(3) + place.ids(4) == [ids_of(rows)[number] for number in (1, 3, 4)]
    after = digests(place.shards.iterdir())
    assert {name: after[name] for name in before} == before and place.leftovers == set()
    found = [json.loads(each["json"])["id"] for each in place.tars]
    assert sorted(found) == ids_of([rows[n] for n in (0, 1, 2, 3)])
    assert place.youtube.extractions(video(0)) == place.youtube.extractions(video(2)) == 1
    assert code == 0, "all that can be had is there"


def test_what_came_of_a_retry_outlives_its_end(shards: Callable[..., Packs]) -> None:
    """Fetched, and not packed yet: the shard that it failed in is there, which does not mean that it is in one."""
    names = [video(number) for number in range(2)]
    place = shards({name: FakeVideo(case="private") for name in names})
    rows = some_rows(2, 1)
    path = place.list(rows)
    assert place.run(path, *TARS, "2", scale=HURRY).code == 0
    place.youtube.videos[names[0]] = FakeVideo(SHORT)
    place.youtube.videos[names[1]] = FakeVideo(SHORT, faults=(Fault("stall", after=1000),))
    child = place.start(path, *TARS, "2", "--retry-failed")
    child.until(lambda: (place.data / "manifest.jsonl").read_text().count('"status": "done"'))
    child.send(signal.SIGKILL)
    child.end()
    assert stems(place.data / "videos", ".mp4") == {ids_of(rows)[0]} and place.finished == [0]
    place.youtube.videos[names[1]] = FakeVideo(SHORT)
    assert place.run(path, *TARS, "2", "--retry-failed", scale=HURRY).code == 0
    assert place.leftovers == set() and {json.loads(each["json"])["id"] for each in place.tars} == set(
        ids_of(rows)
    )
    assert place.youtube.extractions(names[0]) == 2, "it was there, and was fetched again"


# -- other shapes, other scripts -------------------------------------------------------------------------------


def test_the_sound_alone(shards: Callable[..., Packs]) -> None:
    rows = some_rows(2, 1)
    place = shards(some_videos(2))
    options = (
        "--media",
        "audio",
        "--audio-format",
        "m4a",
        "--output-format",
        "parquet",
        "--samples-per-shard",
        "2",
    )
    assert place.run(place.list(rows), *options, scale=HURRY).code == 0
    assert place.finished == [0] and len(place.rows) == 2 and place.leftovers == set()
    for each in place.rows:
        assert not {"mp4", "wav"} & each.keys()
        with av.open(io.BytesIO(each["m4a"]["bytes"])) as container:
            assert [stream.type for stream in container.streams] == ["audio"]
            assert 0.9 < sum(frame.samples for frame in container.decode(audio=0)) / 44100 < 1.2
    assert {request.itag for request in place.youtube.requests("media")} == {140}


def test_general_avqa(tmp_path: Path, media_folder: Path) -> None:
    first, second, gone = "AVinshards1_000001", "AVinshards2_000002", "AVwasremove_000003"
    ten = Media(duration=14.0, fps=5)
    videos = {first: FakeVideo(ten), second: FakeVideo(ten), gone: FakeVideo(case="removed_by_uploader")}
    with stage(tmp_path, media_folder, videos) as run:
        place = Packs(run.youtube, tmp_path, AVQA)
        ended = place.run(*TARS, "2", scale=HURRY)
        assert ended.code == 0, ended.said
        assert [row["id"] for row in place.rows] == [first, second, gone] and place.finished == [0, 1]
        samples = place.tars
        assert [each["__key__"] for each in samples] == [first, second] and place.leftovers == set()
        said = json.loads(samples[0]["json"])
        assert (said["splits"], said["label"]) == (["train"], "a label") and 10.0 <= said["duration"] < 10.5


def test_archives_of_a_dataset_are_for_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main.main(MUSIC_AVQA, ["--data-dir", str(tmp_path / "data"), "--output-format", "parquet"])
    said = capsys.readouterr().err
    assert code == 2 and not (tmp_path / "data").exists()
    assert said.startswith("error: the archives of MUSIC-AVQA are fetched with --output-format files\n")


@pytest.mark.parametrize(
    ("form", "hidden", "what", "command"),
    [
        ("webdataset", ["webdataset"], "tars are written by webdataset, which is", "'webdataset>=1.0.2'"),
        ("parquet", ["pyarrow"], "tables are written by pyarrow, which is", "'pyarrow>=17'"),
        (
            "webdataset", ["pyarrow", "webdataset"],
            "tables are written by pyarrow, tars are written by webdataset, which are",
            "'pyarrow>=17' 'webdataset>=1.0.2'",
        ),
    ],
)  # fmt: skip
def test_without_packages(
    shards: Callable[..., Packs], tmp_path: Path, form: str, hidden: list[str], what: str, command: str
) -> None:
    """Said in one line before anything is fetched, not after a day, and not one after the other."""
    place = shards(some_videos(1))
    (tmp_path / "poor").mkdir()
    for package in hidden:
        (tmp_path / "poor" / f"{package}.py").write_text("raise ImportError('none here')\n")
    place.more = {"PYTHONPATH": str(tmp_path / "poor")}
    ended = place.run(place.list(some_rows(1, 1)), "--cut", "copy", "--output-format", form, scale=HURRY)
    assert ended.code == 2, ended.said
    error, hint = ended.err.splitlines()
    assert error == f"error: {what} not here"
    assert hint == f"  {PIP} {command}" and place.asked == 0
