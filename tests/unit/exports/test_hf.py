"""Parquet for Hugging Face: what is in the files, that they are whole, and that a second run changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from avclips.catalog.sample import Place, Sample
from avclips.core.errors import RunError, UsageError
from avclips.exports import hf_files, hf_plan
from avclips.exports.hf import to_hf
from avclips.exports.target import MARK
from tests.support.samples_of import done, failed, missing


def tables(folder: Path) -> dict[str, Any]:
    return {path.name: pyarrow.parquet.read_table(path) for path in sorted((folder / "data").iterdir())}


def rows(folder: Path) -> list[dict[str, Any]]:
    return [row for table in tables(folder).values() for row in table.to_pylist()]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_a_row_holds(tmp_path: Path) -> None:
    more = {"captions": ("a dog", "it barks"), "meta": {"topic": "pets", "Video": "of the list"}}
    samples = [done(tmp_path, "a1", **more), failed("a2"), missing("b1", ["val"])]
    exported = to_hf(samples, tmp_path / "out")
    assert (exported.clips, exported.listed) == ({"train": 1}, {"train": 2, "val": 1})
    assert exported.without == {"private": 1, "missing": 1} and (exported.written, exported.kept) == (1, 0)
    ((name, table),) = tables(tmp_path / "out").items()
    assert name == "train-00000-of-00001.parquet"
    told = json.loads(table.schema.metadata[b"huggingface"])
    assert told == {"info": {"features": {"video": {"_type": "Video"}, "audio": {"_type": "Audio"}}}}
    (row,) = table.to_pylist()
    assert row["video"] == {"bytes": (tmp_path / "videos/a1.mp4").read_bytes(), "path": "a1.mp4"}
    assert row["audio"] == {"bytes": (tmp_path / "audio/a1.wav").read_bytes(), "path": "a1.wav"}
    due = {"id": "a1", "youtube_id": "a", "start": 1.0, "end": 1.5, "labels": ["dog"], "dataset": "clips"}
    due |= {"captions": ["a dog", "it barks"], "topic": "pets", "list_Video": "of the list", "pictures": 12}
    assert {name: row[name] for name in due} == due
    assert not {"status", "reason", "error", "permanent"} & row.keys()


def test_still_texts_and_questions(tmp_path: Path) -> None:
    a, b = done(tmp_path, "a1", ["train", "val"]), done(tmp_path, "b1", ["val"])
    for name in ("x.jpg", "x.vtt", "x.json"):
        (tmp_path / name).write_text(f"WEBVTT {name}")
    more = {"frame": "x.jpg", "subtitles.en": "x.vtt", "info": "x.json"}
    a = replace(a, files={**a.files, **{kind: Place(str(tmp_path / name)) for kind, name in more.items()}})
    questions = {
        "a1": [
            {"id": "train/1", "question": "who?", "choices": ["a", "b"], "answer_index": 1, "split": "train"},
            {"id": "val/1", "question": "what?", "choices": ["c"], "answer_index": None, "split": "val"},
            {"id": "val/2", "question": "when?", "clip_id": "a1", "video": "nowhere.mp4", "split": "val"},
        ]
    }
    to_hf([a, b], tmp_path / "out", questions=questions)
    train, val, of_b = rows(tmp_path / "out")
    assert train["image"] == {"bytes": b"WEBVTT x.jpg", "path": "a1.jpg"} and of_b["image"] is None
    assert (train["subtitles.en"], train["info"], of_b["info"]) == ("WEBVTT x.vtt", "WEBVTT x.json", None)
    assert train["questions"] == [{"id": "train/1", "question": "who?", "choices": ["a", "b"], "answer_index": 1}]
    assert [(each["question"], each["choices"]) for each in val["questions"]] == [
        ("what?", ["c"]),
        ("when?", None),
    ]
    assert of_b["questions"] == []
    schema = tables(tmp_path / "out")["val-00000-of-00001.parquet"].schema
    assert str(schema.field("questions").type).startswith("list<element: struct<id: string, question: string")
    assert json.loads(schema.metadata[b"huggingface"])["info"]["features"]["image"] == {"_type": "Image"}


def test_the_card(tmp_path: Path) -> None:
    samples = [done(tmp_path, "a1"), done(tmp_path, "a2"), failed("a3"), done(tmp_path, "b1", ["balanced-x"])]
    to_hf([replace(each, dataset="vggsound") for each in samples], tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text()
    head = text.split("---")[1].splitlines()
    assert "  - split: train" in head and '    path: "data/train-*.parquet"' in head
    assert "  - split: balanced_x" in head and '    path: "data/balanced_x-*.parquet"' in head
    assert "| train | 2 | 3 | 66.7% |" in text and "| balanced_x | 1 | 1 | 100.0% |" in text
    assert "Not in it: private 1." in text and "CC BY 4.0" in text and "belongs to its uploader" in text
    assert "from 2026-11-30 to 2026-11-30 with yt-dlp 2026.10.26" in text and "`video` | the clip's" in text


def test_a_second_run_makes_the_same_bytes_and_writes_what_is_missing(tmp_path: Path) -> None:
    samples = [done(tmp_path, f"{video}{n}", size=300) for video in "abc" for n in range(3)]
    out, other = tmp_path / "out", tmp_path / "other"
    # Of 300 bytes and a WAV of 8,044: two clips a file.
    first = to_hf(samples, out, shard_bytes=17_000)
    assert (first.written, first.kept, len(tables(out))) == (5, 0, 5)
    assert [row["id"] for row in rows(out)] == [sample.id for sample in samples]
    before = contents(out)
    times = {path: path.stat().st_mtime_ns for path in (out / "data").iterdir()}
    gone = out / "data" / "train-00002-of-00005.parquet"
    gone.unlink()
    second = to_hf(samples, out, shard_bytes=17_000)
    assert (second.written, second.kept) == (1, 4) and contents(out) == before
    assert {path for path in times if path.stat().st_mtime_ns != times[path]} == {gone}
    to_hf(iter(samples), other, shard_bytes=17_000)
    assert contents(other) == before


def test_what_changed_is_written_anew_and_no_file_of_before_stays(tmp_path: Path) -> None:
    samples, out = [done(tmp_path, f"a{n}") for n in range(4)], tmp_path / "out"
    to_hf(samples[:2], out, shard_bytes=1)
    (out / "data" / "notes-of-mine.parquet").write_text("not ours")
    assert to_hf(samples[:2], out, shard_bytes=1).kept == 2
    grown = to_hf(samples, out, shard_bytes=1)
    assert (grown.written, grown.kept) == (4, 0)
    names = {path.name for path in (out / "data").iterdir()}
    assert names == {f"train-{n:05d}-of-00004.parquet" for n in range(4)} | {"notes-of-mine.parquet"}
    shorter = [replace(samples[0], end=1.25), *samples[1:]]
    assert (to_hf(shorter, out, shard_bytes=1).written, rows_of(out, 0)["end"]) == (1, 1.25)


def rows_of(out: Path, number: int) -> dict[str, Any]:
    (row,) = pyarrow.parquet.read_table(sorted((out / "data").glob("train-*"))[number]).to_pylist()
    return dict(row)


def test_row_groups_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hf_files, "_GROUP_BYTES", 17_000)
    to_hf([done(tmp_path, f"a{n}", size=300) for n in range(5)], tmp_path / "out")
    (path,) = (tmp_path / "out" / "data").iterdir()
    found = pyarrow.parquet.read_metadata(path)
    assert [found.row_group(n).num_rows for n in range(found.num_row_groups)] == [2, 2, 1]
    assert [row["id"] for row in rows(tmp_path / "out")] == [f"a{n}" for n in range(5)]


def test_a_stop_leaves_whole_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples, out = [done(tmp_path, f"a{n}") for n in range(3)], tmp_path / "out"
    read = hf_files.read

    def stopped(place: Place) -> bytes:
        if "a1" in place.path:
            raise KeyboardInterrupt
        return read(place)

    monkeypatch.setattr(hf_files, "read", stopped)
    with pytest.raises(KeyboardInterrupt):
        to_hf(samples, out, shard_bytes=1)
    assert [path.name for path in (out / "data").iterdir()] == ["train-00000-of-00003.parquet"]
    assert not (out / "README.md").exists()
    monkeypatch.undo()
    after = to_hf(samples, out, shard_bytes=1)
    assert (after.written, after.kept) == (2, 1) and [row["id"] for row in rows(out)] == ["a0", "a1", "a2"]


class Changing:
    """A download that is another at each look."""

    def __init__(self, *looks: list[Sample]) -> None:
        self._looks = iter(looks)

    def __iter__(self) -> Iterator[Sample]:
        return iter(next(self._looks))


@pytest.mark.parametrize(("first", "second"), [("a1 a2", "a1"), ("a1 a2", "a2 a1"), ("a1 a2", "a1 b1")])
def test_clips_that_change_meanwhile_are_said(tmp_path: Path, first: str, second: str) -> None:
    looks = [[done(tmp_path, name) for name in look.split()] for look in (first, second)]
    with pytest.raises(RunError, match="changed while"):
        to_hf(Changing(*looks), tmp_path / "out")
    assert list((tmp_path / "out" / "data").iterdir()) == []


def test_a_file_that_no_cell_holds_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [done(tmp_path, "a1", size=9000), done(tmp_path, "a2", size=9001)]
    monkeypatch.setattr(hf_plan, "MOST_BYTES", 9000)
    exported = to_hf(samples, tmp_path / "out")
    assert list(exported.left_out) == ["a2"] and "video" in exported.left_out["a2"]
    assert [row["id"] for row in rows(tmp_path / "out")] == ["a1"] and exported.clips == {"train": 1}
    assert "1 clips that are here were left out" in (tmp_path / "out" / "README.md").read_text()


def test_what_is_asked_for(tmp_path: Path) -> None:
    samples = [done(tmp_path, "a1"), done(tmp_path, "b1", ["val"]), done(tmp_path, "c1", [])]
    exported = to_hf(samples, tmp_path / "val", splits=["val"])
    assert exported.clips == {"val": 1} and [row["id"] for row in rows(tmp_path / "val")] == ["b1"]
    exported = to_hf(samples, tmp_path / "ids", ids=["c1", "nobody"])
    assert (exported.unknown, exported.clips) == (("nobody",), {"": 1})
    # Clips without a split are called as Hugging Face calls them.
    assert list(tables(tmp_path / "ids")) == ["train-00000-of-00001.parquet"]
    with pytest.raises(UsageError, match="no clip is in a split 'vall': did you mean val"):
        to_hf(samples, tmp_path / "no", splits=["vall"])
    with pytest.raises(RunError, match="no clip of those"):
        to_hf([failed("a1")], tmp_path / "none")
    with pytest.raises(UsageError, match="would be one"):
        to_hf([done(tmp_path, "a1", ["x-y"]), done(tmp_path, "a2", ["x_y"])], tmp_path / "twice")


def test_nobody_elses_folder_is_written_to(tmp_path: Path) -> None:
    samples, out = [done(tmp_path, "a1")], tmp_path / "out"
    (out / "deep").mkdir(parents=True)
    with pytest.raises(UsageError, match="is not empty: it has deep"):
        to_hf(samples, out)
    (out / MARK).write_text('{"form": "lhotse"}')
    with pytest.raises(UsageError, match="another export"):
        to_hf(samples, out)
    assert sorted(path.name for path in out.iterdir() if not path.name.endswith(".lock")) == [MARK, "deep"]
