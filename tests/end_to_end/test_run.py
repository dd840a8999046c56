"""Whole runs of the real script: what a user sees, what the folder holds, and what another run makes of it."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.standin import fake_media, rehearse
from tests.standin.fake_media import Media
from tests.standin.fake_youtube import FakeVideo, FakeYouTube, Fault
from tests.standin.rehearse import PIECES
from tests.support.script import QUICK, Ended, Stage, decoded, results, seconds_of, snapshot, stage, stems

DONE = {piece.clip: piece.becomes for piece in PIECES if isinstance(piece.becomes, float)}
FAILED = {piece.clip: piece.becomes for piece in PIECES if isinstance(piece.becomes, str)}
FIRST = "AVrehearsal_000000"
TWINS = ("AVtwoclips1_000017", "AVtwoclips1_000042")
SHORT = "AVendsearly_000018"
COPY = ("--cut", "copy")


@pytest.fixture(scope="module")
def rehearsed(
    tmp_path_factory: pytest.TempPathFactory, media_folder: Path
) -> Iterator[tuple[Stage, Ended, list[str | None]]]:
    """A folder after the first run over the ten pieces, what the run said, and whom it asked in which order."""
    with FakeYouTube(media_folder, _videos(), files=rehearse.annotation_files()) as youtube:
        first = Stage(youtube, tmp_path_factory.mktemp("rehearsed"))
        ended = first.run()
        assert youtube.unknown == []
        yield first, ended, [request.kind for request in youtube.log]


@pytest.fixture
def again(rehearsed: tuple[Stage, Ended, list[str]], tmp_path: Path, media_folder: Path) -> Iterator[Stage]:
    """The same folder once more, and a stand-in that nobody has asked anything yet."""
    with FakeYouTube(media_folder, _videos(), files=rehearse.annotation_files()) as youtube:
        copied = Stage(youtube, tmp_path)
        shutil.copytree(rehearsed[0].data, copied.data, dirs_exist_ok=True)
        yield copied
        assert youtube.unknown == []


@pytest.fixture
def fresh(tmp_path: Path, media_folder: Path) -> Iterator[Stage]:
    """An empty folder for the ten pieces."""
    with stage(tmp_path, media_folder, {}, rehearse.annotation_files()) as empty:
        empty.youtube.videos.update(_videos())
        yield empty


def _videos() -> dict[str, FakeVideo]:
    return {piece.clip[:11]: piece.video for piece in PIECES}


def test_the_ten_pieces_come_out_right(rehearsed: tuple[Stage, Ended, list[str]]) -> None:
    first, ended, kinds = rehearsed
    assert rehearse.wrong(first.data, ended.code, ended.said) == []
    # Everything came by the proxy that --proxy named: the environment names none.
    assert kinds.count("file") == 3
    assert kinds.count("watch") == len({piece.clip[:11] for piece in PIECES}) == 9
    assert len(first.json("metadata/required_video_ids.json")) == 10
    assert first.json("metadata/video_url_mapping.json")[FIRST].endswith("v=AVrehearsal")


def test_what_can_be_counted_agrees(rehearsed: tuple[Stage, Ended, list[str]]) -> None:
    first, ended, _ = rehearsed
    assert rehearse.SUMMARY in ended.out
    assert set(first.completed) == stems(first.data / "videos", ".mp4") == stems(first.data / "audio", ".wav")
    assert {clip: entry["reason"] for clip, entry in first.failed.items()} == FAILED
    assert all(entry["permanent"] and entry["attempts"] == 1 for entry in first.failed.values())
    assert first.json("download_progress.json")["total"] == 10
    assert {line["id"]: line["status"] for line in first.manifest} == {
        **dict.fromkeys(DONE, "done"),
        **dict.fromkeys(FAILED, "failed"),
    }
    assert not list(first.data.glob(".tmp/*/*"))


@pytest.mark.parametrize("clip", DONE)
def test_every_clip_is_as_long_as_its_seconds(rehearsed: tuple[Stage, Ended, list[str]], clip: str) -> None:
    first = rehearsed[0]
    pictures, last = decoded(first.mp4(clip))
    assert pictures == round(DONE[clip] * 25)
    assert last == pytest.approx(DONE[clip] - 1 / 25, abs=0.001)
    # The source itself ends up to two packets later: the encoder's delay, and the last one filled up.
    assert seconds_of(first.wav(clip)) == pytest.approx(DONE[clip], abs=2048 / 44100)
    told = first.manifest_of(clip)
    assert (told["youtube_id"], told["pictures"], told["sample_rate"]) == (clip[:11], pictures, 44100)


def test_a_second_run_asks_nobody(again: Stage) -> None:
    before = results(again)
    ended = again.run()
    assert ended.code == 0 and rehearse.SUMMARY in ended.out
    assert again.youtube.log == []
    assert results(again) == before


def test_what_was_taken_away_comes_back_and_nothing_else(again: Stage) -> None:
    before = results(again)
    again.mp4(TWINS[1]).unlink()
    failed = again.failed
    del failed["AVisprivate_000010"]
    (again.data / "failed_downloads.json").write_text(json.dumps(failed))
    ended = again.run()
    assert ended.code == 0 and rehearse.SUMMARY in ended.out
    assert again.asked_videos() == {"AVtwoclips1", "AVisprivate"}
    assert results(again) == before
    assert set(again.failed) == set(FAILED)


def test_retry_failed_asks_for_one_reason(again: Stage) -> None:
    again.youtube.videos["AVwasremove"] = FakeVideo(QUICK)
    ended = again.run("--retry-failed", "removed")
    assert again.asked_videos() == {"AVwasremove"}
    assert ended.code == 0 and "8 of 10 clips are done, 2 failed, 0 not tried yet." in ended.out
    assert "AVwasremove_000005" in again.published and "AVwasremove_000005" not in again.failed


@pytest.mark.slow
def test_max_clips_stops_there(fresh: Stage) -> None:
    ended = fresh.run("--max-clips", "3", *COPY)
    assert ended.code == 0 and "3 of 10 clips are done" in ended.out
    assert len(fresh.published) == len(fresh.completed) == 3
    assert fresh.run("--max-clips", "3", *COPY).code == 0
    assert len(fresh.published) == 3


@pytest.mark.slow
def test_one_split(fresh: Stage) -> None:
    ended = fresh.run("--splits", "val", *COPY)
    val = {piece.clip for piece in PIECES if piece.split == "val"}
    assert ended.code == 0 and f"{len(val & DONE.keys())} of {len(val)} clips are done" in ended.out
    assert fresh.published == val & DONE.keys()
    assert set(fresh.json("metadata/required_video_ids.json")) == val
    assert not (fresh.data / "metadata" / "train_qa.json").exists()


def test_status_says_and_touches_nothing(again: Stage) -> None:
    before = snapshot(again.data.parent)
    ended = again.run("--status")
    assert ended.code == 0 and rehearse.SUMMARY in ended.out and "private video" in ended.out
    assert again.youtube.log == []
    assert snapshot(again.data.parent) == before


def test_verify_names_a_flipped_byte_and_repair_mends_it(again: Stage) -> None:
    before = results(again)
    good = again.run("--verify")
    assert good.code == 0 and f"{len(DONE)} clips are right, 0 are bad." in good.out
    spoilt = bytearray(again.mp4(FIRST).read_bytes())
    spoilt[len(spoilt) // 2] ^= 1
    again.mp4(FIRST).write_bytes(spoilt)
    ended = again.run("--verify")
    assert ended.code == 3 and f"{FIRST}: videos/{FIRST}.mp4" in ended.out
    assert f"{len(DONE) - 1} clips are right, 1 are bad." in ended.out
    assert again.run("--verify", "--repair").code == 3
    assert again.youtube.log == []
    aside = again.data / "set_aside" / f"{FIRST}.mp4"
    assert aside.read_bytes() == spoilt and not again.mp4(FIRST).exists()
    assert FIRST not in again.completed and len(again.completed) == len(DONE) - 1
    assert again.run().code == 0
    assert again.asked_videos() == {"AVrehearsal"}
    assert results(again) == before and aside.read_bytes() == spoilt


def test_what_ffmpeg_was_ended_at_is_not_called_bad(again: Stage, tmp_path: Path) -> None:
    """One that dies at files of the folder, but passes its trial."""
    stranger = next(iter(FAILED))
    shutil.copy(again.mp4(FIRST), again.mp4(stranger))
    shutil.copy(again.wav(FIRST), again.wav(stranger))
    dying = tmp_path / "ffmpeg"
    dying.write_text(
        f'#!/bin/sh\ncase "$*" in *{again.data}*) kill -11 $$;; esac\nexec {fake_media.ffmpeg()} "$@"\n'
    )
    dying.chmod(0o755)
    for more in ([], ["--repair"]):
        ended = again.run("--verify", "--ffmpeg", dying, *more)
        assert ended.code == 3
        assert f"{stranger}: not looked at, ffmpeg was ended by signal 11 (SIGSEGV)" in ended.out
        assert f"{len(DONE)} clips are right, 0 are bad." in ended.out
        assert again.mp4(stranger).exists() and not (again.data / "set_aside").exists()


@pytest.mark.slow
def test_a_whole_video_under_a_clips_name_is_set_aside(fresh: Stage, media_folder: Path) -> None:
    whole = fake_media.make(Media(duration=60.0), fake_media.PROGRESSIVE, media_folder)
    for folder in ("videos", "audio"):
        (fresh.data / folder).mkdir(parents=True)
    shutil.copy(whole, fresh.mp4(SHORT))
    fresh.wav(SHORT).write_bytes(b"RIFF")
    fresh.run("--splits", "val", *COPY)
    aside = fresh.data / "set_aside"
    assert (aside / f"{SHORT}.mp4").read_bytes() == whole.read_bytes()
    assert (aside / f"{SHORT}.wav").read_bytes() == b"RIFF"
    assert SHORT in fresh.completed and seconds_of(fresh.wav(SHORT)) == pytest.approx(6.0, abs=2048 / 44100)
    assert "set_aside" in fresh.log


def test_right_files_are_adopted_without_a_request(again: Stage) -> None:
    before = results(again)
    (again.data / "manifest.jsonl").unlink()
    ended = again.run()
    assert ended.code == 0 and rehearse.SUMMARY in ended.out
    assert set(again.completed) == set(DONE) and results(again) == before
    # What failed is asked for again, and one clip cannot be told from half a clip without its video.
    assert again.asked_videos() <= {clip[:11] for clip in (*FAILED, SHORT)}


def test_another_shape_of_files_is_refused_unless_mixed(again: Stage) -> None:
    before = snapshot(again.data)
    ended = again.run("--quality", "480")
    assert ended.code == 2 and "--quality 360" in ended.err and "--allow-mixed" in ended.err
    after = snapshot(again.data)
    assert {name: value for name, value in after.items() if name in before} == before
    assert again.youtube.log == []
    again.mp4(FIRST).unlink()
    ended = again.run("--quality", "480", "--allow-mixed")
    assert ended.code == 0 and rehearse.SUMMARY in ended.out
    assert again.asked_videos() == {"AVrehearsal"}


@pytest.mark.slow
def test_a_silent_video_comes_when_silence_is_allowed(tmp_path: Path, media_folder: Path) -> None:
    clip = "silentvideo_000001"
    video = FakeVideo(replace(QUICK, audio=False), itags=(134,))
    with stage(tmp_path, media_folder, {clip: video}) as silent:
        ended = silent.run()
        assert ended.code == 0 and "--allow-silent" in ended.out
        assert silent.failed[clip]["reason"] == "no_audio" and silent.failed[clip]["permanent"]
        ended = silent.run("--allow-silent")
        assert ended.code == 0 and silent.completed == [clip] and silent.failed == {}, ended.said
        assert decoded(silent.mp4(clip))[0] == 10 * QUICK.fps and not silent.wav(clip).exists()
        assert silent.run("--allow-silent", "--verify").code == 0


def test_a_second_run_at_once_is_refused(tmp_path: Path, media_folder: Path) -> None:
    video = FakeVideo(QUICK, faults=(Fault("stall"),))
    with stage(tmp_path, media_folder, {"abcdefghijk_000000": video}) as busy:
        child = busy.start()
        try:
            written = busy.data / "download_progress.json"
            child.until(lambda: busy.youtube.requests("media") and written.exists())
            before = snapshot(busy.data)
            ended = busy.run()
            assert ended.code == 1
            assert socket.gethostname() in ended.err and str(child.process.pid) in ended.err
            assert "in use" in busy.run("--status").out
            assert snapshot(busy.data) == before
        finally:
            child.process.kill()
            child.end()
