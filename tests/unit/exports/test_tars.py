"""Single files as tars: what webdataset reads of them, and that they are what a download writes itself."""

from __future__ import annotations

import gc
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import webdataset

from avclips.catalog.sample import Place
from avclips.core.errors import UsageError
from avclips.exports.tars import to_webdataset
from tests.support.samples_of import done, failed


def read(*tars: Path) -> list[dict[str, Any]]:
    """The samples as webdataset's loader gives them, which does not close its files."""
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        samples = list(webdataset.WebDataset([str(tar) for tar in tars], shardshuffle=False))
        gc.collect()
    return samples


def test_what_is_in_the_tars(tmp_path: Path) -> None:
    samples = [done(tmp_path, f"{video}1", captions=("a dog",), meta={"topic": "pets"}) for video in "abc"]
    samples += [failed("d1"), done(tmp_path, "e1", ["val"])]
    questions = {"a1": [{"question": "who?", "split": "train"}]}
    exported = to_webdataset(samples, tmp_path / "out", samples_per_shard=2, questions=questions)
    assert (exported.clips, exported.written) == ({"train": 3, "val": 1}, 3)
    tars = sorted((tmp_path / "out" / "train").glob("*.tar"))
    assert [tar.name for tar in tars] == ["00000.tar", "00001.tar"]
    found = read(*tars)
    assert [each["__key__"] for each in found] == ["a1", "b1", "c1"]
    assert found[0]["mp4"] == (tmp_path / "videos/a1.mp4").read_bytes() and found[0]["txt"] == b"a dog"
    assert found[0]["wav"] == (tmp_path / "audio/a1.wav").read_bytes()
    said = json.loads(found[0]["json"])
    due = {"id": "a1", "start": 1.0, "end": 1.5, "labels": ["dog"], "topic": "pets", "split": "train", "fps": 25.0}
    assert {name: said[name] for name in due} == due
    assert (
        json.loads(said["questions"]) == [{"question": "who?"}] and json.loads(found[1]["json"])["questions"] == ""
    )
    stats = json.loads((tmp_path / "out" / "train" / "00000_stats.json").read_text())
    assert (stats["clips"], stats["done"], stats["failed"]) == (2, 2, {})


def test_stills_and_subtitles_are_in_every_sample(tmp_path: Path) -> None:
    a, b = done(tmp_path, "a1"), done(tmp_path, "b1")
    (tmp_path / "a1.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "a1.vtt").write_text("WEBVTT words")
    more = {"frame": Place(str(tmp_path / "a1.jpg")), "subtitles.en": Place(str(tmp_path / "a1.vtt"))}
    to_webdataset([replace(a, files={**a.files, **more}), b], tmp_path / "out")
    first, second = read(tmp_path / "out" / "train" / "00000.tar")
    assert [name for name in first if name[0] != "_"] == ["en.vtt", "jpg", "json", "mp4", "wav"]
    assert (first["jpg"], first["en.vtt"]) == (b"\xff\xd8\xff", b"WEBVTT words")
    assert (second["jpg"], second["en.vtt"]) == (b"", b"WEBVTT\n")
    plan = json.loads((tmp_path / "out" / "train" / "plan.json").read_text())
    assert plan["layout"]["endings"] == ["mp4", "wav", "jpg", "en.vtt"]


def test_shards_that_are_there_stay_and_another_list_is_refused(tmp_path: Path) -> None:
    samples, out = [done(tmp_path, f"{video}1") for video in "abc"], tmp_path / "out"
    to_webdataset(samples, out, samples_per_shard=1)
    tar = out / "train" / "00001.tar"
    before, made = tar.read_bytes(), tar.stat().st_mtime_ns
    (out / "train" / "00002_stats.json").unlink()
    again = to_webdataset(samples, out, samples_per_shard=1)
    assert (again.written, again.kept, tar.stat().st_mtime_ns) == (1, 2, made)
    to_webdataset(samples, tmp_path / "other", samples_per_shard=1)
    assert (tmp_path / "other" / "train" / "00001.tar").read_bytes() == before
    with pytest.raises(UsageError, match="was made with another list"):
        to_webdataset(samples[:2], out, samples_per_shard=1)
    assert [path.name for path in out.iterdir() if path.is_dir()] == ["train"]


def test_what_a_killed_export_left_goes(tmp_path: Path) -> None:
    samples, out = [done(tmp_path, "a1")], tmp_path / "out"
    to_webdataset(samples, out)
    (out / ".scratch.part").mkdir()
    for left in (".scratch.part/a1.mp4", ".README.md.host-1.tmp", "train/.x.host-1.part"):
        (out / left).write_bytes(b"half")
    to_webdataset(samples, out)
    assert not list(out.rglob("*.tmp")) + list(out.rglob("*.part"))


def test_what_is_in_tars_already_is_said(tmp_path: Path) -> None:
    samples = [done(tmp_path, f"{video}1", ["val"], size=300) for video in "ab"]
    to_webdataset(samples, tmp_path / "out")
    tar = tmp_path / "out" / "val" / "00000.tar"
    content = tar.read_bytes()

    def place(path: Path) -> Place:
        held = path.read_bytes()
        return Place(str(tar), content.index(held), len(held))

    sharded = [
        replace(each, files={kind: place(Path(where.path)) for kind, where in each.files.items()})
        for each in samples
    ]
    with pytest.raises(UsageError, match="are in tars already"):
        to_webdataset(sharded, tmp_path / "again")
    to_webdataset(sharded, tmp_path / "some", ids=["b1"])
    (found,) = read(tmp_path / "some" / "val" / "00000.tar")
    assert (found["__key__"], found["mp4"]) == ("b1", (tmp_path / "videos/b1.mp4").read_bytes())
    assert found["wav"] == (tmp_path / "audio/b1.wav").read_bytes()
