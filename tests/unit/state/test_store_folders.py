"""Clips in sub-folders, and the sound alone: what stands in a data folder, and what a start makes of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avclips.core.errors import UsageError
from avclips.core.files import whole_list, whole_object
from avclips.core.model import Clip, Outcome
from avclips.core.settings import Settings
from avclips.fetch.plan import see_that_they_are_the_same
from avclips.state.store import Store
from tests.support.data_folder import Start, fail, ids, read, runs
from tests.support.fake_clock import FakeClock

DEEP = Clip("deep", "d", 0.0, 10.0, folder="eval/3f")
BESIDE = Clip("beside", "b", 0.0, 10.0, folder="eval/3f")
OTHER = Clip("other", "o", 0.0, 10.0, folder="train/00")
TOP = Clip("top", "t", 0.0, 10.0)
EVERY = [DEEP, BESIDE, OTHER, TOP]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with runs(tmp_path / "data") as start:
        yield start


def names(store: Store, clip: Clip, seen: bool) -> dict[str, str | None]:
    """What a finished clip's line says of its files."""
    video, audio = (path.relative_to(store.folder).as_posix() for path in store.files.paths(clip.id, clip.folder))
    return {"video": video if seen else None, "audio": audio}


def finish(store: Store, clip: Clip, seen: bool = True, **facts: Any) -> None:
    """Publish and record a clip, as worker and engine do."""
    with store.files.scratch(clip) as folder:
        video, audio = folder / "x.mp4", folder / "x.wav"
        video.write_bytes(b"picture")
        audio.write_bytes(b"sound")
        store.files.publish(clip, video if seen else None, audio)
    store.record(Outcome(clip, "done", attempts=1, facts=names(store, clip, seen) | facts))


def files(store: Store) -> set[str]:
    """All that stands under the names of clips."""
    folders = (store.files.videos, store.files.audio, store.folder / "set_aside")
    return {
        path.relative_to(store.folder).as_posix()
        for folder in folders
        for path in folder.glob("**/*")
        if path.is_file()
    }


# -- where files lie -----------------------------------------------------------------------------------------


def test_files_lie_in_the_clips_folder(start: Start) -> None:
    store = start()
    for clip in EVERY:
        finish(store, clip)
    places = {"eval/3f/deep", "eval/3f/beside", "train/00/other", "top"}
    due = {f"videos/{name}.mp4" for name in places} | {f"audio/{name}.wav" for name in places}
    assert files(store) == due
    assert [store.file_of(clip.id) for clip in (DEEP, TOP)] == ["audio/eval/3f/deep.wav", "audio/top.wav"]
    assert store.file_of("another") is None
    again = start()
    assert again.done == store.done and again.pending(EVERY) == []
    assert [line["id"] for line in again.done_lines()] == ids(EVERY)
    assert again.file_of("other") == "audio/train/00/other.wav"


@pytest.mark.parametrize(
    "lost", ["videos/eval/3f/deep.mp4", "audio/eval/3f/deep.wav", "videos/eval/3f", "audio/eval"]
)
def test_what_is_gone_is_not_done(start: Start, lost: str) -> None:
    store = start()
    for clip in EVERY:
        finish(store, clip)
    path = store.folder / lost
    path.rename(store.folder / "elsewhere")
    again = start()
    gone = [DEEP] if path.suffix else [DEEP, BESIDE]
    assert again.pending(EVERY) == gone
    # What is left of them is ours, and no stranger's.
    assert not any(again.has_unknown_files(clip) or again.had_unknown_files(clip) for clip in EVERY)
    assert [line["id"] for line in again.done_lines()] == [clip.id for clip in EVERY if clip not in gone]


def test_a_file_in_another_folder_is_not_the_clips(start: Start) -> None:
    store = start()
    finish(store, DEEP)
    for path in store.files.paths("deep", "eval/3f"):
        path.rename(path.parent.parent / path.name)
    again = start()
    assert again.pending([DEEP]) == [DEEP]
    moved = DEEP._replace(folder="eval")
    assert not again.had_unknown_files(DEEP) and again.had_unknown_files(moved._replace(id="x")) is False


def test_links_to_nothing_and_other_things(start: Start) -> None:
    store = start()
    finish(store, DEEP)
    video, _ = store.files.paths("deep", "eval/3f")
    video.unlink()
    video.symlink_to("nowhere")
    (store.files.audio / "eval" / "notes.txt").write_text("x")
    (store.files.audio / "train").write_text("a file where a folder should be")
    again = start()
    assert again.pending([DEEP, OTHER]) == [DEEP, OTHER]
    assert not again.had_unknown_files(DEEP) and not again.had_unknown_files(OTHER)


