"""Whole runs of AudioSet's script against a stand-in."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from tests.standin.fake_media import Media, make
from tests.standin.fake_youtube import FakeVideo, FakeYouTube
from tests.support.audioset_lists import (
    BAL,
    DIGITS,
    END,
    EVAL,
    HALF,
    annotation_files,
)
from tests.support.script import QUICK, ROOT, Ended, Stage, digests

SCRIPT = ROOT / "download_audioset.py"

# Of the last one's ten seconds, the video has four.
LASTS = {EVAL: 10.0, HALF: 10.0, BAL: 10.0, END: 4.0}
FILES = {
    name: f"audio/{'eval' if name in (EVAL, HALF) else 'balanced_train'}/{DIGITS[name]}/{name}.m4a"
    for name in LASTS
}
PACKETS = 2 * 1024 / 44100


def videos(**other: Any) -> dict[str, FakeVideo]:
    return {
        name: FakeVideo(replace(QUICK, seed=seed), title=f"The title of {name}", **other)
        for seed, name in enumerate(LASTS, 1)
    }


@contextmanager
def audioset(
    base: Path, media: Path, there: Mapping[str, FakeVideo] | None = None, like: Path | None = None
) -> Iterator[Stage]:
    """A stage for the script of AudioSet; its folder is a copy of ``like``."""
    with FakeYouTube(media, videos() if there is None else there, files=annotation_files()) as youtube:
        run = Stage(youtube, base, script=SCRIPT)
        if like is not None:
            shutil.copytree(like, run.data)
        yield run
        assert youtube.unknown == []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, media_folder: Path) -> Iterator[tuple[Stage, Ended]]:
    """A folder after a first run, and what the run said; nobody is to change it."""
    with audioset(tmp_path_factory.mktemp("audioset"), media_folder) as run:
        yield run, run.run()


def files_of(run: Stage) -> set[str]:
    """All that stands beneath the folder of sounds."""
    return {path.relative_to(run.data).as_posix() for path in run.data.glob("audio/**/*") if path.is_file()}


def assert_tables(run: Stage, *names: str) -> None:
    """The tables list these clips, and each file that they name is there."""
    tables = {"": {*names}, "_eval": {EVAL, HALF} & {*names}, "_balanced_train": {BAL, END} & {*names}}
    for ending, due in tables.items():
        path = run.data / f"audioset_metadata{ending}.json"
        table = json.loads(path.read_text()) if path.exists() else {}
        assert set(table) == due, path.name
        assert all((run.data / entry["path"]).is_file() for entry in table.values())


def test_a_run_leaves_the_sound_of_every_clip(made: tuple[Stage, Ended]) -> None:
    run, ended = made
    assert ended.code == 0 and "4 of 4 clips are done" in ended.out, ended.said
    assert files_of(run) == set(FILES.values()) and not (run.data / "videos").exists()
    for name, file in FILES.items():
        with av.open(str(run.data / file)) as container:
            assert [stream.type for stream in container.streams] == ["audio"]
            assert container.streams[0].codec_context.name == "aac"
            frames = [(frame.time, frame.samples / frame.sample_rate) for frame in container.decode(audio=0)]
        assert abs(sum(lasts for _, lasts in frames) - LASTS[name]) <= PACKETS
    assert set(run.completed) == set(LASTS) and run.failed == {}


def test_no_byte_of_a_picture_is_asked_for(made: tuple[Stage, Ended]) -> None:
    run, _ = made
    assert {request.itag for request in run.youtube.requests("media")} == {140}
    assert {name: run.youtube.extractions(name) for name in LASTS} == dict.fromkeys(LASTS, 1)
    # The lists that were not asked for stay where they are.
    assert {path.name for path in (run.data / "metadata").iterdir()} == {
        *(
            "class_labels_indices.csv",
            "eval_segments.csv",
            "balanced_train_segments.csv",
            "folder.json",
            "asked.json",
        )
    }


def test_the_tables(made: tuple[Stage, Ended]) -> None:
    run, _ = made
    assert_tables(run, *LASTS)
    every = run.json("audioset_metadata.json")
    assert every[HALF] == {
        "url": f"https://www.youtube.com/watch?v={HALF}",
        "path": FILES[HALF],
        "start": 2.5,
        "end": 12.5,
        "split": "eval",
        "tags": ["/m/0bt9lr"],
        "labels": ["Dog"],
        "title": f"The title of {HALF}",
    }
    assert every[END]["labels"] == ["Speech", "/m/0unknown"] and every[END]["end"] == 20.0
    assert {name: entry["path"] for name, entry in every.items()} == FILES
    parts = [run.json(f"audioset_metadata_{split}.json") for split in ("eval", "balanced_train")]
    assert parts[0] | parts[1] == every


@pytest.mark.slow
def test_what_is_gone_comes_again_and_nothing_else(
    made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path
) -> None:
    first = digests((made[0].data / file) for file in FILES.values())
    with audioset(tmp_path, media_folder, like=made[0].data) as run:
        ended = run.run()
        assert ended.code == 0 and "4 of 4 clips are done" in ended.out, ended.said
        assert run.youtube.log == []
        (run.data / FILES[HALF]).unlink()
        assert "3 of 4 clips are done" in run.run("--status").out
        assert run.run().code == 0
        assert run.asked_videos() == {HALF}
        assert digests(run.data / file for file in FILES.values()) == first
        assert_tables(run, *LASTS)
        # Another kind of file belongs into another folder.
        ended = run.run("--audio-format", "wav")
        assert ended.code == 2 and "was made with --audio-format m4a" in ended.err, ended.said
        assert files_of(run) == set(FILES.values())


@pytest.mark.slow
def test_a_folder_whose_sounds_are_in_wavs_goes_on_there(
    made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path
) -> None:
    """As it was made before the folder was called audio/."""
    with audioset(tmp_path, media_folder, like=made[0].data) as run:
        (run.data / "audio").rename(run.data / "wavs")
        manifest = run.data / "manifest.jsonl"
        manifest.write_text(manifest.read_text().replace('"audio": "audio/', '"audio": "wavs/'))
        (run.data / FILES[HALF].replace("audio/", "wavs/", 1)).unlink()
        ended = run.run()
        assert ended.code == 0 and "4 of 4 clips are done" in ended.out, ended.said
        assert run.asked_videos() == {HALF} and not (run.data / "audio").exists()
        there = {path.relative_to(run.data).as_posix() for path in run.data.glob("wavs/**/*") if path.is_file()}
        assert there == {file.replace("audio/", "wavs/", 1) for file in FILES.values()}
        assert {entry["path"] for entry in run.json("audioset_metadata.json").values()} == there
        assert "4 of 4 clips are done" in run.run("--status").out
        assert "4 clips are right, 0 are bad" in run.run("--verify").out


def test_verify_and_repair(made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path) -> None:
    with audioset(tmp_path, media_folder, like=made[0].data) as run:
        bad = run.data / FILES[BAL]
        bad.write_bytes(bad.read_bytes()[:-1])
        (run.data / FILES[EVAL]).unlink()
        ended = run.run("--verify")
        assert ended.code == 3 and "2 clips are right, 1 are bad." in ended.out, ended.said
        assert f"{BAL}: {FILES[BAL]} is not what was downloaded" in ended.out and bad.exists()
        ended = run.run("--verify", "--repair")
        aside = run.data / "set_aside" / f"{BAL}.m4a"
        assert ended.code == 3 and f"moved to {aside}" in ended.out, ended.said
        assert aside.exists() and not bad.exists() and set(run.completed) == {HALF, END}
        assert run.youtube.log == []
        assert run.run().code == 0 and run.asked_videos() == {EVAL, BAL}
        assert files_of(run) == set(FILES.values())
        assert "4 clips are right, 0 are bad." in run.run("--verify").out


@pytest.mark.slow
def test_what_stands_under_a_clips_name_is_looked_at(
    made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path
) -> None:
    with audioset(tmp_path, media_folder) as run:
        for name in (EVAL, HALF):
            (run.data / FILES[name]).parent.mkdir(parents=True)
        shutil.copy(made[0].data / FILES[EVAL], run.data / FILES[EVAL])
        wrong = make(Media(duration=2.0), 140, media_folder)
        shutil.copy(wrong, run.data / FILES[HALF])
        ended = run.run("--splits", "eval")
        assert ended.code == 0 and "2 of 2 clips are done" in ended.out, ended.said
        assert run.asked_videos() == {HALF}
        assert run.manifest_of(EVAL)["adopted"] is True and run.manifest_of(EVAL)["audio"] == FILES[EVAL]
        assert (run.data / "set_aside" / f"{HALF}.m4a").read_bytes() == wrong.read_bytes()
        assert (run.data / FILES[HALF]).read_bytes() == (made[0].data / FILES[HALF]).read_bytes()
        assert_tables(run, EVAL, HALF)
        assert run.json("audioset_metadata.json")[EVAL]["title"] is None


def test_the_tables_list_no_clip_that_is_gone(
    made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path
) -> None:
    """Not even where it was a split's last."""
    there = videos() | {name: FakeVideo(QUICK, case="private") for name in (EVAL, HALF)}
    with audioset(tmp_path, media_folder, there, like=made[0].data) as run:
        for name in (EVAL, HALF):
            (run.data / FILES[name]).unlink()
        assert run.run().code == 0
        assert {name: entry["reason"] for name, entry in run.failed.items()} == dict.fromkeys(
            (EVAL, HALF), "private"
        )
        assert_tables(run, BAL, END)


