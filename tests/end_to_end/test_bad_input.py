"""What users get wrong, and what strangers put into files: each is one clear message, and nothing else happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.standin.fake_youtube import FakeVideo
from tests.standin.rehearse import QA_URL, question
from tests.support.script import QUICK, Ended, Stage, snapshot, stage

CLIP = "goodvideo01_000001"
TRAIN = QA_URL.format("train")
SPLIT = ("--splits", "train")


@pytest.fixture
def place(tmp_path: Path, media_folder: Path) -> Iterator[Stage]:
    """A folder, one good clip to be had, and the promise that nothing beside the folder is touched."""
    with stage(tmp_path, media_folder, {CLIP: FakeVideo(QUICK)}) as ready:
        (ready.data.parent / "neighbour").write_text("not ours")
        before = snapshot(ready.data.parent, without=ready.data)
        yield ready
        assert snapshot(ready.data.parent, without=ready.data) == before
        assert ready.asked_videos() <= {CLIP[:11]}


def complains(ended: Ended, code: int, *words: str) -> None:
    """It ended with this code and one message on standard error that says these words."""
    assert ended.code == code, ended.said
    lines = [line for line in ended.err.splitlines() if words[0] in line]
    assert len(lines) == 1, f"{words[0]!r} must be said once:\n{ended.err}"
    for word in words:
        assert word in ended.err, f"{word!r} is missing:\n{ended.err}"


# -- options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--quality", "361"), ("--quality", "361", "360")),
        (("--rate-limit", "fast"), ("--rate-limit", "'fast'", "50K")),
        (("--retry-failed", "bad_luck"), ("--retry-failed", "bad_luck")),
        (("--proxy", "example"), ("--proxy", "not a proxy", "http://host:port")),
        (("--frobnicate",), ("--frobnicate",)),
        (("--yt-dlp-args", "--exec rm"), ("--exec", "--yt-dlp-args")),
    ],
    ids=lambda value: value[0] if isinstance(value[0], str) else "",
)
def test_options_that_cannot_be_meant(place: Stage, options: tuple[str, ...], words: tuple[str, ...]) -> None:
    ended = place.run(*options)
    assert ended.code == 2 and all(word in ended.err.split("error: ", 1)[1] for word in words), ended.err
    assert not place.data.exists() and place.youtube.log == []


def test_a_data_dir_that_is_a_file(place: Stage) -> None:
    file = place.data.parent / "neighbour"
    complains(place.run("--data-dir", file), 2, f"{file} is not a folder", "--data-dir")


def test_no_folder_to_look_at(place: Stage) -> None:
    for option in ("--status", "--verify"):
        complains(place.run(option), 1, "holds no download", "--data-dir")
        assert not place.data.exists()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (None, "cannot be read"),
        (b"<html>log in</html>", "is not a cookie file"),
        (b"# Netscape HTTP Cookie File\n.youtube.com TRUE / TRUE 0 LOGIN_INFO x\n", "is not a cookie file"),
    ],
    ids=["missing", "html", "spaces for tabs"],
)
def test_bad_cookies(place: Stage, content: bytes | None, word: str) -> None:
    file = place.base / "cookies.txt"
    if content is not None:
        file.write_bytes(content)
    complains(place.run("--cookies", file), 2, f"--cookies {file} {word}")
    assert place.youtube.log == [] and (content is None or file.read_bytes() == content)


# -- ffmpeg --------------------------------------------------------------------------------------------------

FAKE = """#!/bin/sh
case "$*" in *-version*) echo 'ffmpeg version 2.8.17 Copyright' ;; *-encoders*) echo ' V..... mpeg4' ;; \
*) echo "Unknown encoder 'libx264'" >&2; exit 1 ;; esac
"""


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (None, ("no such program", "--ffmpeg")),
        ("#!/bin/sh\necho hello\n", ("is not ffmpeg", "--ffmpeg")),
        ("no program at all", ("does not run as ffmpeg",)),
        (FAKE, ("cannot", "2.8.17", "libx264", "--ffmpeg")),
    ],
    ids=["missing", "another program", "text", "cannot encode"],
)
def test_an_ffmpeg_that_is_none(place: Stage, program: str | None, words: tuple[str, ...]) -> None:
    path = place.base / "ffmpeg"
    if program is not None:
        path.write_text(program)
        path.chmod(0o755)
    complains(place.run("--ffmpeg", path), 1, *words, str(path))
    assert place.youtube.requests("watch") == [] and not place.data.exists()


# -- annotation files ----------------------------------------------------------------------------------------


class Bad(NamedTuple):
    """What stands in metadata/train_qa.json, and words of the complaint."""

    content: bytes
    words: tuple[str, ...]


BAD_FILES = {
    "half": Bad(json.dumps([question(1, CLIP)], indent=1).encode()[:-20], ("is not whole JSON", "line", "column")),
    "no list": Bad(b'{"video_name": 1}', ("not a list",)),
    "empty list": Bad(b"[]", ("is an empty list",)),
    "binary": Bad(b"\xff\xfe\x00", ("is not UTF-8",)),
    "no clip": Bad(b'[{"video_name": null}, 7]', ("no record", "record 1")),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_placed_by_hand(place: Stage, name: str) -> None:
    bad = BAD_FILES[name]
    file = place.data / "metadata" / "train_qa.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(bad.content)
    complains(place.run(*SPLIT), 1, *bad.words, str(place.data / "metadata"))
    assert file.read_bytes() == bad.content and place.youtube.requests("watch") == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, ("HTTP 404", TRAIN)),
        (b"<!DOCTYPE html><html>Sign in to the network of the institute</html>", ("is not whole JSON", "line 1")),
        (b"[]", ("is an empty list",)),
    ],
    ids=["404", "html", "empty list"],
)
def test_a_bad_answer_of_the_annotation_host(place: Stage, answer: bytes | None, words: tuple[str, ...]) -> None:
    del place.youtube.files[TRAIN]
    if answer is not None:
        place.youtube.files[TRAIN] = answer
    complains(place.run(*SPLIT), 1, *words)
    assert {path.name for path in (place.data / "metadata").iterdir()} <= {
        "folder.json",
        "asked.json",
        "val_qa.json",
    }


def test_records_that_name_no_clip_are_left_out_and_named(place: Stage) -> None:
    odd = ["../../../x/etc_000001", "..", "/etc/passwd_000001", "goodvideo01", "goodvideo01_1",
           "goodvideo01_00000x", "goodvideo01_000001/..", "goodvideo01_000001\n", "good/ideo01_000001",
           "goodvideo01_000001.mp4", "", 7, "\x1b[31mvideo01_000001"]  # fmt: skip
    records = [{"video_name": name} for name in odd] + [{"id": 5}, "no record", None]
    place.youtube.files[TRAIN] = json.dumps([*records, question(1, CLIP), question(2, CLIP)]).encode()
    ended = place.run(*SPLIT)
    assert ended.code == 0 and "1 of 1 clips are done" in ended.out
    assert f"{len(records)} records are left out" in ended.out
    assert place.completed == [CLIP] and place.json("metadata/required_video_ids.json") == [CLIP]
    skipped = [line for line in place.log.splitlines() if "skipped: " in line]
    assert len(skipped) == len(records) and all("train_qa.json, record" in line for line in skipped)
    assert "'/etc/passwd_000001'" in place.log and "\x1b" not in place.log + ended.said


def test_digits_of_another_script_are_no_second(place: Stage) -> None:
    odd = "goodvideo01_" + "\u0661" * 6
    place.youtube.files[TRAIN] = json.dumps([question(1, odd), question(2, CLIP)]).encode()
    ended = place.run(*SPLIT)
    assert ended.code == 0 and place.completed == [CLIP]
    assert "1 records are left out" in ended.out and odd in place.log


def test_a_broken_list_of_labels_is_gone_without(place: Stage) -> None:
    del place.youtube.files["https://raw.githubusercontent.com/hche11/VGGSound/master/data/vggsound.csv"]
    ended = place.run(*SPLIT)
    assert ended.code == 0 and "going on without vggsound.csv" in ended.out and place.completed == [CLIP]


# -- the folder ----------------------------------------------------------------------------------------------


def test_the_folder_of_another_dataset(place: Stage) -> None:
    file = place.data / "metadata" / "folder.json"
    file.parent.mkdir(parents=True)
    shape = {"quality": 360, "cut": "exact", "audio_rate": None, "audio_channels": None}
    file.write_text(json.dumps({"dataset": "audioset", "settings": shape}))
    content = file.read_bytes()
    for options in (("--allow-mixed",), ("--status",), ("--verify", "--repair")):
        complains(place.run(*options), 2, "holds audioset", "--data-dir")
    assert file.read_bytes() == content and place.youtube.log == []


def _half(text: bytes) -> bytes:
    return text[: len(text) // 2]


SPOILT: list[tuple[str, Callable[[bytes], bytes], tuple[str, ...]]] = [
    ("failed_downloads.json", _half, ("is not whole JSON", "line", "column")),
    ("failed_downloads.json", lambda text: b"[]", ("holds no object",)),
    ("download_progress.json", _half, ("is not whole JSON", "line", "column")),
    ("metadata/folder.json", _half, ("is not whole JSON", "line", "column")),
]


def test_half_a_file_is_never_overwritten(place: Stage) -> None:
    place.youtube.videos[CLIP[:11]] = FakeVideo(QUICK, case="private")
    assert place.run(*SPLIT).code == 0 and CLIP in place.failed
    manifest = place.manifest
    for name, spoil, words in SPOILT:
        file = place.data / name
        good = file.read_bytes()
        file.write_bytes(spoil(good))
        complains(place.run(*SPLIT), 1, *words, str(file))
        assert file.read_bytes() == spoil(good) and place.manifest == manifest
        file.write_bytes(good)
    assert place.run(*SPLIT).code == 0 and place.youtube.extractions() == 1
