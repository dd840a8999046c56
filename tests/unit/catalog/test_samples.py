"""What a data folder holds, clip by clip, and the questions on its clips."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import avclips
from avclips.catalog import Place, questions, samples
from avclips.catalog.clip_sets import coverage_of
from avclips.catalog.places import read
from avclips.core.errors import RunError, UsageError
from avclips.datasets.acav100m import ACAV100M
from avclips.datasets.audioset import AUDIOSET
from avclips.datasets.clip_list import CLIPS
from avclips.datasets.general_avqa import GENERAL_AVQA
from avclips.datasets.music_avqa import MUSIC_AVQA
from avclips.datasets.vggsound import VGGSOUND
from avclips.state.store import Store
from tests.support.made_folder import FACTS, made_folder
from tests.unit.datasets.test_music_avqa import question as music_question

A, B, C, D = (
    f"{letter * 10}a_0000{second}" for letter, second in zip("abcd", ("00", "10", "20", "30"), strict=True)
)
VGGSOUND_CSV = "".join(
    f'{name[:11]},{int(name[-6:])},"{label}",{split}\n'
    for name, label, split in ((A, "dog, barking", "train"), (B, "cat", "test"), (C, "dog, barking", "train"))
)


def record(number: int, name: str, answer: Any = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "video_name": name, "video_id": 9, "question_text": f"What is {number}?",
            "multi_choice": ["a dog", "a cat", None, "rain"], "answer": answer, "question_relation": "View",
            "question_type": "Which", **more}  # fmt: skip


AVQA = {
    "train_qa.json": [record(183, A), record(184, A, 0), record(185, B)],
    "val_qa.json": [record(183, C), record(186, A, 2), record(187, D, None)],
    "vggsound.csv": VGGSOUND_CSV,
}


@pytest.fixture
def avqa(tmp_path: Path) -> Path:
    """Of four clips one is done, one failed, one was done once, and one was never tried."""
    folder = made_folder(GENERAL_AVQA, tmp_path / "avqa", (), AVQA, done=[C, A], failed={B: "private"})
    (folder / "videos" / f"{C}.mp4").unlink()
    return folder


def standing(folder: Path, **chosen: Any) -> list[tuple[str, str, str]]:
    return [(sample.id, sample.status, sample.reason or sample.error) for sample in samples(folder, **chosen)]


def test_every_clip_of_the_list_in_its_order(avqa: Path) -> None:
    assert standing(avqa) == [
        (A, "done", ""), (B, "failed", "private"), (C, "missing", "its files are gone"), (D, "missing", ""),
    ]  # fmt: skip
    assert standing(avqa, splits=["val"]) == [each for each in standing(avqa) if each[0] != B]
    assert standing(avqa, splits="train") == standing(avqa)[:2]


def test_a_clip_that_is_done(avqa: Path) -> None:
    found = next(samples(avqa))
    assert (found.id, found.dataset, found.video, found.start, found.end) == (A, "general_avqa", A[:11], 0.0, 10.0)
    assert (found.splits, found.labels, found.captions) == (("train", "val"), ("dog, barking",), ())
    assert found.files == {
        "video": Place(str(avqa / "videos" / f"{A}.mp4")), "audio": Place(str(avqa / "audio" / f"{A}.wav")),
    }  # fmt: skip
    assert found.facts == {**FACTS, "attempts": 1, "time": found.facts["time"]}
    assert found.meta == {"vggsound_split": "train"}


@pytest.mark.parametrize("linked", ["videos", "a file of it"])
def test_files_are_read_through_links(avqa: Path, tmp_path: Path, linked: str) -> None:
    """Large data lie on another disk: whoever trains reads what he may read."""
    sample = next(each for each in samples(avqa) if each.status == "done")
    film = Path(sample.files["video"].path)
    film.write_bytes(b"pictures")
    link = film.parent if linked == "videos" else film
    link.rename(tmp_path / "elsewhere")
    link.symlink_to(tmp_path / "elsewhere")
    again = next(each for each in samples(avqa) if each.id == sample.id)
    assert again.status == "done" and read(again.files["video"]) == b"pictures"


def test_a_clip_that_failed_says_why(avqa: Path) -> None:
    found = list(samples(avqa))[1]
    assert (found.reason, found.error, dict(found.files), dict(found.facts)) == (
        "private",
        "words of private",
        {},
        {},
    )


def test_it_is_in_the_package_itself() -> None:
    assert avclips.samples is samples


def test_a_split_that_is_none(avqa: Path) -> None:
    with pytest.raises(UsageError, match="no clip is in the split 'vla': did you mean val") as caught:
        list(samples(avqa, splits=["vla"]))
    assert caught.value.hint == "its splits: train, val"


def test_splits_that_an_earlier_run_asked_for(tmp_path: Path) -> None:
    """A run with fewer splits takes none away from whoever loads the folder."""
    folder = made_folder(GENERAL_AVQA, tmp_path / "avqa", (), AVQA, done=[A, B])
    made_folder(GENERAL_AVQA, folder, ("--splits", "val"), {}, done=[C])
    assert [(each.id, each.status, each.splits) for each in samples(folder)] == [
        (A, "done", ("train", "val")), (B, "done", ("train",)), (C, "done", ("val",)), (D, "missing", ("val",)),
    ]  # fmt: skip


def test_clips_of_an_earlier_list_stand_behind(tmp_path: Path) -> None:
    folder, files = tmp_path / "vggsound", {"vggsound.csv": VGGSOUND_CSV}
    made_folder(VGGSOUND, folder, ("--labels", "cat"), files, done=[B])
    made_folder(VGGSOUND, folder, ("--labels", "dog, barking"), files, done=[C])
    assert standing(folder) == [(A, "missing", ""), (C, "done", ""), (B, "done", "")]


LISTED = (
    "url,start,end,id,label,caption,split\n"
    "aaaaaaaaaaa,1,2,one,Dog,a dog,dev\n"
    "bbbbbbbbbbb,1.5,2,two,Cat,a cat,dev\n"
)


@pytest.mark.parametrize("gone", [False, True])
def test_a_list_of_ones_own(tmp_path: Path, caplog: pytest.LogCaptureFixture, gone: bool) -> None:
    """Where it is gone, the manifest tells what it knows, and that is said."""
    path = tmp_path / "list.csv"
    path.write_text(LISTED)
    words = [str(path), "--keep-cols", "split", "label"]
    folder = made_folder(CLIPS, tmp_path / "mine", words, done=["two"])
    if gone:
        path.unlink()
    with caplog.at_level(logging.WARNING):
        found = list(samples(folder))
    assert [each.id for each in found] == (["two"] if gone else ["one", "two"])
    assert ("its list cannot be read" in caplog.text) is gone
    two = found[-1]
    assert (two.start, two.end, two.labels, two.captions, two.splits) == (1.5, 2.0, ("Cat",), ("a cat",), ("dev",))
    assert two.video == "bbbbbbbbbbb" and not {"label", "caption", "split"} & two.meta.keys()


def test_audioset_lies_in_folders_of_its_splits(tmp_path: Path) -> None:
    files = {
        "class_labels_indices.csv": 'index,mid,display_name\n0,/m/0,"Speech, loud"\n1,/m/1,Dog\n',
        "eval_segments.csv": '# x\nabcdefghijk, 0.000, 10.000, "/m/0,/m/1"\n',
        "balanced_train_segments.csv": '# x\nbbbbbbbbbbb, 30.000, 40.000, "/m/1"\n',
    }
    folder = made_folder(AUDIOSET, tmp_path / "audioset", (), files, done=["bbbbbbbbbbb"])
    first, second = samples(folder)
    assert (first.id, first.status, first.labels) == ("abcdefghijk", "missing", ("Speech, loud", "Dog"))
    assert (second.splits, second.status, second.meta) == (("balanced_train",), "done", {"tags": ["/m/1"]})
    assert list(second.files) == ["audio"] and Path(second.files["audio"].path).is_file()
    assert second.files["audio"].path.endswith("/bbbbbbbbbbb.m4a")


def test_acav_as_files(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("aaaaaaaaaaa,69\nbbbbbbbbbbb,5\n")
    words = [str(tmp_path / "list.csv"), "--output-format", "files"]
    folder = made_folder(ACAV100M, tmp_path / "acav", words, done=["aaaaaaaaaaa_069"])
    assert standing(folder) == [("aaaaaaaaaaa_069", "done", ""), ("bbbbbbbbbbb_005", "missing", "")]


def test_a_folder_of_an_older_version(avqa: Path) -> None:
    """It says what shape its files have, and not what it was asked for."""
    (avqa / "metadata" / "asked.json").unlink()
    assert len(standing(avqa)) == 4


@pytest.mark.parametrize("name", ["nothing", "nowhere"])
def test_what_is_no_download(tmp_path: Path, name: str) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(RunError):
        samples(tmp_path / name)


# -- lines of the manifest -------------------------------------------------------------------------------------


def test_the_last_line_of_a_clip_counts(avqa: Path) -> None:
    with (avqa / "manifest.jsonl").open("a") as stream:
        line = next(json.loads(each) for each in (avqa / "manifest.jsonl").read_text().splitlines() if A in each)
        stream.write(json.dumps({**line, "width": 128}) + "\n")
        stream.write('{"id": "' + A + '", "status": "do')
    found = next(samples(avqa))
    assert found.status == "done" and found.facts["width"] == 128


def test_a_line_of_any_length(avqa: Path) -> None:
    lines = (avqa / "manifest.jsonl").read_text().splitlines()
    longer = [json.dumps({**json.loads(line), "title": "x" * 9000}) for line in lines]
    (avqa / "manifest.jsonl").write_text("\n".join(longer))
    assert next(samples(avqa)).facts["title"] == "x" * 9000 and standing(avqa)[1] == (B, "failed", "private")


@pytest.mark.parametrize("look", [samples, questions, coverage_of])
def test_a_folder_is_looked_into_once(
    avqa: Path, look: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a million clips, its manifest takes seconds to read."""
    reads, read = [], Store.read
    monkeypatch.setattr(Store, "read", lambda store: (reads.append(store.folder), read(store)))
    look(avqa)
    assert reads == [avqa]