# -- strangers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1])
def test_strangers_in_a_folder(start: Start, which: int) -> None:
    store = start()
    path = store.files.paths("deep", "eval/3f")[which]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    assert store.has_unknown_files(DEEP)
    again = start()
    assert [again.has_unknown_files(clip) for clip in EVERY] == [True, False, False, False]
    assert [again.had_unknown_files(clip) for clip in EVERY] == [True, False, False, False]
    # Of the same name, elsewhere.
    assert not again.had_unknown_files(DEEP._replace(folder="")) and not again.has_unknown_files(
        DEEP._replace(folder="")
    )
    finish(again, DEEP)
    assert not again.has_unknown_files(DEEP) and not again.had_unknown_files(DEEP)


def test_a_picture_is_no_stranger_where_only_sound_is_wanted(start: Start) -> None:
    store = start(media="audio")
    video, audio = store.files.paths("deep", "eval/3f")
    for path in (video, audio):
        path.parent.mkdir(parents=True)
    video.write_bytes(b"x")
    store.read()
    assert not store.has_unknown_files(DEEP) and not store.had_unknown_files(DEEP)
    audio.write_bytes(b"x")
    store.read()
    assert store.has_unknown_files(DEEP) and store.had_unknown_files(DEEP)


def test_set_aside_out_of_folders(start: Start) -> None:
    store = start()
    finish(store, DEEP)
    for path in store.files.paths("other", "train/00"):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
    aside = store.folder / "set_aside"
    # Of what is done, the journal says where it lies.
    assert store.set_aside("deep") == [aside / "deep.mp4", aside / "deep.wav"]
    assert store.set_aside("other", "train/00") == [aside / "other.mp4", aside / "other.wav"]
    assert store.set_aside("top") == []
    assert {name.split("/")[0] for name in files(store)} == {"set_aside"}


# -- the sound alone -----------------------------------------------------------------------------------------


def test_a_folder_for_the_sound_alone(start: Start) -> None:
    store = start(media="audio", audio_format="m4a")
    assert not store.files.videos.exists()
    finish(store, DEEP, seen=False)
    assert files(store) == {"audio/eval/3f/deep.m4a"} and store.file_of("deep") == "audio/eval/3f/deep.m4a"
    again = start(media="audio", audio_format="m4a")
    assert again.pending([DEEP, TOP]) == [TOP]
    store.files.paths("deep", "eval/3f")[1].unlink()
    assert start(media="audio", audio_format="m4a").pending([DEEP, TOP]) == [DEEP, TOP]


def test_a_folder_of_sounds_by_another_name(tmp_path: Path) -> None:
    store = Store(Settings(tmp_path, media="audio", audio_format="flac"), "test", FakeClock(), audio="wavs")
    store.open()
    finish(store, DEEP, seen=False)
    store.close()
    assert (tmp_path / "wavs/eval/3f/deep.flac").exists() and not (tmp_path / "audio").exists()
    assert store.file_of("deep") == "wavs/eval/3f/deep.flac"
    assert [line["audio"] for line in store.done_lines()] == ["wavs/eval/3f/deep.flac"]


def test_a_picture_without_sound_is_the_clips_file(start: Start) -> None:
    store = start(allow_silent=True)
    video, _ = store.files.paths("deep", "eval/3f")
    video.parent.mkdir(parents=True)
    video.write_bytes(b"x")
    store.record(Outcome(DEEP, "done", facts={"video": "videos/eval/3f/deep.mp4", "audio": None}))
    assert store.file_of("deep") == "videos/eval/3f/deep.mp4"
    assert start(allow_silent=True).file_of("deep") == "videos/eval/3f/deep.mp4"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ({"media": "audio"}, {}, "was made with --media audio$"),
        ({}, {"media": "audio"}, "was made with --media both$"),
        ({"flat": True}, {}, "was made with --flat$"),
        ({}, {"flat": True}, "was made with no --flat$"),
        ({"media": "audio"}, {"media": "audio", "audio_format": "m4a"}, "was made with --audio-format wav$"),
        # What pictures would look like says nothing where there are none.
        ({"media": "audio"}, {"media": "audio", "quality": 720, "cut": "copy", "video_format": "mkv"}, None),
        ({"media": "audio"}, {"quality": 720}, "was made with --media audio, --quality 360$"),
        ({"media": "audio"}, {"allow_mixed": True}, None),
    ],
)
def test_one_folder_holds_one_kind(
    start: Start, before: dict[str, Any], after: dict[str, Any], message: str | None
) -> None:
    start(**before)
    if message is None:
        assert start(**after).done == {}
        return
    with pytest.raises(UsageError, match=message):
        start(**after)


def test_a_folder_of_before_there_was_a_choice(start: Start) -> None:
    path = start().metadata / "folder.json"
    shape = {"quality": 360, "cut": "exact", "audio_rate": None, "audio_channels": None}
    path.write_text(json.dumps({"dataset": "test", "settings": shape}))
    start()
    for other in ({"media": "audio"}, {"flat": True}, {"audio_format": "m4a"}):
        with pytest.raises(UsageError, match="was made with"):
            start(**other)


# -- a list as it comes --------------------------------------------------------------------------------------