def test_events_with_the_files_they_are_heard_in(
    made: tuple[Stage, Ended], tmp_path: Path, media_folder: Path
) -> None:
    with audioset(tmp_path, media_folder, like=made[0].data) as run:
        (run.data / FILES[EVAL]).unlink()
        ended = run.run("--strong", "--splits", "eval")
        # Only what has events is to be had, and that is there.
        assert ended.code == 0 and "1 of 1 clips are done" in ended.out and run.asked_videos() == set(), ended.said
        assert (run.data / "audioset_eval_strong.tsv").read_text() == (
            "filename\tonset\toffset\tevent_label\tmid\n"
            f"{FILES[HALF]}\t0.0\t1.5\tDog\t/m/0bt9lr\n"
            f"{FILES[HALF]}\t3.25\t10.0\t/m/0other\t/m/0other\n"
        )
        assert not (run.data / "audioset_train_strong.tsv").exists()
        assert_tables(run, HALF, BAL, END)


def test_a_run_that_is_stopped_leaves_right_tables(tmp_path: Path, media_folder: Path) -> None:
    with audioset(tmp_path, media_folder) as run:
        child = run.start("--workers", "1", "--sleep", "20")
        child.until(lambda: (run.data / "manifest.jsonl").exists() and len(run.manifest) == 1)
        child.send(signal.SIGTERM)
        ended = child.end()
        assert ended.code == 143 and "Traceback" not in ended.said, ended.said
        assert files_of(run) == {FILES[EVAL]} and run.completed == [EVAL]
        assert_tables(run, EVAL)


def test_flat_classes_and_samples(tmp_path: Path, media_folder: Path) -> None:
    with audioset(tmp_path, media_folder) as run:
        ended = run.run("--flat", "--labels", "dog,male speech, man speaking", "--audio-format", "wav")
        assert ended.code == 0 and "2 of 2 clips are done" in ended.out, ended.said
        assert files_of(run) == {f"audio/{EVAL}.wav", f"audio/{HALF}.wav"}
        assert {name: entry["path"] for name, entry in run.json("audioset_metadata.json").items()} == {
            name: f"audio/{name}.wav" for name in (EVAL, HALF)
        }


def test_a_class_that_is_none_is_named_at_once(tmp_path: Path, media_folder: Path) -> None:
    with audioset(tmp_path, media_folder) as run:
        ended = run.run("--labels", "Speach")
        assert ended.code == 2 and "no class is called 'Speach'" in ended.err, ended.said
        assert "the nearest: Speech" in ended.err and run.asked_videos() == set()