def test_lines_of_several_partitions(avqa: Path) -> None:
    line = next(json.loads(each) for each in (avqa / "manifest.jsonl").read_text().splitlines() if A in each)
    other = avqa / "manifest.1-of-2.jsonl"
    other.write_text(json.dumps({**line, "turn": 2, "width": 256}) + "\n")
    assert next(samples(avqa)).facts["width"] == 256
    other.write_text(
        json.dumps({"status": "forgotten", "id": A, "time": "2026-01-01T00:00:00Z", "turn": 3}) + "\n"
    )
    assert next(samples(avqa)).status == "missing"


# -- questions -------------------------------------------------------------------------------------------------


def test_questions_of_avqa(avqa: Path) -> None:
    found = list(questions(avqa))
    assert found[0] == {
        "id": "train/183", "question": "What is 183?", "choices": ["a dog", "a cat", None, "rain"],
        "answer": "a cat", "answer_index": 1, "question_type": "Which", "question_relation": "View", "clip_id": A,
        "audio": f"avqa/audio/{A}.wav", "video": f"avqa/videos/{A}.mp4", "image": None, "split": "train",
        "label": "dog, barking", "status": "done",
    }  # fmt: skip
    assert [(each["id"], each["answer"], each["answer_index"], each["status"]) for each in found] == [
        ("train/183", "a cat", 1, "done"), ("train/184", "a dog", 0, "done"), ("train/185", "a cat", 1, "failed"),
        ("val/183", "a cat", 1, "missing"), ("val/186", None, 2, "done"), ("val/187", None, None, "missing"),
    ]  # fmt: skip
    assert [each["id"] for each in questions(avqa, splits=["val"])] == ["val/183", "val/186", "val/187"]
    assert found[2]["audio"] is found[3]["video"] is None


