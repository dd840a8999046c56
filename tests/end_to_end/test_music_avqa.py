"""Whole runs for MUSIC-AVQA: from archives that a user has, from Google Drive, and by a table from YouTube."""

from __future__ import annotations

import json
import signal
import subprocess
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import av
import numpy as np
import pytest

from tests.standin.fake_drive import (
    REAL,
    SYNTHETIC,
    BadZip,
    DriveRequest,
    FakeDrive,
    FakeDriveFile,
    Fault,
    bad_zip,
    zip_of,
)
from tests.standin.fake_media import PROGRESSIVE, Media, ffmpeg, make
from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.support.script import QUICK, ROOT, Stage, digests, results, seconds_of, snapshot, stage
from tests.unit.fetch.test_worker_exact import is_its_own, pictures, samples, times

SCRIPT = ROOT / "download_music_avqa.py"
QA_URL = "https://raw.githubusercontent.com/GeWu-Lab/MUSIC-AVQA/main/data/json_update/avqa-{}.json"
V2_URL = (
    "https://raw.githubusercontent.com/DragonLiu1995/MUSIC-AVQA-v2.0/HEAD/data/"
    "MUSIC-AVQA-v2.0_additional_videos.csv"
)
FOLDER_ID = "1WAryZZE0srLIZG8VHl22uZ3tpbGHtsrQ"
REAL_ID = "1Ovj5Ay8rDXaPy57CNCHes0A99S43lPBy"
SYNTHETIC_ID = "1made-up-id-of-the-synthetic-zip"
REAL_ZIP, SYNTHETIC_ZIP = f"{REAL}.zip", f"{SYNTHETIC}.zip"

A, B, S, E = "00000028", "00000108", "sa00000001", "evv00000003"
SPLITS = {"train": [A, B, S], "val": [S, A], "test": [E, B]}
EVERY = {A, B, S, E}
# gdown writes whole chunks only: what is left of one when the line breaks is lost.
CHUNK = 512 * 1024
# Retries of a broken download wait for seconds: these run a thousand times faster.
FAST = 1000.0


@pytest.fixture(scope="session")
def mp4s(media_folder: Path) -> dict[str, bytes]:
    """The official files: two seconds each, and each another."""
    media = [Media(duration=2.0, fps=5, seed=seed) for seed in range(1, 5)]
    return {
        name: make(each, PROGRESSIVE, media_folder).read_bytes()
        for name, each in zip((A, B, S, E), media, strict=True)
    }


def members(mp4s: Mapping[str, bytes], *names: str) -> dict[str, bytes]:
    return {f"{name}.mp4": mp4s[name] for name in names}


def question_files(splits: Mapping[str, Sequence[str]]) -> dict[str, bytes]:
    """The dataset's questions at their true addresses."""
    return {
        QA_URL.format(split): json.dumps(
            [
                {
                    "video_id": video_id,
                    "question_id": number,
                    "type": '["Audio", "Counting"]',
                    "question_content": "Are there <Object> sound?",
                    "templ_values": '["cello"]',
                    "question_deleted": 0,
                    "anser": "no",
                }
                for number, video_id in enumerate(ids, 1)
            ]
        ).encode()
        for split, ids in splits.items()
    }


@contextmanager
def music(
    base: Path,
    drive: FakeDrive | None = None,
    videos: Mapping[str, FakeVideo] | None = None,
    files: Mapping[str, bytes] | None = None,
    media: Path | None = None,
) -> Iterator[Stage]:
    """A stage for the script of MUSIC-AVQA; without a Drive of its own it has an empty one."""
    files = question_files(SPLITS) if files is None else files
    sites = [drive or FakeDrive(FOLDER_ID, {})]
    with FakeYouTube(media or base / "media", videos, files=files, sites=sites) as youtube:
        yield Stage(youtube, base, script=SCRIPT)
        assert youtube.unknown == []