def test_expect_goes_with_the_list(start: Start) -> None:
    store = start()
    finish(store, DEEP)
    finish(store, Clip("elsewhere", "e", 0.0, 10.0))
    pulled: list[str] = []

    def listed() -> Iterator[Clip]:
        for clip in (DEEP, OTHER, TOP):
            pulled.append(clip.id)
            yield clip

    coming = store.expect(listed())
    assert pulled == [] and next(coming) is DEEP and pulled == ["deep"]
    assert ids(list(coming)) == ["other", "top"]
    store.snapshot(force=True)
    # Besides the list, what another one brought.
    assert read(store, "download_progress.json")["total"] == 4
    # Another list counts anew.
    assert ids(store.pending(iter([DEEP, OTHER]))) == ["other"]
    store.snapshot(force=True)
    assert read(store, "download_progress.json")["total"] == 3


def test_the_lines_of_what_is_done(start: Start) -> None:
    store = start()
    finish(store, DEEP, title="the old title")
    finish(store, OTHER, title="of another")
    fail(store, TOP)
    store.forget("deep")
    assert [line["id"] for line in store.done_lines()] == ["other"]
    finish(store, DEEP, title="the new title")
    found = {line["id"]: line["title"] for line in store.done_lines()}
    # Each once, and as it was fetched last.
    assert len(list(store.done_lines())) == 2
    assert found == {"deep": "the new title", "other": "of another"}
    fail(store, OTHER)
    assert [line["id"] for line in store.done_lines()] == ["deep"]


def test_a_shards_lines_are_those_of_its_neighbours_too(tmp_path: Path) -> None:
    """Both are at work: whoever writes the tables last, they are of all that is there."""
    shards = [Store(Settings(tmp_path, part=(number, 2)), "test", FakeClock()) for number in (0, 1)]
    for store in shards:
        store.open()
    finish(shards[0], DEEP)
    finish(shards[1], OTHER)
    try:
        whole = Store(Settings(tmp_path), "test", FakeClock())
        whole.read()
        assert sorted(line["id"] for line in whole.done_lines()) == ["deep", "other"]
        assert [whole.file_of(name) for name in ("deep", "other")] == [
            "audio/eval/3f/deep.wav", "audio/train/00/other.wav"
        ]  # fmt: skip
    finally:
        for store in shards:
            store.close()


# -- an object as it comes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [1, 2, 99])
@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"a": 1},
        {"-b": {"x": [1, None, "é"]}, 'q"\n': "\ud83d\ude00", "": {}},
        {"a": "b", 'c"': "d\n, e", "é": ""},
        {"a": "b", "c": None, "d": "e"},
    ],
)
def test_a_whole_object_and_list(tmp_path: Path, entries: dict[str, Any], at_once: int) -> None:
    path, other = tmp_path / "table.json", tmp_path / "list.json"
    with whole_object(path) as write, whole_list(other) as add:
        left = iter(entries.items())
        while some := dict(itertools.islice(left, at_once)):
            write(some)
            add(list(some.values()))
        assert not path.exists() and not other.exists()
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(entries))
    assert json.loads(other.read_text(encoding="utf-8")) == json.loads(json.dumps(list(entries.values())))
    for written in (path, other):
        # A line for each entry.
        assert len(written.read_text(encoding="utf-8").splitlines()) == (len(entries) + 2 if entries else 1)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["list.json", "table.json"]


def test_an_object_that_breaks_off_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_text("{}")
    with pytest.raises(KeyError), whole_object(path) as write:
        write({"a": 1})
        raise KeyError
    assert path.read_text() == "{}" and [each.name for each in tmp_path.iterdir()] == ["table.json"]


def test_words_that_are_no_utf_8(tmp_path: Path) -> None:
    with whole_object(tmp_path / "table.json") as write:
        write({"a": "x \ud83d y"})
    assert "a" in json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))


# -- an id that means another clip -------------------------------------------------------------------------------


def test_an_id_that_means_another_clip(start: Start) -> None:
    """Of what is done, that is a mistake; of what failed, a user's mend."""
    store = start()
    finish(store, TOP)
    fail(store, OTHER)
    store = start()
    see_that_they_are_the_same(EVERY, store)
    assert "other" in store.failed and not store.may_come(OTHER)
    again = OTHER._replace(video="uploaded-again")
    see_that_they_are_the_same([TOP, again], store)
    assert store.may_come(again) and start().may_come(again)
    for changed in (TOP._replace(video="x"), TOP._replace(start=1.0)):
        with pytest.raises(UsageError, match="^'top' is another clip in the list than in .*0.0 to 10.0 s of t$"):
            see_that_they_are_the_same([changed], store)
    # A line that somebody wrote by hand need not say it.
    with (store.folder / "manifest.jsonl").open("a") as stream:
        stream.write('{"id": "deep", "status": "done", "video": null, "audio": null}\n')
    see_that_they_are_the_same(EVERY, start())
