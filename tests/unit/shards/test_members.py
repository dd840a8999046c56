"""What all packs have in common: the same members and types in each, and what an output was begun with."""

from __future__ import annotations

import io
import json
import tarfile
import wave
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from avclips.core.errors import RunError, UsageError
from avclips.core.model import Clip
from avclips.core.settings import Settings
from avclips.fetch.shard_output import open_output, plan_shards
from avclips.media.silence import silence
from avclips.shards import table_writer
from avclips.shards.layout import PLAN, Output
from avclips.shards.members import VERSION, Layout, layout_of_plan, layout_of_schema
from avclips.shards.sample import Sample
from avclips.shards.schema import Schema, cell, fits
from avclips.shards.storage import Remote
from avclips.shards.table_writer import fitting, layout_of_table, write_rows
from avclips.shards.tar_writer import write_tar

META = list[Mapping[str, Any]]
FACTS = {"duration": 2.0, "bytes": 5, "title": "t", "samples": 8, "sample_rate": 4, "channels": 1, "sha256": "ab"}


class Place:
    """A data folder, in which clips are made as they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path, self.out = path / "data", path / "out"
        self.path.mkdir()
        self.out.mkdir()

    def done(
        self,
        name: str,
        meta: Mapping[str, Any] | None = None,
        without: Sequence[str] = (),
        subtitles: Mapping[str, str | None] | None = None,
        end: float | None = 3.0,
        **more: Any,
    ) -> Sample:
        """A clip that came, its files with their endings in them."""
        line: dict[str, Any] = {"id": name, "status": "done", **FACTS, **more}
        for kind, ending in (("video", "mp4"), ("audio", "wav")):
            line[kind] = None if ending in without else self.write(f"{name}.{ending}", ending.encode())
        line["subtitles"] = subtitles or {}
        return Sample(Clip(name, "v", 1.0, end, meta or {}), line)

    def write(self, name: str, content: bytes) -> str:
        (self.path / name).write_bytes(content)
        return name

    def tar(self, samples: Sequence[Sample], layout: Layout | None = None) -> list[dict[str, bytes]]:
        """The members of each sample, as a tar has them."""
        write_tar(self.out / "x.tar", samples, self.path, layout)
        found: dict[str, dict[str, bytes]] = {}
        with tarfile.open(self.out / "x.tar") as tar:
            for member in tar:
                key, _, ending = member.name.partition(".")
                content = tar.extractfile(member)
                assert content is not None
                found.setdefault(key, {})[ending] = content.read()
        return list(found.values())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def schema_of(rows: META) -> Schema:
    kinds = Schema()
    for row in rows:
        kinds.add(row)
    return kinds


# -- the same members in every sample --------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [0, 2, 5])
def test_every_sample_has_the_same_members(place: Place, odd: int) -> None:
    """Whichever clip has no caption, no sound or no subtitles."""
    place.write("c.en.vtt", b"WEBVTT\n\nwords")
    samples = [
        place.done(f"c{n}", {} if n == odd else {"caption": f"words {n}"}, ("wav",) if n == odd else (),
                   {"en": None if n == odd else "c.en.vtt", "de": None})
        for n in range(6)
    ]  # fmt: skip
    layout = Layout({"caption": "text"}, ("mp4", "wav", "en.vtt", "de.vtt"))
    found = place.tar(samples, layout)
    assert {frozenset(each) for each in found} == {frozenset(("mp4", "wav", "en.vtt", "de.vtt", "json", "txt"))}
    assert [each["txt"] for each in found] == [b"" if n == odd else f"words {n}".encode() for n in range(6)]
    assert [each["en.vtt"] for each in found].count(b"WEBVTT\n") == 1
    assert {each["de.vtt"] for each in found} == {b"WEBVTT\n"}


def test_a_clip_without_sound_is_silent_for_its_length(place: Place) -> None:
    silent = place.done("a", without=("wav",), samples=None, sample_rate=None, channels=None, audio_sha256=None)
    [found] = place.tar([silent], Layout({}, ("mp4", "wav")))
    assert found["wav"] == silence("wav", 2.0)
    with wave.open(io.BytesIO(found["wav"])) as sound:
        assert (sound.getnframes(), sound.getframerate(), sound.getnchannels()) == (88_200, 44_100, 2)
        assert not any(sound.readframes(88_200))
    said = json.loads(found["json"])
    assert (said["samples"], said["sample_rate"], said["channels"], said["audio_sha256"]) == (0, 0, 0, "")


# -- the same types in every JSON ------------------------------------------------------------------------------

# In three rows, None: the column is not there; what their JSON has.
JSON: dict[str, tuple[list[Any], list[Any]]] = {
    "texts": (["a", None, "b"], ["a", "", "b"]),
    "numbers": ([1, 2.5, 3], [1.0, 2.5, 3.0]),
    "whole numbers": ([1, 2, 3], [1, 2, 3]),
    "numbers that some lack": ([1, None, 0.5], ["1.0", "", "0.5"]),
    "truths": ([True, False, True], [True, False, True]),
    "truths that some lack": ([None, True, False], ["", "true", "false"]),
    "a number and a text": ([1, "high", None], ["1", "high", ""]),
    "lists": ([["a"], ["b", "c"], ["d"]], [["a"], ["b", "c"], ["d"]]),
    "lists and a value": ([[1], 2, [0.5]], [[1.0], [2.0], [0.5]]),
    "an empty list": ([[], ["a"], ["b"]], ["[]", '["a"]', '["b"]']),
    "a list with nothing in it": ([["a", None], ["b"], ["c"]], ['["a", null]', '["b"]', '["c"]']),
    "lists that some lack": ([None, [1], [2]], ["", "[1]", "[2]"]),
    "objects": ([{"a": 1}, {"b": []}, None], ['{"a": 1}', '{"b": []}', ""]),
}  # fmt: skip


@pytest.mark.parametrize("name", JSON)
def test_json_is_of_one_type(place: Place, name: str) -> None:
    cells, due = JSON[name]
    rows: META = [{} if each is None else {"kept": each} for each in cells]
    samples = [place.done(f"c{n}", row) for n, row in enumerate(rows)]
    found = [json.loads(each["json"]) for each in place.tar(samples)]
    assert [each["kept"] for each in found] == due
    # Wherever the first clips are in the list, they have what the last ones have.
    assert len({json.dumps({key: type(value).__name__ for key, value in each.items()}) for each in found}) == 1


@pytest.mark.parametrize(
    "lacks", [{"title": None}, {"formats": None, "yt_dlp": None}, {"samples": None}, {"bytes_fetched": None},
              {"duration": None}, {"end": None}, {"width": 640, "fps": 25.0}],
)  # fmt: skip
def test_no_fact_is_null(place: Place, lacks: dict[str, Any]) -> None:
    samples = [place.done("a", **lacks), place.done("b")]
    first, second = (json.loads(each["json"]) for each in place.tar(samples))
    assert None not in first.values() and not {"reason", "error", "permanent"} & first.keys()
    assert {key: type(value) for key, value in first.items()} == {
        key: type(value) for key, value in second.items()
    }


def test_a_whole_videos_end_is_where_it_ends(place: Place) -> None:
    [found] = place.tar([place.done("a", end=None)])
    assert json.loads(found["json"])["end"] == 3.0


def test_sound_alone_says_nothing_of_pictures(place: Place) -> None:
    [found] = place.tar([place.done("a", without=("mp4",))])
    assert not {"sha256", "fps", "pictures", "width", "height"} & json.loads(found["json"]).keys()


def test_a_clip_that_is_described_once_has_a_list_too(place: Place) -> None:
    samples = [place.done("a", {"caption": "x"}), place.done("b", {"caption": "y", "captions": ["y", "z"]})]
    assert [json.loads(each["json"])["captions"] for each in place.tar(samples)] == [["x"], ["y", "z"]]
    write_rows(place.out / "x.parquet", samples, None)
    assert pyarrow.parquet.read_table(place.out / "x.parquet")["captions"].to_pylist() == [["x"], ["y", "z"]]


# -- tables with media -----------------------------------------------------------------------------------------


def test_the_schema_says_what_is_sound_and_what_is_picture(place: Place) -> None:
    """As ``datasets`` writes it, which takes the word of the schema where the type is its own."""
    layout = Layout({}, ("mp4", "wav", "en.vtt"))
    for name, samples in (("a", [place.done("a")]), ("b", [Sample(Clip("b", "v", 0.0, 1.0), None)])):
        write_rows(place.out / f"{name}.parquet", samples, place.path, layout)
        schema = pyarrow.parquet.read_schema(place.out / f"{name}.parquet")
        said = json.loads(schema.metadata[b"huggingface"])
        assert said == {"info": {"features": {"mp4": {"_type": "Video"}, "wav": {"_type": "Audio"}}}}
        media = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
        assert schema.field("mp4").type == schema.field("wav").type == media
        assert schema.field("en.vtt").type == pyarrow.large_binary()


def test_a_file_that_is_too_large_is_one_failed_row(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_writer, "MOST_BYTES", 10)
    large = place.done("b")
    place.write("b.mp4", bytes(11))
    samples = fitting([place.done("a"), large, place.done("c")], place.path)
    assert [each.done for each in samples] == [True, False, True]
    write_rows(place.out / "x.parquet", samples, place.path, Layout({}, ("mp4", "wav")))
    rows = pyarrow.parquet.read_table(place.out / "x.parquet").to_pylist()
    assert [row["status"] for row in rows] == ["done", "failed", "done"]
    assert (rows[1]["reason"], rows[1]["permanent"], rows[1]["mp4"]) == ("too_large", True, None)
    assert rows[1]["error"].startswith("its mp4 has 0.00 GB, and a table holds ")
    # It is not a packed clip's, to be taken away.
    assert samples[1].files(place.path) == {} and (place.path / "b.mp4").exists()


def test_what_a_table_cannot_hold_is_one_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pyarrow says of sixteen videos of 150 MB in one group of rows."""

    def write_table(*args: Any, **more: Any) -> None:
        raise pyarrow.lib.ArrowCapacityError("array cannot contain more than 2147483646 bytes")

    monkeypatch.setattr(pyarrow.parquet.ParquetWriter, "write_table", write_table)
    with pytest.raises(RunError, match="^x.parquet: array cannot contain more than 2147483646 bytes$"):
        write_rows(place.out / "x.parquet", [place.done("a")], place.path)