def both_zips(mp4s: Mapping[str, bytes], **real: Any) -> FakeDrive:
    """A Drive with the two official archives; ``real``: what is special about that of the real videos."""
    first = {"id": REAL_ID, "content": zip_of(members(mp4s, A, B), REAL)} | real
    second = FakeDriveFile(SYNTHETIC_ID, zip_of(members(mp4s, S, E), SYNTHETIC))
    return FakeDrive(FOLDER_ID, {REAL_ZIP: FakeDriveFile(**first), SYNTHETIC_ZIP: second})


def filled(mp4s: Mapping[str, bytes]) -> bytes:
    """The real archive, large enough to be broken off in the middle."""
    return zip_of({"filler.bin": Random(1).randbytes(3_000_000), **members(mp4s, A, B)}, REAL)


def own_sound(path: Path) -> bytes:
    """The samples of a file's sound, as ffmpeg decodes them."""
    command = [ffmpeg(), "-v", "error", "-nostdin", "-i", str(path), "-map", "0:a", "-f", "s16le", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def assert_taken(run: Stage, mp4s: Mapping[str, bytes], *names: str) -> None:
    """Exactly these videos are there, each with its own bytes and the whole of its sound."""
    assert run.published == set(run.completed) == set(names)
    for name in names:
        assert run.mp4(name).read_bytes() == mp4s[name]
        assert samples(run.wav(name)).tobytes() == own_sound(run.mp4(name))


def archives_folder(run: Stage) -> set[str]:
    """What lies where archives of Google Drive are put."""
    folder = run.data / "archives"
    return (
        {path.name for path in folder.iterdir() if not path.name.endswith(".lock")} if folder.exists() else set()
    )


# -- archives that a user has --------------------------------------------------------------------------------


def test_archives_that_a_user_has_are_taken_and_nobody_is_asked(tmp_path: Path, mp4s: dict[str, bytes]) -> None:
    real, synthetic, late = tmp_path / "real.zip", tmp_path / "synthetic.zip", tmp_path / "late"
    real.write_bytes(zip_of({**members(mp4s, A), "99999999.mp4": b"of no question"}, REAL))
    synthetic.write_bytes(zip_of(members(mp4s, S), SYNTHETIC))
    before = digests([real, synthetic])
    drive = FakeDrive(FOLDER_ID, {})
    with music(tmp_path, drive) as run:
        ended = run.run("--archives", real, synthetic)
        assert ended.code == 3 and "2 of 4 clips are done, 2 failed, 0 not tried yet." in ended.out, ended.said
        assert_taken(run, mp4s, A, S)
        assert {name: entry["reason"] for name, entry in run.failed.items()} == dict.fromkeys(
            (B, E), "not_archived"
        )
        assert not any(entry["permanent"] for entry in run.failed.values())
        assert run.manifest_of(A)["archive"] == f"{real}:{REAL}/{A}.mp4"
        urls = run.json("metadata/video_url_mapping.json")
        assert urls == dict.fromkeys((A, B, S, E))
        assert run.json("metadata/video_ids.json")["by_split"] == SPLITS
        # The three files of questions, and nothing else of anybody.
        assert [request.kind for request in run.youtube.log] == ["file"] * 3

        first = results(run)
        late.mkdir()
        (late / "more.zip").write_bytes(zip_of(members(mp4s, B), REAL))
        (late / f"{E}.mp4").write_bytes(mp4s[E])
        ended = run.run("--archives", real, late)
        assert ended.code == 0 and "4 of 4 clips are done" in ended.out, ended.said
        assert_taken(run, mp4s, *EVERY)
        assert first.items() <= results(run).items() and run.failed == {}
        assert len(run.youtube.log) == 3 and drive.log == []
    assert digests([real, synthetic]) == before


# -- a table that names videos on YouTube --------------------------------------------------------------------


def test_a_table_brings_videos_from_youtube_to_the_frame(tmp_path: Path, media_folder: Path) -> None:
    table = tmp_path / "ids.csv"
    table.write_text(
        "video_id,youtube_id,start,end\n"
        f"{A},musicvideo1,3.5,0:09.25\n{S},https://youtu.be/musicvideo1,,\n{B},musicvideo2,7,\n"
    )
    files = question_files({"train": [A, S], "val": [B], "test": [A]})
    videos = {name: FakeVideo(replace(QUICK, seed=n)) for n, name in enumerate(("musicvideo1", "musicvideo2"), 1)}
    with music(tmp_path, videos=videos, files=files, media=media_folder) as run:
        ended = run.run("--id-map", table)
        assert ended.code == 0 and f"{table} names 3 videos on YouTube, 3 of which" in ended.out, ended.said
        assert run.published == {A, S, B}
        for name, seconds in {A: (3.5, 9.25), S: (0.0, 14.0), B: (7.0, 14.0)}.items():
            source = videos["musicvideo2" if name == B else "musicvideo1"].media
            assert_holds(run, name, source, media_folder, *seconds)
        assert run.youtube.extractions("musicvideo1") == run.youtube.extractions("musicvideo2") == 1
        assert run.json("metadata/video_url_mapping.json")[S].endswith("/watch?v=musicvideo1")
        assert run.manifest_of(A)["youtube_id"] == "musicvideo1"


def assert_holds(run: Stage, name: str, media: Media, folder: Path, start: float, end: float) -> None:
    """The clip has the pictures and the samples of these seconds, and no other."""
    source = make(media, 134, folder)
    of_source = times(source)
    begin = Fraction(str(start)) + of_source[0]
    first, behind = bisect_left(of_source, begin), bisect_left(of_source, Fraction(str(end)) + of_source[0])
    got = list(pictures(run.mp4(name)))
    due = [time - begin for time in of_source[first:behind]]
    assert len(got) == len(due)
    assert all(abs(time - at) <= Fraction(1, 1000) for (time, _), at in zip(got, due, strict=True))
    assert is_its_own(got[0][1], first, source, of_source)
    assert is_its_own(got[-1][1], behind - 1, source, of_source)
    whole = np.frombuffer(own_sound(make(media, 140, folder)), "<i2").reshape(-1, 2)
    rate = media.sample_rate
    stop = len(whole) if end == media.duration else round(end * rate)
    assert np.array_equal(samples(run.wav(name)), whole[round(start * rate) : stop])


# -- the videos of v2.0 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", ["exact", pytest.param("copy", marks=pytest.mark.slow)])
def test_a_mirrored_copy_is_the_other_ones_picture(tmp_path: Path, media_folder: Path, cut: str) -> None:
    rows = ["musicvideo1,0:03,0:08,,N", "musicvideo1,0:06,0:05,_#02,N", "musicvideo2,0:02,0:06,,Y"]
    header = "\ufeffvideo_id,start_time,duration,suffix,has_flip"
    files = {V2_URL: "\r\n".join([header, *rows, ""]).encode()}
    videos = {name: FakeVideo(replace(QUICK, seed=n)) for n, name in enumerate(("musicvideo1", "musicvideo2"), 1)}
    with music(tmp_path, videos=videos, files=files, media=media_folder) as run:
        ended = run.run("--splits", "v2", "--cut", cut)
        assert ended.code == 0 and "4 of 4 clips are done" in ended.out, ended.said
        plain, flipped = "musicvideo2", "musicvideo2_flip"
        assert run.published == {"musicvideo1", "musicvideo1_#02", plain, flipped}
        assert run.wav(plain).read_bytes() == run.wav(flipped).read_bytes()
        assert [seconds_of(run.wav(name)) for name in ("musicvideo1", "musicvideo1_#02", plain)] == [8.0, 5.0, 6.0]
        pairs = list(zip(grey(run.mp4(plain)), grey(run.mp4(flipped)), strict=cut == "exact"))
        assert len(pairs) == 6 * QUICK.fps
        for there, mirrored in pairs:
            assert away(there[:, ::-1], mirrored) < 3.0 < 15.0 < away(there, mirrored)
        assert run.youtube.extractions(plain) == 1
        assert_nothing_twice(run, plain)


def grey(path: Path) -> Iterator[np.ndarray[Any, Any]]:
    """The pictures of a file in shades of grey."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="gray").astype(int)


def away(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    return float(np.abs(one - other).mean())


def assert_nothing_twice(run: Stage, video: str) -> None:
    """Of each stream of a video its head went out once, and its fragments once."""
    media = run.youtube.requests("media", video)
    spans = sorted((request.itag, request.first) for request in media)
    assert [(itag, first == 0) for itag, first in spans] == [(134, True), (134, False), (140, True), (140, False)]


# -- Google Drive --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["deleted", "kept"])
def test_both_archives_come_from_google_drive(tmp_path: Path, mp4s: dict[str, bytes], keep: bool) -> None:
    drive = both_zips(mp4s)
    with music(tmp_path, drive) as run:
        found: list[set[str]] = []

        def look(request: DriveRequest) -> None:
            found.append(archives_folder(run))

        drive.refuse = look
        ended = run.run(*(["--keep-archives"] if keep else []))
        assert ended.code == 0 and "4 of 4 clips are done" in ended.out, ended.said
        assert_taken(run, mp4s, *EVERY)
        # Of the one the id is known; the other is looked for in the folder's listing.
        assert [request.kind for request in drive.log] == [
            "uc",
            *["download"] * 2,
            "folder",
            "uc",
            *["download"] * 2,
        ]
        assert [request.id for request in drive.requests("folder")] == [FOLDER_ID]
        for file in drive.files.values():
            assert isinstance(file.content, bytes) and drive.bytes_sent(file.id) == len(file.content)
        # An archive goes when its last video is taken, before the next one comes.
        assert found[3] == ({REAL_ZIP} if keep else set())
        assert archives_folder(run) == ({REAL_ZIP, SYNTHETIC_ZIP} if keep else set())
        assert keep or not (run.data / "archives").exists()
        assert run.manifest_of(A)["archive"].endswith(f"{REAL_ZIP}:{REAL}/{A}.mp4")
        assert [request.kind for request in run.youtube.log] == ["file"] * 3


def test_a_download_that_was_stopped_is_gone_on_with(tmp_path: Path, mp4s: dict[str, bytes]) -> None:
    content = filled(mp4s)
    drive = both_zips(mp4s, content=content)
    drive.rate = 2_000_000.0
    with music(tmp_path, drive) as run:
        child = run.start()
        child.until(lambda: received(run) >= 2 * CHUNK)
        child.send(signal.SIGTERM)
        ended = child.end()
        assert ended.code == 143 and "Traceback" not in ended.said, ended.said
        had = received(run)
        assert 2 * CHUNK <= had < len(content) and run.published == set()
        drive.rate = None
        ended = run.run()
        assert ended.code == 0, ended.said
        assert_taken(run, mp4s, *EVERY)
        rest = drive.sendings(REAL_ID)[-1]
        assert (rest.status, rest.first, rest.last, rest.sent) == (206, had, len(content) - 1, len(content) - had)
        assert archives_folder(run) == set()


def received(run: Stage) -> int:
    """How much of an archive is there already."""
    return sum(path.stat().st_size for path in run.data.glob("archives/*.part"))


@pytest.mark.parametrize("kind", ["truncate", "reset"])
def test_a_download_that_breaks_off_is_gone_on_with(tmp_path: Path, mp4s: dict[str, bytes], kind: Any) -> None:
    content = filled(mp4s)
    drive = both_zips(mp4s, content=content, faults=(Fault(kind, after=1_300_000, times=1),))
    with music(tmp_path, drive) as run:
        ended = run.run(scale=FAST)
        assert ended.code == 0, ended.said
        assert_taken(run, mp4s, *EVERY)
        assert [(r.first, r.last) for r in drive.sendings(REAL_ID) if r.status == 206] == [
            (2 * CHUNK, len(content) - 1)
        ]


@pytest.mark.slow
def test_a_quota_is_said_in_so_many_words_and_the_other_archive_taken(
    tmp_path: Path, mp4s: dict[str, bytes]
) -> None:
    drive = both_zips(mp4s, page="quota", page_times=1)
    with music(tmp_path, drive) as run:
        ended = run.run()
        assert ended.code == 75
        why = (
            "error: Google Drive sends the real videos to nobody for now: too many people fetched the file lately"
        )
        assert why in ended.err and "tomorrow" in ended.err and FOLDER_ID in ended.err
        assert_taken(run, mp4s, S, E)
        assert run.failed == {} and archives_folder(run) == set()
        # Asked once, and not again and again.
        assert len(drive.requests("download", REAL_ID)) == 1
        assert run.run().code == 0
        assert_taken(run, mp4s, *EVERY)


@pytest.mark.parametrize(
    ("bad", "code", "why", "done", "left"),
    [
        (
            "truncated",
            1,
            f"what Google Drive sent as {REAL_ZIP} is no whole zip: File is not a zip file; it was deleted",
            {S, E},
            set(),
        ),
        (
            "corrupt",
            3,
            f"{REAL_ZIP} is kept: 1 of its videos are not done (the first: {B})",
            {A, S, E},
            {REAL_ZIP},
        ),
        ("encrypted", 1, f"{REAL_ZIP} is protected by a password", {S, E}, {REAL_ZIP}),
    ],
)
def test_a_bad_zip_is_named_for_what_it_is(
    tmp_path: Path, mp4s: dict[str, bytes], bad: BadZip, code: int, why: str, done: set[str] | None, left: set[str]
) -> None:
    drive = both_zips(mp4s, content=bad_zip(bad, members(mp4s, A, B), REAL))
    with music(tmp_path, drive) as run:
        ended = run.run(scale=FAST)
        assert ended.code == code and why in ended.said, ended.said
        if done is not None:
            assert_taken(run, mp4s, *done)
        assert {A, B} & run.published == {A} & (done or set())
        assert archives_folder(run) == left
        if bad == "corrupt":
            failure = run.failed[B]
            assert failure["reason"] == "archive" and not failure["permanent"]
            assert failure["error"].endswith(f"Bad CRC-32 for file '{REAL}/{B}.mp4'")
        else:
            assert run.failed == {}


def test_without_gdown_it_says_what_to_do(tmp_path: Path, mp4s: dict[str, bytes]) -> None:
    drive = both_zips(mp4s)
    (tmp_path / "gdown.py").write_text("raise ImportError('not here')\n")
    with music(tmp_path, drive) as run:
        ended = run.start(before=("env", f"PYTHONPATH={tmp_path}")).end()
        assert ended.code == 1 and "Traceback" not in ended.said
        why = "error: the videos lie in archives on Google Drive, and gdown is not installed"
        assert ended.said.count(why) == 1
        assert "-m pip install gdown" in ended.err
        assert f"https://drive.google.com/drive/folders/{FOLDER_ID}" in ended.err
        assert "the real videos (36.67 GB) and the synthetic videos (11.59 GB)" in ended.err
        assert "--archives PATH" in ended.err
        assert drive.log == [] and run.published == set() and run.failed == {}


# -- a folder of another dataset -----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_folder_of_general_avqa_is_refused(tmp_path: Path, media_folder: Path) -> None:
    clip = "abcdefghijk_000002"
    with stage(tmp_path, media_folder, {clip: FakeVideo(QUICK)}) as general:
        assert general.run("--cut", "copy").code == 0
        before, log = snapshot(general.data), general.youtube.log
        ended = replace_script(general).run("--cut", "copy")
        assert ended.code == 2
        assert f"error: {general.data} holds general_avqa, not music_avqa" in ended.err
        assert "--data-dir" in ended.err
        assert general.youtube.log == log and snapshot(general.data) == before


def replace_script(other: Stage) -> Stage:
    """The other script in the same folder."""
    return Stage(other.youtube, other.base, script=SCRIPT)