def test_questions_of_music(tmp_path: Path) -> None:
    blanks = music_question(
        "00000028", question_content="Is the <Object> on the <LR> louder than the <Object> at <FL>?",
        templ_values='["ukulele", "left", "drum"]', anser="no",
    )  # fmt: skip
    files = {
        "avqa-train.json": [music_question("00000028"), blanks],
        "avqa-val.json": [music_question("sa00000001", type="broken", templ_values="[", anser=None)],
        "avqa-test.json": [music_question("00000028")],
    }
    folder = made_folder(MUSIC_AVQA, tmp_path / "music_avqa", (), files, done=["00000028"])
    first, second, third, _ = questions(folder)
    assert (first["id"], second["id"], third["id"]) == ("train/7", "train/7/2", "val/7")
    assert first["question"] == "Is the ukulele in the video always playing?"
    assert (first["answer"], first["answer_index"], first["choices"]) == ("yes", None, None)
    assert (first["question_relation"], first["question_type"]) == ("Audio-Visual", "Existential")
    assert first["audio"] == "music_avqa/audio/00000028.wav"
    # A blank without a word stays.
    assert second["question"] == "Is the ukulele on the left louder than the drum at <FL>?"
    assert (third["question_type"], third["answer"], third["video"]) == (None, None, None)
    assert third["question"] == "Is the <Object> in the video always playing?"


def test_a_dataset_without_questions(tmp_path: Path) -> None:
    folder = made_folder(VGGSOUND, tmp_path / "v", (), {"vggsound.csv": VGGSOUND_CSV})
    with pytest.raises(RunError, match="VGG-Sound has no questions"):
        next(iter(questions(folder)))


def test_a_split_without_questions(avqa: Path) -> None:
    with pytest.raises(UsageError, match="no questions of the split 'test'"):
        next(iter(questions(avqa, splits=["test"])))