def test_tars_hold_files_of_any_size(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(table_writer, "MOST_BYTES", 1)
    sample = place.done("a")
    for format, done in (("webdataset", True), ("parquet", False)):
        output = Output(Remote(str(tmp_path / "o")), format)  # type: ignore[arg-type]
        assert [each.done for each in output.fitting([sample], place.path)] == [done]


# -- what an output was begun with -----------------------------------------------------------------------------

CLIPS = [Clip(f"c{n}", f"v{n}", 0.0, 1.0) for n in range(4)]


def listed(rows: META) -> list[Clip]:
    return [clip._replace(meta=row) for clip, row in zip(CLIPS, rows, strict=True)]


def planned(url: str, rows: META) -> Layout:
    output = Output(Remote(url), "webdataset")
    output.plan(listed(rows), 2, {}, ("mp4", "wav"))
    assert output.layout is not None
    return output.layout


FIRST: META = [{"score": 1, "topic": "a"}, {"score": 2, "topic": "b"}, {"score": 3}, {"score": 4, "topic": None}]


def test_a_plan_keeps_the_layout(tmp_path: Path) -> None:
    layout = planned(str(tmp_path), FIRST)
    assert layout == Layout({"score": "whole", "topic": "text"}, ("mp4", "wav"), False, frozenset({"topic"}))
    assert json.loads((tmp_path / PLAN).read_bytes())["layout"] == layout.as_plan()
    # Whatever the list says by now: more columns, lists where there was a value, nothing at all.
    for rows in (
        [{"score": [1, 5], "topic": ["a", "z"], "label": "new"}] * 4,
        [{"topic": "a"}, {}, {}, {}],
        FIRST,
    ):
        assert planned(str(tmp_path), rows) == layout


def test_cells_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    planned(str(tmp_path), FIRST)
    with pytest.raises(UsageError, match="was begun with column score holding whole, and holds text now$"):
        planned(str(tmp_path), [{**row, "score": "high"} for row in FIRST])


@pytest.mark.parametrize(
    ("now", "begun", "fit"),
    [
        ("whole", "number", True), ("number", "whole", False), ("text", "whole", False), ("whole", "text", True),
        ("object", "text", True), ("list of text", "text", True), ("list of whole", "number", True),
        ("text", "list of text", True), ("list of text", "list of whole", False), ("object", "whole", False),
    ],
)  # fmt: skip
def test_what_fits(now: str, begun: str, fit: bool) -> None:
    assert fits(now, begun) is fit


@pytest.mark.parametrize(
    ("value", "kind", "due"),
    [
        (["a", "b"], "text", "a"), ([None, 2], "whole", 2), ([], "number", None), ("a", "list of text", ["a"]),
        ([1], "object", "[1]"), (3, "number", 3.0),
    ],
)  # fmt: skip
def test_a_value_as_a_begun_column_has_it(value: Any, kind: str, due: Any) -> None:
    assert cell(value, kind) == due


@pytest.mark.parametrize(
    "said",
    [
        {}, [], "x", {"kept": {}}, {"kept": [], "endings": [], "sparse": [], "info": False, "version": 2},
        {"kept": {}, "endings": [], "sparse": [], "info": False, "version": "x"},
    ],
)  # fmt: skip
def test_a_layout_that_is_none(said: Any) -> None:
    with pytest.raises(RunError, match="^here is no plan of ours: its layout$"):
        layout_of_plan(said, "here")


def test_a_layout_of_a_newer_program() -> None:
    said = replace(layout_of_schema(schema_of(FIRST)), version=VERSION + 1).as_plan()
    with pytest.raises(RunError, match="^here was made by a newer version"):
        layout_of_plan(said, "here")


# -- outputs from before plans had layouts ---------------------------------------------------------------------


def old_table(path: Path) -> None:
    """As it was written: names that differ from ours in their capitals alone, and media as plain bytes."""
    columns = {"id": ["c0"], "status": ["done"], "title": ["ours"], "Title": ["the list's"], "topic": ["a"]}
    table = pyarrow.table(columns | {"score": [1], "mp4": pyarrow.array([b"x"], pyarrow.large_binary())})
    pyarrow.parquet.write_table(table, path)


def test_an_old_outputs_columns(tmp_path: Path, place: Place) -> None:
    old_table(tmp_path / "old.parquet")
    rows: META = [{"Title": "t", "topic": ["a", "b"], "score": [1, 2], "label": "new"}]
    now = layout_of_schema(schema_of(rows), ("mp4",))
    layout = layout_of_table(tmp_path / "old.parquet", now)
    assert layout.version == 1 and layout.kept == {"Title": "text", "topic": "text", "score": "whole"}
    write_rows(tmp_path / "new.parquet", [place.done("a", rows[0])], place.path, layout)
    table = pyarrow.parquet.read_table(tmp_path / "new.parquet")
    [row] = table.to_pylist()
    assert (row["Title"], row["topic"], row["score"], row["title"]) == ("t", "a", 1, "t")
    assert (
        row["mp4"] == b"mp4" and "label" not in row and not {b"huggingface"} & (table.schema.metadata or {}).keys()
    )


@pytest.mark.parametrize("finished", [True, False])
def test_an_old_output_goes_on_as_it_was_begun(tmp_path: Path, finished: bool) -> None:
    settings = Settings(tmp_path, output_format="parquet", samples_per_shard=2)
    rows: META = [{"topic": ["a", "b"]}] * 4
    output = open_output(settings)
    plan_shards(output, listed(rows), "clips", settings)
    folder = tmp_path / "shards"
    said = json.loads((folder / PLAN).read_bytes())
    assert said.pop("layout")
    (folder / PLAN).write_text(json.dumps(said))
    if finished:
        old_table(folder / "00001.parquet")
        (folder / "00001_stats.json").write_text("{}")
    again = open_output(settings)
    plan_shards(again, listed(rows), "clips", settings)
    assert again.layout is not None and again.layout.version == 1
    assert again.layout.kept["topic"] == ("text" if finished else "list of text")
    assert "layout" not in json.loads((folder / PLAN).read_bytes())


def test_an_old_tar_has_what_each_clip_has(place: Place) -> None:
    samples = [place.done("a", {"caption": "x", "n": None}), place.done("b", without=("wav",), title=None)]
    first, second = place.tar(samples, Layout({"caption": "text"}, ("mp4", "wav"), version=1))
    assert first.keys() == {"mp4", "wav", "json", "txt"} and second.keys() == {"mp4", "json"}
    assert json.loads(first["json"])["n"] is None and json.loads(second["json"])["title"] is None
