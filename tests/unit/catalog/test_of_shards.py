"""What an output of shards holds, clip by clip: tars and tables, here and at an address."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet
import pytest

from avclips.catalog import Place, Sample, samples
from avclips.core.errors import RunError
from avclips.core.model import Clip
from avclips.datasets.clip_list import CLIPS
from avclips.shards import sample as shards
from avclips.shards.layout import Output, ShardFormat
from avclips.shards.storage import Remote
from tests.support.made_folder import made_folder
from tests.unit.shards.test_tar_writer import Folder

FORMATS: tuple[ShardFormat, ...] = ("webdataset", "parquet")
LISTED = [
    Clip(
        f"{name}.5",
        name * 11,
        3.5,
        8.0,
        {"caption": f"words {name}", "label": "Dog", "split": "dev", "title": name},
    )
    for name in "abcdef"
]


@pytest.fixture(params=["path", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path / "shards") if request.param == "path" else "memory://bucket/shards"
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").pseudo_dirs[:] = [""]


def failed(clip: Clip, reason: str = "removed") -> shards.Sample:
    line = {"status": "failed", "reason": reason, "permanent": False, "error": f"words of {reason}"}
    return shards.Sample(clip, line)


def fill(url: str, format: ShardFormat, folder: Folder) -> Output:
    """Shards of two: a and b; c without sound, d that failed; e and f are not finished. Then d, again."""
    output = Output(Remote(url), format)
    output.plan(LISTED, 2, {"dataset": "clips"}, ("mp4", "wav", "jpg", "en.vtt"))
    (folder.path / "frames").mkdir()

    def done(n: int, **more: Any) -> shards.Sample:
        frame = f"frames/{LISTED[n].id}.jpg"
        (folder.path / frame).write_bytes(b"frame of " + LISTED[n].id.encode())
        return replace(folder.done(LISTED[n].id, frame=frame, **more), clip=LISTED[n])

    silent = done(2, endings=("mp4",), audio_sha256=None)
    for number, group in enumerate(([done(0, subtitles=("en",)), done(1)], [silent, failed(LISTED[3])])):
        assert output.write(number, group, folder.path, folder.out)
    assert output.write(3, [failed(LISTED[1]), done(3)], folder.path, folder.out)
    output.let_go()
    return output


def content(place: Place) -> bytes:
    """What lies at a place, by the means of others."""
    with fsspec.open(place.path, "rb") as stream:
        if place.row is None:
            stream.seek(place.offset)
            return bytes(stream.read(place.size))
        cell = pyarrow.parquet.read_table(stream, columns=[place.column])[place.column][place.row].as_py()
        return bytes(cell["bytes"] if isinstance(cell, dict) else cell)


@pytest.mark.parametrize("format", FORMATS)
def test_each_clip_as_it_ended_last(url: str, format: ShardFormat, tmp_path: Path) -> None:
    fill(url, format, Folder(tmp_path))
    found = list(samples(url))
    assert [(each.id, each.status, each.reason, each.error) for each in found] == [
        ("a.5", "done", "", ""), ("b.5", "failed", "removed", "words of removed"), ("c.5", "done", "", ""),
        ("d.5", "done", "", ""),
    ]  # fmt: skip
    first = found[0]
    assert (first.dataset, first.video, first.start, first.end) == ("clips", "a" * 11, 3.5, 8.0)
    assert (first.splits, first.labels, first.captions) == (("dev",), ("Dog",), ("words a",))
    assert first.meta == {"title": "a"} and first.facts["title"] == "A title" and first.facts["pictures"] == 112
    assert found[1].files == {} and found[1].facts == {}
    assert [each.id for each in samples(url, splits=["dev"])] == [each.id for each in found]


@pytest.mark.parametrize("format", FORMATS)
def test_where_the_files_lie(url: str, format: ShardFormat, tmp_path: Path) -> None:
    fill(url, format, Folder(tmp_path))
    found = {each.id: each for each in samples(url)}
    kinds = {each: {*found[each].files} for each in ("a.5", "c.5", "d.5")}
    assert kinds == {
        "a.5": {"video", "audio", "frame", "subtitles.en"}, "c.5": {"video", "frame"},
        "d.5": {"video", "audio", "frame"},
    }  # fmt: skip
    assert content(found["c.5"].files["frame"]) == b"frame of c.5"
    assert content(found["a.5"].files["video"]) == b"mp4 of a.5" * 50
    assert content(found["d.5"].files["audio"]) == b"wav of d.5" * 50
    assert content(found["a.5"].files["subtitles.en"]) == b"WEBVTT en"
    # To the workers of a loader.
    assert pickle.loads(pickle.dumps(found["a.5"])).files == dict(found["a.5"].files)


def test_a_tar_that_lost_a_clip(tmp_path: Path) -> None:
    output = fill(str(tmp_path / "shards"), "webdataset", Folder(tmp_path))
    (tmp_path / "shards" / "00000.tar").write_bytes(bytes(10240))
    first = next(samples(output.address))
    assert first.status == "done"
    with pytest.raises(RunError, match=r"a\.5 is not in its tar"):
        first.files["video"]


def test_with_its_data_folder_all_of_the_list_is_known(tmp_path: Path) -> None:
    """What is in no shard yet is in the folder, failed, or missing; all in the order of the list."""
    rows = "".join(f"{clip.video},3.5,8,{clip.id}\n" for clip in LISTED)
    (tmp_path / "list.csv").write_text("url,start,end,id\n" + rows)
    words = [str(tmp_path / "list.csv"), "--output-format", "webdataset", "--samples-per-shard", "2"]
    words += ["--output", str(tmp_path / "shards")]
    data = made_folder(CLIPS, tmp_path / "clips", words, done=["f.5"], failed={"e.5": "private"})
    assert [(each.id, each.status) for each in samples(data)] == [
        *((clip.id, "missing") for clip in LISTED[:4]), ("e.5", "failed"), ("f.5", "done")
    ]  # fmt: skip
    fill(str(tmp_path / "shards"), "webdataset", Folder(tmp_path))
    found: list[Sample] = list(samples(data))
    assert [(each.id, each.status) for each in found] == [
        ("a.5", "done"), ("b.5", "failed"), ("c.5", "done"), ("d.5", "done"), ("e.5", "failed"), ("f.5", "done"),
    ]  # fmt: skip
    assert found[0].files["video"].path == str(tmp_path / "shards" / "00000.tar")
    assert Path(found[-1].files["video"].path) == data / "videos" / "f.5.mp4"
    (tmp_path / "list.csv").unlink()
    # What waits for its shard in the folder is known by the manifest, in its order.
    assert [each.id for each in samples(data)] == ["a.5", "b.5", "c.5", "d.5", "f.5", "e.5"]


def test_an_output_of_the_first_layout(tmp_path: Path) -> None:
    """Its plan says nothing of its columns, its tables have plain bytes."""
    fill(str(tmp_path / "shards"), "parquet", Folder(tmp_path))
    plan = json.loads((tmp_path / "shards" / "plan.json").read_text())
    del plan["layout"]
    (tmp_path / "shards" / "plan.json").write_text(json.dumps(plan))
    first = next(samples(str(tmp_path / "shards")))
    assert first.labels == ("Dog",) and first.meta == {"list_title": "a"}


def test_what_is_no_output(url: str) -> None:
    Remote(url)
    with pytest.raises(RunError, match=r"neither a data folder nor an output of shards|is no folder"):
        samples(url)
