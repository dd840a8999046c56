"""Manifests for lhotse: what a line says, and which clips have none. `make interop` asks lhotse itself."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avclips.catalog.sample import Place
from avclips.core.errors import RunError, UsageError
from avclips.exports.lhotse import to_lhotse
from tests.support.samples_of import RATE, done, failed, missing


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_what_the_lines_say(tmp_path: Path) -> None:
    more = {"captions": ("a dog", "it barks"), "meta": {"topic": "pets", "nothing": None}}
    exported = to_lhotse([done(tmp_path, "a1", **more), failed("a2"), missing("a3")], tmp_path / "out")
    assert (exported.clips, exported.listed, exported.left_out) == ({"train": 1}, {"train": 3}, {})
    (recording,) = lines(tmp_path / "out" / "recordings_train.jsonl.gz")
    assert recording == {
        "id": "a1",
        "sources": [{"type": "file", "channels": [0], "source": str(tmp_path / "audio" / "a1.wav")}],
        "sampling_rate": RATE,
        "num_samples": RATE // 2,
        "duration": 0.5,
        "channel_ids": [0],
    }
    supervisions = lines(tmp_path / "out" / "supervisions_train.jsonl.gz")
    assert [(each["id"], each["text"]) for each in supervisions] == [("a1-0", "a dog"), ("a1-1", "it barks")]
    first = supervisions[0]
    assert (first["recording_id"], first["start"], first["duration"], first["channel"]) == ("a1", 0.0, 0.5, 0)
    (cut,) = lines(tmp_path / "out" / "cuts_train.jsonl.gz")
    assert (cut["type"], cut["recording"], cut["supervisions"]) == ("MonoCut", recording, supervisions)
    due = {"topic": "pets", "labels": ["dog"], "split": "train", "youtube_id": "a", "start": 1.0, "fps": 25.0}
    due["video"] = str(tmp_path / "videos" / "a1.mp4")
    assert {name: cut["custom"][name] for name in due} == due and "nothing" not in cut["custom"]


def test_questions_channels_and_clips_without_a_split(tmp_path: Path) -> None:
    sample = done(tmp_path, "a1", [])
    sample = replace(sample, facts={**sample.facts, "channels": 2})
    questions = {"a1": [{"question": "who?", "answer": "a", "video": "nowhere.mp4"}]}
    to_lhotse([sample], tmp_path / "out", questions=questions)
    (recording,) = lines(tmp_path / "out" / "recordings.jsonl.gz")
    (supervision,) = lines(tmp_path / "out" / "supervisions.jsonl.gz")
    (cut,) = lines(tmp_path / "out" / "cuts.jsonl.gz")
    assert recording["channel_ids"] == [0, 1] and recording["duration"] == 0.5
    assert (cut["type"], cut["channel"], supervision["channel"]) == ("MultiCut", [0, 1], [0, 1])
    assert "text" not in supervision and "split" not in cut["custom"]
    assert supervision["custom"]["questions"] == [{"question": "who?", "answer": "a"}]


def test_clips_whose_sound_nobody_knows_are_left_out_and_said(tmp_path: Path) -> None:
    silent, unmeasured = done(tmp_path, "a1"), done(tmp_path, "a2")
    silent = replace(silent, files={"video": silent.files["video"]})
    unmeasured = replace(unmeasured, facts={"duration": 1.0})
    exported = to_lhotse([silent, unmeasured, done(tmp_path, "a3")], tmp_path / "out")
    assert {name: why.split()[0] for name, why in exported.left_out.items()} == {"a1": "it", "a2": "nothing"}
    assert [each["id"] for each in lines(tmp_path / "out" / "recordings_train.jsonl.gz")] == ["a3"]
    with pytest.raises(RunError, match="no clip with a file of sound"):
        to_lhotse([silent], tmp_path / "none")
    sharded = replace(silent, files={"audio": Place("/shards/00000.tar", 512, 100)})
    with pytest.raises(UsageError, match="clips are in shards"):
        to_lhotse([sharded], tmp_path / "shards")


def test_the_same_clips_give_the_same_bytes_and_a_stop_none(tmp_path: Path) -> None:
    samples = [done(tmp_path, "a1"), done(tmp_path, "b1", ["val"])]
    to_lhotse(samples, tmp_path / "one")
    to_lhotse(samples, tmp_path / "two")
    names = {
        f"{name}_{split}.jsonl.gz" for name in ("recordings", "supervisions", "cuts") for split in ("train", "val")
    }
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()

    def stop(sample: object) -> None:
        if sample is samples[1]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        to_lhotse(samples, tmp_path / "three", step=stop)
    assert not list((tmp_path / "three").glob("*.gz*")) + list((tmp_path / "three").glob(".*.part"))
